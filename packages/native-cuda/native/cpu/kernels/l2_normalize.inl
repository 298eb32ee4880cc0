#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status l2_normalize(const L2NormalizeArgs&, Exec&) { return Status::unsupported("l2_normalize: kernel missing"); }

inline Status l2_normalize_backward(const L2NormalizeBackwardArgs&, Exec&) { return Status::unsupported("l2_normalize_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
