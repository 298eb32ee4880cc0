// Vocabulary of 64-bit words, 4 lanes of AVX2.

namespace sonotext::SONOTEXT_ISA {
namespace {

struct Words { __m256i v; };

inline Words wset(uint64_t x) { return {_mm256_set1_epi64x(static_cast<long long>(x))}; }
inline Words operator^(Words a, Words b) { return {_mm256_xor_si256(a.v, b.v)}; }
inline Words wxor3(Words a, Words b, Words c) { return a ^ b ^ c; }
inline Words wmul(Words a, Words b) { return {_mm256_mul_epu32(a.v, b.v)}; }
inline Words wupper(Words a) { return {_mm256_srli_epi64(a.v, 32)}; }
// Unpacking takes the first of each pair of lanes, then the second.
inline Words wcount(uint64_t first) { return {_mm256_add_epi64(wset(first).v, _mm256_setr_epi64x(0, 2, 1, 3))}; }
inline void wuniform(const Words (&w)[4], Vec* out) {
  const __m256i low = _mm256_blend_epi32(w[0].v, _mm256_slli_epi64(w[1].v, 32), 0xaa);
  const __m256i high = _mm256_blend_epi32(w[2].v, _mm256_slli_epi64(w[3].v, 32), 0xaa);
  out[0] = {_mm256_cvtepi32_ps(_mm256_srli_epi32(_mm256_unpacklo_epi64(low, high), 8))};
  out[1] = {_mm256_cvtepi32_ps(_mm256_srli_epi32(_mm256_unpackhi_epi64(low, high), 8))};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
