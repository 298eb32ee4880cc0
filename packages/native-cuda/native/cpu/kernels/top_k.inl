#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status top_k(const TopKArgs&, Exec&) { return Status::unsupported("top_k: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
