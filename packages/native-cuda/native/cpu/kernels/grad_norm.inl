#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status grad_norm(const GradNormArgs&, Exec&) { return Status::unsupported("grad_norm: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
