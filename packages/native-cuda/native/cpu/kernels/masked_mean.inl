#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status masked_mean(const MaskedMeanArgs&, Exec&) { return Status::unsupported("masked_mean: kernel missing"); }

inline Status masked_mean_backward(const MaskedMeanBackwardArgs&, Exec&) { return Status::unsupported("masked_mean_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
