// Float64 vocabulary, 2 lanes of NEON with fused multiply-adds.

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kLanes64 = 2;
struct Vec64 { float64x2_t v; };

inline Vec64 dzero() { return {vdupq_n_f64(0.0)}; }
inline Vec64 dset(double x) { return {vdupq_n_f64(x)}; }
inline Vec64 dload(const double* p) { return {vld1q_f64(p)}; }
inline void dstore(double* p, Vec64 a) { vst1q_f64(p, a.v); }
inline Vec64 operator+(Vec64 a, Vec64 b) { return {vaddq_f64(a.v, b.v)}; }
inline Vec64 operator-(Vec64 a, Vec64 b) { return {vsubq_f64(a.v, b.v)}; }
inline Vec64 operator*(Vec64 a, Vec64 b) { return {vmulq_f64(a.v, b.v)}; }
inline Vec64 dfma(Vec64 a, Vec64 b, Vec64 c) { return {vfmaq_f64(c.v, a.v, b.v)}; }
inline Vec64 dfnma(Vec64 a, Vec64 b, Vec64 c) { return {vfmsq_f64(c.v, a.v, b.v)}; }
inline Vec64 dsqrt(Vec64 a) { return {vsqrtq_f64(a.v)}; }
inline void dstore_f32(float* p, Vec64 a) { vst1_f32(p, vcvt_f32_f64(a.v)); }
inline void dload_transposed(const float* const* rows, int64_t offset, Vec64* columns) {
  const float32x2_t a = vld1_f32(rows[0] + offset), b = vld1_f32(rows[1] + offset);
  columns[0] = {vcvt_f64_f32(vzip1_f32(a, b))}, columns[1] = {vcvt_f64_f32(vzip2_f32(a, b))};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
