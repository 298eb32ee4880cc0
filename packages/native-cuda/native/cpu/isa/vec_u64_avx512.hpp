// Vocabulary of 64-bit words, 8 lanes of AVX-512 (F, DQ, BW, VL).

namespace sonotext::SONOTEXT_ISA {
namespace {

struct Words { __m512i v; };

inline Words wset(uint64_t x) { return {_mm512_set1_epi64(static_cast<long long>(x))}; }
inline Words operator^(Words a, Words b) { return {_mm512_xor_si512(a.v, b.v)}; }
inline Words wxor3(Words a, Words b, Words c) { return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x96)}; }
inline Words wmul(Words a, Words b) { return {_mm512_mul_epu32(a.v, b.v)}; }
inline Words wupper(Words a) { return {_mm512_srli_epi64(a.v, 32)}; }
// Unpacking takes the first of each pair of lanes, then the second.
inline Words wcount(uint64_t first) {
  return {_mm512_add_epi64(wset(first).v, _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7))};
}
inline void wuniform(const Words (&w)[4], Vec* out) {
  const __m512i low = _mm512_mask_blend_epi32(0xaaaa, w[0].v, _mm512_slli_epi64(w[1].v, 32));
  const __m512i high = _mm512_mask_blend_epi32(0xaaaa, w[2].v, _mm512_slli_epi64(w[3].v, 32));
  out[0] = {_mm512_cvtepi32_ps(_mm512_srli_epi32(_mm512_unpacklo_epi64(low, high), 8))};
  out[1] = {_mm512_cvtepi32_ps(_mm512_srli_epi32(_mm512_unpackhi_epi64(low, high), 8))};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
