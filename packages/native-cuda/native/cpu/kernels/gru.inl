// PyTorch's GRU. saved[direction, i, t] = [r, z, n, W_hn·h + b_hn], H values each. Clips are independent through the whole
// recurrence, so every piece of parallel work runs all steps of some clips in one direction, without a barrier.
#include "../../core/ops.hpp"
#include "chunks.inl"
#include "conv_tile.inl"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kGruClips = 3 * kTileRows;  // clips of one piece: weights read from L2 serve this many

inline Status gru_no_memory() { return {Code::out_of_memory, "gru: scratch memory for gates and packed weights"}; }

// W[k × n], element (p, j) at data[p·rows + j·cols], as panels of columns for row_tile.
inline void pack_tile_panels(MatIn w, i64 k, i64 n, float* to) {
  for (i64 panel = 0; panel < n; panel += kTileCols) {
    const i64 width = imin(kTileCols, panel_cols(n) - panel);
    for (i64 p = 0; p < k; ++p) {
      for (i64 j = 0; j < width; ++j) {
        to[k * panel + p * width + j] = panel + j < n ? w.data[p * w.rows + (panel + j) * w.cols] : 0.0f;
      }
    }
  }
}

// out[m × n] (rows ldo apart, panel_cols(n) written) = rows of A (lda apart, k long) times packed panels.
inline void tile_product(const float* a, i64 lda, i64 m, i64 k, const float* panels, i64 n, float* out, i64 ldo) {
  for (i64 j = 0; j < n; j += kTileCols) {
    const int vecs = tile_vecs(imin(kTileCols, n - j));
    for (i64 i = 0; i < m; i += kTileRows) {
      const i64 rows = imin(kTileRows, m - i);
      const float* from[kTileRows];
      float* to[kTileRows];
      for (i64 r = 0; r < rows; ++r) from[r] = a + (i + r) * lda, to[r] = out + (i + r) * ldo + j;
      tiles().row[rows - 1][vecs - 1]({from, 1, 0, k, k, panels + k * j, to, vecs * kLanes, 1.0f});
    }
  }
}

inline Status gru(const GruArgs& g, Exec& exec) {
  const i64 H = g.hidden, D = g.directions, T = g.t, gates = D * 3 * H;
  const i64 ldp = panel_cols(H);  // one gate of the recurrent product
  float* input = static_cast<float*>(exec.scratch(4 * (g.n * T * gates + kLanes)));
  float* weights = static_cast<float*>(exec.scratch(4 * D * 3 * H * ldp));
  float* work = static_cast<float*>(exec.scratch(4 * exec.threads() * kGruClips * 3 * ldp));
  if (!input || !weights || !work) return gru_no_memory();
  Epilogue bias;
  bias.bias = g.bIh.data;
  const Status projected =
      gemm_parallel(exec, {g.x.data, g.in, 1}, {g.wIh.data, 1, g.in}, g.n * T, gates, g.in, input, gates, bias);
  if (!projected.ok()) return projected;
  parallel_for(exec, 3 * D, [&](i64 gate, int) {
    pack_tile_panels({g.wHh.data + gate * H * H, 1, H}, H, H, weights + gate * H * ldp);
  });
  const i64 pieces = idiv_up(g.n, kGruClips);
  parallel_for(exec, D * pieces, [&](i64 piece, int worker) {
    const i64 direction = piece / pieces, first = piece % pieces * kGruClips, clips = imin(kGruClips, g.n - first);
    const float* bHh = g.bHh.data + direction * 3 * H;
    float* recurrent = work + worker * kGruClips * 3 * ldp;
    memset(recurrent, 0, sizeof(float) * static_cast<size_t>(kGruClips * 3 * ldp));
    for (i64 s = 0; s < T && !exec.cancelled(); ++s) {
      const i64 t = direction == 0 ? s : T - 1 - s, before = direction == 0 ? t - 1 : t + 1;
      const float* previous = g.out.data + (first * T + before) * D * H + direction * H;
      for (int gate = 0; gate < 3 && s > 0; ++gate) {
        tile_product(previous, T * D * H, clips, H, weights + (direction * 3 + gate) * H * ldp, H, recurrent + gate * ldp,
                     3 * ldp);
      }
      for (i64 i = 0; i < clips; ++i) {
        const float* in = input + ((first + i) * T + t) * gates + direction * 3 * H;
        const float* rec = recurrent + i * 3 * ldp;
        const float* h = previous + i * T * D * H;
        float* out = g.out.data + ((first + i) * T + t) * D * H + direction * H;
        float* saved = g.saved.data + ((direction * g.n + first + i) * T + t) * 4 * H;
        for_vectors(0, H, [&](i64 j, i64 n) {
          const Vec r = vsigmoid(vload_n(in + j, n) + vload_n(rec + j, n) + vload_n(bHh + j, n));
          const Vec z = vsigmoid(vload_n(in + H + j, n) + vload_n(rec + ldp + j, n) + vload_n(bHh + H + j, n));
          const Vec q = vload_n(rec + 2 * ldp + j, n) + vload_n(bHh + 2 * H + j, n);
          const Vec c = vtanh(vfma(r, q, vload_n(in + 2 * H + j, n)));
          const Vec old = s > 0 ? vload_n(h + j, n) : vzero();
          vstore_n(out + j, vfma(z, old - c, c), n);
          vstore_n(saved + j, r, n);
          vstore_n(saved + H + j, z, n);
          vstore_n(saved + 2 * H + j, c, n);
          vstore_n(saved + 3 * H + j, q, n);
        });
      }
    }
  });
  return {};
}

