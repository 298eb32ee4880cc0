#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status gemm(const GemmArgs&, Exec&) { return Status::unsupported("gemm: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
