// Losses over the scores of every clip with every caption of a batch, in panels of rows: tiles of the scores
// are products that stay in registers, or are given; what a loss makes of them there as its gradient goes to
// a panel that is multiplied on. Memory is O(n·d): a panel.
#pragma once

#include "packed.cuh"
#include "product.cuh"

namespace sonotext::cuda {

// The pairs of the batch, and the rows of them that a sweep is at.
struct Pairs {
  int n;
  int first_row, rows;
  bool share;                  // same-clip items are positives, else they are left out
  const std::int32_t* groups;  // [n]
  const unsigned* excluded;    // [rows × words] a bit for each pair, or none
  i64 words;
  const float* inverse;  // [1] 1 / temperature

  // Whether column j is a candidate of row i, both within the batch.
  __device__ bool left_out(int i, int j, int group_i, int group_j) const {
    if (i == j) return false;
    if (excluded != nullptr && (excluded[(i - first_row) * words + j / 32] >> j % 32 & 1u) != 0) return true;
    return group_i == group_j && !share;
  }
};

// Gradients of a panel [rows × n] as FP32 in memory.
template <class TileT>
struct RowMajorSink {
  static constexpr int kExchangeBytes = WriteSums<TileT>::kExchangeBytes;
  WriteSums<TileT> write;

  __device__ void operator()(typename TileT::Sums& cells, i64 first_row, i64 first_col,
                             void* exchange) const {
    write(cells, 0, first_row, first_col, exchange);
  }
};

// Gradients as bf16, packed as they are multiplied: from the left as they are and transposed.
template <class TileT>
struct PackedSink {
  // Hopper's threads have pairs of few rows; others would need more registers for the places of theirs.
  static constexpr bool kDirect = std::is_same_v<TileT, PackedTile>;
  static constexpr int kExchangeBytes = kDirect ? 0 : TileT::kStagingBytes;
  Packed panel;

  __device__ void operator()(typename TileT::Sums& cells, i64 first_row, i64 first_col,
                             void* exchange) const {
    constexpr int kDepthOf = kStepDepth<Bf16>;
    unsigned char* blocks =
        panel.data + (first_row / kBlockRows * panel.steps + first_col / kDepthOf) * kBlockBytes;
    const auto place = [blocks](int row, int col) {
      return blocks + col / kDepthOf * kBlockBytes + packed_place(row, col % kDepthOf / 8) +
             col % 8 * Bf16::kBytes;
    };
    if constexpr (kDirect) {
#pragma unroll
      for (int i = 0; i < TileT::kOwnRows; ++i) {
#pragma unroll
        for (int j = 0; j < TileT::kOwnCols; j += 2) {
          *reinterpret_cast<std::uint32_t*>(place(TileT::row(i), TileT::col(j))) =
              Bf16::pair(TileT::at(cells, i, j), TileT::at(cells, i, j + 1));
        }
      }
    } else {
      TileT::visit(cells, exchange, [&](int row, int col, const float4& four) {
        *reinterpret_cast<uint2*>(place(row, col)) =
            make_uint2(Bf16::pair(four.x, four.y), Bf16::pair(four.z, four.w));
      });
    }
  }
};

namespace {

constexpr int kThreads = 256;  // of the kernels beside the tiles

// Both sweeps over tiles in FP32.
struct FloatTiles {
  using TileT = Tile<2, 2>;

  template <class Args>
  Status prepare(const Args& args, CudaExec&) {
    audio = args.audio.data, text = {args.text.data, args.n, args.d, 0}, depth = args.d;
    return {};
  }
  template <class Finish>
  Status sweep(CudaExec& exec, const Cut& cut, i64 first, i64 rows, const Finish& finish) {
    const Operand<true> panel{audio + first * depth, rows, depth, 0};
    return launch_product<TileT>(exec, MakeMatrixLoader<true>(panel), MakeMatrixLoader<true>(text), cut,
                                 finish);
  }
  i64 cut_depth() const { return depth; }

  const float* audio;
  Operand<true> text;
  i64 depth;
};

// On tensor cores.
template <class Number, class Tensor>
struct PackedTiles {
  using TileT = Tensor;

  template <class Args>
  Status prepare(const Args& args, CudaExec& exec) {
    const Operand<true> clips{args.audio.data, args.n, args.d, 0},
        captions{args.text.data, args.n, args.d, 0};
    const Status status = pack<Number>(exec, clips, args.d, 1, 1, audio);
    return status.ok() ? pack<Number>(exec, captions, args.d, 1, TileT::kCols / kBlockRows, text)
                       : status;
  }
  template <class Finish>
  Status sweep(CudaExec& exec, const Cut& cut, i64 first, i64, const Finish& finish) {
    Packed panel = audio;
    panel.data += first / kBlockRows * audio.steps * kBlockBytes;
    return launch_packed<TileT, Number, false>(exec, panel, text, cut, finish);
  }
  i64 cut_depth() const { return text.steps; }

