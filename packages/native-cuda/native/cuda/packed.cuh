// Products on tensor cores: operands are rounded and packed once into the blocks that the tensor cores read,
// then a block of threads makes 128×256 of the result. On Hopper one warp brings blocks into shared memory
// and two groups of four warps multiply; elsewhere (SONOTEXT_TENSOR_CORES=mma: there too) eight warps do
// both.
//
// Sums are FP32 and added up in the order of the depth, 16 (bf16) or 8 (tf32) at a time; the order within
// these is the tensor cores' own, and the same every time.
//
// A packed block is 128 rows of 128 bytes of the depth (64 bf16 or 32 tf32), 16 KB in one piece, chunks of 16
// bytes exchanged as the tensor cores want them.
#pragma once

#include <type_traits>

#include "hopper.cuh"
#include "mma.cuh"
#include "product.cuh"

namespace sonotext::cuda {

constexpr int kBlockRows = 128, kRowBytes = 128, kBlockBytes = kBlockRows * kRowBytes;

// An operand in blocks [batch × row_blocks × steps]; zeros where the matrix ends.
struct Packed {
  unsigned char* data;
  i64 row_blocks, steps;

  __device__ const unsigned char* block(int batch, i64 row_block, i64 step) const {
    return data + ((batch * row_blocks + row_block) * steps + step) * kBlockBytes;
  }
  // Of a transposed left operand: depths step·64 ... of 64 of the tile's rows.
  __device__ const unsigned char* half_block(const Cut::Piece& tile, i64 step, int half) const {
    return block(tile.batch, step / 2, tile.row * 2 + half) + step % 2 * (kBlockBytes / 2);
  }
};

struct Bf16 {
  static constexpr int kBytes = 2;
  using Bits = std::uint16_t;

  // To the nearest, ties to even.
  __device__ static std::uint32_t rounded(float x) {
    std::uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return bits >> 16 | 0x40u;  // stays a NaN
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  }
  // The first in the lower half.
  __device__ static std::uint32_t pair(float a, float b) {
#ifdef __CUDACC__
    std::uint32_t bits;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(b), "f"(a));
    return bits;
#else
    return rounded(a) | rounded(b) << 16;
#endif
  }
  __device__ static float value(std::uint32_t bits) {
    bits <<= 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
  }
};

struct Tf32 {
  static constexpr int kBytes = 4;
  using Bits = std::uint32_t;

  // 10 bits of mantissa; to the nearest, ties away from zero.
  __device__ static std::uint32_t rounded(float x) {
    std::uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7f800000u) == 0x7f800000u) return bits;
    return (bits + 0x1000u) & ~0x1fffu;
  }
  __device__ static float value(std::uint32_t bits) {
    bits &= ~0x1fffu;  // tensor cores do not look at the rest
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
  }
};

template <class Number>
constexpr int kStepDepth = kRowBytes / Number::kBytes;

// Where the chunk of 16 bytes stands in its block.
__device__ inline int packed_place(int row, int chunk) { return row * kRowBytes + (chunk ^ (row % 8)) * 16; }

template <class Number>
__device__ void put_chunk(unsigned char* block, int row, int chunk, const float (&x)[16 / Number::kBytes]) {
  std::uint32_t words[4] = {};
#pragma unroll
  for (int e = 0; e < 16 / Number::kBytes; ++e)
    words[e * Number::kBytes / 4] |= Number::rounded(x[e]) << (e * Number::kBytes % 4 * 8);
  *reinterpret_cast<uint4*>(block + packed_place(row, chunk)) =
      make_uint4(words[0], words[1], words[2], words[3]);
}

// By 256 threads.
__device__ inline void write_block(const unsigned char* block, unsigned char* to) {
  for (int i = static_cast<int>(threadIdx.x) * 16; i < kBlockBytes; i += 256 * 16)
    *reinterpret_cast<uint4*>(to + i) = *reinterpret_cast<const uint4*>(block + i);
}

