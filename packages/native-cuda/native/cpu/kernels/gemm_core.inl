// Blocked matrix product for gemm and every kernel that contains one (conv2d, gru, similarity, frame_score, info_nce,
// top_k): Goto-style packing around a register micro-kernel.
//
// Packed A holds panels of kMr rows, each k-major: element (i, p) of a panel at [p·kMr + i]. Packed B holds panels of kNr
// columns: element (p, j) at [p·kNr + j]. Panels follow each other with the full k, short ones are padded with zeros.
// A kernel that gathers its operand (im2col) may write these panels itself.
//
// Every output element is one chain of fused multiply-adds in ascending k, cut at multiples of the k block: it depends on
// the shapes alone, not on threads, tiles or neighbours.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_micro.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// A matrix read with strides: element (i, j) at data[i·rows + j·cols]. A transposed view swaps the two.
struct MatIn {
  const float* data;
  i64 rows, cols;

  MatIn at(i64 i, i64 j) const { return {data + i * rows + j * cols, rows, cols}; }
};

inline i64 gemm_min(i64 a, i64 b) { return a < b ? a : b; }
inline i64 gemm_max(i64 a, i64 b) { return a > b ? a : b; }
inline i64 ceil_div(i64 a, i64 b) { return (a + b - 1) / b; }

// k in one pass of the micro-kernel. AVX-512: an A panel (kMr × kKc, 28 KB) stays in L1 while B panels stream from L2.
// Others: a B panel (kKc × kNr, 24 KB or less) stays in L1 while the A block (kMc rows) streams from a smaller L2.
constexpr bool kPanelOfAInL1 = kLanes == 16;
constexpr i64 kKc = kPanelOfAInL1 ? 512 : 384;
constexpr i64 kMc = kLanes == 16 ? 2 * kMr : kLanes == 1 ? 16 * kMr : 12 * kMr;
constexpr i64 kNc = 512;  // columns of a packed slab

// What rows of operands hold: words of 32 bits, at most kPass of them in one pass, cut between kUnit of them.
struct Float32 {
  using Product = FloatProduct;
  static constexpr i64 kPass = kKc, kUnit = 1;
};

template <class Words>
inline i64 pass_count(i64 k) {
  return gemm_max(1, ceil_div(k, Words::kPass));
}
template <class Words>
inline i64 pass_depth(i64 k) {
  return ceil_div(k, pass_count<Words>(k) * Words::kUnit) * Words::kUnit;
}

// Floats of a packed operand. The slack lets packing store whole vectors.
inline i64 packed_a_size(i64 m, i64 k) { return ceil_div(m, kMr) * kMr * k + kLanes; }
inline i64 packed_b_size(i64 k, i64 n) { return ceil_div(n, kNr) * kNr * k + kLanes; }

// One panel of `width` slots from `count` ≤ width lines of length k: line i starts at src + i·line and is walked by step.
template <int kWidth>
inline void pack_panel(const float* src, i64 line, i64 step, i64 count, i64 k, float* dst) {
  if (line == 1) {
    if (count == kWidth && kWidth % kLanes == 0) {
      for (i64 p = 0; p < k; ++p) {
        SONOTEXT_UNROLL(4)
        for (int j = 0; j < kWidth; j += kLanes) vstore(dst + p * kWidth + j, vload(src + p * step + j));
      }
    } else {
      for (i64 p = 0; p < k; ++p)
        for (int j = 0; j < kWidth; j += kLanes)
          vstore_n(dst + p * kWidth + j, vload_n(src + p * step + j, count - j), kWidth - j);
    }
  } else if (step == 1 && kLanes > 1) {
    for (int j = 0; j < kWidth; j += kLanes) {
      for (i64 p = 0; p < k; p += kLanes) {
        Vec t[kLanes];
        for (int i = 0; i < kLanes; ++i) {
          t[i] = j + i < count ? vload_n(src + (j + i) * line + p, k - p) : vzero();
        }
        vtranspose(t);
        const int depth = static_cast<int>(gemm_min(kLanes, k - p));
        if (kWidth - j >= kLanes) {
          for (int q = 0; q < depth; ++q) vstore(dst + (p + q) * kWidth + j, t[q]);
        } else {
          for (int q = 0; q < depth; ++q) vstore_n(dst + (p + q) * kWidth + j, t[q], kWidth - j);
        }
      }
    }
  } else {
    for (i64 p = 0; p < k; ++p) {
      for (int i = 0; i < kWidth; ++i) dst[p * kWidth + i] = i < count ? src[i * line + p * step] : 0.0f;
    }
  }
}

