// Every CPU kernel, compiled once per instruction set: the including file has set SONOTEXT_ISA and its vocabulary.
#include "../../core/ops.hpp"
#include "kernels.inl"

namespace sonotext::SONOTEXT_ISA {

// clang-format off
extern const OpTable table;
const OpTable table = {
#define SONOTEXT_ENTRY(name, Args) .name = name,
    SONOTEXT_OPS(SONOTEXT_ENTRY)
#undef SONOTEXT_ENTRY
};
// clang-format on

}  // namespace sonotext::SONOTEXT_ISA
#include "table_bf16.inl"
