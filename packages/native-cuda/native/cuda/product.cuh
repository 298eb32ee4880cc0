// Tiled FP32 matrix product: 256 threads make one square tile of the result, the depth in steps of 16 through
// two buffers of shared memory, 4×4 or 8×8 results in each thread's registers.
#pragma once

#include "../core/views.hpp"
#include "launch.cuh"

namespace sonotext::cuda {

constexpr int kThreads = 256;
constexpr int kDepth = 16;

// A matrix [extent × depth] in memory: the depth contiguous (row-major), or the extent contiguous (its
// transpose is row-major). `stride` separates neighbours along the other dimension, `batch_stride` the
// matrices of a batch.
template <bool kDepthContiguous>
struct Operand {
  const float* data;
  i64 extent;
  i64 stride;
  i64 batch_stride;
};

struct Result {
  float* data;  // [rows × cols], row-major
  i64 cols;
  i64 batch_stride;
  float alpha, beta;  // data = alpha · product + beta · data; data is not read when beta is 0
};

// 16-byte accesses are possible when every row begins on such a boundary.
inline bool takes_vectors(const void* data, i64 stride, i64 batch_stride) {
  return reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && stride % 4 == 0 && batch_stride % 4 == 0;
}

// What one thread brings from global to shared memory for one step of the depth.
template <int kTile, bool kDepthContiguous>
struct Loader {
  static constexpr int kLoads = kTile * kDepth / 4 / kThreads;
  // The pad keeps rows 16-byte aligned and spreads them over the banks.
  using Buffer = float[kDepth][kTile + 4];
  float4 held[kLoads];

  // Four neighbours along the contiguous dimension, zeros outside of the matrix.
  __device__ static float4 four(const float* from, i64 have, bool vectors) {
    if (vectors && have >= 4) return *reinterpret_cast<const float4*>(from);
    return make_float4(have > 0 ? from[0] : 0.0f, have > 1 ? from[1] : 0.0f, have > 2 ? from[2] : 0.0f,
                       have > 3 ? from[3] : 0.0f);
  }

  __device__ void fetch(const Operand<kDepthContiguous>& m, const float* data, i64 first, i64 step, i64 depth,
                        bool vectors) {
#pragma unroll
    for (int l = 0; l < kLoads; ++l) {
      const int index = static_cast<int>(threadIdx.x) + l * kThreads;
      if constexpr (kDepthContiguous) {
        const i64 row = first + index / (kDepth / 4), k = step + index % (kDepth / 4) * 4;
        held[l] =
            row < m.extent ? four(data + row * m.stride + k, depth - k, vectors) : make_float4(0, 0, 0, 0);
      } else {
        const i64 row = first + index % (kTile / 4) * 4, k = step + index / (kTile / 4);
        held[l] =
            k < depth ? four(data + k * m.stride + row, m.extent - row, vectors) : make_float4(0, 0, 0, 0);
      }
    }
  }

