#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status lp_pool(const LpPoolArgs&, Exec&) { return Status::unsupported("lp_pool: kernel missing"); }

inline Status lp_pool_backward(const LpPoolBackwardArgs&, Exec&) { return Status::unsupported("lp_pool_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
