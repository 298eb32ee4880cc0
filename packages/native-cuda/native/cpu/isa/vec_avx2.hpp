// Vector vocabulary, 8 lanes of AVX2 with FMA.
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "unroll.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kLanes = 8, kRegisters = 16;
struct Vec { __m256 v; };
struct Mask { __m256 m; };

inline __m256i vlane_mask(int64_t n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const int count = n < 0 ? 0 : n > 8 ? 8 : static_cast<int>(n);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);
}
inline Vec vzero() { return {_mm256_setzero_ps()}; }
inline Vec vset(float x) { return {_mm256_set1_ps(x)}; }
inline Vec vload(const float* p) { return {_mm256_loadu_ps(p)}; }
// A whole vector by a plain access: masked ones cost several times as much, on AMD above all.
inline Vec vload_n(const float* p, int64_t n) {
  return {n >= kLanes ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, vlane_mask(n))};
}
inline void vstore(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
// The rest of a row in halves: a masked store costs rows of 150 a fifth of their time on Zen 3.
inline void vstore_n(float* p, Vec a, int64_t n) {
  if (n >= kLanes) {
    _mm256_storeu_ps(p, a.v);
  } else if (n > 0) {
    __m128 rest = _mm256_castps256_ps128(a.v);
    if (n & 4) {
      _mm_storeu_ps(p, rest);
      rest = _mm256_extractf128_ps(a.v, 1);
      p += 4;
    }
    if (n & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
      rest = _mm_movehl_ps(rest, rest);
      p += 2;
    }
    if (n & 1) _mm_store_ss(p, rest);
  }
}
inline void vprefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }
inline void vstream(float* p, Vec a) { _mm256_stream_ps(p, a.v); }
inline void vstream_end() { _mm_sfence(); }
inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec vfma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec vfnma(Vec a, Vec b, Vec c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
inline Vec vmax(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec vmin(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec vabs(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline Vec vsqrt(Vec a) { return {_mm256_sqrt_ps(a.v)}; }
inline Vec vround(Vec a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline Mask vgt(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
inline Mask vge(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
inline Mask vne(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_NEQ_UQ)}; }
inline Vec vselect(Mask m, Vec a, Vec b) { return {_mm256_blendv_ps(b.v, a.v, m.m)}; }
inline bool vany(Mask m) { return _mm256_movemask_ps(m.m) != 0; }
inline Vec vload_bytes(const void* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))))};
}
inline void vstore_bytes(void* p, Vec a) {
  const __m256i i = _mm256_cvtps_epi32(a.v);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
  _mm_storel_epi64(static_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}
inline Vec vload_halves(const void* p) { return {_mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p)))}; }
inline void vstore_halves(void* p, Vec a) {
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm256_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline float vsum(Vec a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  s = _mm_add_ss(s, _mm_movehdup_ps(s));
  return _mm_cvtss_f32(s);
}
inline float vhmax(Vec a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  s = _mm_max_ss(s, _mm_movehdup_ps(s));
  return _mm_cvtss_f32(s);
}
inline void vtranspose(Vec (&r)[8]) {
  __m256 t[8], u[8];
  SONOTEXT_UNROLL(4)
  for (int i = 0; i < 4; ++i) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i].v, r[2 * i + 1].v);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i].v, r[2 * i + 1].v);
  }
  SONOTEXT_UNROLL(2)
  for (int i = 0; i < 2; ++i) {
    u[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    u[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  SONOTEXT_UNROLL(4)
  for (int i = 0; i < 4; ++i) {
    r[i].v = _mm256_permute2f128_ps(u[i], u[4 + i], 0x20);
    r[4 + i].v = _mm256_permute2f128_ps(u[i], u[4 + i], 0x31);
  }
}
// Rows r and r + 4 share a register: nothing crosses its halves.
inline void vload_transposed(const float* const* rows, int64_t offset, Vec (&columns)[8]) {
  SONOTEXT_UNROLL(2)
  for (int half = 0; half < 2; ++half) {
    __m256 r[4];
    SONOTEXT_UNROLL(4)
    for (int i = 0; i < 4; ++i) {
      r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[i] + offset + 4 * half)),
                                  _mm_loadu_ps(rows[i + 4] + offset + 4 * half), 1);
    }
    const __m256 a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
    const __m256 c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
    columns[4 * half] = {_mm256_shuffle_ps(a, c, 0x44)}, columns[4 * half + 1] = {_mm256_shuffle_ps(a, c, 0xee)};
    columns[4 * half + 2] = {_mm256_shuffle_ps(b, d, 0x44)}, columns[4 * half + 3] = {_mm256_shuffle_ps(b, d, 0xee)};
  }
}
inline Vec vpow2(Vec n) {
  const __m256i i = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(i, 23))};
}
inline Vec vfrexp(Vec x, Vec* e) {
  const __m256i bits = _mm256_castps_si256(x.v), above = _mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f3504f3));
  e->v = _mm256_cvtepi32_ps(_mm256_srai_epi32(above, 23));
  return {_mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_and_si256(above, _mm256_set1_epi32(~0x007fffff))))};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
