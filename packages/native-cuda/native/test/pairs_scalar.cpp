#define SONOTEXT_ISA pairs_scalar
#define SONOTEXT_BF16_INSTRUCTION
#include "../cpu/isa/vec_scalar.hpp"
#include "pairs.hpp"
#include "../core/ops.hpp"
#include "../cpu/kernels/frame_score.inl"
#include "../cpu/isa/table_bf16.inl"
