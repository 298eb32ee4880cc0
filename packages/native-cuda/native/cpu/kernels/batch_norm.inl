#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status batch_norm(const BatchNormArgs&, Exec&) { return Status::unsupported("batch_norm: kernel missing"); }

inline Status batch_norm_backward(const BatchNormBackwardArgs&, Exec&) { return Status::unsupported("batch_norm_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