// Backpropagation through time. Writes the gradients before the non-linearities, [n × t × directions × 4H] as n, r, z and
// the recurrent side of n: the input side is the first three, the recurrent side the last three.
inline void gru_backward_steps(const GruBackwardArgs& g, Exec& exec, const float* weights, float* work, float* gateGrads) {
  const i64 H = g.hidden, D = g.directions, T = g.t, ldp = panel_cols(H), pieces = idiv_up(g.n, kGruClips);
  parallel_for(exec, D * pieces, [&](i64 piece, int worker) {
    const i64 direction = piece / pieces, first = piece % pieces * kGruClips, clips = imin(kGruClips, g.n - first);
    float* direct = work + worker * 2 * kGruClips * ldp;    // grad of the older state through z
    float* through = direct + kGruClips * ldp;              // and through the recurrent product
    memset(direct, 0, sizeof(float) * static_cast<size_t>(2 * kGruClips * ldp));
    for (i64 s = T - 1; s >= 0 && !exec.cancelled(); --s) {
      const i64 t = direction == 0 ? s : T - 1 - s, before = direction == 0 ? t - 1 : t + 1;
      for (i64 i = 0; i < clips; ++i) {
        const i64 at = (first + i) * T + t;
        const float* incoming = g.gradOut.data + (at * D + direction) * H;
        const float* saved = g.saved.data + ((direction * g.n + first + i) * T + t) * 4 * H;
        const float* h = g.out.data + (((first + i) * T + before) * D + direction) * H;
        float* to = gateGrads + (at * D + direction) * 4 * H;
        for_vectors(0, H, [&](i64 j, i64 n) {
          const Vec one = vset(1.0f);
          const Vec r = vload_n(saved + j, n), z = vload_n(saved + H + j, n);
          const Vec c = vload_n(saved + 2 * H + j, n), q = vload_n(saved + 3 * H + j, n);
          const Vec old = s > 0 ? vload_n(h + j, n) : vzero();
          float* const keep = direct + i * ldp + j;
          const Vec grad = vload_n(incoming + j, n) + (vload_n(keep, n) + vload_n(through + i * ldp + j, n));
          const Vec toN = grad * (one - z) * vfnma(c, c, one);
          const Vec toR = toN * q * r * (one - r);
          const Vec toZ = grad * (old - c) * z * (one - z);
          vstore_n(keep, grad * z, n);
          vstore_n(to + j, toN, n);
          vstore_n(to + H + j, toR, n);
          vstore_n(to + 2 * H + j, toZ, n);
          vstore_n(to + 3 * H + j, toN * r, n);
        });
      }
      if (s == 0) break;
      tile_product(gateGrads + ((first * T + t) * D + direction) * 4 * H + H, T * D * 4 * H, clips, 3 * H,
                   weights + direction * 3 * H * ldp, H, through, ldp);
    }
  });
}

// Weight and bias gradients of one direction for clips [first, last), added to the sums: wIh (rows n, r, z), wHh (rows
// r, z, n), then the four column sums.
struct GruSums {
  i64 ih, hh, bias, size;
  GruSums(i64 hidden, i64 in)
      : ih(0), hh(3 * hidden * panel_cols(in)), bias(hh + 3 * hidden * panel_cols(hidden)), size(bias + 4 * hidden + kLanes) {}
};

