// The main loop that matrix products share: one block makes one tile of a·bᵀ, its sums in registers. Where
// the operands come from is up to the loaders (rows of a matrix, pixels of a convolution), what becomes of
// the sums is up to the kernel that calls it.
//
// A warp makes 64×64 of the tile, a thread 8×16: 128 multiply-adds for 6 16-byte reads of shared memory at
// every depth. The depth goes by in steps of 32 through a ring of buffers.
#pragma once

#include "../core/views.hpp"
#include "async_copy.cuh"
#include "launch.cuh"

namespace sonotext::cuda {

constexpr int kDepth = 32;  // of a step
constexpr int kStages = 2;  // a step takes thousands of cycles: the next one's data is there in time
constexpr int kChunk = 4;   // floats that one copy brings

template <int kWarpRows, int kWarpCols>
struct Tile {
  static constexpr int kRows = 64 * kWarpRows, kCols = 64 * kWarpCols;
  static constexpr int kThreads = kWarp * kWarpRows * kWarpCols;
  static constexpr int kOwnRows = 8, kOwnCols = 16,
                       kVector = 4;  // own columns come in groups of kVector neighbours
  static constexpr int kWarpsDown = kWarpRows, kWarpsAcross = kWarpCols;
  static constexpr int kSharedBytes = kStages * (kRows + kCols) * kDepth * static_cast<int>(sizeof(float));
  // So many blocks' registers and shared memory fit a multiprocessor of sm_80: 8 warps with 255 registers.
  static constexpr int kBlocks = 256 / kThreads;
  using Sums = float[kOwnRows][kOwnCols];

  __device__ static int warp() { return static_cast<int>(threadIdx.x) / kWarp; }
  __device__ static int lane_row() { return static_cast<int>(threadIdx.x) % kWarp / 4; }
  __device__ static int lane_col() { return static_cast<int>(threadIdx.x) % 4; }
  __device__ static float& at(Sums& sums, int i, int j) { return sums[i][j]; }
  // Of all threads that hold sums.
  __device__ static void barrier() { __syncthreads(); }
  // Where sums[i][j] of this thread stands in the tile. Lanes l and l ^ 1, 2, 3 have the same rows, lanes l
  // and l ^ 4, 8, ... 28 the same columns.
  __device__ static int row(int i) { return warp() / kWarpCols * 64 + i / 4 * 32 + lane_row() * 4 + i % 4; }
  __device__ static int col(int j) { return warp() % kWarpCols * 64 + j / 4 * 16 + lane_col() * 4 + j % 4; }

  // visit(row, column, four neighbours) of all sums of the tile, each warp its own: through shared memory, so
  // that neighbouring threads have neighbouring columns, and in a loop: what is written out for every sum is
  // more code than the instruction cache holds.
  static constexpr int kStagingBytes =
      kWarpRows * kWarpCols * 32 * (64 + 4) * static_cast<int>(sizeof(float));
  template <class Visit>
  __device__ static void visit(Sums& sums, void* staging, Visit visit) {
    constexpr int kPitch = 64 + 4;
    float* const rows = static_cast<float*>(staging) + warp() * 32 * kPitch;
    const int lane = static_cast<int>(threadIdx.x) % kWarp, first = warp() / kWarpCols * 64,
              col = lane % 16 * 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < kOwnCols; j += 4) {
          const float* const own = sums[half * 4 + i] + j;
          *reinterpret_cast<float4*>(rows + (lane_row() * 4 + i) * kPitch + j * 4 + lane_col() * 4) =
              make_float4(own[0], own[1], own[2], own[3]);
        }
      }
      __syncwarp();
#pragma unroll 1
      for (int row = lane / 16; row < 32; row += 2) {
        visit(first + half * 32 + row, warp() % kWarpCols * 64 + col,
              *reinterpret_cast<const float4*>(rows + row * kPitch + col));
      }
      __syncwarp();
    }
  }
};

// A buffer holds kExtent × kDepth values of an operand. Those that are contiguous along the depth in memory
// stay so: 8 chunks of 4 a row, their places exchanged from one group of 4 rows to the next, so that the 8
// lanes that read the same chunk of different groups meet different banks. Others lie row behind row for
// every depth.
template <bool kDepthContiguous, int kExtent>
__device__ int place(int row, int k) {
  if constexpr (kDepthContiguous) {
    return row * kDepth + ((k / kChunk) ^ (row / 4 % 8)) * kChunk + k % kChunk;
  } else {
    return k * kExtent + row;
  }
}

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

