#include "../../core/ops.hpp"
#include "conv2d_direct.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Winograd pays where its 36 products are long enough and the image fills its tiles.
inline bool use_winograd(i64 h, i64 w, i64 cin, i64 cout, i64 kh, i64 kw) {
  const i64 covered = idiv_up(h, 4) * idiv_up(w, 4) * 16;
  return kh == 3 && kw == 3 && cin >= 16 && cout >= 16 && 2 * h * w >= covered;
}

inline float* scratch_floats(Exec& exec, i64 count) {
  return static_cast<float*>(exec.scratch(static_cast<i64>(sizeof(float)) * count));
}

inline Status conv2d_no_memory() { return {Code::out_of_memory, "conv2d: scratch memory for packed weights and padded rows"}; }

inline Status conv2d(const Conv2dArgs& g, Exec& exec) {
  if (g.cin == 0) {  // however large the kernel, there is nothing to add up
    memset(g.out.data, 0, sizeof(float) * static_cast<size_t>(g.out.size));
    return {};
  }
  const float slope = static_cast<float>(g.slope);
  const Images in{g.x.data, nullptr, 1.0f, g.n, g.h, g.w, g.cin};
  if (use_winograd(g.h, g.w, g.cin, g.cout, g.kh, g.kw)) {
    const WinoTiles tiles(g.n, g.h, g.w);
    const i64 size = wino_block_scratch(g.cin);
    float* weights = scratch_floats(exec, wino_weights_size(g.cin, g.cout));
    float* zeros = scratch_floats(exec, g.cin + kLanes);
    float* work = scratch_floats(exec, size * exec.threads());
    if (!weights || !zeros || !work) return conv2d_no_memory();
    memset(zeros, 0, sizeof(float) * static_cast<size_t>(g.cin + kLanes));
    wino_weights(exec, g.weight.data, g.cin, g.cout, false, weights);
    parallel_for(exec, idiv_up(tiles.count, kWinoBlock), [&](i64 block, int worker) {
      wino_block(in, tiles, block, weights, g.out.data, g.cout, slope, zeros, work + worker * size);
    });
  } else {
    const Window window{g.kh, g.kw, (g.kh - 1) / 2, (g.kw - 1) / 2};
    const Strips strips(g.n, g.h, g.w, imax(g.cin, g.cout));
    const i64 size = strip_size(strips, g.w, g.kh, g.kw, g.cin);
    float* weights = scratch_floats(exec, direct_weights_size(g.kh * g.kw, g.cin, g.cout));
    float* work = scratch_floats(exec, size * exec.threads());
    if (!weights || !work) return conv2d_no_memory();
    direct_weights(exec, g.weight.data, g.kh * g.kw, g.cin, g.cout, false, g.cin, weights);
    const Sink sink(g.out.data, g.out.size, g.cout);
    parallel_for(exec, strips.count, [&](i64 strip, int worker) {
      const i64 image = strip / strips.perImage, y0 = strip % strips.perImage * strips.rows;
      const i64 rows = imin(strips.rows, g.h - y0);
      float* padded = work + worker * size;
      pad_rows(in, image, y0, rows, window, g.cin, padded);
      direct_strip(padded, g.cin, window, weights, image, y0, rows, g.h, g.w, g.cout, slope, g.out.data, sink);
    });
  }
  return {};
}

// Parts of a weight gradient, each summed over its share of the work before they are added up: a power of two, many when
// they are small, few when each is megabytes; from the shapes alone.
inline i64 gradient_parts(i64 units, i64 floats) {
  const i64 most = imin(units / 3, imax(16, 65536 / imax(1, floats)));
  i64 parts = 1;
  while (2 * parts <= most) parts *= 2;
  return parts;
}

inline Status conv2d_backward_winograd(const Conv2dBackwardArgs& g, const Images& x, const Images& grad, Exec& exec) {
  const WinoTiles tiles(g.n, g.h, g.w);
  const i64 blocks = idiv_up(tiles.count, kWinoBlock), sums = wino_sums_size(g.cin, g.cout);
  const i64 parts = gradient_parts(blocks, sums);
  const i64 sizeX = g.gradX ? wino_block_scratch(g.cout) : 0;
  const i64 size = imax(sizeX, g.gradWeight ? wino_gradient_scratch(g.cin, g.cout) : 0);
  float* weights = scratch_floats(exec, g.gradX ? wino_weights_size(g.cout, g.cin) : 1);
  float* partial = scratch_floats(exec, g.gradWeight ? sums * parts : 1);
  float* zeros = scratch_floats(exec, imax(g.cin, g.cout) + kLanes);
  float* work = scratch_floats(exec, size * exec.threads());
  if (!weights || !partial || !zeros || !work) return conv2d_no_memory();
  memset(zeros, 0, sizeof(float) * static_cast<size_t>(imax(g.cin, g.cout) + kLanes));
  if (g.gradX) wino_weights(exec, g.weight.data, g.cin, g.cout, true, weights);
  parallel_for(exec, parts, [&](i64 part, int worker) {
    float* const mine = partial + part * sums;
    float* const scratch = work + worker * size;
    if (g.gradWeight) memset(mine, 0, sizeof(float) * static_cast<size_t>(sums));
    for (i64 block = part * blocks / parts; block < (part + 1) * blocks / parts && !exec.cancelled(); ++block) {
      if (g.gradWeight) wino_gradient_block(x, grad, tiles, block, zeros, scratch, mine);
      if (g.gradX) wino_block(grad, tiles, block, weights, g.gradX.data, g.cin, 1.0f, zeros, scratch);
    }
  });
  if (g.gradWeight) wino_weights_gradient(exec, partial, parts, g.cin, g.cout, g.gradWeight.data);
  return {};
}

