// AVX-512 with its dot product of bfloat16 pairs: the ops whose operands a device opened for bf16 rounds, and no others.
#define SONOTEXT_ISA avx512bf16
#define SONOTEXT_BF16_INSTRUCTION
#include "vec_avx512.hpp"
#include "vec_avx512bf16.hpp"
#include "../../core/ops.hpp"
#include "../kernels/frame_score.inl"
#include "table_bf16.inl"