// One thread block per packed block.
template <class Number, bool kDepthContiguous>
__global__ void __launch_bounds__(256)
    pack_blocks(Operand<kDepthContiguous> m, i64 depth, Packed packed, bool vectors) {
  constexpr int kEach = 16 / Number::kBytes, kChunks = kRowBytes / 16;
  __shared__ __align__(16) unsigned char block[kBlockBytes];
  const i64 step = blockIdx.x % packed.steps, at = blockIdx.x / packed.steps;
  const i64 first_row = at % packed.row_blocks * kBlockRows, first_k = step * kStepDepth<Number>;
  const float* data = m.data + at / packed.row_blocks * m.batch_stride;
  for (int i = static_cast<int>(threadIdx.x); i < kBlockRows * kChunks; i += 256) {
    // Neighbours in the thread block are neighbours in memory.
    const int row = kDepthContiguous ? i / kChunks : i % kBlockRows;
    const int chunk = kDepthContiguous ? i % kChunks : i / kBlockRows;
    const i64 r = first_row + row, k = first_k + chunk * kEach;
    float x[kEach];
    if (kDepthContiguous && vectors && r < m.extent && k + kEach <= depth) {
#pragma unroll
      for (int e = 0; e < kEach; e += 4) {
        const float4 four = *reinterpret_cast<const float4*>(data + r * m.stride + k + e);
        x[e] = four.x, x[e + 1] = four.y, x[e + 2] = four.z, x[e + 3] = four.w;
      }
    } else {
#pragma unroll
      for (int e = 0; e < kEach; ++e) {
        const bool inside = r < m.extent && k + e < depth;
        x[e] = inside ? data[kDepthContiguous ? r * m.stride + k + e : (k + e) * m.stride + r] : 0.0f;
      }
    }
    put_chunk<Number>(block, row, chunk, x);
  }
  __syncthreads();
  write_block(block, packed.data + static_cast<i64>(blockIdx.x) * kBlockBytes);
}

// `multiple` of the row blocks: a tile takes two of its second operand.
template <class Number, bool kDepthContiguous>
Status pack(CudaExec& exec, const Operand<kDepthContiguous>& m, i64 depth, i64 batch, int multiple,
            Packed& packed) {
  packed.row_blocks = (m.extent + kBlockRows * multiple - 1) / (kBlockRows * multiple) * multiple;
  packed.steps = (depth + kStepDepth<Number> - 1) / kStepDepth<Number>;
  const i64 blocks = batch * packed.row_blocks * packed.steps;
  packed.data = exec.array<unsigned char>(blocks * kBlockBytes);
  if (packed.data == nullptr) return out_of_device_memory();
  return launch(exec, pack_blocks<Number, kDepthContiguous>, blocks, 256, m, depth, packed,
                takes_vectors(m.data, m.stride, m.batch_stride));
}

// The tile of a product of packed operands: what its warps [kDown × kAcross] have as sums. Rows of a thread
// are 8 apart, columns are pairs, 8 apart. Lanes share rows and columns as in Tile.
template <int kDown, int kAcross>
struct TensorTile {
  static constexpr int kRows = 128, kCols = 256;
  static constexpr int kWarpsDown = kDown, kWarpsAcross = kAcross;
  static constexpr int kOwnRows = kRows / kDown / 8, kOwnCols = kCols / kAcross / 4;
  static constexpr int kStageBytes = (kRows + kCols) * kRowBytes;
  using Sums = float[128];

  __device__ static int warp() { return static_cast<int>(threadIdx.x) / kWarp; }
  __device__ static int lane() { return static_cast<int>(threadIdx.x) % kWarp; }
  __device__ static int first_row() { return warp() / kAcross * (kRows / kDown); }
  __device__ static int first_col() { return warp() % kAcross * (kCols / kAcross); }
  __device__ static int row(int i) { return first_row() + lane() / 4 + 8 * i; }
  __device__ static int col(int j) {
    return first_col() + j / 2 * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + j % 2;
  }
  __device__ static float& at(Sums& sums, int i, int j) {
    return sums[(i / 2 * (kOwnCols / 2) + j / 2) * 4 + i % 2 * 2 + j % 2];
  }

