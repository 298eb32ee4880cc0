// Register tiles of the convolutions: R rows × C vectors of accumulators.
#pragma once
#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Rows, columns and vectors of a tile; with one row of B and a broadcast they fill the registers.
constexpr int kTileRows = kLanes == 1 ? 4 : 6;
constexpr i64 kTileCols = kLanes == 16 ? 64 : kLanes == 1 ? 8 : 16;
constexpr int kTileVecs = kTileCols / kLanes;

inline i64 imin(i64 a, i64 b) { return a < b ? a : b; }
inline i64 imax(i64 a, i64 b) { return a > b ? a : b; }
inline i64 idiv_up(i64 a, i64 b) { return (a + b - 1) / b; }

// Vectors that hold n columns of one panel; the scalar set always computes whole panels.
inline int tile_vecs(i64 n) { return kLanes == 1 ? kTileVecs : static_cast<int>(idiv_up(n, kLanes)); }
// Width of n columns stored as panels: whole panels and a last one of whole vectors.
inline i64 panel_cols(i64 n) { return n / kTileCols * kTileCols + (n % kTileCols ? tile_vecs(n % kTileCols) * kLanes : 0); }

// Rows of A times a packed panel: out = act(A·B), `columns` of each row. Row i of A is `segments` runs of `run` floats (the
// last of `last`), `stride` apart; the panel holds C·kLanes floats per element of a row. apart: every run is summed by
// itself and the sums are added up in out, which rounds less; out then has room for whole vectors. stream: see Sink.
struct RowJob {
  const float* const* rows;
  i64 segments, stride, run, last;
  const float* panel;
  float* const* out;
  i64 columns;
  float slope;
  bool apart = false;
  bool stream = false;
};

template <int R, int C>
void row_tile(const RowJob& job) {
  Vec acc[R][C];
  const float* a[R];
  const float* b = job.panel;
  SONOTEXT_UNROLL(8)
  for (int i = 0; i < R; ++i) {
    a[i] = job.rows[i];
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) acc[i][j] = vzero();
  }
  for (i64 s = job.segments; s > 0; --s) {
    const i64 run = s > 1 ? job.run : job.last;
    for (const float* end = a[0] + run; a[0] < end;) {
      Vec row[C];
      SONOTEXT_UNROLL(8)
      for (int j = 0; j < C; ++j) row[j] = vload(b + j * kLanes);
      SONOTEXT_UNROLL(8)
      for (int i = 0; i < R; ++i) {
        const Vec x = vset(*a[i]++);
        SONOTEXT_UNROLL(8)
        for (int j = 0; j < C; ++j) acc[i][j] = vfma(x, row[j], acc[i][j]);
      }
      b += C * kLanes;
    }
    SONOTEXT_UNROLL(8)
    for (int i = 0; i < R; ++i) a[i] += job.stride - job.run;
    if (job.apart && s > 1) {
      const bool first = s == job.segments;
      SONOTEXT_UNROLL(8)
      for (int i = 0; i < R; ++i) {
        float* to = job.out[i];
        SONOTEXT_UNROLL(8)
        for (int j = 0; j < C; ++j) {
          vstore(to + j * kLanes, first ? acc[i][j] : vload(to + j * kLanes) + acc[i][j]);
          acc[i][j] = vzero();
        }
      }
    }
  }
  const float slope = job.slope;
  const Vec k = vset(slope);
  SONOTEXT_UNROLL(8)
  for (int j = 0; j < C; ++j) {
    const i64 width = job.columns - j * kLanes;
    SONOTEXT_UNROLL(8)
    for (int i = 0; i < R; ++i) {
      Vec v = acc[i][j];
      if (job.apart && job.segments > 1) v = v + vload(job.out[i] + j * kLanes);
      if (slope != 1.0f) v = vselect(vgt(v, vzero()), v, k * v);
      if (job.stream) {
        vstream(job.out[i] + j * kLanes, v);
      } else {
        vstore_n(job.out[i] + j * kLanes, v, width);
      }
    }
  }
}

// Columns of A times rows of B: c[i][j] += Σ_p a[p·sa + i] · b[p·sb + j], over `lines` lines of `count` points each.
struct OuterIn {
  const float* a;
  const float* b;
  i64 sa, sb, count;
  i64 lines, la, lb;
};

template <int R, int C>
void outer_tile(const OuterIn& in, float* c, i64 ldc) {
  Vec acc[R][C];
  SONOTEXT_UNROLL(8)
  for (int i = 0; i < R; ++i) {
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) acc[i][j] = vzero();
  }
  for (i64 l = 0; l < in.lines; ++l) {
    const float* a = in.a + l * in.la;
    const float* b = in.b + l * in.lb;
    for (i64 p = 0; p < in.count; ++p) {
      Vec row[C];
      SONOTEXT_UNROLL(8)
      for (int j = 0; j < C; ++j) row[j] = vload(b + j * kLanes);
      SONOTEXT_UNROLL(8)
      for (int i = 0; i < R; ++i) {
        const Vec x = vset(a[i]);
        SONOTEXT_UNROLL(8)
        for (int j = 0; j < C; ++j) acc[i][j] = vfma(x, row[j], acc[i][j]);
      }
      a += in.sa;
      b += in.sb;
    }
  }
  SONOTEXT_UNROLL(8)
  for (int i = 0; i < R; ++i) {
    SONOTEXT_UNROLL(8)
    for (int j = 0; j < C; ++j) vstore(c + i * ldc + j * kLanes, vload(c + i * ldc + j * kLanes) + acc[i][j]);
  }
}

using RowTile = void (*)(const RowJob&);
using OuterTile = void (*)(const OuterIn&, float*, i64);

// Every height and width up to the full tile.
struct TileTable {
  RowTile row[kTileRows][kTileVecs];
  OuterTile outer[kTileRows][kTileVecs];

  template <int R, int C>
  constexpr void fill() {
    row[R - 1][C - 1] = row_tile<R, C>;
    outer[R - 1][C - 1] = outer_tile<R, C>;
    if constexpr (kLanes > 1 && C > 1) {
      fill<R, C - 1>();
    } else if constexpr (R > 1) {
      fill<R - 1, kTileVecs>();
    }
  }

  constexpr TileTable() : row{}, outer{} { fill<kTileRows, kTileVecs>(); }  // after fill(), for Clang
};

inline const TileTable& tiles() {
  static constexpr TileTable table;
  return table;
}

// c[m×n] += Aᵀ·B over the points of `in`, n rounded up to whole vectors in b and c.
inline void outer_block(OuterIn in, i64 m, i64 n, float* c, i64 ldc) {
  const float* const b = in.b;
  const float* const a = in.a;
  for (i64 j = 0; j < n; j += kTileCols) {
    const int vecs = tile_vecs(imin(kTileCols, n - j));
    in.b = b + j;
    for (i64 i = 0; i < m; i += kTileRows) {
      in.a = a + i;
      tiles().outer[imin(kTileRows, m - i) - 1][vecs - 1](in, c + i * ldc + j, ldc);
    }
  }
}

// The sum over partial results `distance` floats apart, as a tree of fixed shape; overwrites them.
inline Vec sum_parts(float* first, i64 parts, i64 distance) {
  for (i64 step = 1; step < parts; step *= 2) {
    for (i64 p = 0; p + step < parts; p += 2 * step) {
      float* at = first + p * distance;
      vstore(at, vload(at) + vload(at + step * distance));
    }
  }
  return vload(first);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
