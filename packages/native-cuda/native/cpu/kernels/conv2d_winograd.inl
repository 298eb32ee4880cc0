// 3×3 convolution by Winograd's minimal filtering F(4×4, 3×3): a 6×6 input tile gives 4×4 outputs with 36 products
// instead of 144 (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
//
// Interpolation points 0, ±5/8, ±3/2 and infinity: in float32 their error is about half that of the usual 0, ±1, ±2.
#pragma once
#include "chunks.inl"
#include "conv_tile.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr float kPa = 0.625f, kPb = 1.5f;  // the points
constexpr float kA2 = kPa * kPa, kB2 = kPb * kPb, kA3 = kA2 * kPa, kB3 = kB2 * kPb;

// Bᵀ: six inputs.
inline void wino_input(const Vec* d, Vec* v) {
  const Vec a2 = vset(kA2), b2 = vset(kB2), sum = vset(kA2 + kB2), product = vset(kA2 * kB2), a = vset(kPa), b = vset(kPb);
  const Vec evenA = vfnma(b2, d[2], d[4]), oddA = vfnma(b2, d[1], d[3]);
  const Vec evenB = vfnma(a2, d[2], d[4]), oddB = vfnma(a2, d[1], d[3]);
  v[0] = vfma(product, d[0], vfnma(sum, d[2], d[4]));
  v[1] = vfma(a, oddA, evenA);
  v[2] = vfnma(a, oddA, evenA);
  v[3] = vfma(b, oddB, evenB);
  v[4] = vfnma(b, oddB, evenB);
  v[5] = vfma(product, d[1], vfnma(sum, d[3], d[5]));
}

// Aᵀ: six products to four outputs.
inline void wino_output(const Vec* m, Vec* y) {
  const Vec evenA = m[1] + m[2], oddA = m[1] - m[2], evenB = m[3] + m[4], oddB = m[3] - m[4];
  y[0] = m[0] + (evenA + evenB);
  y[1] = vfma(vset(kPa), oddA, vset(kPb) * oddB);
  y[2] = vfma(vset(kA2), evenA, vset(kB2) * evenB);
  y[3] = vfma(vset(kA3), oddA, vfma(vset(kB3), oddB, m[5]));
}

// A: four gradients of outputs to six of products.
inline void wino_gradient(const Vec* g, Vec* z) {
  const Vec evenA = vfma(vset(kA2), g[2], g[0]), oddA = vfma(vset(kA3), g[3], vset(kPa) * g[1]);
  const Vec evenB = vfma(vset(kB2), g[2], g[0]), oddB = vfma(vset(kB3), g[3], vset(kPb) * g[1]);
  z[0] = g[0];
  z[1] = evenA + oddA;
  z[2] = evenA - oddA;
  z[3] = evenB + oddB;
  z[4] = evenB - oddB;
  z[5] = g[3];
}

constexpr float kG0 = 1.0f / (kA2 * kB2), kGa = 0.5f / (kA2 * (kA2 - kB2)), kGb = 0.5f / (kB2 * (kB2 - kA2));

// G: three weights to six.
inline void wino_weight(const Vec* g, Vec* u) {
  const Vec evenA = vfma(vset(kA2), g[2], g[0]), oddA = vset(kPa) * g[1];
  const Vec evenB = vfma(vset(kB2), g[2], g[0]), oddB = vset(kPb) * g[1];
  u[0] = vset(kG0) * g[0];
  u[1] = vset(kGa) * (evenA + oddA);
  u[2] = vset(kGa) * (evenA - oddA);
  u[3] = vset(kGb) * (evenB + oddB);
  u[4] = vset(kGb) * (evenB - oddB);
  u[5] = g[2];
}

// Gᵀ: six gradients of products to three of weights.
inline void wino_weight_gradient(const Vec* s, Vec* g) {
  const Vec evenA = vset(kGa) * (s[1] + s[2]), oddA = vset(kGa) * (s[1] - s[2]);
  const Vec evenB = vset(kGb) * (s[3] + s[4]), oddB = vset(kGb) * (s[3] - s[4]);
  g[0] = vfma(vset(kG0), s[0], evenA + evenB);
  g[1] = vfma(vset(kPa), oddA, vset(kPb) * oddB);
  g[2] = vfma(vset(kA2), evenA, vfma(vset(kB2), evenB, s[5]));
}

