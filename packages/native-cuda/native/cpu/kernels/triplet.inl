#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status triplet(const TripletArgs&, Exec&) { return Status::unsupported("triplet: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
