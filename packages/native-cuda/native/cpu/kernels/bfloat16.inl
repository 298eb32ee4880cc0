// Operands of products in bfloat16: rows of float32 rounded once, in pairs of neighbours (0 past the end). Where an instruction takes pairs, a
// row of k numbers is one of ⌈k / 2⌉ words; elsewhere each rounded number is a float32 again, the second of a pair before the first.
// What packs and blocks rows of floats does the same with both.
//
// A product of two bfloat16 numbers has 16 significant bits: float32 holds it exactly. What is rounded is each addition to the sum, and
// those of the second numbers of a pair come before those of the first ones: the order of the instruction VDPBF16PS. It computes each
// as a fused multiply-add to the nearest float32, of ties the even one, takes denormal operands and sums as 0 and looks at no
// floating-point environment (Intel's manual, volume 2). The float32 kernel over rows in that order has the same bits, unless a sum or a
// product on the way is smaller than 2⁻¹²⁶ in magnitude without being 0.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// The nearest bfloat16 number, of ties the even one, as the upper half of a float32; infinite from 0x1.ffp127 on. Denormals become 0, NaN
// stays NaN: what VCVTNE2PS2BF16 does, and so on every set.
inline uint32_t round_to_bf16(uint32_t bits) {
  const uint32_t magnitude = bits & 0x7fffffffu;
  const uint32_t nearest = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  const uint32_t finite = magnitude < 0x00800000u ? bits & 0x80000000u : nearest;
  return magnitude > 0x7f800000u ? (bits & 0xffff0000u) | 0x00400000u : finite;
}

#if defined(SONOTEXT_BF16_INSTRUCTION)

// Words of two numbers, the first in the lower half.
struct PairProduct {
  static Vec fma(Vec a, Vec b, Vec sum) { return vfma_bf16(a, b, sum); }
};
struct Bfloat16 {
  using Product = PairProduct;
  static constexpr i64 kPairWords = 1, kPass = kKc / 2, kUnit = 1;
};
inline void put_pair(uint32_t first, uint32_t second, uint32_t* words) { words[0] = first >> 16 | second; }

#else

struct Bfloat16 {
  using Product = FloatProduct;
  static constexpr i64 kPairWords = 2, kPass = kKc, kUnit = 2;
};
inline void put_pair(uint32_t first, uint32_t second, uint32_t* words) { words[0] = second, words[1] = first; }

#endif

// Words of a rounded row of k numbers.
inline i64 rounded_words(i64 k) { return (k + 1) / 2 * Bfloat16::kPairWords; }

// A block at a time and all of each, so that the compiler makes vectors of the loops.
inline void round_row(const float* x, i64 k, float* words) {
  constexpr i64 kPairs = 32;
  uint32_t numbers[2 * kPairs], block[kPairs * Bfloat16::kPairWords];
  const auto round_block = [&] {
    for (i64 i = 0; i < 2 * kPairs; ++i) numbers[i] = round_to_bf16(numbers[i]);
    for (i64 q = 0; q < kPairs; ++q) put_pair(numbers[2 * q], numbers[2 * q + 1], block + q * Bfloat16::kPairWords);
  };
  i64 p = 0;
  for (; p + 2 * kPairs <= k; p += 2 * kPairs) {
    memcpy(numbers, x + p, sizeof(numbers));
    round_block();
    memcpy(words + rounded_words(p), block, sizeof(block));
  }
  if (p < k) {
    memset(numbers, 0, sizeof(numbers));
    memcpy(numbers, x + p, static_cast<size_t>(4 * (k - p)));
    round_block();
    memcpy(words + rounded_words(p), block, static_cast<size_t>(4 * rounded_words(k - p)));
  }
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