  Packed audio, text;
};

// Where a panel's gradients are multiplied to.
template <class Args>
Result audio_gradient(const Args& args, i64 first, i64 rows) {
  return {args.gradAudio.data + first * args.d, rows, args.d};
}
template <class Args>
Result text_gradient(const Args& args, i64 first) {
  Result to_text{args.gradText.data, args.n, args.d};
  to_text.beta = first > 0 ? 1.0f : 0.0f;
  return to_text;
}

// Gradients of a panel in FP32, multiplied like any matrix.
template <class Tiles>
struct FloatPanel : Tiles {
  using Sink = RowMajorSink<typename Tiles::TileT>;
  static constexpr i64 kCellBytes = sizeof(float);

  template <class Args>
  Status prepare(const Args& args, CudaExec& exec, i64 rows) {
    cells = exec.array<float>(rows * args.n);
    return cells != nullptr ? Tiles::prepare(args, exec) : out_of_device_memory();
  }
  Sink sink(i64 n, i64, i64 rows) const { return {WriteSums<typename Tiles::TileT>(Result{cells, rows, n})}; }

  template <class Args>
  Status multiply(const Args& args, CudaExec& exec, i64 first, i64 rows) {
    const Result to_audio = audio_gradient(args, first, rows), to_text = text_gradient(args, first);
    const Operand<true> by_row{cells, rows, args.n, 0};
    const Operand<false> captions{args.text.data, args.d, args.d, 0};
    const Status status = product(exec, by_row, captions, to_audio, args.n, 1);
    if (!status.ok()) return status;
    const Operand<false> by_column{cells, args.n, args.n, 0};
    const Operand<false> clips{args.audio.data + first * args.d, args.d, args.d, 0};
    return product(exec, by_column, clips, to_text, rows, 1);
  }

  float* cells;
};

// Gradients of a panel as the bf16 blocks that they are multiplied as, both ways.
template <class TileT>
struct Bf16Panel : PackedTiles<Bf16, TileT> {
  using Sink = PackedSink<TileT>;
  static constexpr i64 kCellBytes = Bf16::kBytes;

  template <class Args>
  Status prepare(const Args& args, CudaExec& exec, i64 rows) {
    cells.row_blocks = (rows + kBlockRows - 1) / kBlockRows;
    cells.steps =
        (args.n + TileT::kCols - 1) / TileT::kCols * (TileT::kCols / kStepDepth<Bf16>);
    cells.data = exec.array<unsigned char>(cells.row_blocks * cells.steps * kBlockBytes);
    if (cells.data == nullptr) return out_of_device_memory();
    const Operand<false> captions{args.text.data, args.d, args.d, 0};
    const Status status =
        pack<Bf16>(exec, captions, args.n, 1, TileT::kCols / kBlockRows, text_by_column);
    return status.ok() ? PackedTiles<Bf16, TileT>::prepare(args, exec) : status;
  }
  Sink sink(i64, i64, i64) const { return {cells}; }

  template <class Args>
  Status multiply(const Args& args, CudaExec& exec, i64 first, i64 rows) {
    const Result to_audio = audio_gradient(args, first, rows), to_text = text_gradient(args, first);
    Status status = product_of_packed<Bf16, false>(exec, cells, text_by_column, to_audio, 1);
    if (!status.ok()) return status;
    Packed clips{};
    const Operand<false> panel{args.audio.data + first * args.d, args.d, args.d, 0};
    status = pack<Bf16>(exec, panel, rows, 1, TileT::kCols / kBlockRows, clips);
    if (status.ok()) status = product_of_packed<Bf16, true>(exec, cells, clips, to_text, 1);
    exec.release(clips.data);
    return status;
  }

  Packed cells, text_by_column;
};

// The scores are given.
template <class TileT, class Finish>
__global__ void __launch_bounds__(TileT::kThreads)
    given_tiles(const float* panel, i64 rows, i64 n, Cut cut, Finish finish) {
  SONOTEXT_DYNAMIC_SHARED(float, shared);
  const Cut::Piece at = cut.piece(static_cast<int>(blockIdx.x));
  const i64 first_row = static_cast<i64>(at.row) * TileT::kRows,
            first_col = static_cast<i64>(at.col) * TileT::kCols;
  typename TileT::Sums cells = {};
#pragma unroll
  for (int i = 0; i < TileT::kOwnRows; ++i) {
#pragma unroll
    for (int j = 0; j < TileT::kOwnCols; ++j) {
      const i64 row = first_row + TileT::row(i), col = first_col + TileT::col(j);
      if (row < rows && col < n) TileT::at(cells, i, j) = panel[row * n + col];
    }
  }
  finish(cells, at.slice, first_row, first_col, shared);
}

// Their gradients go where they belong.
struct GivenPanel {
  using TileT = Tile<2, 2>;
  using Sink = RowMajorSink<TileT>;
  static constexpr i64 kCellBytes = sizeof(float);