// An image batch read through the activation's mask: x where sign > 0 or there is no sign, else slope·x.
struct Images {
  const float* x;
  const float* sign;
  float slope;
  i64 n, h, w, c;
};

// Tiles of a batch, counted over images, tile rows and tile columns.
struct WinoTiles {
  i64 down, across, count;
  WinoTiles(i64 n, i64 h, i64 w) : down(idiv_up(h, 4)), across(idiv_up(w, 4)), count(n * down * across) {}
};

constexpr i64 kWinoBlock = 48;  // tiles whose transforms stay in L2
// Products summed in one go. The transforms amplify the rounding of these sums above all: in runs of 32 the whole is as
// accurate as a direct sum (6.5e-7 against 5.9e-7 at 128 channels, 10.7e-7 in one go).
constexpr i64 kWinoRun = 32;

// Distance between the 36 planes of a block: one cache line past a multiple of the row, so that they miss each other's sets.
inline i64 wino_plane(i64 width) { return kWinoBlock * width + 16; }

// Gathers tile `tile` of P×P pixels (6 with the halo, 4 without) and transforms it to rows of 36 planes at `to`.
template <int P>
void wino_gather(const Images& m, const WinoTiles& g, i64 tile, const float* zeros, float* to, i64 plane) {
  const i64 image = tile / (g.down * g.across), in = tile % (g.down * g.across);
  const i64 y0 = in / g.across * 4 - (P == 6), x0 = in % g.across * 4 - (P == 6);
  const float* x[P][P];
  const float* sign[P][P];
  for (int i = 0; i < P; ++i) {
    for (int j = 0; j < P; ++j) {
      const bool inside = y0 + i >= 0 && y0 + i < m.h && x0 + j >= 0 && x0 + j < m.w;
      const i64 at = inside ? ((image * m.h + y0 + i) * m.w + x0 + j) * m.c : 0;
      x[i][j] = inside ? m.x + at : zeros;
      sign[i][j] = inside && m.sign ? m.sign + at : zeros;
    }
  }
  const Vec slope = vset(m.slope);
  for (i64 c = 0; c < m.c; c += kLanes) {
    Vec half[6][P];
    SONOTEXT_UNROLL(6)
    for (int j = 0; j < P; ++j) {
      Vec d[P], v[6];
      SONOTEXT_UNROLL(6)
      for (int i = 0; i < P; ++i) {
        d[i] = vload_n(x[i][j] + c, m.c - c);
        if (m.sign) d[i] = vselect(vgt(vload_n(sign[i][j] + c, m.c - c), vzero()), d[i], slope * d[i]);
      }
      P == 6 ? wino_input(d, v) : wino_gradient(d, v);
      SONOTEXT_UNROLL(6)
      for (int i = 0; i < 6; ++i) half[i][j] = v[i];
    }
    SONOTEXT_UNROLL(6)
    for (int i = 0; i < 6; ++i) {
      Vec v[6];
      P == 6 ? wino_input(half[i], v) : wino_gradient(half[i], v);
      SONOTEXT_UNROLL(6)
      for (int j = 0; j < 6; ++j) vstore(to + (i * 6 + j) * plane + c, v[j]);
    }
  }
}