// Panels [first, last) of `lines` lines. Where neighbouring lines are neighbours in memory, every stretch of k is packed
// for all panels before the next one, so that a page is visited once.
template <int kWidth>
inline void pack_panels(const float* src, i64 line, i64 step, i64 lines, i64 k, i64 first, i64 last, float* dst) {
  const i64 stretch = line == 1 ? 32 : k;
  for (i64 p = 0; p < k; p += stretch) {
    for (i64 i = first; i < last; ++i) {
      const i64 at = i * kWidth;
      pack_panel<kWidth>(src + at * line + p * step, line, step, gemm_min(kWidth, lines - at), gemm_min(stretch, k - p),
                         dst + at * k + p * kWidth);
    }
  }
}

inline void pack_a(MatIn a, i64 m, i64 k, float* dst) {
  pack_panels<kMr>(a.data, a.rows, a.cols, m, k, 0, ceil_div(m, kMr), dst);
}
inline void pack_b_panels(MatIn b, i64 k, i64 n, i64 first, i64 last, float* dst) {
  pack_panels<kNr>(b.data, b.cols, b.rows, n, k, first, last, dst);
}
inline void pack_b(MatIn b, i64 k, i64 n, float* dst) { pack_b_panels(b, k, n, 0, ceil_div(n, kNr), dst); }

// out[m×n] (row stride ldo) = act(alpha·A·B + beta·out + bias) on one thread, from packed panels of depth k.
template <class Words = Float32>
inline void gemm_block(const float* a, const float* b, i64 m, i64 n, i64 k, float* out, i64 ldo, const Epilogue& e) {
  const i64 passes = pass_count<Words>(k), kc = pass_depth<Words>(k);
  for (i64 pass = 0; pass < passes; ++pass) {
    const i64 p0 = pass * kc;
    const i64 kp = gemm_min(kc, k - p0);
    Epilogue part = e;
    if (pass > 0) part.beta = 1.0f;
    if (pass + 1 < passes) part.bias = nullptr, part.slope = 1.0f;
    const auto tile = [&](i64 i, i64 j) {
      Epilogue at = part;
      if (at.bias) at.bias += j;
      micro_tile<typename Words::Product>(static_cast<int>(gemm_min(kMr, m - i)), gemm_min(kNr, n - j), kp, a + i * k + p0 * kMr,
                                          b + j * k + p0 * kNr, out + i * ldo + j, ldo, at);
    };
    if constexpr (kPanelOfAInL1) {
      for (i64 i = 0; i < m; i += kMr)
        for (i64 j = 0; j < n; j += kNr) tile(i, j);
    } else {
      for (i64 j = 0; j < n; j += kNr)
        for (i64 i = 0; i < m; i += kMr) tile(i, j);
    }
  }
}

// Floats of scratch for gemm_serial.
inline i64 gemm_serial_scratch(i64 m, i64 n, i64 k) { return packed_a_size(m, k) + packed_b_size(k, n); }

// The same from unpacked operands; for blocks that fit the cache, inside one worker.
inline void gemm_serial(MatIn a, MatIn b, i64 m, i64 n, i64 k, float* out, i64 ldo, const Epilogue& e, float* scratch) {
  float* pa = scratch;
  float* pb = scratch + packed_a_size(m, k);
  pack_a(a, m, k, pa);
  pack_b(b, k, n, pb);
  gemm_block(pa, pb, m, n, k, out, ldo, e);
}

// Below this many multiply-adds waking the pool costs more than it saves.
constexpr i64 kSerialWork = 1 << 20;

