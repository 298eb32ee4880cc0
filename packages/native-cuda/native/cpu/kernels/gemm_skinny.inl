// Products with at most four rows or four columns: the large operand is read once, in place, so packing it would cost
// more than the product. Bound by memory, not by arithmetic.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kSkinny = 4;

struct SkinnyOut {
  float* data;
  i64 rows, cols;       // strides
  i64 biasRow, biasCol;  // bias index of (i, j) = i·biasRow + j·biasCol
};

inline void skinny_store(const SkinnyOut& out, i64 i, i64 j, float x, const Epilogue& e) {
  float* at = out.data + i * out.rows + j * out.cols;
  float v = x * e.alpha;
  if (e.beta != 0.0f) v += e.beta * *at;
  if (e.bias) v += e.bias[i * out.biasRow + j * out.biasCol];
  *at = v > 0.0f || e.slope == 1.0f ? v : e.slope * v;
}

// Columns of b are contiguous (column j starts at b + j·stride): dot products, kLanes partial sums each.
template <int R, int C>
inline void skinny_dot(const float* a, const float* b, i64 stride, i64 k, i64 j0, const SkinnyOut& out,
                       const Epilogue& e) {
  Vec acc[R][C];
  SONOTEXT_UNROLL(8)
  for (int i = 0; i < R; ++i)
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) acc[i][j] = vzero();
  i64 p = 0;
  for (; p + kLanes <= k; p += kLanes) {
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) {
      const Vec y = vload(b + j * stride + p);
      SONOTEXT_UNROLL(8)
      for (int i = 0; i < R; ++i) acc[i][j] = vfma(vload(a + i * k + p), y, acc[i][j]);
    }
  }
  if (p < k) {
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) {
      const Vec y = vload_n(b + j * stride + p, k - p);
      SONOTEXT_UNROLL(8)
      for (int i = 0; i < R; ++i) acc[i][j] = vfma(vload_n(a + i * k + p, k - p), y, acc[i][j]);
    }
  }
  SONOTEXT_UNROLL(8)
  for (int i = 0; i < R; ++i)
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) skinny_store(out, i, j0 + j, vsum(acc[i][j]), e);
}

// Rows of b are contiguous (row p starts at b + p·stride): a strip of C vectors, ascending k. The last strip may be short.
template <int R, int C>
inline void skinny_axpy(const float* a, const float* b, i64 stride, i64 k, i64 j0, i64 width, const SkinnyOut& out,
                        const Epilogue& e) {
  Vec acc[R][C];
  SONOTEXT_UNROLL(8)
  for (int i = 0; i < R; ++i)
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) acc[i][j] = vzero();
  for (i64 p = 0; p < k; ++p) {
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) {
      const float* at = b + p * stride + j * kLanes;
      const Vec y = C == 1 ? vload_n(at, width) : vload(at);
      SONOTEXT_UNROLL(8)
      for (int i = 0; i < R; ++i) acc[i][j] = vfma(vset(a[i * k + p]), y, acc[i][j]);
    }
  }
  float tile[kLanes];
  SONOTEXT_UNROLL(8)
  for (int i = 0; i < R; ++i)
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) {
      vstore(tile, acc[i][j]);
      for (i64 l = 0; l < kLanes && j * kLanes + l < width; ++l) skinny_store(out, i, j0 + j * kLanes + l, tile[l], e);
    }
}

template <int R>
inline void skinny_columns(const float* a, MatIn b, i64 k, i64 first, i64 last, const SkinnyOut& out,
                           const Epilogue& e) {
  i64 j = first;
  if (b.cols == 1) {
    constexpr int kStrip = R == 1 ? 8 : kRegisters / 2 / R;
    for (; j + kStrip * kLanes <= last; j += kStrip * kLanes)
      skinny_axpy<R, kStrip>(a, b.data + j, b.rows, k, j, kStrip * kLanes, out, e);
    for (; j < last; j += kLanes) skinny_axpy<R, 1>(a, b.data + j, b.rows, k, j, gemm_min(kLanes, last - j), out, e);
  } else {
    constexpr int kStrip = R == 1 ? 8 : kRegisters / 8;
    for (; j + kStrip <= last; j += kStrip) skinny_dot<R, kStrip>(a, b.data + j * b.cols, b.cols, k, j, out, e);
    for (; j < last; ++j) skinny_dot<R, 1>(a, b.data + j * b.cols, b.cols, k, j, out, e);
  }
}

// Columns [first, last) of m ≤ kSkinny rows; a is [m × k] and dense.
inline void skinny_block(const float* a, MatIn b, i64 m, i64 k, i64 first, i64 last, const SkinnyOut& out,
                         const Epilogue& e) {
  if (m == 1) skinny_columns<1>(a, b, k, first, last, out, e);
  if (m == 2) skinny_columns<2>(a, b, k, first, last, out, e);
  if (m == 3) skinny_columns<3>(a, b, k, first, last, out, e);
  if (m == 4) skinny_columns<4>(a, b, k, first, last, out, e);
}

// m ≤ kSkinny rows; b has contiguous rows or contiguous columns.
inline Status skinny_rows(Exec& exec, MatIn a, MatIn b, i64 m, i64 n, i64 k, const SkinnyOut& out, const Epilogue& e) {
  const float* rows = a.data;
  if (a.cols != 1 || (a.rows != k && m > 1)) {
    float* copy = static_cast<float*>(exec.scratch(4 * gemm_max(1, m * k)));
    if (!copy) return {Code::out_of_memory, "gemm: scratch memory for the packed operands"};
    for (i64 i = 0; i < m; ++i)
      for (i64 p = 0; p < k; ++p) copy[i * k + p] = a.data[i * a.rows + p * a.cols];
    rows = copy;
  }
  constexpr i64 kColumns = 256;
  gemm_chunks(exec, ceil_div(n, kColumns), 4 * n * k, [&](i64 chunk, int) {
    const i64 first = chunk * kColumns, last = gemm_min(n, first + kColumns);
    skinny_block(rows, b, m, k, first, last, out, e);
  });
  return {};
}

// True when the shape is skinny and `status` holds the result of the product.
inline bool gemm_skinny(Exec& exec, MatIn a, MatIn b, i64 m, i64 n, i64 k, float* out, i64 ldo, const Epilogue& e,
                        Status* status) {
  if (m <= kSkinny && (b.rows == 1 || b.cols == 1)) {
    *status = skinny_rows(exec, a, b, m, n, k, {out, ldo, 1, 0, 1}, e);
    return true;
  }
  if (n <= kSkinny && (a.rows == 1 || a.cols == 1)) {
    *status = skinny_rows(exec, {b.data, b.cols, b.rows}, {a.data, a.cols, a.rows}, n, m, k, {out, 1, ldo, 1, 0}, e);
    return true;
  }
  return false;
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
