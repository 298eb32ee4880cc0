#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status similarity(const SimilarityArgs&, Exec&) { return Status::unsupported("similarity: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
