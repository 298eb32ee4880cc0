// Float64 vocabulary, 4 lanes of AVX2 with FMA.

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kLanes64 = 4;
struct Vec64 { __m256d v; };

inline Vec64 dzero() { return {_mm256_setzero_pd()}; }
inline Vec64 dset(double x) { return {_mm256_set1_pd(x)}; }
inline Vec64 dload(const double* p) { return {_mm256_loadu_pd(p)}; }
inline void dstore(double* p, Vec64 a) { _mm256_storeu_pd(p, a.v); }
inline Vec64 operator+(Vec64 a, Vec64 b) { return {_mm256_add_pd(a.v, b.v)}; }
inline Vec64 operator-(Vec64 a, Vec64 b) { return {_mm256_sub_pd(a.v, b.v)}; }
inline Vec64 operator*(Vec64 a, Vec64 b) { return {_mm256_mul_pd(a.v, b.v)}; }
inline Vec64 dfma(Vec64 a, Vec64 b, Vec64 c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
inline Vec64 dfnma(Vec64 a, Vec64 b, Vec64 c) { return {_mm256_fnmadd_pd(a.v, b.v, c.v)}; }
inline Vec64 dsqrt(Vec64 a) { return {_mm256_sqrt_pd(a.v)}; }
inline void dstore_f32(float* p, Vec64 a) { _mm_storeu_ps(p, _mm256_cvtpd_ps(a.v)); }
inline void dload_transposed(const float* const* rows, int64_t offset, Vec64* columns) {
  __m128 a = _mm_loadu_ps(rows[0] + offset), b = _mm_loadu_ps(rows[1] + offset);
  __m128 c = _mm_loadu_ps(rows[2] + offset), d = _mm_loadu_ps(rows[3] + offset);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  columns[0] = {_mm256_cvtps_pd(a)}, columns[1] = {_mm256_cvtps_pd(b)};
  columns[2] = {_mm256_cvtps_pd(c)}, columns[3] = {_mm256_cvtps_pd(d)};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