inline Status gru_backward(const GruBackwardArgs& g, Exec& exec) {
  if (g.n * g.t == 0) {  // no steps: what there is to write are sums of nothing
    const F32Out sums[] = {g.gradWIh, g.gradWHh, g.gradBIh, g.gradBHh};
    for (const F32Out& sum : sums) {
      memset(sum.data, 0, sizeof(float) * static_cast<size_t>(sum.size));
    }
    return {};
  }
  const i64 H = g.hidden, D = g.directions, T = g.t, ldp = panel_cols(H), ldx = panel_cols(g.in), step = D * 4 * H;
  const GruSums sums(H, g.in);
  const i64 parts = imax(1, imin(16, g.n / 2)), count = sums.size * parts * D;
  float* gateGrads = static_cast<float*>(exec.scratch(4 * (g.n * T * step + kLanes)));
  float* weights = static_cast<float*>(exec.scratch(4 * D * 3 * H * ldp));
  float* work = static_cast<float*>(exec.scratch(4 * exec.threads() * 2 * kGruClips * ldp));
  float* partial = static_cast<float*>(exec.scratch(4 * count));
  // The outer products read whole vectors of x and out: copies of one clip with rows of whole vectors.
  const i64 copySize = T * (ldx + ldp);
  float* copies = static_cast<float*>(exec.scratch(4 * (exec.threads() * copySize + kLanes)));
  if (!gateGrads || !weights || !work || !partial || !copies) return gru_no_memory();
  parallel_for(exec, D, [&](i64 direction, int) {
    pack_tile_panels({g.wHh.data + direction * 3 * H * H, H, 1}, 3 * H, H, weights + direction * 3 * H * ldp);
  });
  gru_backward_steps(g, exec, weights, work, gateGrads);
  parallel_for(exec, D * parts, [&](i64 piece, int worker) {
    const i64 direction = piece / parts, part = piece % parts;
    float* mine = partial + piece * sums.size;
    float* x = copies + worker * copySize;
    float* h = x + T * ldx;
    memset(mine, 0, sizeof(float) * static_cast<size_t>(sums.size));
    for (i64 i = part * g.n / parts; i < (part + 1) * g.n / parts && !exec.cancelled(); ++i) {
      for (i64 t = 0; t < T; ++t) {
        const float* fromX = g.x.data + (i * T + t) * g.in;
        const float* fromH = g.out.data + ((i * T + t) * D + direction) * H;
        for (i64 j = 0; j < ldx; j += kLanes) vstore_n(x + t * ldx + j, vload_n(fromX + j, g.in - j), ldx - j);
        for (i64 j = 0; j < ldp; j += kLanes) vstore_n(h + t * ldp + j, vload_n(fromH + j, H - j), ldp - j);
      }
      const float* grads = gateGrads + (i * T * D + direction) * 4 * H;
      outer_block({grads, x, step, ldx, T, 1, 0, 0}, 3 * H, g.in, mine + sums.ih, ldx);
      // Pairs of a step and the one before it in this direction's order.
      outer_block({grads + H + (direction == 0 ? step : 0), h + (direction == 0 ? 0 : ldp), step, ldp, T - 1, 1, 0, 0}, 3 * H, H,
                  mine + sums.hh, ldp);
      for_vectors(0, 4 * H, [&](i64 j, i64 n) {
        Vec sum = vzero();
        for (i64 t = 0; t < T; ++t) sum = sum + vload_n(grads + t * step + j, n);
        vstore_n(mine + sums.bias + j, vload_n(mine + sums.bias + j, n) + sum, n);
      });
    }
  });
  parallel_for(exec, D * 3 * H, [&](i64 row, int) {
    const i64 direction = row / (3 * H), k = row % (3 * H);
    float* mine = partial + direction * parts * sums.size;
    const i64 source = k < 2 * H ? k + H : k - 2 * H;  // rows r, z, n from columns n, r, z
    for_vectors(0, g.in, [&](i64 j, i64 n) {
      vstore_n(g.gradWIh.data + row * g.in + j, sum_parts(mine + sums.ih + source * ldx + j, parts, sums.size), n);
    });
    for_vectors(0, H, [&](i64 j, i64 n) {
      vstore_n(g.gradWHh.data + row * H + j, sum_parts(mine + sums.hh + k * ldp + j, parts, sums.size), n);
    });
    for (int side = 0; side < 2; ++side) {
      float total = 0.0f;
      for (i64 part = 0; part < parts; ++part) total += mine[part * sums.size + sums.bias + (side == 0 ? source : k + H)];
      (side == 0 ? g.gradBIh : g.gradBHh)[row] = total;
    }
  });
  for (i64 direction = 0; direction < D && g.gradX; ++direction) {
    Epilogue onto;
    onto.beta = direction == 0 ? 0.0f : 1.0f;
    const float* grads = gateGrads + direction * 4 * H;
    const float* w = g.wIh.data + direction * 3 * H * g.in;
    Status status = gemm_parallel(exec, {grads + H, step, 1}, {w, g.in, 1}, g.n * T, g.in, 2 * H, g.gradX.data, g.in, onto);
    onto.beta = 1.0f;
    if (status.ok()) {
      status = gemm_parallel(exec, {grads, step, 1}, {w + 2 * H * g.in, g.in, 1}, g.n * T, g.in, H, g.gradX.data, g.in, onto);
    }
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
