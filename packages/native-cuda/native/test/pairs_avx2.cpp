#define SONOTEXT_ISA pairs_avx2
#define SONOTEXT_BF16_INSTRUCTION
#include "../cpu/isa/vec_avx2.hpp"
#include "pairs.hpp"
#include "../core/ops.hpp"
#include "../cpu/kernels/frame_score.inl"
#include "../cpu/isa/table_bf16.inl"
