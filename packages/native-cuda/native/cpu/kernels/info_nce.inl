#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status info_nce(const InfoNceArgs&, Exec&) { return Status::unsupported("info_nce: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