// 36 planes of products at `from` to the 4×4 pixels of a tile, `columns` channels of out from `first`.
inline void wino_scatter(const float* from, i64 plane, const WinoTiles& g, i64 tile, float* out, i64 h, i64 w, i64 c,
                         i64 first, i64 columns, float slope, const Sink& sink) {
  const i64 image = tile / (g.down * g.across), in = tile % (g.down * g.across);
  const i64 y0 = in / g.across * 4, x0 = in % g.across * 4;
  const Vec k = vset(slope);
  for (i64 j = 0; j < columns; j += kLanes) {
    Vec half[4][6];
    SONOTEXT_UNROLL(6)
    for (int q = 0; q < 6; ++q) {
      Vec m[6], y[4];
      SONOTEXT_UNROLL(6)
      for (int i = 0; i < 6; ++i) m[i] = vload(from + (i * 6 + q) * plane + j);
      wino_output(m, y);
      SONOTEXT_UNROLL(4)
      for (int i = 0; i < 4; ++i) half[i][q] = y[i];
    }
    SONOTEXT_UNROLL(4)
    for (int i = 0; i < 4; ++i) {
      if (y0 + i >= h) continue;
      Vec y[4];
      wino_output(half[i], y);
      float* to = out + ((image * h + y0 + i) * w + x0) * c + first + j;
      SONOTEXT_UNROLL(4)
      for (int q = 0; q < 4; ++q) {
        if (x0 + q >= w) continue;
        Vec v = y[q];
        if (slope != 1.0f) v = vselect(vgt(v, vzero()), v, k * v);
        sink.put(to + q * c, v, columns - j);
      }
    }
  }
}

// Floats of the transformed weights.
inline i64 wino_weights_size(i64 from, i64 to) { return 36 * from * panel_cols(to); }

// Transformed weights, for every panel of output channels 36 matrices [from × panel]. turned: the weights of the
// gradient's convolution, rotated by 180° and with input and output channels exchanged.
inline void wino_weights(Exec& exec, const float* weight, i64 cin, i64 cout, bool turned, float* to) {
  const i64 from = turned ? cout : cin, cols = turned ? cin : cout;
  const i64 step = turned ? cout : 1;  // between output channels
  const i64 line = turned ? 1 : cout;  // between input channels
  parallel_for(exec, from, [&](i64 k, int) {
    for (i64 j = 0; j < panel_cols(cols); j += kLanes) {
      Vec half[6][3];
      SONOTEXT_UNROLL(3)
      for (int x = 0; x < 3; ++x) {
        Vec g[3], u[6];
        SONOTEXT_UNROLL(3)
        for (int y = 0; y < 3; ++y) {
          const float* p = weight + (turned ? (2 - y) * 3 + 2 - x : y * 3 + x) * cin * cout + k * line + j * step;
          if (step == 1) {
            g[y] = vload_n(p, cols - j);
          } else {
            float lanes[kLanes];
            for (int i = 0; i < kLanes; ++i) lanes[i] = j + i < cols ? p[i * step] : 0.0f;
            g[y] = vload(lanes);
          }
        }
        wino_weight(g, u);
        SONOTEXT_UNROLL(6)
        for (int y = 0; y < 6; ++y) half[y][x] = u[y];
      }
      const i64 panel = j / kTileCols * kTileCols;
      const i64 width = imin(kTileCols, panel_cols(cols) - panel);
      float* at = to + 36 * from * panel + k * width + j - panel;
      SONOTEXT_UNROLL(6)
      for (int y = 0; y < 6; ++y) {
        Vec u[6];
        wino_weight(half[y], u);
        SONOTEXT_UNROLL(6)
        for (int x = 0; x < 6; ++x) vstore(at + (y * 6 + x) * from * width, u[x]);
      }
    }
  });
}

// Floats of one worker's scratch for wino_block.
inline i64 wino_block_scratch(i64 from) { return 36 * (wino_plane(panel_cols(from)) + wino_plane(kTileCols)); }

