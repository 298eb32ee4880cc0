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

// Of a buffer that holds the rows of an operand for every depth: 8 neighbours in depth of 4 rows, which are
// copied number by number, meet different banks.
__host__ __device__ constexpr int pitch_of(int extent) { return extent + kChunk; }

template <int kWarpRows, int kWarpCols>
struct Tile {
  static constexpr int kRows = 64 * kWarpRows, kCols = 64 * kWarpCols;
  static constexpr int kThreads = kWarp * kWarpRows * kWarpCols;
  static constexpr int kOwnRows = 8, kOwnCols = 16,
                       kVector = 4;  // own columns come in groups of kVector neighbours
  static constexpr int kWarpsDown = kWarpRows, kWarpsAcross = kWarpCols;
  static constexpr int kSharedBytes =
      kStages * (pitch_of(kRows) + pitch_of(kCols)) * kDepth * static_cast<int>(sizeof(float));
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
          // Neighbours change places in registers too: a sum must not stand in the bank of its column's
          // factor.
          const float* const own = sums[half * 4 + i] + j;
          *reinterpret_cast<float4*>(rows + (lane_row() * 4 + i) * kPitch + j * 4 + lane_col() * 4) =
              make_float4(own[1], own[0], own[3], own[2]);
        }
      }
      __syncwarp();
#pragma unroll 1
      for (int row = lane / 16; row < 32; row += 2) {
        const float4 turned = *reinterpret_cast<const float4*>(rows + row * kPitch + col);
        visit(first + half * 32 + row, warp() % kWarpCols * 64 + col,
              make_float4(turned.y, turned.x, turned.w, turned.z));
      }
      __syncwarp();
    }
  }
};

// How a buffer holds the kExtent × kDepth values that a step has of an operand.
enum class Layout {
  // Row behind row, as matrices have it whose depth is contiguous: 8 chunks of 4 a row, their places
  // exchanged
  // from one group of 4 rows to the next, so that the 8 lanes that read the same chunk of different groups
  // meet
  // different banks. For left operands alone: the 4 depths that one read brings stand in registers of one
  // bank
  // each, and so the multiply-adds of a thread must not read them one after the other.
  rows,
  // For every depth, the rows.
  depths,
};

