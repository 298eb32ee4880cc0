#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status gru(const GruArgs&, Exec&) { return Status::unsupported("gru: kernel missing"); }

inline Status gru_backward(const GruBackwardArgs&, Exec&) { return Status::unsupported("gru_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
