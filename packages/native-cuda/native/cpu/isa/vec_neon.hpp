// Vector vocabulary, 4 lanes of NEON (Advanced SIMD) with fused multiply-adds: what every 64-bit Arm CPU has.
#include <arm_neon.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "unroll.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kLanes = 4, kRegisters = 32;
struct Vec { float32x4_t v; };
struct Mask { uint32x4_t m; };

inline Vec vzero() { return {vdupq_n_f32(0.0f)}; }
inline Vec vset(float x) { return {vdupq_n_f32(x)}; }
inline Vec vload(const float* p) { return {vld1q_f32(p)}; }
// There are no masked accesses: the rest of a row goes as a half and a lane.
inline Vec vload_n(const float* p, int64_t n) {
  if (n >= kLanes) return vload(p);
  if (n <= 0) return vzero();
  if (n == 1) return {vld1q_lane_f32(p, vdupq_n_f32(0.0f), 0)};
  const float32x4_t half = vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f));
  return {n == 2 ? half : vld1q_lane_f32(p + 2, half, 2)};
}
inline void vstore(float* p, Vec a) { vst1q_f32(p, a.v); }
inline void vstore_n(float* p, Vec a, int64_t n) {
  if (n >= kLanes) {
    vstore(p, a);
  } else if (n == 1) {
    vst1q_lane_f32(p, a.v, 0);
  } else if (n > 1) {
    vst1_f32(p, vget_low_f32(a.v));
    if (n == 3) vst1q_lane_f32(p + 2, a.v, 2);
  }
}
inline void vprefetch(const float* p) { __builtin_prefetch(p); }
inline void vstream(float* p, Vec a) { vstore(p, a); }  // no intrinsic goes past the caches
inline void vstream_end() {}
inline Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
inline Vec vfma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline Vec vfnma(Vec a, Vec b, Vec c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
// Not vmaxq and vminq: kernels count on the second operand where one is NaN.
inline Vec vmax(Vec a, Vec b) { return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)}; }
inline Vec vmin(Vec a, Vec b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; }
inline Vec vabs(Vec a) { return {vabsq_f32(a.v)}; }
inline Vec vsqrt(Vec a) { return {vsqrtq_f32(a.v)}; }
inline Vec vround(Vec a) { return {vrndnq_f32(a.v)}; }
inline Mask vgt(Vec a, Vec b) { return {vcgtq_f32(a.v, b.v)}; }
inline Mask vge(Vec a, Vec b) { return {vcgeq_f32(a.v, b.v)}; }
inline Mask vne(Vec a, Vec b) { return {vmvnq_u32(vceqq_f32(a.v, b.v))}; }
inline Vec vselect(Mask m, Vec a, Vec b) { return {vbslq_f32(m.m, a.v, b.v)}; }
inline bool vany(Mask m) { return vmaxvq_u32(m.m) != 0; }
inline Vec vload_bytes(const void* p) {
  uint32_t bytes;
  memcpy(&bytes, p, 4);
  const int16x8_t words = vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(bytes)));
  return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(words)))};
}
inline void vstore_bytes(void* p, Vec a) {
  const int16x4_t words = vqmovn_s32(vcvtnq_s32_f32(a.v));
  const uint32_t bytes = vget_lane_u32(vreinterpret_u32_s8(vqmovn_s16(vcombine_s16(words, words))), 0);
  memcpy(p, &bytes, 4);
}
inline Vec vload_halves(const void* p) {
  uint16x4_t halves;
  memcpy(&halves, p, 8);
  return {vcvt_f32_f16(vreinterpret_f16_u16(halves))};
}
inline void vstore_halves(void* p, Vec a) {
  const uint16x4_t halves = vreinterpret_u16_f16(vcvt_f16_f32(a.v));
  memcpy(p, &halves, 8);
}
inline float vsum(Vec a) { return vaddvq_f32(a.v); }  // (0 + 1) + (2 + 3)
inline float vhmax(Vec a) { return vmaxvq_f32(a.v); }
inline float32x4_t vlower_pairs(float32x4_t a, float32x4_t b) {
  return vreinterpretq_f32_f64(vzip1q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}
inline float32x4_t vupper_pairs(float32x4_t a, float32x4_t b) {
  return vreinterpretq_f32_f64(vzip2q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}
inline void vtranspose(Vec (&r)[4]) {
  const float32x4_t even01 = vtrn1q_f32(r[0].v, r[1].v), odd01 = vtrn2q_f32(r[0].v, r[1].v);
  const float32x4_t even23 = vtrn1q_f32(r[2].v, r[3].v), odd23 = vtrn2q_f32(r[2].v, r[3].v);
  r[0] = {vlower_pairs(even01, even23)}, r[1] = {vlower_pairs(odd01, odd23)};
  r[2] = {vupper_pairs(even01, even23)}, r[3] = {vupper_pairs(odd01, odd23)};
}
inline void vload_transposed(const float* const* rows, int64_t offset, Vec (&columns)[4]) {
  for (int r = 0; r < 4; ++r) columns[r] = vload(rows[r] + offset);
  vtranspose(columns);
}
inline Vec vpow2(Vec n) {
  const int32x4_t i = vaddq_s32(vcvtnq_s32_f32(n.v), vdupq_n_s32(127));
  return {vreinterpretq_f32_s32(vshlq_n_s32(i, 23))};
}
inline Vec vfrexp(Vec x, Vec* e) {
  const int32x4_t bits = vreinterpretq_s32_f32(x.v), above = vsubq_s32(bits, vdupq_n_s32(0x3f3504f3));
  e->v = vcvtq_f32_s32(vshrq_n_s32(above, 23));
  return {vreinterpretq_f32_s32(vsubq_s32(bits, vandq_s32(above, vdupq_n_s32(~0x007fffff))))};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