// body(0..count-1, worker), on the calling thread when the whole is too small to share.
template <class F>
inline void gemm_chunks(Exec& exec, i64 count, i64 work, F&& body) {
  if (work < kSerialWork) {
    for (i64 i = 0; i < count && !exec.cancelled(); ++i) body(i, 0);
  } else {
    parallel_for(exec, count, body);
  }
}

// Memory of gemm_parallel for products up to m × n × k; an op that runs several takes it once.
struct GemmBuffers {
  float* b = nullptr;  // one packed slab, shared
  float* a = nullptr;  // packed rows, `stride` floats per worker
  i64 stride = 0;
};

inline Status gemm_buffers(Exec& exec, i64 m, i64 n, i64 k, GemmBuffers* buffers) {
  const i64 kc = gemm_min(k, kKc);
  buffers->stride = ceil_div(packed_a_size(gemm_min(m, kMc), kc), 16) * 16;
  buffers->b = static_cast<float*>(exec.scratch(4 * packed_b_size(kc, gemm_min(n, kNc))));
  buffers->a = static_cast<float*>(exec.scratch(4 * buffers->stride * exec.threads()));
  if (!buffers->a || !buffers->b) return {Code::out_of_memory, "scratch memory for the packed operands"};
  return {};
}

// out[m×n] (row stride ldo) = act(alpha·a·b + beta·out + bias) over the pool, any size. Slabs of B (kKc deep) are packed
// together, then every chunk packs its own rows of A. Call it from the op's own thread.
template <class Words = Float32>
inline Status gemm_parallel(Exec& exec, const GemmBuffers& buffers, MatIn a, MatIn b, i64 m, i64 n, i64 k, float* out,
                            i64 ldo, const Epilogue& e) {
  if (m == 0 || n == 0) return {};
  const i64 passes = pass_count<Words>(k), kc = pass_depth<Words>(k);
  const i64 nc = gemm_min(n, kNc);
  const i64 rowChunks = ceil_div(m, kMc);
  for (i64 j0 = 0; j0 < n; j0 += nc) {
    const i64 nj = gemm_min(nc, n - j0), panels = ceil_div(nj, kNr);
    // Few rows: cut the columns too, down to 128 of them.
    const i64 wanted = gemm_min(ceil_div(16, rowChunks), ceil_div(nj, 128));
    const i64 chunkPanels = ceil_div(panels, wanted), columnChunks = ceil_div(panels, chunkPanels);
    for (i64 pass = 0; pass < passes; ++pass) {
      const i64 p0 = pass * kc, kp = gemm_min(kc, k - p0);
      gemm_chunks(exec, ceil_div(panels, 2), kp * nj * 16, [&](i64 chunk, int) {
        pack_b_panels(b.at(p0, j0), kp, nj, 2 * chunk, gemm_min(panels, 2 * chunk + 2), buffers.b);
      });
      Epilogue part = e;
      if (pass > 0) part.beta = 1.0f;
      if (pass + 1 < passes) part.bias = nullptr, part.slope = 1.0f;
      gemm_chunks(exec, rowChunks * columnChunks, m * nj * kp, [&](i64 chunk, int worker) {
        const i64 i = chunk / columnChunks * kMc, j = chunk % columnChunks * chunkPanels * kNr;
        const i64 rows = gemm_min(kMc, m - i);
        float* mine = buffers.a + worker * buffers.stride;
        pack_a(a.at(i, p0), rows, kp, mine);
        Epilogue at = part;
        if (at.bias) at.bias += j0 + j;
        gemm_block<Words>(mine, buffers.b + j * kp, rows, gemm_min(chunkPanels * kNr, nj - j), kp,
                          out + (i * ldo + j0 + j), ldo, at);
      });
    }
  }
  return {};
}

template <class Words = Float32>
inline Status gemm_parallel(Exec& exec, MatIn a, MatIn b, i64 m, i64 n, i64 k, float* out, i64 ldo, const Epilogue& e) {
  GemmBuffers buffers;
  const Status status = gemm_buffers(exec, m, n, k, &buffers);
  return status.ok() ? gemm_parallel<Words>(exec, buffers, a, b, m, n, k, out, ldo, e) : status;
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
