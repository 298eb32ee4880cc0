// Two sweeps over panels of rows of the clip × caption cosines. The first reduces each tile to sums of
// exponentials of its rows and columns; the second makes the same tiles again, turns them into gradients of a
// panel, and multiplies these on. Memory is O(n·d): a panel, and the sums of its tiles.
#include <climits>

#include "../entries.hpp"
#include "../info_nce_tiles.cuh"

namespace sonotext::cuda {
namespace {

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

// The soft targets of a panel's rows, 0 where a pair is left out. Negative ones count as 0. One block per
// row.
struct Weights {
  const float* all;             // [n × n], or
  const std::int32_t* offsets;  // lists
  const std::int32_t* index;
  const float* weights;
};
__global__ void __launch_bounds__(kThreads)
    spread_weights(Pairs pairs, Weights given, float* panel, float* masses) {
  float* row = panel + static_cast<i64>(blockIdx.x) * pairs.n;
  const int i = pairs.first_row + static_cast<int>(blockIdx.x), group = pairs.groups[i];
  for (int j = static_cast<int>(threadIdx.x); j < pairs.n; j += kThreads)
    row[j] = given.all != nullptr ? given.all[static_cast<i64>(i) * pairs.n + j] : 0.0f;
  __syncthreads();
  if (given.all == nullptr && threadIdx.x == 0) {  // one thread: those of one place add up in their order
    for (int e = given.offsets[i]; e < given.offsets[i + 1]; ++e)
      row[given.index[e]] += given.weights[e] < 0.0f ? 0.0f : given.weights[e];
  }
  __syncthreads();
  float mass = 0.0f;
  for (int j = static_cast<int>(threadIdx.x); j < pairs.n; j += kThreads) {
    const float weight = row[j];
    row[j] = weight < 0.0f || pairs.left_out(i, j, group, pairs.groups[j]) ? 0.0f : weight;
    mass += row[j];
  }
  mass = block_reduce<kThreads>(mass, [](float a, float b) { return a + b; });
  if (threadIdx.x == 0) masses[i] = mass;
}

__global__ void __launch_bounds__(kThreads)
    add_columns(Pairs pairs, const float* panel, bool more, float* masses) {
  const i64 j = static_cast<i64>(blockIdx.x) * kThreads + threadIdx.x;
  if (j >= pairs.n) return;
  float mass = more ? masses[j] : 0.0f;
  for (int row = 0; row < pairs.rows; ++row) mass += panel[static_cast<i64>(row) * pairs.n + j];
  masses[j] = mass;
}

// How the targets of a direction are made up: `factor` is its weight in the loss.
struct TargetMix {
  float factor, hard;
  const float* masses;  // [n] of the weights, or none
};

template <class AnchorT>
__global__ void __launch_bounds__(kThreads)
    make_anchors(const ExponentialSum* sums, const int* positives, const std::int32_t* groups, TargetMix mix,
                 i64 n, AnchorT* anchors, int* best) {
  const i64 i = static_cast<i64>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= n) return;
  AnchorT anchor{};
  anchor.log_sum = sums[i].most + log2f(sums[i].sum), anchor.most = sums[i].most;
  anchor.share = positives != nullptr ? 1.0f / static_cast<float>(positives[i]) : 1.0f;
  anchor.group = groups[i];
  if constexpr (std::is_same_v<AnchorT, SoftAnchor>) {
    constexpr float kLeastMass = 1e-30f;  // weights that add up to less are none
    const float weights = mix.masses != nullptr ? mix.masses[i] : 0.0f;
    const float soft = weights < kLeastMass ? 0.0f : 1.0f - mix.hard;
    anchor.share *= mix.factor * mix.hard;
    anchor.mass = mix.factor * (mix.hard + soft);
    anchor.weight = soft != 0.0f ? mix.factor * soft / weights : 0.0f;
  }
  anchors[i] = anchor, best[i] = INT_MAX;
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

template <class AnchorT>
struct Summary {
  const AnchorT* rows;
  const AnchorT* columns;
  const int* best_of_rows;
  const int* best_of_columns;
  const float* diagonal;
  const TileTotals* totals;
  const std::int32_t* groups;
  i64 n;
  bool share;
};

// One block for the whole batch: loss, both accuracies, mean cosine of the pairs.
template <class AnchorT>
__global__ void __launch_bounds__(kThreads) summarise(Summary<AnchorT> s, float* stats, float* temperature) {
  double loss = 0.0, to_text = 0.0, to_audio = 0.0, cosine = 0.0;
  const auto right = [&](int best, i64 i) {
    return best == i || (s.share && best < s.n && s.groups[best] == s.groups[i]);
  };
  for (i64 i = threadIdx.x; i < s.n; i += kThreads) {
    double of_row = s.rows[i].log_sum, of_column = s.columns[i].log_sum;
    if constexpr (std::is_same_v<AnchorT, SoftAnchor>)
      of_row *= s.rows[i].mass, of_column *= s.columns[i].mass;
    loss += of_row + of_column;
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

template <class AnchorT, class Panel>
Status info_nce_with(const InfoNceArgs& args, CudaExec& exec, Panel panel) {
  using TileT = typename Panel::TileT;
  static_assert(TileT::kRows == kBlockRows);
  constexpr bool kSoft = std::is_same_v<AnchorT, SoftAnchor>;
  const i64 n = args.n, rows_each = panel_rows(args, exec, Panel::kCellBytes);
  const i64 tile_rows = rows_each / TileT::kRows, tile_cols = (n + TileT::kCols - 1) / TileT::kCols;
  const bool share = args.positives == 1;
  PanelWalk walk;
  Status status = panel.prepare(args, exec, rows_each);
  if (status.ok()) status = walk.prepare(args, exec, rows_each, TileT::kRows);
  if (!status.ok()) return status;
  const Pairs& pairs = walk.pairs;

  auto* row_parts = exec.array<ExponentialSum>(tile_cols * TileT::kWarpsAcross * rows_each);
  auto* column_parts = exec.array<ExponentialSum>(tile_rows * n);
  auto *row_sums = exec.array<ExponentialSum>(n), *column_sums = exec.array<ExponentialSum>(n);
  auto *rows = exec.array<AnchorT>(n), *columns = exec.array<AnchorT>(n);
  int *best_of_rows = exec.array<int>(n), *best_of_columns = exec.array<int>(n);
  auto* tile_totals = exec.array<TileTotals>(tile_rows * tile_cols);
  auto* totals = exec.array<TileTotals>(1);
  float* diagonal = exec.array<float>(n);
  int *row_positives = nullptr, *column_positives = nullptr;
  bool enough = row_parts && column_parts && row_sums && column_sums && rows && columns && best_of_rows &&
                best_of_columns && tile_totals && totals && diagonal;
  if (share) {
    row_positives = exec.array<int>(n), column_positives = exec.array<int>(n);
    enough = enough && row_positives && column_positives;
  }
  Weights given{args.targets.data, nullptr, nullptr, args.targetWeights.data};
  float *weights = nullptr, *row_masses = nullptr, *column_masses = nullptr;
  if (args.targets || args.targetIndex) {
    weights = exec.array<float>(rows_each * n);
    row_masses = exec.array<float>(n), column_masses = exec.array<float>(n);
    enough = enough && weights && row_masses && column_masses;
    if (args.targetIndex) {
      given.offsets = exec.constant(args.targetOffsets), given.index = exec.constant(args.targetIndex);
      enough = enough && given.offsets && given.index;
    }
  }
  if (!enough) return out_of_device_memory();

  if (share) {
    status = status_of(
        cudaMemsetAsync(column_positives, 0, static_cast<std::size_t>(n) * sizeof(int), exec.stream));
  }
  Cut cut(tile_rows, tile_cols, 1, 1, panel.cut_depth(), panel.cut_depth());
  const auto enter = [&](i64 first) {
    const Status entered = walk.enter(exec, first, cut);
    return entered.ok() && weights != nullptr
               ? launch(exec, spread_weights, pairs.rows, kThreads, pairs, given, weights, row_masses)
               : entered;
  };

  for (i64 first = 0; status.ok() && first < n; first += rows_each) {
    if (exec.cancelled()) return {};
    status = enter(first);
    if (status.ok() && weights != nullptr)
      status = launch(exec, add_columns, blocks_for(n), kThreads, pairs, weights, first > 0, column_masses);
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
  const auto anchors = [&](const ExponentialSum* sums, const int* positives, double factor,
                           const float* masses, AnchorT* to, int* best) {
    const TargetMix mix{static_cast<float>(factor), static_cast<float>(args.hard), masses};
    return launch(exec, make_anchors<AnchorT>, blocks_for(n), kThreads, sums, positives, pairs.groups, mix, n,
                  to, best);
  };
  if (status.ok()) status = anchors(row_sums, row_positives, args.toText, row_masses, rows, best_of_rows);
  if (status.ok())
    status = anchors(column_sums, column_positives, args.toAudio, column_masses, columns, best_of_columns);

  for (i64 first = 0; status.ok() && first < n; first += rows_each) {
    if (exec.cancelled()) return {};
    status = enter(first);
    if (!status.ok()) break;
    using Finish = ScoreGradients<TileT, typename Panel::Sink, AnchorT>;
    status =
        panel.sweep(exec, cut, first, pairs.rows,
                    Finish{pairs, kSoft ? weights : nullptr, rows, columns, best_of_rows, best_of_columns,
                           diagonal, tile_totals, tile_cols, panel.sink(n, first, pairs.rows)});
    if (status.ok()) {
      status =
          launch(exec, add_totals, 1, kThreads, tile_totals, cut.tiles.rows * tile_cols, first > 0, totals);
    }
    if (status.ok()) status = panel.multiply(args, exec, first, pairs.rows);
  }
  if (!status.ok()) return status;
  const Summary<AnchorT> summary{rows,         columns, best_of_rows, best_of_columns, diagonal, totals,
                                 pairs.groups, n,       share};
  return launch(exec, summarise<AnchorT>, 1, kThreads, summary, args.stats.data,
                args.gradLogTemperature.data);
}

}  // namespace

Status info_nce(const InfoNceArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.n == 0) {
    const Status status = status_of(cudaMemsetAsync(args.stats.data, 0, 4 * sizeof(float), exec.stream));
    if (!status.ok() || !args.gradLogTemperature) return status;
    return status_of(cudaMemsetAsync(args.gradLogTemperature.data, 0, sizeof(float), exec.stream));
  }
  const bool soft =
      args.targets || args.targetIndex || args.hard != 1.0 || args.toText != 1.0 || args.toAudio != 1.0;
  return with_panel(args, exec, [&](auto panel) {
    return soft ? info_nce_with<SoftAnchor>(args, exec, panel) : info_nce_with<Anchor>(args, exec, panel);
  });
}

}  // namespace sonotext::cuda
