// Convolution of any kernel as an implicit matrix product over a padded copy of a few image rows. In channels-last order the
// taps of one kernel row lie side by side, so a row of the product's left side is kh runs of kw·cin floats.
#pragma once
#include "conv2d_winograd.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Kernel and padding, equal on both sides: kernels are odd.
struct Window {
  i64 kh, kw, top, left;
};

// Strips of whole image rows whose padded copy stays in the second-level cache; `depth` floats per pixel.
struct Strips {
  i64 rows, perImage, count;
  Strips(i64 n, i64 h, i64 w, i64 depth)
      : rows(imax(1, imin(h, 65536 / imax(1, w * depth)))), perImage(idiv_up(h, rows)), count(n * perImage) {}
};

inline i64 strip_size(const Strips& s, i64 w, i64 kh, i64 kw, i64 ld) { return (s.rows + kh - 1) * (w + kw - 1) * ld + kTileCols; }

// Rows [y0, y0 + rows) of an image with the window's border, pixels ld floats apart; zeros outside the image and past c.
inline void pad_rows(const Images& m, i64 image, i64 y0, i64 rows, const Window& k, i64 ld, float* to) {
  const Vec slope = vset(m.slope);
  for (i64 r = 0; r < rows + k.kh - 1; ++r) {
    const i64 y = y0 + r - k.top;
    float* line = to + r * (m.w + k.kw - 1) * ld;
    if (y < 0 || y >= m.h) {
      memset(line, 0, sizeof(float) * static_cast<size_t>((m.w + k.kw - 1) * ld));
      continue;
    }
    const i64 at = (image * m.h + y) * m.w * m.c;
    memset(line, 0, sizeof(float) * static_cast<size_t>(k.left * ld));
    memset(line + (k.left + m.w) * ld, 0, sizeof(float) * static_cast<size_t>((k.kw - 1 - k.left) * ld));
    float* body = line + k.left * ld;
    if (ld == m.c && !m.sign) {
      memcpy(body, m.x + at, sizeof(float) * static_cast<size_t>(m.w * m.c));
      continue;
    }
    // Dense pixels are one long run.
    const i64 runs = ld == m.c ? 1 : m.w, width = ld == m.c ? m.w * m.c : m.c, target = ld == m.c ? width : ld;
    for (i64 x = 0; x < runs; ++x) {
      for (i64 c = 0; c < target; c += kLanes) {
        Vec v = vload_n(m.x + at + x * m.c + c, width - c);
        if (m.sign) v = vselect(vgt(vload_n(m.sign + at + x * m.c + c, width - c), vzero()), v, slope * v);
        vstore_n(body + x * ld + c, v, target - c);
      }
    }
  }
}

// Weights [taps·depth] × panels of output channels, turned as in wino_weights; depth >= the channels of a pixel, zeros past
// them.
inline i64 direct_weights_size(i64 taps, i64 depth, i64 to) { return taps * depth * panel_cols(to); }

inline void direct_weights(Exec& exec, const float* weight, i64 taps, i64 cin, i64 cout, bool turned, i64 depth,
                           float* to) {
  const i64 from = turned ? cout : cin, cols = turned ? cin : cout;
  parallel_for(exec, taps, [&](i64 tap, int) {
    const float* source = weight + (turned ? taps - 1 - tap : tap) * cin * cout;
    for (i64 panel = 0; panel < cols; panel += kTileCols) {
      const i64 width = imin(kTileCols, panel_cols(cols) - panel);
      float* at = to + taps * depth * panel + tap * depth * width;
      for (i64 k = 0; k < depth; ++k) {
        for (i64 j = 0; j < width; ++j) {
          const i64 col = panel + j;
          const bool real = k < from && col < cols;
          at[k * width + j] = !real ? 0.0f : turned ? source[col * cout + k] : source[k * cout + col];
        }
      }
    }
  });
}

// out = act(conv) for rows [y0, y0 + rows) of an image from their padded copy.
inline void direct_strip(const float* padded, i64 depth, const Window& k, const float* weights, i64 image, i64 y0, i64 rows,
                         i64 h, i64 w, i64 cols, float slope, float* out, const Sink& sink) {
  const i64 line = (w + k.kw - 1) * depth, pixels = rows * w;
  for (i64 j = 0; j < cols; j += kTileCols) {
    const i64 columns = imin(kTileCols, cols - j);
    const int vecs = tile_vecs(columns);
    const float* panel = weights + k.kh * k.kw * depth * j;
    i64 y = 0, x = 0;
    for (i64 p = 0; p < pixels; p += kTileRows) {
      const i64 count = imin(kTileRows, pixels - p);
      const float* a[kTileRows];
      float* o[kTileRows];
      for (i64 i = 0; i < count; ++i) {
        a[i] = padded + y * line + x * depth;
        o[i] = out + (((image * h) + y0 + y) * w + x) * cols + j;
        if (++x == w) x = 0, ++y;
      }
      tiles().row[count - 1][vecs - 1]({a, k.kh, line, k.kw * depth, k.kw * depth, panel, o, columns, slope, false, sink.stream});
    }
  }
  sink.end();
}

// For few input channels the gradient's convolution would leave most lanes idle: its kh·kw·cin products per pixel are
// one narrow matrix product, and each input gathers its own from the pixels around it. `grads` are the padded rows of
// the masked gradient, `products` has room for every pixel of them.
inline void thin_gradient_strip(const float* grads, i64 ld, i64 cout, const Window& k, const float* weights, i64 cin,
                                i64 image, i64 y0, i64 rows, i64 h, i64 w, float* products, float* gradX) {
  const i64 taps = k.kh * k.kw, cols = taps * cin, wide = w + k.kw - 1, ldp = panel_cols(cols);
  const i64 pixels = (rows + k.kh - 1) * wide;
  for (i64 j = 0; j < cols; j += kTileCols) {
    const i64 columns = imin(kTileCols, cols - j);
    const int vecs = tile_vecs(columns);
    for (i64 p = 0; p < pixels; p += kTileRows) {
      const i64 count = imin(kTileRows, pixels - p);
      const float* a[kTileRows];
      float* o[kTileRows];
      for (i64 i = 0; i < count; ++i) a[i] = grads + (p + i) * ld, o[i] = products + (p + i) * ldp + j;
      tiles().row[count - 1][vecs - 1]({a, 1, 0, cout, cout, weights + cout * j, o, vecs * kLanes, 1.0f});
    }
  }
  for (i64 y = 0; y < rows; ++y) {
    for (i64 x = 0; x < w; ++x) {
      float* to = gradX + ((image * h + y0 + y) * w + x) * cin;
      for (i64 c = 0; c < cin; ++c) {
        float sum = 0.0f;
        for (i64 ky = 0; ky < k.kh; ++ky) {
          const float* from = products + ((y + ky) * wide + x) * ldp + ky * k.kw * cin + c;
          for (i64 kx = 0; kx < k.kw; ++kx) sum += from[kx * (ldp + cin)];
        }
        to[c] = sum;
      }
    }
  }
}

// Adds a strip to the weight gradient [kh·kw·cin × panel_cols(cout)].
inline void direct_weights_strip(const float* padded, const float* grads, i64 gradLine, i64 ld, const Window& k, i64 cin,
                                 i64 cout, i64 rows, i64 w, float* sums) {
  const i64 line = (w + k.kw - 1) * cin;
  for (i64 ky = 0; ky < k.kh; ++ky) {
    outer_block({padded + ky * line, grads, cin, ld, w, rows, line, gradLine}, k.kw * cin, cout,
                sums + ky * k.kw * cin * ld, ld);
  }
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
