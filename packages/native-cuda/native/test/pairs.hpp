// AVX512_BF16's one operation in the vocabulary of another set: for running what `avx512bf16` makes of it on CPUs that lack it.
#pragma once

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Vec half_of(Vec words, bool second) {
  float lanes[kLanes];
  vstore(lanes, words);
  for (float& lane : lanes) {
    uint32_t bits;
    memcpy(&bits, &lane, 4);
    bits = second ? bits & 0xffff0000u : bits << 16;
    memcpy(&lane, &bits, 4);
  }
  return vload(lanes);
}

inline Vec vfma_bf16(Vec a, Vec b, Vec sum) {
  return vfma(half_of(a, false), half_of(b, false), vfma(half_of(a, true), half_of(b, true), sum));
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
