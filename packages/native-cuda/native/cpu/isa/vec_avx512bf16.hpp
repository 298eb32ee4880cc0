// What AVX512_BF16 adds to the vocabulary of AVX-512.
#pragma once

namespace sonotext::SONOTEXT_ISA {
namespace {

// sum + a₂·b₂, then + a₁·b₁, of words of two bfloat16 numbers, the first in the lower half.
inline Vec vfma_bf16(Vec a, Vec b, Vec sum) {
  return {_mm512_dpbf16_ps(sum.v, (__m512bh)a.v, (__m512bh)b.v)};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
