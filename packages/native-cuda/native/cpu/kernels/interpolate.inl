#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status interpolate(const InterpolateArgs&, Exec&) { return Status::unsupported("interpolate: kernel missing"); }

inline Status interpolate_backward(const InterpolateBackwardArgs&, Exec&) { return Status::unsupported("interpolate_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
