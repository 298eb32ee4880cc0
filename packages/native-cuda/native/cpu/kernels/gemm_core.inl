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

// k in one pass of the micro-kernel: an A panel (kMr × kKc) stays in L1 while B panels stream from L2.
constexpr i64 kKc = kLanes == 16 ? 512 : 384;

// Floats of a packed operand. The slack lets packing store whole vectors.
inline i64 packed_a_size(i64 m, i64 k) { return ceil_div(m, kMr) * kMr * k + kLanes; }
inline i64 packed_b_size(i64 k, i64 n) { return ceil_div(n, kNr) * kNr * k + kLanes; }

// One panel of `width` slots from `count` ≤ width lines of length k: line i starts at src + i·line and is walked by step.
template <int kWidth>
inline void pack_panel(const float* src, i64 line, i64 step, i64 count, i64 k, float* dst) {
  if (line == 1) {
    if (count == kWidth && kWidth % kLanes == 0) {
      for (i64 p = 0; p < k; ++p) {
#pragma GCC unroll 4
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

// Panels [first, last) of the m × k matrix a, written to their places in dst.
inline void pack_a_panels(MatIn a, i64 m, i64 k, i64 first, i64 last, float* dst) {
  for (i64 r = first; r < last; ++r) {
    pack_panel<kMr>(a.data + r * kMr * a.rows, a.rows, a.cols, gemm_min(kMr, m - r * kMr), k, dst + r * kMr * k);
  }
}
inline void pack_a(MatIn a, i64 m, i64 k, float* dst) { pack_a_panels(a, m, k, 0, ceil_div(m, kMr), dst); }

// Panels [first, last) of the k × n matrix b.
inline void pack_b_panels(MatIn b, i64 k, i64 n, i64 first, i64 last, float* dst) {
  for (i64 c = first; c < last; ++c) {
    pack_panel<kNr>(b.data + c * kNr * b.cols, b.cols, b.rows, gemm_min(kNr, n - c * kNr), k, dst + c * kNr * k);
  }
}
inline void pack_b(MatIn b, i64 k, i64 n, float* dst) { pack_b_panels(b, k, n, 0, ceil_div(n, kNr), dst); }

// out[m×n] (row stride ldo) = act(alpha·A·B + beta·out + bias) on one thread, from packed panels of depth k.
inline void gemm_block(const float* a, const float* b, i64 m, i64 n, i64 k, float* out, i64 ldo, const Epilogue& e) {
  const i64 passes = gemm_max(1, ceil_div(k, kKc));
  const i64 kc = ceil_div(k, passes);
  for (i64 pass = 0; pass < passes; ++pass) {
    const i64 p0 = pass * kc;
    const i64 kp = gemm_min(kc, k - p0);
    Epilogue part = e;
    if (pass > 0) part.beta = 1.0f;
    if (pass + 1 < passes) part.bias = nullptr, part.slope = 1.0f;
    for (i64 i = 0; i < m; i += kMr) {
      const int rows = static_cast<int>(gemm_min(kMr, m - i));
      for (i64 j = 0; j < n; j += kNr) {
        const i64 columns = gemm_min(kNr, n - j);
        Epilogue tile = part;
        if (tile.bias) tile.bias += j;
        micro_tile(rows, columns, kp, a + i * k + p0 * kMr, b + j * k + p0 * kNr, out + i * ldo + j, ldo, tile);
      }
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

// Panels per unit of parallel work: about 1.8 million multiply-adds at k = 256.
constexpr i64 kRowPanels = kLanes == 1 ? 14 : 56 / kMr;
constexpr i64 kColumnPanels = 128 / kNr;

// The same over the pool, any size. Call it from the op's own thread.
inline Status gemm_parallel(Exec& exec, MatIn a, MatIn b, i64 m, i64 n, i64 k, float* out, i64 ldo, const Epilogue& e) {
  if (m == 0 || n == 0) return {};
  const i64 ms = gemm_min(m, 2048 / kMr * kMr), ns = gemm_min(n, 2048), ks = gemm_min(k, 2 * kKc);
  float* pa = static_cast<float*>(exec.scratch(4 * packed_a_size(ms, ks)));
  float* pb = static_cast<float*>(exec.scratch(4 * packed_b_size(ks, ns)));
  if (!pa || !pb) return {Code::out_of_memory, "gemm: scratch memory for the packed operands"};
  for (i64 j0 = 0; j0 < n; j0 += ns) {
    const i64 nj = gemm_min(ns, n - j0), bPanels = ceil_div(nj, kNr);
    i64 p0 = 0;
    do {
      const i64 kp = gemm_min(ks, k - p0);
      for (i64 i0 = 0; i0 < m; i0 += ms) {
        if (exec.cancelled()) return {Code::cancelled, "gemm: cancelled"};
        const i64 mi = gemm_min(ms, m - i0), aPanels = ceil_div(mi, kMr);
        const i64 aChunks = ceil_div(aPanels, kRowPanels), bChunks = ceil_div(bPanels, kColumnPanels);
        const i64 packed = i0 == 0 ? bChunks : 0;
        parallel_for(exec, aChunks + packed, [&](i64 chunk, int) {
          if (chunk < aChunks) {
            const i64 first = chunk * kRowPanels, last = gemm_min(aPanels, first + kRowPanels);
            pack_a_panels(a.at(i0, p0), mi, kp, first, last, pa);
          } else {
            const i64 first = (chunk - aChunks) * kColumnPanels, last = gemm_min(bPanels, first + kColumnPanels);
            pack_b_panels(b.at(p0, j0), kp, nj, first, last, pb);
          }
        });
        Epilogue part = e;
        if (p0 > 0) part.beta = 1.0f;
        if (p0 + kp < k) part.bias = nullptr, part.slope = 1.0f;
        parallel_for(exec, aChunks * bChunks, [&](i64 chunk, int) {
          const i64 r = chunk / bChunks * kRowPanels * kMr, c = chunk % bChunks * kColumnPanels * kNr;
          Epilogue tile = part;
          if (tile.bias) tile.bias += j0 + c;
          gemm_block(pa + r * kp, pb + c * kp, gemm_min(kRowPanels * kMr, mi - r),
                     gemm_min(kColumnPanels * kNr, nj - c), kp, out + (i0 + r) * ldo + j0 + c, ldo, tile);
        });
      }
      p0 += kp;
    } while (p0 < k);
  }
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
