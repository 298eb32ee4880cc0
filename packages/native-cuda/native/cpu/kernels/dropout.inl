#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status dropout(const DropoutArgs&, Exec&) { return Status::unsupported("dropout: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
