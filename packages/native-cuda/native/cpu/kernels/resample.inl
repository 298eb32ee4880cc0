#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status resample(const ResampleArgs&, Exec&) { return Status::unsupported("resample: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
