#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status log_mel(const LogMelArgs&, Exec&) { return Status::unsupported("log_mel: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
