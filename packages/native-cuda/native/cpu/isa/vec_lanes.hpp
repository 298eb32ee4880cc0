// Float32 and float64 under the same names, for kernels that are written once over both.
#pragma once

namespace sonotext::SONOTEXT_ISA {
namespace {

template <class T>
struct Lanes;

template <>
struct Lanes<float> {
  using V = Vec;
  static constexpr int count = kLanes;
  static V zero() { return vzero(); }
  static V set(float x) { return vset(x); }
  static V load(const float* p) { return vload(p); }
  static void store(float* p, V a) { vstore(p, a); }
  static void store_f32(float* p, V a) { vstore(p, a); }
  static V fma(V a, V b, V c) { return vfma(a, b, c); }
  static V fnma(V a, V b, V c) { return vfnma(a, b, c); }
  static V sqrt(V a) { return vsqrt(a); }
  // columns[i] lane r = rows[r][offset + i], for `count` rows and columns
  static void load_transposed(const float* const* rows, int64_t offset, V (&columns)[kLanes]) {
    vload_transposed(rows, offset, columns);
  }
};

template <>
struct Lanes<double> {
  using V = Vec64;
  static constexpr int count = kLanes64;
  static V zero() { return dzero(); }
  static V set(double x) { return dset(x); }
  static V load(const double* p) { return dload(p); }
  static void store(double* p, V a) { dstore(p, a); }
  static void store_f32(float* p, V a) { dstore_f32(p, a); }
  static V fma(V a, V b, V c) { return dfma(a, b, c); }
  static V fnma(V a, V b, V c) { return dfnma(a, b, c); }
  static V sqrt(V a) { return dsqrt(a); }
  static void load_transposed(const float* const* rows, int64_t offset, V (&columns)[kLanes64]) {
    dload_transposed(rows, offset, columns);
  }
};

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