  // As in Tile; 16 rows and 32 columns at a time.
  static constexpr int kStagingBytes = kDown * kAcross * 16 * (32 + 8) * static_cast<int>(sizeof(float));
  template <class Visit>
  __device__ static void visit(Sums& sums, void* staging, Visit visit) {
    constexpr int kPitch = 32 + 8;
    float* const rows = static_cast<float*>(staging) + warp() * 16 * kPitch;
#pragma unroll
    for (int down = 0; down < kOwnRows; down += 2) {
#pragma unroll
      for (int across = 0; across < kOwnCols; across += 8) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
#pragma unroll
          for (int j = 0; j < 8; j += 2) {
            *reinterpret_cast<float2*>(rows + (lane() / 4 + 8 * i) * kPitch + j * 4 + lane() % 4 * 2) =
                make_float2(at(sums, down + i, across + j), at(sums, down + i, across + j + 1));
          }
        }
        __syncwarp();
#pragma unroll 1
        for (int row = lane() / 8; row < 16; row += 4) {
          visit(first_row() + down * 8 + row, first_col() + across * 4 + lane() % 8 * 4,
                *reinterpret_cast<const float4*>(rows + row * kPitch + lane() % 8 * 4));
        }
        __syncwarp();
      }
    }
  }
};

// Of Hopper.
struct PackedTile : TensorTile<8, 1> {
  static constexpr int kThreads = 384;
  static constexpr int kMultipliers = 256;  // one of the others brings blocks
  static constexpr int kStages = 4;
  static constexpr int kSharedBytes = kStages * kStageBytes + 1024;  // blocks begin on a multiple of 1024

  // Of all threads that hold sums.
  __device__ static void barrier() {
#ifdef __CUDACC__
    asm volatile("bar.sync 1, %0;" ::"n"(kMultipliers) : "memory");
#else
    __syncthreads();  // the other warp has ended or waits for nothing
#endif
  }
};

// Of the others; why it is as it is: docs/decisions/0023-mma-sync.md. Two stages are what the shared memory
// of 8.6 and 8.9 holds.
struct MmaTile : TensorTile<2, 4> {
  static constexpr int kThreads = 256;
  static constexpr int kStages = 2;
  static constexpr int kSharedBytes = kStages * kStageBytes;
  static_assert(kSharedBytes <= 99 << 10);

  __device__ static void barrier() { __syncthreads(); }
};

// How the blocks of a tile's operands are found: row block `row` of a over the steps, row blocks 2·col and
// 2·col + 1 of b. With kTransposedA a is packed the other way around: its rows are the depth, its depth the
// rows (two steps' blocks to a tile), and `begin` and `end` count halves of its row blocks.
//
#if defined(SONOTEXT_HOPPER) || !defined(__CUDACC__)

// The ring of buffers between the thread that brings blocks and those that multiply; goes on over all tiles
// of a thread block.
template <class Number, bool kTransposedA>
class PackedRing {
 public:
#ifdef __CUDACC__
  // By all threads, at the start.
  __device__ explicit PackedRing(unsigned char* shared) {
    __shared__ std::uint64_t barriers[2 * PackedTile::kStages];
    buffers_ = shared + (1024 - shared_address(shared) % 1024) % 1024;
    full_ = barriers, empty_ = barriers + PackedTile::kStages;
    if (threadIdx.x == 0) {
      for (int s = 0; s < PackedTile::kStages; ++s) {
        barrier_init(full_ + s, 1);
        barrier_init(empty_ + s, PackedTile::kMultipliers / kWarp);
      }
      barriers_ready();
    }
    __syncthreads();
  }