template <Layout kLayout, int kExtent>
__device__ constexpr int place(int row, int k) {
  return kLayout == Layout::rows ? row * kDepth + ((k / kChunk) ^ (row / 4 % 8)) * kChunk + k % kChunk
                                 : k * pitch_of(kExtent) + row;
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

// Brings an operand's rows first ... first + kExtent - 1 into buffers by depths, zeros outside of the matrix.
// What a loader must have: kLayout, and load().
template <bool kAlongDepth, int kExtent, int kThreads>
class MatrixLoader;

// Chunks of neighbouring rows.
template <int kExtent, int kThreads>
class MatrixLoader<false, kExtent, kThreads> {
 public:
  static constexpr Layout kLayout = Layout::depths;

  __device__ MatrixLoader(const Operand<false>& m, i64 batch, i64 first, bool vectors)
      : matrix_(m.data + batch * m.batch_stride), stride_(m.stride), vectors_(vectors) {
    const int thread = static_cast<int>(threadIdx.x);
    row_ = thread % kAcross * kChunk, k_ = thread / kAcross;
    data_ = matrix_ + first + row_;
    const i64 left = m.extent - first - row_;
    left_ = left > kExtent ? kExtent : static_cast<int>(left);
  }

  // This thread's share of the depths step ... step + kDepth - 1; those from `end` on are zeros.
  __device__ void load(float* buffer, i64 step, i64 end) const {
#pragma unroll
    for (int l = 0; l < kDepth; l += kPass) {
      const i64 k = step + k_ + l;
      const int have = k < end ? left_ : 0;
      copy_chunk(buffer + place<kLayout, kExtent>(row_, k_ + l), have > 0 ? data_ + k * stride_ : matrix_,
                 have, vectors_);
    }
  }

 private:
  // Chunks side by side; depths that the block brings in one pass.
  static constexpr int kAcross = kExtent / kChunk, kPass = kThreads / kAcross;

  const float* matrix_;
  const float* data_;  // where this thread's rows begin at depth 0
  i64 stride_;
  int row_, k_, left_;
  bool vectors_;
};

// Number by number, 8 neighbours in depth of 4 rows at a time: they change places on the way.
template <int kExtent, int kThreads>
class MatrixLoader<true, kExtent, kThreads> {
 public:
  static constexpr Layout kLayout = Layout::depths;

  __device__ MatrixLoader(const Operand<true>& m, i64 batch, i64 first, bool)
      : matrix_(m.data + batch * m.batch_stride), stride_(m.stride) {
    const int thread = static_cast<int>(threadIdx.x);
    row_ = thread / kAcross, k_ = thread % kAcross;
    data_ = matrix_ + (first + row_) * stride_ + k_;
    const i64 left = m.extent - first - row_;
    left_ = left > kExtent ? kExtent : static_cast<int>(left);
  }

  __device__ void load(float* buffer, i64 step, i64 end) const {
    const i64 have = end - step - k_;
#pragma unroll
    for (int l = 0; l < kExtent; l += kPass) {
      const float* const from = data_ + l * stride_ + step;
#pragma unroll
      for (int k = 0; k < kDepth; k += kAcross) {
        const bool inside = l < left_ && k < have;
        copy4_async(buffer + place<kLayout, kExtent>(row_ + l, k_ + k), inside ? from + k : matrix_,
                    inside ? 4 : 0);
      }
    }
  }

 private:
  static constexpr int kAcross = 8, kPass = kThreads / kAcross;

  const float* matrix_;
  const float* data_;  // this thread's first row and depth
  i64 stride_;
  int row_, k_, left_;
};

// Four neighbours of a buffer.
__device__ inline void read_four(const float* from, float* x) {
  const float4 four = *reinterpret_cast<const float4*>(from);
  x[0] = four.x, x[1] = four.y, x[2] = four.z, x[3] = four.w;
}

// What stands between the reads of a depth and its multiply-adds: the compiler must not mix them. A read in
// between costs the operand that was kept for the next multiply-add.
__device__ inline void keep_order() { asm volatile("" ::: "memory"); }

// A thread's rows of the left operand, at depth k of a buffer. Those of a buffer by rows are read four depths
// at a time, each as soon as its last multiply-adds are issued; others depth by depth, one ahead. `slot` is k
// as far as it is known to the compiler: its last bits.
template <class TileT, Layout kLayout>
struct OwnRows {
  float x[2][TileT::kOwnRows];

  __device__ void read(const float* a, int row, int k, int slot) {
#pragma unroll
    for (int i = 0; i < TileT::kOwnRows; i += 4) {
      read_four(a + k * pitch_of(TileT::kRows) + row + i / 4 * 32, x[slot % 2] + i);
    }
  }
  __device__ void read_done(const float*, int, int, int, int) {}
  __device__ float at(int i, int slot) const { return x[slot % 2][i]; }
};
template <class TileT>
struct OwnRows<TileT, Layout::rows> {
  float x[TileT::kOwnRows][kChunk];

  __device__ void read(const float* a, int row, int k, int slot) {
#pragma unroll
    for (int i = 0; i < TileT::kOwnRows; ++i) read_done(a, row, i, k, slot);
  }
  // Row i, where a chunk begins.
  __device__ void read_done(const float* a, int row, int i, int k, int slot) {
    if (slot % kChunk != 0) return;
    read_four(a + (row + i / 4 * 32 + i % 4) * kDepth + ((k / kChunk) ^ (row / 4 % 8)) * kChunk, x[i]);
  }
  __device__ float at(int i, int slot) const { return x[i][slot % kChunk]; }
};

// Adds the depths begin ... end - 1 to `sums`. `shared` is of kSharedBytes. Whoever uses it afterwards has a
// barrier first.
//
// The order of the multiply-adds is that of a register file of two banks: those of a row follow each other,
// so that its factor is read once, in turn from left to right and back; their other two operands stand in
// different banks then.
template <class TileT, class LoaderA, class LoaderB>
__device__ void tile_product(const LoaderA& load_a, const LoaderB& load_b, i64 begin, i64 end, float* shared,
                             typename TileT::Sums& sums) {
  static_assert(LoaderB::kLayout != Layout::rows);
  constexpr int kPitchA = pitch_of(TileT::kRows), kPitchB = pitch_of(TileT::kCols);
  constexpr int kFloatsA = kPitchA * kDepth, kFloats = kFloatsA + kPitchB * kDepth;
  constexpr int kAtOnce = 8;  // depths of the loop's body
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
    const int depths = end - step >= kDepth ? kDepth : static_cast<int>(end - step);
    OwnRows<TileT, LoaderA::kLayout> x;
    float y[2][TileT::kOwnCols];
    const auto read_columns = [&](int k, int slot) {
#pragma unroll
      for (int j = 0; j < TileT::kOwnCols; j += 4) {
        read_four(b + k * kPitchB + col + j / 4 * 16, y[slot % 2] + j);
      }
    };
    x.read(a, row, 0, 0);
    read_columns(0, 0);
#pragma unroll 1
    for (int first = 0; first < depths; first += kAtOnce) {
#pragma unroll
      for (int u = 0; u < kAtOnce; ++u) {
        // Read ahead; at the end what is there again, for nothing.
        const int slot = (u + 1) % kAtOnce, k = slot > 0 || first + kAtOnce < kDepth ? first + u + 1 : first;
        if constexpr (LoaderA::kLayout != Layout::rows) x.read(a, row, k, slot);
        read_columns(k, slot);
        keep_order();
#pragma unroll
        for (int i = 0; i < TileT::kOwnRows; ++i) {
#pragma unroll
          for (int turn = 0; turn < TileT::kOwnCols; ++turn) {
            const int j = i % 2 == 0 ? turn : TileT::kOwnCols - 1 - turn;
            sums[i][j] = fmaf(x.at(i, u), y[u % 2][j], sums[i][j]);
          }
          x.read_done(a, row, i, k, slot);
        }
        keep_order();
      }
    }
    stage = (stage + 1) % kStages;
  }
  wait_for_copies<0>();
}

}  // namespace sonotext::cuda
