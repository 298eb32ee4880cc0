#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status conv2d(const Conv2dArgs&, Exec&) { return Status::unsupported("conv2d: kernel missing"); }

inline Status conv2d_backward(const Conv2dBackwardArgs&, Exec&) { return Status::unsupported("conv2d_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
