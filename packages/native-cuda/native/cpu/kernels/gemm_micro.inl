// Register micro-kernel of the matrix product: an R × C·kLanes tile of accumulators over packed panels.
#pragma once
#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Rows, columns and vectors of the tile: accumulators, one row of B and a broadcast fill the registers.
constexpr int kMr = kLanes == 16 ? 14 : kLanes == 1 ? 4 : 6;
constexpr int kNr = kLanes == 16 ? 32 : kLanes == 1 ? 8 : 16;
constexpr int kNv = kNr / kLanes;

// What happens to alpha·A·B on its way to memory.
struct Epilogue {
  float alpha = 1.0f;
  float beta = 0.0f;            // 0: out is not read
  const float* bias = nullptr;  // one value per column
  float slope = 1.0f;           // leaky ReLU of this slope; 1 = none, 0 = ReLU
};

inline Vec leaky(Vec x, Vec slope) { return vselect(vgt(x, vzero()), x, slope * x); }

// How two words of packed operands, 32 bits each, become part of a sum: as float32 numbers.
struct FloatProduct {
  static Vec fma(Vec a, Vec b, Vec sum) { return vfma(a, b, sum); }
};

template <class Product, int R, int C>
void micro(i64 columns, i64 k, const float* a, const float* b, float* out, i64 ldo, const Epilogue& e) {
  Vec acc[R][C];
  SONOTEXT_UNROLL(16)
  for (int i = 0; i < R; ++i)
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) acc[i][j] = vzero();
  for (i64 p = 0; p < k; ++p) {
    Vec row[C];
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) row[j] = vload(b + j * kLanes);
    SONOTEXT_UNROLL(16)
    for (int i = 0; i < R; ++i) {
      const Vec x = vset(a[i]);
      SONOTEXT_UNROLL(8)
      for (int j = 0; j < C; ++j) acc[i][j] = Product::fma(x, row[j], acc[i][j]);
    }
    a += kMr;
    b += kNr;
  }
  const Vec alpha = vset(e.alpha), beta = vset(e.beta), slope = vset(e.slope);
  SONOTEXT_UNROLL(8)
  for (int j = 0; j < C; ++j) {
    const i64 width = columns - j * kLanes;
    const Vec bias = e.bias ? vload_n(e.bias + j * kLanes, width) : vzero();
    SONOTEXT_UNROLL(16)
    for (int i = 0; i < R; ++i) {
      float* at = out + i * ldo + j * kLanes;
      Vec v = acc[i][j];
      if (e.alpha != 1.0f) v = v * alpha;
      if (e.beta != 0.0f) v = vfma(beta, vload_n(at, width), v);
      if (e.bias) v = v + bias;
      if (e.slope != 1.0f) v = leaky(v, slope);
      vstore_n(at, v, width);
    }
  }
}

using MicroKernel = void (*)(i64, i64, const float*, const float*, float*, i64, const Epilogue&);

// micro<Product, 1..kMr, 1..kNv>; the scalar set always computes whole panels.
template <class Product>
struct MicroTable {
  MicroKernel at[kMr][kNv];

  template <int R, int C>
  constexpr void fill() {
    at[R - 1][C - 1] = micro<Product, R, kLanes == 1 ? kNv : C>;
    if constexpr (C > 1) {
      fill<R, C - 1>();
    } else if constexpr (R > 1) {
      fill<R - 1, kNv>();
    }
  }

  constexpr MicroTable() : at{} { fill<kMr, kNv>(); }  // after fill(): Clang has to have read that to call it
};

// rows ≤ kMr, columns ≤ kNr of one tile.
template <class Product>
inline void micro_tile(int rows, i64 columns, i64 k, const float* a, const float* b, float* out, i64 ldo,
                       const Epilogue& e) {
  const int vectors = static_cast<int>((columns + kLanes - 1) / kLanes);
  static constexpr MicroTable<Product> table;
  table.at[rows - 1][vectors - 1](columns, k, a, b, out, ldo, e);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
