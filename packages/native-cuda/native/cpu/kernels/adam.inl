#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status adam(const AdamArgs&, Exec&) { return Status::unsupported("adam: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
