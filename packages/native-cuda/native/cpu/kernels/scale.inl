#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status scale(const ScaleArgs&, Exec&) { return Status::unsupported("scale: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