  // A third of the registers that the launch gave are those of the group of warps that brings blocks.
  __device__ static void bringers_need_few_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 56;");
  }
  __device__ static void multipliers_need_many() { asm volatile("setmaxnreg.inc.sync.aligned.u32 224;"); }

  // By one thread.
  __device__ void bring(const Packed& a, const Packed& b, const Cut::Piece& tile) {
    const unsigned char* from_b = b.block(tile.batch, 2 * tile.col, tile.begin);
    const i64 next_b = b.steps * kBlockBytes;
    for (i64 step = tile.begin; step < tile.end; ++step, from_b += kBlockBytes) {
      unsigned char* to = buffers_ + stage_ * PackedTile::kStageBytes;
      barrier_wait(empty_ + stage_, parity_ ^ 1);
      barrier_expect(full_ + stage_, PackedTile::kStageBytes);
      if constexpr (kTransposedA) {
        // The tile's two blocks of a lie side by side.
        const unsigned char* from = a.half_block(tile, step, 0);
        copy_block_async(to, from, kBlockBytes / 2, full_ + stage_);
        copy_block_async(to + kBlockBytes / 2, from + kBlockBytes, kBlockBytes / 2, full_ + stage_);
      } else {
        copy_block_async(to, a.block(tile.batch, tile.row, step), kBlockBytes, full_ + stage_);
      }
      copy_block_async(to + kBlockBytes, from_b, kBlockBytes, full_ + stage_);
      copy_block_async(to + 2 * kBlockBytes, from_b + next_b, kBlockBytes, full_ + stage_);
      next();
    }
  }

  // By both groups of warps.
  __device__ void multiply(const Packed&, const Packed&, const Cut::Piece& tile, PackedTile::Sums& sums) {
    const int group = static_cast<int>(threadIdx.x) / 128;
    const bool tells = threadIdx.x % kWarp == 0;  // for its warp
    int before = -1;
    for (i64 step = tile.begin; step < tile.end; ++step) {
      barrier_wait(full_ + stage_, parity_);
      const unsigned char* from = buffers_ + stage_ * PackedTile::kStageBytes;
      const std::uint64_t a = rows_of_128_bytes(from + group * kBlockBytes / 2);
      const std::uint64_t b = rows_of_128_bytes(from + kBlockBytes);
      products_begin();
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const bool add = step > tile.begin || k > 0;
        if constexpr (kTransposedA) {
          multiply_bf16_transposed(sums, advanced(a, k * 16 * kRowBytes), advanced(b, k * 32), add);
        } else if constexpr (Number::kBytes == 2) {
          multiply_bf16(sums, advanced(a, k * 32), advanced(b, k * 32), add);
        } else {
          multiply_tf32(sums, advanced(a, k * 32), advanced(b, k * 32), add);
        }
      }
      products_commit();
      products_wait<1>();
      if (before >= 0 && tells) barrier_arrive(empty_ + before);
      before = stage_;
      next();
    }
    products_wait<0>();
    if (before >= 0 && tells) barrier_arrive(empty_ + before);
    if (tile.begin >= tile.end) {
#pragma unroll
      for (float& sum : sums) sum = 0.0f;
    }
  }

 private:
  __device__ void next() {
    stage_ = (stage_ + 1) % PackedTile::kStages;
    parity_ ^= stage_ == 0;
  }

  unsigned char* buffers_;
  std::uint64_t *full_, *empty_;
  int stage_ = 0, parity_ = 0;
#else
  // The same sums without tensor cores, for the emulation.
  __device__ explicit PackedRing(unsigned char*) { emulation::needs_capability(90); }
  __device__ static void bringers_need_few_registers() {}
  __device__ static void multipliers_need_many() {}
  __device__ void bring(const Packed&, const Packed&, const Cut::Piece&) {}
  __device__ void multiply(const Packed& a, const Packed& b, const Cut::Piece& tile, PackedTile::Sums& sums) {
    constexpr int kEach = 16 / Number::kBytes;
    const auto value = [](const unsigned char* block, int row, int k) {
      typename Number::Bits bits;
      memcpy(&bits, block + packed_place(row, k / kEach) + k % kEach * Number::kBytes, sizeof bits);
      return Number::value(bits);
    };
    for (float& sum : sums) sum = 0.0f;
    for (i64 step = tile.begin; step < tile.end; ++step) {
      for (int i = 0; i < PackedTile::kOwnRows; ++i) {
        for (int j = 0; j < PackedTile::kOwnCols; ++j) {
          const int row = PackedTile::row(i), col = PackedTile::col(j);
          const unsigned char* from_b = b.block(tile.batch, 2 * tile.col + col / kBlockRows, step);
          float& sum = PackedTile::at(sums, i, j);
          for (int k = 0; k < kStepDepth<Number>; ++k) {
            const float x = kTransposedA ? value(a.half_block(tile, step, row / 64), k, row % 64)
                                         : value(a.block(tile.batch, tile.row, step), row, k);
            sum = fmaf(x, value(from_b, col % kBlockRows, k), sum);
          }
        }
      }
    }
  }
#endif
};

#endif

