// Two sweeps over panels of rows of the clip × caption cosines. The first reduces each tile to sums of
// exponentials of its rows and columns; the second makes the same tiles again, turns them into gradients of a
// panel, and multiplies these on. Memory is O(n·d): a panel, and the sums of its tiles.
#include <climits>

#include "../entries.hpp"
#include "../info_nce_tiles.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kThreads = 256;

// Both sweeps over tiles in FP32.
struct FloatTiles {
  using TileT = Tile<2, 2>;

  Status prepare(const InfoNceArgs& args, CudaExec&) {
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
template <class Number>
struct PackedTiles {
  using TileT = PackedTile;

  Status prepare(const InfoNceArgs& args, CudaExec& exec) {
    const Operand<true> clips{args.audio.data, args.n, args.d, 0},
        captions{args.text.data, args.n, args.d, 0};
    const Status status = pack<Number>(exec, clips, args.d, 1, 1, audio);
    return status.ok() ? pack<Number>(exec, captions, args.d, 1, PackedTile::kCols / kBlockRows, text)
                       : status;
  }
  template <class Finish>
  Status sweep(CudaExec& exec, const Cut& cut, i64 first, i64, const Finish& finish) {
    Packed panel = audio;
    panel.data += first / kBlockRows * audio.steps * kBlockBytes;
    return launch_packed<Number, false>(exec, panel, text, cut, finish);
  }
  i64 cut_depth() const { return text.steps; }

  Packed audio, text;
};

// Gradients of a panel in FP32, multiplied like any matrix.
template <class Tiles>
struct FloatPanel : Tiles {
  using Sink = RowMajorSink<typename Tiles::TileT>;
  static constexpr i64 kCellBytes = sizeof(float);

  Status prepare(const InfoNceArgs& args, CudaExec& exec, i64 rows) {
    cells = exec.array<float>(rows * args.n);
    return cells != nullptr ? Tiles::prepare(args, exec) : out_of_device_memory();
  }
  Sink sink(i64 n, i64 rows) const { return {WriteSums<typename Tiles::TileT>(Result{cells, rows, n})}; }

  Status multiply(const InfoNceArgs& args, CudaExec& exec, i64 first, i64 rows, const Result& to_audio,
                  const Result& to_text) {
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
struct Bf16Panel : PackedTiles<Bf16> {
  using Sink = PackedSink;
  static constexpr i64 kCellBytes = Bf16::kBytes;

  Status prepare(const InfoNceArgs& args, CudaExec& exec, i64 rows) {
    cells.row_blocks = (rows + kBlockRows - 1) / kBlockRows;
    cells.steps =
        (args.n + PackedTile::kCols - 1) / PackedTile::kCols * (PackedTile::kCols / kStepDepth<Bf16>);
    cells.data = exec.array<unsigned char>(cells.row_blocks * cells.steps * kBlockBytes);
    if (cells.data == nullptr) return out_of_device_memory();
    const Operand<false> captions{args.text.data, args.d, args.d, 0};
    const Status status =
        pack<Bf16>(exec, captions, args.n, 1, PackedTile::kCols / kBlockRows, text_by_column);
    return status.ok() ? PackedTiles::prepare(args, exec) : status;
  }
  Sink sink(i64, i64) const { return {cells}; }

  Status multiply(const InfoNceArgs& args, CudaExec& exec, i64 first, i64 rows, const Result& to_audio,
                  const Result& to_text) {
    Status status = product_of_packed<Bf16, false>(exec, cells, text_by_column, to_audio, 1);
    if (!status.ok()) return status;
    Packed clips{};
    const Operand<false> panel{args.audio.data + first * args.d, args.d, args.d, 0};
    status = pack<Bf16>(exec, panel, rows, 1, PackedTile::kCols / kBlockRows, clips);
    if (status.ok()) status = product_of_packed<Bf16, true>(exec, cells, clips, to_text, 1);
    exec.release(clips.data);
    return status;
  }

  Packed cells, text_by_column;
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

// Adds the panel's rows' and columns' positives; only where items of one clip share them. One block per row.
__global__ void __launch_bounds__(kThreads) count_positives(Pairs pairs, int* of_rows, int* of_columns) {
  const int i = pairs.first_row + static_cast<int>(blockIdx.x), group = pairs.groups[i];
  int own = 0;
  for (int j = static_cast<int>(threadIdx.x); j < pairs.n; j += kThreads) {
    const int other = pairs.groups[j];
    if (other != group || pairs.left_out(i, j, group, other)) continue;
    ++own;
    atomicAdd(of_columns + j, 1);
  }
  own = block_reduce<kThreads>(own, [](int a, int b) { return a + b; });
  if (threadIdx.x == 0) of_rows[i] = own;
}

// sums[i] = its parts together, and what it was before where `more`.
__global__ void __launch_bounds__(kThreads)
    add_sums(const ExponentialSum* parts, i64 count, i64 extent, bool more, ExponentialSum* sums) {
  const i64 i = static_cast<i64>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= extent) return;
  ExponentialSum all = more ? sums[i] : nothing();
  for (i64 part = 0; part < count; ++part) all = together(all, parts[part * extent + i]);
  sums[i] = all;
}

__global__ void __launch_bounds__(kThreads)
    make_anchors(const ExponentialSum* sums, const int* positives, const std::int32_t* groups, i64 n,
                 Anchor* anchors, int* best) {
  const i64 i = static_cast<i64>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= n) return;
  const float share = positives != nullptr ? 1.0f / static_cast<float>(positives[i]) : 1.0f;
  anchors[i] = {sums[i].most + log2f(sums[i].sum), sums[i].most, share, groups[i]};
  best[i] = INT_MAX;
}

// One block: adds the tiles' totals to *all.
__global__ void __launch_bounds__(kThreads)
    add_totals(const TileTotals* tiles, i64 count, bool more, TileTotals* all) {
  double temperature = 0.0, targets = 0.0;
  for (i64 i = threadIdx.x; i < count; i += kThreads)
    temperature += tiles[i].temperature, targets += tiles[i].targets;
  const auto add = [](double a, double b) { return a + b; };
  temperature = block_reduce<kThreads>(temperature, add);
  targets = block_reduce<kThreads>(targets, add);
  if (threadIdx.x != 0) return;
  *all = more ? TileTotals{all->temperature + temperature, all->targets + targets}
              : TileTotals{temperature, targets};
}

struct Summary {
  const Anchor* rows;
  const Anchor* columns;
  const int* best_of_rows;
  const int* best_of_columns;
  const float* diagonal;
  const TileTotals* totals;
  const std::int32_t* groups;
  i64 n;
  bool share;
};

// One block for the whole batch: loss, both accuracies, mean cosine of the pairs.
__global__ void __launch_bounds__(kThreads) summarise(Summary s, float* stats, float* temperature) {
  double loss = 0.0, to_text = 0.0, to_audio = 0.0, cosine = 0.0;
  const auto right = [&](int best, i64 i) {
    return best == i || (s.share && best < s.n && s.groups[best] == s.groups[i]);
  };
  for (i64 i = threadIdx.x; i < s.n; i += kThreads) {
    loss += static_cast<double>(s.rows[i].log_sum) + s.columns[i].log_sum;
    to_text += right(s.best_of_rows[i], i);
    to_audio += right(s.best_of_columns[i], i);
    cosine += s.diagonal[i];
  }
  const auto add = [](double a, double b) { return a + b; };
  loss = block_reduce<kThreads>(loss, add);
  to_text = block_reduce<kThreads>(to_text, add);
  to_audio = block_reduce<kThreads>(to_audio, add);
  cosine = block_reduce<kThreads>(cosine, add);
  if (threadIdx.x != 0) return;
  constexpr double kLn2 = 0.693147180559945309;
  const double count = static_cast<double>(s.n);
  stats[0] = static_cast<float>((loss * kLn2 - s.totals->targets) / count);
  stats[1] = static_cast<float>(to_text / count);
  stats[2] = static_cast<float>(to_audio / count);
  stats[3] = static_cast<float>(cosine / count);
  if (temperature != nullptr) *temperature = static_cast<float>(s.totals->temperature);
}

i64 blocks_for(i64 count) { return (count + kThreads - 1) / kThreads; }

// Rows of a panel, whole tiles: as many as fit the device's workspace, or four times the embeddings where
// those are larger.
i64 panel_rows(const InfoNceArgs& args, const CudaExec& exec, i64 cell_bytes) {
  const i64 embeddings = 4 * args.n * args.d * static_cast<i64>(sizeof(float));
  const i64 budget = embeddings > exec.workspace ? embeddings : exec.workspace;
  const i64 tiles = budget / (args.n * cell_bytes) / kBlockRows, all = (args.n + kBlockRows - 1) / kBlockRows;
  return (tiles < 1 ? 1 : tiles < all ? tiles : all) * kBlockRows;
}

template <class Panel>
Status info_nce_with(const InfoNceArgs& args, CudaExec& exec) {
  using TileT = typename Panel::TileT;
  static_assert(TileT::kRows == kBlockRows);
  const i64 n = args.n, rows_each = panel_rows(args, exec, Panel::kCellBytes);
  const i64 tile_rows = rows_each / TileT::kRows, tile_cols = (n + TileT::kCols - 1) / TileT::kCols;
  const bool share = args.positives == 1;
  Panel panel;
  if (const Status status = panel.prepare(args, exec, rows_each); !status.ok()) return status;

  float* inverse = exec.array<float>(1);
  auto* row_parts = exec.array<ExponentialSum>(tile_cols * TileT::kWarpsAcross * rows_each);
  auto* column_parts = exec.array<ExponentialSum>(tile_rows * n);
  auto *row_sums = exec.array<ExponentialSum>(n), *column_sums = exec.array<ExponentialSum>(n);
  auto *rows = exec.array<Anchor>(n), *columns = exec.array<Anchor>(n);
  int *best_of_rows = exec.array<int>(n), *best_of_columns = exec.array<int>(n);
  auto* tile_totals = exec.array<TileTotals>(tile_rows * tile_cols);
  auto* totals = exec.array<TileTotals>(1);
  float* diagonal = exec.array<float>(n);
  const std::int32_t* groups = exec.constant(args.groups);
  int *row_positives = nullptr, *column_positives = nullptr;
  bool enough = inverse && row_parts && column_parts && row_sums && column_sums && rows && columns &&
                best_of_rows && best_of_columns && tile_totals && totals && diagonal && groups;
  if (share) {
    row_positives = exec.array<int>(n), column_positives = exec.array<int>(n);
    enough = enough && row_positives && column_positives;
  }
  const std::int32_t *exclude_offsets = nullptr, *exclude_index = nullptr;
  unsigned* excluded = nullptr;
  const i64 words = (n + 31) / 32;
  if (args.excludeOffsets && args.excludeIndex.size > 0) {
    exclude_offsets = exec.constant(args.excludeOffsets), exclude_index = exec.constant(args.excludeIndex);
    excluded = exec.array<unsigned>(rows_each * words);
    enough = enough && exclude_offsets && exclude_index && excluded;
  }
  if (!enough) return out_of_device_memory();

  Status status = launch(exec, inverse_temperature, 1, 1, args.logTemperature.data, inverse);
  if (status.ok() && share) {
    status = status_of(
        cudaMemsetAsync(column_positives, 0, static_cast<std::size_t>(n) * sizeof(int), exec.stream));
  }
  Pairs pairs{static_cast<int>(n), 0, 0, share, groups, excluded, words, inverse};
  Cut cut(tile_rows, tile_cols, 1, 1, panel.cut_depth(), panel.cut_depth());
  const auto enter = [&](i64 first) {
    pairs.first_row = static_cast<int>(first);
    pairs.rows = static_cast<int>(n - first < rows_each ? n - first : rows_each);
    cut.tiles.rows = (pairs.rows + TileT::kRows - 1) / TileT::kRows;
    return excluded == nullptr ? Status{}
                               : launch(exec, mark_excluded, pairs.rows, kThreads, excluded, words, first,
                                        exclude_offsets, exclude_index);
  };

  for (i64 first = 0; status.ok() && first < n; first += rows_each) {
    if (exec.cancelled()) return {};
    status = enter(first);
    if (status.ok() && share)
      status = launch(exec, count_positives, pairs.rows, kThreads, pairs, row_positives, column_positives);
    if (status.ok()) {
      status =
          panel.sweep(exec, cut, first, pairs.rows, SumExponentials<TileT>{pairs, row_parts, column_parts});
    }
    if (status.ok()) {
      status = launch(exec, add_sums, blocks_for(pairs.rows), kThreads, row_parts,
                      tile_cols * TileT::kWarpsAcross, static_cast<i64>(pairs.rows), false, row_sums + first);
    }
    if (status.ok())
      status = launch(exec, add_sums, blocks_for(n), kThreads, column_parts, static_cast<i64>(cut.tiles.rows),
                      n, first > 0, column_sums);
  }
  if (status.ok()) {
    status = launch(exec, make_anchors, blocks_for(n), kThreads, row_sums, row_positives, groups, n, rows,
                    best_of_rows);
  }
  if (status.ok()) {
    status = launch(exec, make_anchors, blocks_for(n), kThreads, column_sums, column_positives, groups, n,
                    columns, best_of_columns);
  }

  for (i64 first = 0; status.ok() && first < n; first += rows_each) {
    if (exec.cancelled()) return {};
    status = enter(first);
    if (!status.ok()) break;
    using Finish = ScoreGradients<TileT, typename Panel::Sink>;
    status = panel.sweep(exec, cut, first, pairs.rows,
                         Finish{pairs, rows, columns, best_of_rows, best_of_columns, diagonal, tile_totals,
                                tile_cols, panel.sink(n, pairs.rows)});
    if (status.ok()) {
      status =
          launch(exec, add_totals, 1, kThreads, tile_totals, cut.tiles.rows * tile_cols, first > 0, totals);
    }
    Result to_text{args.gradText.data, n, args.d};
    to_text.beta = first > 0 ? 1.0f : 0.0f;
    if (status.ok()) {
      status = panel.multiply(args, exec, first, pairs.rows,
                              Result{args.gradAudio.data + first * args.d, pairs.rows, args.d}, to_text);
    }
  }
  if (!status.ok()) return status;
  const Summary summary{rows, columns, best_of_rows, best_of_columns, diagonal, totals, groups, n, share};
  return launch(exec, summarise, 1, kThreads, summary, args.stats.data, args.gradLogTemperature.data);
}

}  // namespace

Status info_nce(const InfoNceArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.targets || args.targetIndex || !args.text || args.hard != 1.0 || args.toText != 1.0 ||
      args.toAudio != 1.0)
    return Status::unsupported("soft targets, given scores and weights of the directions");
  if (args.n == 0) {
    const Status status = status_of(cudaMemsetAsync(args.stats.data, 0, 4 * sizeof(float), exec.stream));
    if (!status.ok() || !args.gradLogTemperature) return status;
    return status_of(cudaMemsetAsync(args.gradLogTemperature.data, 0, sizeof(float), exec.stream));
  }
  if (exec.hopper && exec.precision == Precision::bf16) return info_nce_with<Bf16Panel>(args, exec);
  if (exec.hopper && exec.precision == Precision::tf32)
    return info_nce_with<FloatPanel<PackedTiles<Tf32>>>(args, exec);
  return info_nce_with<FloatPanel<FloatTiles>>(args, exec);
}

}  // namespace sonotext::cuda