// 16-byte accesses are possible when every row begins on such a boundary.
inline bool takes_vectors(const void* data, i64 stride, i64 batch_stride) {
  return reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && stride % kChunk == 0 &&
         batch_stride % kChunk == 0;
}

// Four neighbours in memory, zeros past the first `have` of them.
__device__ inline void copy_chunk(float* to, const float* from, i64 have, bool vectors) {
  if (vectors) {
    const int count = have >= kChunk ? kChunk : have > 0 ? static_cast<int>(have) : 0;
    copy16_async(to, from, count * static_cast<int>(sizeof(float)));
  } else {
#pragma unroll
    for (int e = 0; e < kChunk; ++e) copy4_async(to + e, from + (e < have ? e : 0), e < have ? 4 : 0);
  }
}

// Brings an operand's rows first ... first + kExtent - 1 into buffers, zeros outside of the matrix. What a
// loader must have: kDepthContiguous, and load().
template <bool kAlongDepth, int kExtent, int kThreads>
class MatrixLoader {
 public:
  static constexpr bool kDepthContiguous = kAlongDepth;

  __device__ MatrixLoader(const Operand<kAlongDepth>& m, i64 batch, i64 first, bool vectors)
      : matrix_(m.data + batch * m.batch_stride), stride_(m.stride), vectors_(vectors) {
    const int thread = static_cast<int>(threadIdx.x);
    if constexpr (kAlongDepth) {
      row_ = thread / kAcross, k_ = thread % kAcross * kChunk;
      data_ = matrix_ + (first + row_) * stride_;
    } else {
      row_ = thread % kAcross * kChunk, k_ = thread / kAcross;
      data_ = matrix_ + first + row_;
    }
    const i64 left = m.extent - first - row_;
    left_ = left > kExtent ? kExtent : static_cast<int>(left);
  }

  // This thread's share of the depths step ... step + kDepth - 1; those from `end` on are zeros.
  __device__ void load(float* buffer, i64 step, i64 end) const {
#pragma unroll
    for (int l = 0; l < kLoads; ++l) {
      if constexpr (kAlongDepth) {
        const i64 have = l * kPass < left_ ? end - step - k_ : 0;
        const float* from = have > 0 ? data_ + l * kPass * stride_ + step + k_ : matrix_;
        copy_chunk(buffer + place<true, kExtent>(row_ + l * kPass, k_), from, have, vectors_);
      } else {
        const i64 k = step + k_ + l * kPass;
        const int have = k < end ? left_ : 0;
        const float* from = have > 0 ? data_ + k * stride_ : matrix_;
        copy_chunk(buffer + place<false, kExtent>(row_, k_ + l * kPass), from, have, vectors_);
      }
    }
  }

 private:
  // Chunks side by side along the contiguous dimension; rows (depths) that the block brings in one pass.
  static constexpr int kAcross = (kAlongDepth ? kDepth : kExtent) / kChunk;
  static constexpr int kPass = kThreads / kAcross;
  static constexpr int kLoads = kExtent * kDepth / kChunk / kThreads;

  const float* matrix_;
  const float* data_;  // where this thread's first chunk begins at depth 0
  i64 stride_;
  int row_, k_, left_;
  bool vectors_;
};

// x[k][i] = depth 4·chunk + k of the thread's own row i.
template <class TileT, bool kDepthContiguous>
__device__ void read_rows(const float* a, int row, int chunk, float (&x)[kChunk][TileT::kOwnRows]) {
  if constexpr (kDepthContiguous) {
#pragma unroll
    for (int i = 0; i < TileT::kOwnRows; ++i) {
      const float4 four = *reinterpret_cast<const float4*>(a + (row + i / 4 * 32 + i % 4) * kDepth +
                                                           (chunk ^ (row / 4 % 8)) * kChunk);
      x[0][i] = four.x, x[1][i] = four.y, x[2][i] = four.z, x[3][i] = four.w;
    }
  } else {
#pragma unroll
    for (int k = 0; k < kChunk; ++k) {
#pragma unroll
      for (int i = 0; i < TileT::kOwnRows; i += 4) {
        const float4 four =
            *reinterpret_cast<const float4*>(a + (chunk * kChunk + k) * TileT::kRows + row + i / 4 * 32);
        x[k][i] = four.x, x[k][i + 1] = four.y, x[k][i + 2] = four.z, x[k][i + 3] = four.w;
      }
    }
  }
}

