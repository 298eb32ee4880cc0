#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status add(const AddArgs&, Exec&) { return Status::unsupported("add: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
