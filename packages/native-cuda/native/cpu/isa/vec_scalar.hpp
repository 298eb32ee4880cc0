// Vector vocabulary, one lane. The other sets have the same names; kernels are written once over it.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "unroll.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kLanes = 1, kRegisters = 16;  // of vectors: what tiles of sums may fill
struct Vec { float v; };
struct Mask { bool m; };

inline Vec vzero() { return {0.0f}; }
inline Vec vset(float x) { return {x}; }
inline Vec vload(const float* p) { return {*p}; }
inline Vec vload_n(const float* p, int64_t n) { return {n > 0 ? *p : 0.0f}; }  // lanes >= n are 0
inline void vstore(float* p, Vec a) { *p = a.v; }
inline void vstore_n(float* p, Vec a, int64_t n) { if (n > 0) *p = a.v; }
inline void vprefetch(const float*) {}                  // the line of p, which need not exist, will be used
inline void vstream(float* p, Vec a) { *p = a.v; }  // past the caches, p aligned to a vector; then vstream_end()
inline void vstream_end() {}                       // makes streamed stores visible to other threads in order
inline Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
inline Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
inline Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
inline Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
// Two roundings: the baseline instruction set has no FMA, and fmaf() would be a call for every element.
inline Vec vfma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }   // a·b + c
inline Vec vfnma(Vec a, Vec b, Vec c) { return {c.v - a.v * b.v}; }  // c - a·b
inline Vec vmax(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }  // NaN in a gives b
inline Vec vmin(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
inline Vec vabs(Vec a) { return {__builtin_fabsf(a.v)}; }
inline Vec vsqrt(Vec a) { return {__builtin_sqrtf(a.v)}; }
inline Vec vround(Vec a) { return {__builtin_rintf(a.v)}; }
inline Mask vgt(Vec a, Vec b) { return {a.v > b.v}; }
inline Mask vge(Vec a, Vec b) { return {a.v >= b.v}; }
inline Mask vne(Vec a, Vec b) { return {a.v != b.v}; }  // true for NaN
inline Vec vselect(Mask m, Vec a, Vec b) { return m.m ? a : b; }
inline bool vany(Mask m) { return m.m; }
// kLanes signed bytes, and half-precision numbers as the widths of their format give them (these need no alignment).
inline Vec vload_bytes(const void* p) {
  int8_t x;
  memcpy(&x, p, 1);
  return {static_cast<float>(x)};
}
inline void vstore_bytes(void* p, Vec a) {  // integral, in [-127, 127]
  const int8_t x = static_cast<int8_t>(a.v);
  memcpy(p, &x, 1);
}
inline Vec vload_halves(const void* p) {
  uint16_t h;
  memcpy(&h, p, 2);
  const uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31u, mantissa = h & 0x3ffu;
  if (exponent == 0) return {static_cast<float>(mantissa) * (sign ? -0x1p-24f : 0x1p-24f)};
  const uint32_t bits = sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | mantissa << 13;
  float x;
  memcpy(&x, &bits, 4);
  return {x};
}
inline void vstore_halves(void* p, Vec a) {  // to the nearest, of ties the even one; below 65520 in magnitude
  uint32_t bits;
  memcpy(&bits, &a.v, 4);
  const uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude < 0x38800000u) {  // below 2⁻¹⁴: a multiple of 2⁻²⁴
    half = static_cast<uint32_t>(__builtin_rintf(__builtin_fabsf(a.v) * 0x1p24f));
  } else {
    half = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
  }
  const uint16_t h = static_cast<uint16_t>(sign | half);
  memcpy(p, &h, 2);
}
inline float vsum(Vec a) { return a.v; }   // fixed order
inline float vhmax(Vec a) { return a.v; }
inline void vtranspose(Vec (&)[1]) {}      // kLanes rows of kLanes values
// columns[i] lane r = rows[r][offset + i]
inline void vload_transposed(const float* const* rows, int64_t offset, Vec (&columns)[1]) { columns[0] = {rows[0][offset]}; }
// 2^n for integral n in [-126, 127]
inline Vec vpow2(Vec n) {
  int32_t bits = (static_cast<int32_t>(n.v) + 127) << 23;
  float r;
  memcpy(&r, &bits, 4);
  return {r};
}
// x = m·2^e with m in [√½, √2), for positive normal x
inline Vec vfrexp(Vec x, Vec* e) {
  int32_t bits;
  memcpy(&bits, &x.v, 4);
  const int32_t above = bits - 0x3f3504f3;  // √½
  e->v = static_cast<float>(above >> 23);
  bits -= above & ~0x007fffff;
  float m;
  memcpy(&m, &bits, 4);
  return {m};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