  __device__ void store(Buffer& to) const {
#pragma unroll
    for (int l = 0; l < kLoads; ++l) {
      const int index = static_cast<int>(threadIdx.x) + l * kThreads;
      if constexpr (kDepthContiguous) {
        const int row = index / (kDepth / 4), k = index % (kDepth / 4) * 4;
        to[k][row] = held[l].x;
        to[k + 1][row] = held[l].y;
        to[k + 2][row] = held[l].z;
        to[k + 3][row] = held[l].w;
      } else {
        const int row = index % (kTile / 4) * 4, k = index / (kTile / 4);
        *reinterpret_cast<float4*>(&to[k][row]) = held[l];
      }
    }
  }
};

// One tile per block; blocks go through the tiles of a matrix row by row, then through the batch.
template <int kTile, bool kA, bool kB>
__global__ void __launch_bounds__(kThreads)
    product_kernel(Operand<kA> a, Operand<kB> b, Result result, i64 depth, i64 tile_rows, i64 tile_cols,
                   bool vectors_a, bool vectors_b, bool vectors_out) {
  // A thread's rows (columns) are groups of 4, 64 apart: no bank conflicts.
  constexpr int kGroups = kTile / 64;
  constexpr int kOwn = 4 * kGroups;
  __shared__ __align__(16) typename Loader<kTile, kA>::Buffer shared_a[2];
  __shared__ __align__(16) typename Loader<kTile, kB>::Buffer shared_b[2];
  const i64 tiles = tile_rows * tile_cols;
  const i64 batch = blockIdx.x / tiles, tile = blockIdx.x % tiles;
  const i64 first_row = tile / tile_cols * kTile, first_col = tile % tile_cols * kTile;
  const float* data_a = a.data + batch * a.batch_stride;
  const float* data_b = b.data + batch * b.batch_stride;
  const int row4 = static_cast<int>(threadIdx.x) / 16 * 4, col4 = static_cast<int>(threadIdx.x) % 16 * 4;

  float sum[kOwn][kOwn] = {};
  Loader<kTile, kA> load_a;
  Loader<kTile, kB> load_b;
  load_a.fetch(a, data_a, first_row, 0, depth, vectors_a);
  load_b.fetch(b, data_b, first_col, 0, depth, vectors_b);
  load_a.store(shared_a[0]);
  load_b.store(shared_b[0]);
  __syncthreads();

  int current = 0;
  for (i64 step = 0; step < depth; step += kDepth) {
    const bool more = step + kDepth < depth;
    if (more) {
      load_a.fetch(a, data_a, first_row, step + kDepth, depth, vectors_a);
      load_b.fetch(b, data_b, first_col, step + kDepth, depth, vectors_b);
    }
#pragma unroll
    for (int k = 0; k < kDepth; ++k) {
      float x[kOwn], y[kOwn];
#pragma unroll
      for (int g = 0; g < kGroups; ++g) {
        const float4 four_a = *reinterpret_cast<const float4*>(&shared_a[current][k][g * 64 + row4]);
        const float4 four_b = *reinterpret_cast<const float4*>(&shared_b[current][k][g * 64 + col4]);
        x[g * 4] = four_a.x, x[g * 4 + 1] = four_a.y, x[g * 4 + 2] = four_a.z, x[g * 4 + 3] = four_a.w;
        y[g * 4] = four_b.x, y[g * 4 + 1] = four_b.y, y[g * 4 + 2] = four_b.z, y[g * 4 + 3] = four_b.w;
      }
#pragma unroll
      for (int i = 0; i < kOwn; ++i) {
#pragma unroll
        for (int j = 0; j < kOwn; ++j) sum[i][j] = fmaf(x[i], y[j], sum[i][j]);
      }
    }
    if (more) {
      // The other buffer was last read before the barrier that ended the step before this one.
      load_a.store(shared_a[1 - current]);
      load_b.store(shared_b[1 - current]);
      __syncthreads();
      current = 1 - current;
    }
  }

  const i64 rows = a.extent;
#pragma unroll
  for (int i = 0; i < kOwn; ++i) {
    const i64 row = first_row + i / 4 * 64 + row4 + i % 4;
    if (row >= rows) continue;
#pragma unroll
    for (int g = 0; g < kGroups; ++g) {
      const i64 col = first_col + g * 64 + col4;
      float* out = result.data + batch * result.batch_stride + row * result.cols + col;
      if (vectors_out && col + 4 <= result.cols) {
        float4 old = make_float4(0, 0, 0, 0);
        if (result.beta != 0.0f) old = *reinterpret_cast<const float4*>(out);
        *reinterpret_cast<float4*>(out) =
            make_float4(fmaf(result.alpha, sum[i][g * 4], result.beta * old.x),
                        fmaf(result.alpha, sum[i][g * 4 + 1], result.beta * old.y),
                        fmaf(result.alpha, sum[i][g * 4 + 2], result.beta * old.z),
                        fmaf(result.alpha, sum[i][g * 4 + 3], result.beta * old.w));
      } else {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          if (col + j >= result.cols) continue;
          const float old = result.beta != 0.0f ? result.beta * out[j] : 0.0f;
          out[j] = fmaf(result.alpha, sum[i][g * 4 + j], old);
        }
      }
    }
  }
}

template <int kTile, bool kA, bool kB>
Status product_with_tile(CudaExec& exec, const Operand<kA>& a, const Operand<kB>& b, const Result& result,
                         i64 depth, i64 batch) {
  const i64 tile_rows = (a.extent + kTile - 1) / kTile, tile_cols = (b.extent + kTile - 1) / kTile;
  return launch(exec, product_kernel<kTile, kA, kB>, tile_rows * tile_cols * batch, kThreads, a, b, result,
                depth, tile_rows, tile_cols, takes_vectors(a.data, a.stride, a.batch_stride),
                takes_vectors(b.data, b.stride, b.batch_stride),
                takes_vectors(result.data, result.cols, result.batch_stride));
}

// result[i] = alpha · a[i]·b[i]ᵀ + beta · result[i] for every matrix of the batch, [a.extent × b.extent].
template <bool kA, bool kB>
Status product(CudaExec& exec, const Operand<kA>& a, const Operand<kB>& b, const Result& result, i64 depth,
               i64 batch) {
  if (a.extent == 0 || b.extent == 0 || batch == 0) return {};
  // Large tiles read less, small ones keep every multiprocessor busy.
  const i64 large = (a.extent + 127) / 128 * ((b.extent + 127) / 128) * batch;
  return large >= 2 * exec.multiprocessors ? product_with_tile<128>(exec, a, b, result, depth, batch)
                                           : product_with_tile<64>(exec, a, b, result, depth, batch);
}

}  // namespace sonotext::cuda