// One block of tiles: out = act(conv(in)) with transformed weights.
inline void wino_block(const Images& in, const WinoTiles& g, i64 block, const float* weights, float* out, i64 cols,
                       float slope, const float* zeros, float* scratch) {
  const i64 ldv = panel_cols(in.c), planeV = wino_plane(ldv), planeM = wino_plane(kTileCols);
  float* const v = scratch;
  float* const products = scratch + 36 * planeV;
  const i64 first = block * kWinoBlock, count = imin(kWinoBlock, g.count - first), runs = idiv_up(in.c, kWinoRun);
  const Sink sink(out, in.n * in.h * in.w * cols, cols);
  for (i64 t = 0; t < count; ++t) wino_gather<6>(in, g, first + t, zeros, v + t * ldv, planeV);
  for (i64 j = 0; j < cols; j += kTileCols) {
    const i64 columns = imin(kTileCols, cols - j);
    const int vecs = tile_vecs(columns);
    const i64 width = vecs * kLanes;
    for (int f = 0; f < 36; ++f) {
      const float* b = weights + 36 * in.c * j + f * in.c * width;
      for (i64 t = 0; t < count; t += kTileRows) {
        const i64 rows = imin(kTileRows, count - t);
        const float* a[kTileRows];
        float* o[kTileRows];
        for (i64 i = 0; i < rows; ++i) {
          a[i] = v + f * planeV + (t + i) * ldv;
          o[i] = products + f * planeM + (t + i) * kTileCols;
        }
        tiles().row[rows - 1][vecs - 1]({a, runs, kWinoRun, kWinoRun, in.c - (runs - 1) * kWinoRun, b, o, width, 1.0f, true});
      }
    }
    for (i64 t = 0; t < count; ++t) {
      wino_scatter(products + t * kTileCols, planeM, g, first + t, out, in.h, in.w, cols, j, columns, slope, sink);
    }
  }
  sink.end();
}

// Floats of one worker's scratch for wino_gradient_block.
inline i64 wino_gradient_scratch(i64 cin, i64 cout) {
  return 36 * (wino_plane(panel_cols(cin)) + wino_plane(panel_cols(cout)));
}
// Floats of the 36 accumulated products.
inline i64 wino_sums_size(i64 cin, i64 cout) { return 36 * cin * panel_cols(cout); }

// Adds one block of tiles to the 36 products [cin × cout] of the weight gradient.
inline void wino_gradient_block(const Images& x, const Images& grad, const WinoTiles& g, i64 block, const float* zeros,
                                float* scratch, float* sums) {
  const i64 ldv = panel_cols(x.c), planeV = wino_plane(ldv), ldz = panel_cols(grad.c), planeZ = wino_plane(ldz);
  float* const v = scratch;
  float* const z = scratch + 36 * planeV;
  const i64 first = block * kWinoBlock, count = imin(kWinoBlock, g.count - first);
  for (i64 t = 0; t < count; ++t) wino_gather<6>(x, g, first + t, zeros, v + t * ldv, planeV);
  for (i64 t = 0; t < count; ++t) wino_gather<4>(grad, g, first + t, zeros, z + t * ldz, planeZ);
  for (int f = 0; f < 36; ++f) {
    outer_block({v + f * planeV, z + f * planeZ, ldv, ldz, count, 1, 0, 0}, x.c, grad.c, sums + f * x.c * ldz, ldz);
  }
}

// gradWeight from the partial products, added in order.
inline void wino_weights_gradient(Exec& exec, float* sums, i64 parts, i64 cin, i64 cout, float* gradWeight) {
  const i64 ldz = panel_cols(cout), size = wino_sums_size(cin, cout);
  parallel_for(exec, cin, [&](i64 k, int) {
    for (i64 j = 0; j < cout; j += kLanes) {
      Vec half[3][6];
      SONOTEXT_UNROLL(6)
      for (int q = 0; q < 6; ++q) {
        Vec s[6], g[3];
        SONOTEXT_UNROLL(6)
        for (int i = 0; i < 6; ++i) {
          s[i] = sum_parts(sums + ((i * 6 + q) * cin + k) * ldz + j, parts, size);
        }
        wino_weight_gradient(s, g);
        SONOTEXT_UNROLL(3)
        for (int i = 0; i < 3; ++i) half[i][q] = g[i];
      }
      SONOTEXT_UNROLL(3)
      for (int i = 0; i < 3; ++i) {
        Vec g[3];
        wino_weight_gradient(half[i], g);
        SONOTEXT_UNROLL(3)
        for (int q = 0; q < 3; ++q) vstore_n(gradWeight + ((i * 3 + q) * cin + k) * cout + j, g[q], cout - j);
      }
    }
  });
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
