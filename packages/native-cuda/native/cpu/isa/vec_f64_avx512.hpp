// Float64 vocabulary, 8 lanes of AVX-512 (F, DQ, BW, VL).

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kLanes64 = 8;
struct Vec64 { __m512d v; };

inline Vec64 dzero() { return {_mm512_setzero_pd()}; }
inline Vec64 dset(double x) { return {_mm512_set1_pd(x)}; }
inline Vec64 dload(const double* p) { return {_mm512_loadu_pd(p)}; }
inline void dstore(double* p, Vec64 a) { _mm512_storeu_pd(p, a.v); }
inline Vec64 operator+(Vec64 a, Vec64 b) { return {_mm512_add_pd(a.v, b.v)}; }
inline Vec64 operator-(Vec64 a, Vec64 b) { return {_mm512_sub_pd(a.v, b.v)}; }
inline Vec64 operator*(Vec64 a, Vec64 b) { return {_mm512_mul_pd(a.v, b.v)}; }
inline Vec64 dfma(Vec64 a, Vec64 b, Vec64 c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
inline Vec64 dfnma(Vec64 a, Vec64 b, Vec64 c) { return {_mm512_fnmadd_pd(a.v, b.v, c.v)}; }
inline Vec64 dsqrt(Vec64 a) { return {_mm512_sqrt_pd(a.v)}; }
inline void dstore_f32(float* p, Vec64 a) { _mm256_storeu_ps(p, _mm512_cvtpd_ps(a.v)); }
// Rows r and r + 4 share a register, so that one 4×4 transpose inside 128-bit lanes does half of the work.
inline void dload_transposed(const float* const* rows, int64_t offset, Vec64* columns) {
  __m512 pair[4];
  for (int r = 0; r < 4; r++) {
    pair[r] = _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(rows[r] + offset)),
                                 _mm256_loadu_ps(rows[r + 4] + offset), 1);
  }
  const __m512 ab_low = _mm512_unpacklo_ps(pair[0], pair[1]), ab_high = _mm512_unpackhi_ps(pair[0], pair[1]);
  const __m512 cd_low = _mm512_unpacklo_ps(pair[2], pair[3]), cd_high = _mm512_unpackhi_ps(pair[2], pair[3]);
  const auto join_low = [](__m512 a, __m512 b) {
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
  };
  const auto join_high = [](__m512 a, __m512 b) {
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
  };
  const __m512 column[4] = {join_low(ab_low, cd_low), join_high(ab_low, cd_low), join_low(ab_high, cd_high),
                            join_high(ab_high, cd_high)};
  for (int c = 0; c < 4; c++) {  // 128-bit lanes: column c of rows 0-3, c+4 of 0-3, c of 4-7, c+4 of 4-7
    const __m512 sorted = _mm512_shuffle_f32x4(column[c], column[c], 0xd8);
    columns[c] = {_mm512_cvtps_pd(_mm512_castps512_ps256(sorted))};
    columns[c + 4] = {_mm512_cvtps_pd(_mm512_extractf32x8_ps(sorted, 1))};
  }
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
