#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status embedding(const EmbeddingArgs&, Exec&) { return Status::unsupported("embedding: kernel missing"); }

inline Status embedding_backward(const EmbeddingBackwardArgs&, Exec&) { return Status::unsupported("embedding_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
