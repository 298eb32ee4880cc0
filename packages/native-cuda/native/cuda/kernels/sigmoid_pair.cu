// One sweep over panels of rows of the clip × caption cosines: a cell needs nothing but itself.
#include "../entries.hpp"
#include "../score_panels.cuh"

namespace sonotext::cuda {
namespace {

// What the cells of a tile, a panel or the batch add up to.
struct SigmoidTotals {
  double loss, positive, other;  // sigmoids of positives and of others
  double gradient, products;     // Σ d loss / d score, and its products with the cosines
  double positives, others;      // how many

  template <class F>
  __device__ SigmoidTotals map(F f) const {
    return {f(loss), f(positive), f(other), f(gradient), f(products), f(positives), f(others)};
  }
  __device__ SigmoidTotals operator+(const SigmoidTotals& b) const {
    return {loss + b.loss,         positive + b.positive,   other + b.other,  gradient + b.gradient,
            products + b.products, positives + b.positives, others + b.others};
  }
};

template <class TileT, class Sink>
struct SigmoidGradients {
  Pairs pairs;
  const float* bias;      // [1]
  float* diagonal;        // [n] cosines of the pairs
  SigmoidTotals* totals;  // [tiles]
  i64 tile_cols;
  Sink sink;

  struct Exchange {
    int groups[TileT::kCols];
    SigmoidTotals totals[TileT::kWarpsDown * TileT::kWarpsAcross];
  };
  static constexpr int kExchangeBytes = sizeof(Exchange) + Sink::kExchangeBytes;