  template <class Args>
  Status prepare(const Args& args, CudaExec&, i64) {
    scores = args.audio.data, gradients = args.gradAudio.data, n = args.n;
    return {};
  }
  template <class Finish>
  Status sweep(CudaExec& exec, const Cut& cut, i64 first, i64 rows, const Finish& finish) {
    return launch_with_shared(exec, given_tiles<TileT, Finish>, cut.count(), TileT::kThreads,
                              TileT::kSharedBytes, scores + first * n, rows, n, cut, finish);
  }
  i64 cut_depth() const { return 1; }
  Sink sink(i64, i64 first, i64 rows) const {
    return {WriteSums<TileT>(Result{gradients + first * n, rows, n})};
  }
  template <class Args>
  Status multiply(const Args&, CudaExec&, i64, i64) {
    return {};
  }

  const float* scores;
  float* gradients;
  i64 n;
};

__global__ void inverse_temperature(const float* log_temperature, float* inverse) {
  *inverse = static_cast<float>(exp(-static_cast<double>(*log_temperature)));
}

// One block per row of the panel.
__global__ void __launch_bounds__(kThreads)
    mark_excluded(unsigned* marks, i64 words, i64 first_row, const std::int32_t* offsets,
                  const std::int32_t* index) {
  unsigned* row = marks + blockIdx.x * words;
  for (i64 w = threadIdx.x; w < words; w += kThreads) row[w] = 0;
  __syncthreads();
  const i64 i = first_row + blockIdx.x;
  for (i64 e = offsets[i] + static_cast<i64>(threadIdx.x); e < offsets[i + 1]; e += kThreads)
    atomicOr(row + index[e] / 32, 1u << index[e] % 32);
}

// What keeps to a batch's panels, whichever loss it is of.
class PanelWalk {
 public:
  template <class Args>
  Status prepare(const Args& args, CudaExec& exec, i64 rows, int tile_rows) {
    rows_each = rows, tile_rows_ = tile_rows;
    float* inverse = exec.array<float>(1);
    const std::int32_t* groups = exec.constant(args.groups);
    bool enough = inverse != nullptr && groups != nullptr;
    const i64 words = (args.n + 31) / 32;
    if (args.excludeOffsets && args.excludeIndex.size > 0) {
      exclude_offsets_ = exec.constant(args.excludeOffsets);
      exclude_index_ = exec.constant(args.excludeIndex);
      excluded_ = exec.array<unsigned>(rows * words);
      enough = enough && exclude_offsets_ && exclude_index_ && excluded_;
    }
    if (!enough) return out_of_device_memory();
    pairs = {static_cast<int>(args.n), 0, 0, args.positives == 1, groups, excluded_, words, inverse};
    return launch(exec, inverse_temperature, 1, 1, args.logTemperature.data, inverse);
  }

  // To the panel that begins with row `first`.
  Status enter(CudaExec& exec, i64 first, Cut& cut) {
    pairs.first_row = static_cast<int>(first);
    pairs.rows = static_cast<int>(pairs.n - first < rows_each ? pairs.n - first : rows_each);
    cut.tiles.rows = (pairs.rows + tile_rows_ - 1) / tile_rows_;
    return excluded_ == nullptr ? Status{}
                                : launch(exec, mark_excluded, pairs.rows, kThreads, excluded_, pairs.words,
                                         first, exclude_offsets_, exclude_index_);
  }

  Pairs pairs{};
  i64 rows_each = 0;

 private:
  int tile_rows_ = 0;
  const std::int32_t *exclude_offsets_ = nullptr, *exclude_index_ = nullptr;
  unsigned* excluded_ = nullptr;
};

inline i64 blocks_for(i64 count) { return (count + kThreads - 1) / kThreads; }

// f(panel) with the panel that suits the arguments and the device.
template <class Args, class F>
Status with_panel(const Args& args, CudaExec& exec, F&& f) {
  if (!args.text) return f(GivenPanel{});
  if (exec.precision == Precision::fp32) return f(FloatPanel<FloatTiles>{});
  return with_tensor_tile(exec, [&](auto tile) {
    using TileT = decltype(tile);
    return exec.precision == Precision::bf16 ? f(Bf16Panel<TileT>{})
                                             : f(FloatPanel<PackedTiles<Tf32, TileT>>{});
  });
}

// Rows of a panel, whole tiles: as many as fit the device's workspace, or four times the embeddings where
// those are larger.
template <class Args>
i64 panel_rows(const Args& args, const CudaExec& exec, i64 cell_bytes) {
  const i64 embeddings = 4 * args.n * args.d * static_cast<i64>(sizeof(float));
  const i64 budget = embeddings > exec.workspace ? embeddings : exec.workspace;
  const i64 tiles = budget / (args.n * cell_bytes) / kBlockRows, all = (args.n + kBlockRows - 1) / kBlockRows;
  return (tiles < 1 ? 1 : tiles < all ? tiles : all) * kBlockRows;
}

}  // namespace
}  // namespace sonotext::cuda