template <class Number, bool kTransposedA, class Finish>
__global__ void __launch_bounds__(PackedTile::kThreads, 1)
    packed_product(Packed a, Packed b, Cut cut, Finish finish) {
#if defined(SONOTEXT_HOPPER) || !defined(__CUDACC__)  // on other GPUs nothing calls it
  SONOTEXT_DYNAMIC_SHARED(unsigned char, shared);
  PackedRing<Number, kTransposedA> ring(shared);
  const int count = static_cast<int>(cut.count()), blocks = static_cast<int>(gridDim.x);
  if (threadIdx.x >= PackedTile::kMultipliers) {
    PackedRing<Number, kTransposedA>::bringers_need_few_registers();
    if (threadIdx.x > PackedTile::kMultipliers) return;
    for (int index = static_cast<int>(blockIdx.x); index < count; index += blocks)
      ring.bring(a, b, cut.piece(index));
  } else {
    PackedRing<Number, kTransposedA>::multipliers_need_many();
    for (int index = static_cast<int>(blockIdx.x); index < count; index += blocks) {
      const Cut::Piece tile = cut.piece(index);
      PackedTile::Sums sums;
      ring.multiply(a, b, tile, sums);
      finish(sums, tile.slice, static_cast<i64>(tile.row) * PackedTile::kRows,
             static_cast<i64>(tile.col) * PackedTile::kCols, shared + PackedTile::kSharedBytes);
    }
  }
#endif
}

// The fragments of this warp's rows and columns in a stage, over bytes k·32 ... of the depth.
template <bool kTransposedA>
__device__ void read_fragments(const unsigned char* stage, int k, Fragments<4, 8>& to) {
  const int lane = MmaTile::lane(), row = MmaTile::first_row();
  const unsigned char* const b = stage + kBlockBytes;
#pragma unroll
  for (int m = 0; m < 4; ++m) {
    if constexpr (kTransposedA) {  // a row is a depth of 64 of the tile's rows
      read_matrices_transposed(
          stage + row / 64 * (kBlockBytes / 2) +
              packed_place(k * 16 + lane / 16 * 8 + lane % 8, m * 2 + lane / 8 % 2),
          to.a[m]);
    } else {
      read_matrices(stage + packed_place(row + m * 16 + lane % 16, k * 2 + lane / 16), to.a[m]);
    }
  }
#pragma unroll
  for (int n = 0; n < 8; n += 2) {
    std::uint32_t words[4];
    read_matrices(b + packed_place(MmaTile::first_col() + n * 8 + lane / 16 * 8 + lane % 8,
                                   k * 2 + lane / 8 % 2),
                  words);
    to.b[n][0] = words[0], to.b[n][1] = words[1], to.b[n + 1][0] = words[2], to.b[n + 1][1] = words[3];
  }
}

// Adds a tile to `sums`; `shared` is of kSharedBytes. Whoever uses it afterwards has a barrier first.
template <class Number, bool kTransposedA>
__device__ void multiply_packed(const Packed& a, const Packed& b, const Cut::Piece& tile,
                                unsigned char* shared, MmaTile::Sums& sums) {
  const auto copy = [](const unsigned char* from, unsigned char* to, int bytes) {
#pragma unroll
    for (int i = 0; i < bytes; i += MmaTile::kThreads * 16) {
      const int own = i + static_cast<int>(threadIdx.x) * 16;
      copy16_async(to + own, from + own, 16);
    }
  };
  const auto bring = [&](i64 step, int stage) {
    if (step < tile.end) {
      unsigned char* const to = shared + stage * MmaTile::kStageBytes;
      if constexpr (kTransposedA) {
        // The tile's two blocks of a lie side by side.
        const unsigned char* from = a.half_block(tile, step, 0);
        copy(from, to, kBlockBytes / 2);
        copy(from + kBlockBytes, to + kBlockBytes / 2, kBlockBytes / 2);
      } else {
        copy(a.block(tile.batch, tile.row, step), to, kBlockBytes);
      }
      copy(b.block(tile.batch, 2 * tile.col, step), to + kBlockBytes, kBlockBytes);
      copy(b.block(tile.batch, 2 * tile.col + 1, step), to + 2 * kBlockBytes, kBlockBytes);
    }
    commit_copies();
  };
  if (tile.begin >= tile.end) return;
  bring(tile.begin, 0);
  bring(tile.begin + 1, 1);
  wait_for_copies<1>();
  __syncthreads();
  Fragments<4, 8> own[2];
  read_fragments<kTransposedA>(shared, 0, own[0]);
  int stage = 0;
  for (i64 step = tile.begin; step < tile.end; ++step) {
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      // The next ones are read while these are multiplied.
      if (k < 3) {
        read_fragments<kTransposedA>(shared + stage * MmaTile::kStageBytes, k + 1, own[(k + 1) % 2]);
      } else if (step + 1 < tile.end) {
        wait_for_copies<0>();
        __syncthreads();  // the other stage is filled, and this one read by all
        bring(step + 2, stage);
        stage ^= 1;
        read_fragments<kTransposedA>(shared + stage * MmaTile::kStageBytes, 0, own[0]);
      }
      multiply_fragments<Number>(sums, own[k % 2]);
    }
  }
}