  __device__ void operator()(typename TileT::Sums& cells, i64, i64 first_row, i64 first_col,
                             void* shared) const {
    Exchange& exchange = *static_cast<Exchange*>(shared);
    constexpr int kWarps = TileT::kWarpsDown * TileT::kWarpsAcross;
    const int thread = static_cast<int>(threadIdx.x);
    const int row_end = pairs.rows - static_cast<int>(first_row),
              col_end = pairs.n - static_cast<int>(first_col);
    for (int col = thread; col < TileT::kCols; col += kWarps * kWarp)
      exchange.groups[col] = col < col_end ? pairs.groups[first_col + col] : 0;
    TileT::barrier();
    const float inverse = *pairs.inverse, each = inverse / static_cast<float>(pairs.n), shift = *bias;
    float loss = 0.0f, positive = 0.0f, other = 0.0f, gradient = 0.0f, products = 0.0f;
    int positives = 0, others = 0;
#pragma unroll
    for (int i = 0; i < TileT::kOwnRows; ++i) {
      const int row = TileT::row(i), at_row = pairs.first_row + static_cast<int>(first_row) + row;
      const int group = row < row_end ? pairs.groups[at_row] : 0;
#pragma unroll
      for (int j = 0; j < TileT::kOwnCols; ++j) {
        const int col = TileT::col(j), at_col = static_cast<int>(first_col) + col;
        float& cell = TileT::at(cells, i, j);
        const float cosine = cell;
        const bool counts =
            row < row_end && col < col_end && !pairs.left_out(at_row, at_col, group, exchange.groups[col]);
        const bool is_positive = counts && group == exchange.groups[col];  // what is left of a group
        const float score = fmaf(cosine, inverse, shift), turned = is_positive ? -score : score;
        const float sigmoid = 1.0f / (1.0f + expf(-turned)), g = is_positive ? -sigmoid : sigmoid;
        if (counts) {
          loss += turned != turned ? turned : fmaxf(turned, 0.0f) + log1pf(expf(-fabsf(turned)));
          gradient += g, products = fmaf(g, cosine, products);
          if (is_positive) positive += 1.0f - sigmoid, ++positives;
          if (!is_positive) other += sigmoid, ++others;
          if (at_row == at_col) diagonal[at_row] = cosine;
        }
        cell = counts ? each * g : 0.0f;
      }
    }
    sink(cells, first_row, first_col, &exchange + 1);
    SigmoidTotals sums{loss,
                       positive,
                       other,
                       gradient,
                       products,
                       static_cast<double>(positives),
                       static_cast<double>(others)};
    for (int mask = kWarp / 2; mask > 0; mask /= 2)
      sums = sums + sums.map([mask](double x) { return __shfl_xor_sync(0xffffffffu, x, mask); });
    if (thread % kWarp == 0) exchange.totals[thread / kWarp] = sums;
    TileT::barrier();
    if (thread == 0) {
      SigmoidTotals all = exchange.totals[0];
      for (int w = 1; w < kWarps; ++w) all = all + exchange.totals[w];
      totals[first_row / TileT::kRows * tile_cols + first_col / TileT::kCols] = all;
    }
    TileT::barrier();  // before the next tile's
  }
};

__device__ SigmoidTotals block_sum(SigmoidTotals sums) {
  return sums.map(
      [](double x) { return block_reduce<kThreads>(x, [](double a, double b) { return a + b; }); });
}

// One block: adds the tiles' totals to *all.
__global__ void __launch_bounds__(kThreads)
    add_totals(const SigmoidTotals* tiles, i64 count, bool more, SigmoidTotals* all) {
  SigmoidTotals sums{};
  for (i64 i = threadIdx.x; i < count; i += kThreads) sums = sums + tiles[i];
  sums = block_sum(sums);
  if (threadIdx.x == 0) *all = more ? *all + sums : sums;
}

// One block for the whole batch.
__global__ void __launch_bounds__(kThreads)
    summarise(const SigmoidTotals* all, const float* diagonal, const float* inverse, i64 n, float* stats,
              float* temperature, float* bias) {
  double cosine = 0.0;
  for (i64 i = threadIdx.x; i < n; i += kThreads) cosine += diagonal[i];
  cosine = block_reduce<kThreads>(cosine, [](double a, double b) { return a + b; });
  if (threadIdx.x != 0) return;
  const double items = static_cast<double>(n);
  stats[0] = static_cast<float>(all->loss / items);
  stats[1] = static_cast<float>(all->positives > 0.0 ? all->positive / all->positives : 0.0);
  stats[2] = static_cast<float>(all->others > 0.0 ? all->other / all->others : 0.0);
  stats[3] = static_cast<float>(cosine / items);
  if (temperature != nullptr)
    *temperature = static_cast<float>(-all->products * static_cast<double>(*inverse) / items);
  if (bias != nullptr) *bias = static_cast<float>(all->gradient / items);
}

template <class Panel>
Status sigmoid_pair_with(const SigmoidPairArgs& args, CudaExec& exec, Panel panel) {
  using TileT = typename Panel::TileT;
  static_assert(TileT::kRows == kBlockRows);
  const i64 n = args.n, rows_each = panel_rows(args, exec, Panel::kCellBytes);
  const i64 tile_rows = rows_each / TileT::kRows, tile_cols = (n + TileT::kCols - 1) / TileT::kCols;
  PanelWalk walk;
  Status status = panel.prepare(args, exec, rows_each);
  if (status.ok()) status = walk.prepare(args, exec, rows_each, TileT::kRows);
  if (!status.ok()) return status;
  auto* tile_totals = exec.array<SigmoidTotals>(tile_rows * tile_cols);
  auto* totals = exec.array<SigmoidTotals>(1);
  float* diagonal = exec.array<float>(n);
  if (!tile_totals || !totals || !diagonal) return out_of_device_memory();
  Cut cut(tile_rows, tile_cols, 1, 1, panel.cut_depth(), panel.cut_depth());
  for (i64 first = 0; status.ok() && first < n; first += rows_each) {
    if (exec.cancelled()) return {};
    status = walk.enter(exec, first, cut);
    if (!status.ok()) break;
    using Finish = SigmoidGradients<TileT, typename Panel::Sink>;
    status = panel.sweep(exec, cut, first, walk.pairs.rows,
                         Finish{walk.pairs, args.bias.data, diagonal, tile_totals, tile_cols,
                                panel.sink(n, first, walk.pairs.rows)});
    if (status.ok()) {
      status =
          launch(exec, add_totals, 1, kThreads, tile_totals, cut.tiles.rows * tile_cols, first > 0, totals);
    }
    if (status.ok()) status = panel.multiply(args, exec, first, walk.pairs.rows);
  }
  if (!status.ok()) return status;
  return launch(exec, summarise, 1, kThreads, totals, diagonal, walk.pairs.inverse, n, args.stats.data,
                args.gradLogTemperature.data, args.gradBias.data);
}

}  // namespace

Status sigmoid_pair(const SigmoidPairArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.n == 0) {
    for (const F32Out& out : {args.stats, args.gradLogTemperature, args.gradBias}) {
      if (!out) continue;
      const Status status = status_of(
          cudaMemsetAsync(out.data, 0, static_cast<std::size_t>(out.size) * sizeof(float), exec.stream));
      if (!status.ok()) return status;
    }
    return {};
  }
  return with_panel(args, exec, [&](auto panel) { return sigmoid_pair_with(args, exec, panel); });
}

}  // namespace sonotext::cuda