// Adds the depths begin ... end - 1 to `sums`. `shared` is of kSharedBytes. Whoever uses it afterwards has a
// barrier first.
template <class TileT, class LoaderA, class LoaderB>
__device__ void tile_product(const LoaderA& load_a, const LoaderB& load_b, i64 begin, i64 end, float* shared,
                             typename TileT::Sums& sums) {
  constexpr int kFloatsA = TileT::kRows * kDepth, kFloats = kFloatsA + TileT::kCols * kDepth;
  const int row = TileT::row(0), col = TileT::col(0);
  const auto load = [&](i64 step, int stage) {
    if (step < end) {
      load_a.load(shared + stage * kFloats, step, end);
      load_b.load(shared + stage * kFloats + kFloatsA, step, end);
    }
    commit_copies();
  };
#pragma unroll
  for (int s = 0; s < kStages - 1; ++s) load(begin + s * kDepth, s);
  int stage = 0;
  for (i64 step = begin; step < end; step += kDepth) {
    wait_for_copies<kStages - 2>();
    __syncthreads();  // the buffer is filled, and the one before it read by all
    load(step + (kStages - 1) * kDepth, (stage + kStages - 1) % kStages);
    const float* const a = shared + stage * kFloats;
    const float* const b = a + kFloatsA;
    const int chunks = end - step >= kDepth ? kDepth / kChunk : static_cast<int>(end - step + 3) / kChunk;
    float x[kChunk][TileT::kOwnRows], next[kChunk][TileT::kOwnRows];
    read_rows<TileT, LoaderA::kDepthContiguous>(a, row, 0, x);
#pragma unroll 2
    for (int c = 0; c < chunks; ++c) {
      // Read ahead; the last chunk again rather than past it.
      read_rows<TileT, LoaderA::kDepthContiguous>(a, row, c + 1 < chunks ? c + 1 : c, next);
      if constexpr (LoaderB::kDepthContiguous) {
#pragma unroll
        for (int j = 0; j < TileT::kOwnCols; ++j) {
          // Every other group of 16 columns begins 4 groups of 4 further on.
          const int turn = (col / 4 % 8) ^ (j / 4 % 2 * 4);
          const float4 four =
              *reinterpret_cast<const float4*>(b + (col + j / 4 * 16 + j % 4) * kDepth + (c ^ turn) * kChunk);
#pragma unroll
          for (int i = 0; i < TileT::kOwnRows; ++i) {
            sums[i][j] = fmaf(x[0][i], four.x, sums[i][j]);
            sums[i][j] = fmaf(x[1][i], four.y, sums[i][j]);
            sums[i][j] = fmaf(x[2][i], four.z, sums[i][j]);
            sums[i][j] = fmaf(x[3][i], four.w, sums[i][j]);
          }
        }
      } else {
#pragma unroll
        for (int k = 0; k < kChunk; ++k) {
#pragma unroll
          for (int j = 0; j < TileT::kOwnCols; j += 4) {
            const float4 four =
                *reinterpret_cast<const float4*>(b + (c * kChunk + k) * TileT::kCols + col + j / 4 * 16);
#pragma unroll
            for (int i = 0; i < TileT::kOwnRows; ++i) {
              sums[i][j] = fmaf(x[k][i], four.x, sums[i][j]);
              sums[i][j + 1] = fmaf(x[k][i], four.y, sums[i][j + 1]);
              sums[i][j + 2] = fmaf(x[k][i], four.z, sums[i][j + 2]);
              sums[i][j + 3] = fmaf(x[k][i], four.w, sums[i][j + 3]);
            }
          }
        }
      }
#pragma unroll
      for (int k = 0; k < kChunk; ++k) {
#pragma unroll
        for (int i = 0; i < TileT::kOwnRows; ++i) x[k][i] = next[k][i];
      }
    }
    stage = (stage + 1) % kStages;
  }
  wait_for_copies<0>();
}

}  // namespace sonotext::cuda