template <class Number, bool kTransposedA, class Finish>
__global__ void __launch_bounds__(MmaTile::kThreads, 1)
    mma_product(Packed a, Packed b, Cut cut, Finish finish) {
  static_assert(Finish::kExchangeBytes <= MmaTile::kSharedBytes);
  SONOTEXT_DYNAMIC_SHARED(unsigned char, shared);
  const Cut::Piece tile = cut.piece(static_cast<int>(blockIdx.x));
  MmaTile::Sums sums = {};
  multiply_packed<Number, kTransposedA>(a, b, tile, shared, sums);
  if (Finish::kExchangeBytes > 0) __syncthreads();  // the operands were read by all
  finish(sums, tile.slice, static_cast<i64>(tile.row) * MmaTile::kRows,
         static_cast<i64>(tile.col) * MmaTile::kCols, shared);
}

// As many parts of the depth as fill whole waves of tiles best, each of 8 steps or more.
inline i64 packed_parts(const CudaExec& exec, i64 tiles, i64 steps) {
  i64 best = 1;
  double least = INFINITY;
  for (i64 parts = 1; parts <= 64 && (parts == 1 || steps / parts >= 8); ++parts) {
    const i64 waves = (tiles * parts + exec.multiprocessors - 1) / exec.multiprocessors;
    // A tile also costs its beginning and end, a part the adding up.
    const double time =
        static_cast<double>(waves) * (static_cast<double>((steps + parts - 1) / parts) + 4.0) +
        0.5 * static_cast<double>(parts - 1);
    if (time < least * 0.999) least = time, best = parts;
  }
  return best;
}

// run(tile) with the tile of this GPU's tensor cores.
template <class Run>
Status with_tensor_tile(const CudaExec& exec, Run run) {
  return exec.hopper ? run(PackedTile{}) : run(MmaTile{});
}

template <class TileT, class Number, bool kTransposedA, class Finish>
Status launch_packed(CudaExec& exec, const Packed& a, const Packed& b, const Cut& cut, const Finish& finish) {
  const i64 tiles = cut.count();
  if constexpr (std::is_same_v<TileT, PackedTile>) {
    const i64 blocks = tiles < exec.multiprocessors ? tiles : exec.multiprocessors;
    return launch_with_shared(exec, packed_product<Number, kTransposedA, Finish>, blocks, TileT::kThreads,
                              TileT::kSharedBytes + Finish::kExchangeBytes, a, b, cut, finish);
  } else {
    return launch_with_shared(exec, mma_product<Number, kTransposedA, Finish>, tiles, TileT::kThreads,
                              TileT::kSharedBytes, a, b, cut, finish);
  }
}

// result = a·bᵀ of packed operands. The steps are those of b.
template <class Number, bool kTransposedA>
Status product_of_packed(CudaExec& exec, const Packed& a, const Packed& b, const Result& result, i64 batch) {
  const i64 rows = (result.rows + PackedTile::kRows - 1) / PackedTile::kRows,
            cols = (result.cols + PackedTile::kCols - 1) / PackedTile::kCols;
  const i64 parts = packed_parts(exec, rows * cols * batch, b.steps);
  const i64 each = (b.steps + parts - 1) / parts;
  if (!Cut::fits(rows, cols, batch, parts)) return too_many_tiles();
  const Cut cut(rows, cols, batch, each > 0 ? (b.steps + each - 1) / each : 1, each, b.steps);
  Result target = result;
  const i64 size = result.rows * result.cols;
  if (cut.parts > 1) {
    target = Result{exec.array<float>(size * batch * cut.parts), result.rows, result.cols, size};
    if (target.data == nullptr) return out_of_device_memory();
  }
  const Status status = with_tensor_tile(exec, [&](auto tile) {
    using TileT = decltype(tile);
    return launch_packed<TileT, Number, kTransposedA>(exec, a, b, cut, WriteSums<TileT>(target));
  });
  if (!status.ok() || cut.parts == 1) return status;
  const Status added = add_parts(exec, target.data, cut.parts, result, batch);
  exec.release(target.data);
  return added;
}

}  // namespace sonotext::cuda
