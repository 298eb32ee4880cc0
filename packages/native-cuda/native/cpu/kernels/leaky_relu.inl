#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status leaky_relu(const LeakyReluArgs&, Exec&) { return Status::unsupported("leaky_relu: kernel missing"); }

inline Status leaky_relu_backward(const LeakyReluBackwardArgs&, Exec&) { return Status::unsupported("leaky_relu_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