inline Status conv2d_backward_direct(const Conv2dBackwardArgs& g, const Images& x, const Images& grad, Exec& exec) {
  const i64 taps = g.kh * g.kw;
  const Window window{g.kh, g.kw, (g.kh - 1) / 2, (g.kw - 1) / 2};
  const Strips strips(g.n, g.h, g.w, imax(g.cin, g.cout));
  const bool thin = g.cin < kLanes && taps * g.cin <= 4 * kTileCols;
  const i64 ld = panel_cols(g.cout), sums = taps * g.cin * ld;
  const i64 parts = gradient_parts(strips.count, sums);
  const i64 sizeGrad = strip_size(strips, g.w, g.kh, g.kw, ld), sizeX = strip_size(strips, g.w, g.kh, g.kw, g.cin);
  const i64 sizeThin = thin ? strip_size(strips, g.w, g.kh, g.kw, panel_cols(taps * g.cin)) : 0;
  const i64 size = sizeGrad + sizeX + sizeThin;
  float* weights = scratch_floats(exec, thin ? g.cout * panel_cols(taps * g.cin) : direct_weights_size(taps, ld, g.cin));
  float* partial = scratch_floats(exec, g.gradWeight ? sums * parts : 1);
  float* work = scratch_floats(exec, size * exec.threads());
  if (!weights || !partial || !work) return conv2d_no_memory();
  if (g.gradX && thin) {
    // [cout] × panels of kh·kw·cin, tap (ky, kx) of the turned kernel first.
    const i64 cols = taps * g.cin;
    for (i64 j = 0; j < panel_cols(cols); ++j) {
      const i64 panel = j / kTileCols * kTileCols, width = imin(kTileCols, panel_cols(cols) - panel);
      const float* source = g.weight.data + ((taps - 1 - j / g.cin) * g.cin + j % g.cin) * g.cout;
      for (i64 k = 0; k < g.cout; ++k) weights[g.cout * panel + k * width + j - panel] = j < cols ? source[k] : 0.0f;
    }
  } else if (g.gradX) {
    direct_weights(exec, g.weight.data, taps, g.cin, g.cout, true, ld, weights);
  }
  parallel_for(exec, parts, [&](i64 part, int worker) {
    float* const mine = partial + part * sums;
    float* const grads = work + worker * size;
    float* const padded = grads + sizeGrad;
    if (g.gradWeight) memset(mine, 0, sizeof(float) * static_cast<size_t>(sums));
    for (i64 strip = part * strips.count / parts; strip < (part + 1) * strips.count / parts && !exec.cancelled(); ++strip) {
      const i64 image = strip / strips.perImage, y0 = strip % strips.perImage * strips.rows;
      const i64 rows = imin(strips.rows, g.h - y0);
      pad_rows(grad, image, y0, rows, window, ld, grads);
      if (g.gradWeight) {
        const i64 gradLine = (g.w + g.kw - 1) * ld;
        pad_rows(x, image, y0, rows, window, g.cin, padded);
        direct_weights_strip(padded, grads + window.top * gradLine + window.left * ld, gradLine, ld, window, g.cin, g.cout,
                             rows, g.w, mine);
      }
      if (g.gradX && thin) {
        thin_gradient_strip(grads, ld, g.cout, window, weights, g.cin, image, y0, rows, g.h, g.w, padded + sizeX,
                            g.gradX.data);
      } else if (g.gradX) {
        direct_strip(grads, ld, window, weights, image, y0, rows, g.h, g.w, g.cin, 1.0f, g.gradX.data,
                     Sink(g.gradX.data, g.gradX.size, g.cin));
      }
    }
  });
  if (g.gradWeight) {
    parallel_for(exec, taps * g.cin, [&](i64 row, int) {
      for (i64 j = 0; j < g.cout; j += kLanes) {
        vstore_n(g.gradWeight.data + row * g.cout + j, sum_parts(partial + row * ld + j, parts, sums), g.cout - j);
      }
    });
  }
  return {};
}

inline Status conv2d_backward(const Conv2dBackwardArgs& g, Exec& exec) {
  if (g.n * g.h * g.w * g.cout == 0 || g.cin == 0) {
    for (i64 i = 0; i < g.gradX.size; ++i) g.gradX[i] = 0.0f;
    for (i64 i = 0; i < g.gradWeight.size; ++i) g.gradWeight[i] = 0.0f;
    return {};
  }
  const Images x{g.x.data, nullptr, 1.0f, g.n, g.h, g.w, g.cin};
  const Images grad{g.gradOut.data, g.slope == 1.0 ? nullptr : g.out.data, static_cast<float>(g.slope), g.n, g.h, g.w, g.cout};
  return use_winograd(g.h, g.w, g.cin, g.cout, g.kh, g.kw) ? conv2d_backward_winograd(g, x, grad, exec)
                                                          : conv2d_backward_direct(g, x, grad, exec);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
