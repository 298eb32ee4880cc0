// The scores are made in panels of rows that fit a byte budget, never all n×n: a first sweep takes the
// statistics of rows and columns, a second makes the scores again, turns them into their gradient in place
// and multiplies on. When one panel holds everything, the second product is saved.
#include <math_constants.h>

#include "../entries.hpp"
#include "../product.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kColumns = 32;  // columns of a block in the column sweep; kThreads / kColumns threads share one

// Cross-entropy of one anchor, over the candidates seen so far. `best` is the lowest index with the highest
// score.
struct Anchor {
  float max;           // of score / temperature
  float sum;           // Σ exp(score / temperature - max)
  float positive_sum;  // Σ of score / temperature over the positives
  int positives;
  int best;  // -1 before the first candidate
};

__device__ inline Anchor no_candidates() { return {-CUDART_INF_F, 0.0f, 0.0f, 0, -1}; }

__device__ inline void add_candidate(Anchor& anchor, float x, bool positive, int index) {
  if (anchor.best < 0) {
    anchor.max = x, anchor.sum = 1.0f, anchor.best = index;
  } else if (x > anchor.max) {
    anchor.sum = anchor.sum * expf(anchor.max - x) + 1.0f;
    anchor.max = x, anchor.best = index;
  } else {
    anchor.sum += expf(x - anchor.max);  // a NaN comes here and stays in the sum
  }
  if (positive) anchor.positive_sum += x, ++anchor.positives;
}

__device__ inline Anchor combine(const Anchor& a, const Anchor& b) {
  if (a.best < 0) return b;
  if (b.best < 0) return a;
  Anchor result = a.max > b.max || (a.max == b.max && a.best < b.best) ? a : b;
  result.sum = a.sum * expf(a.max - result.max) + b.sum * expf(b.max - result.max);
  result.positive_sum = a.positive_sum + b.positive_sum;
  result.positives = a.positives + b.positives;
  return result;
}

// The cells of a panel: rows first_row ... first_row + rows - 1 of the clip × caption matrix. A cell that was
// excluded holds -inf.
struct Panel {
  float* scores;  // [rows × n] cosines
  i64 first_row, rows, n;
  const std::int32_t* groups;
  const float* inverse;  // [1] 1 / temperature
  bool share;            // same-clip items are positives, else they are left out
};

enum class Role { left_out, negative, positive };

__device__ inline Role role_of(const Panel& panel, i64 i, i64 j, float score) {
  if (i == j) return Role::positive;
  if (score == -CUDART_INF_F) return Role::left_out;
  if (panel.groups[i] != panel.groups[j]) return Role::negative;
  return panel.share ? Role::positive : Role::left_out;
}

__global__ void inverse_temperature(const float* log_temperature, float* inverse) {
  *inverse = static_cast<float>(exp(-static_cast<double>(*log_temperature)));
}

// One block per row of the panel.
__global__ void exclude_cells(Panel panel, const std::int32_t* offsets, const std::int32_t* index) {
  const i64 i = panel.first_row + blockIdx.x;
  for (i64 e = offsets[i] + static_cast<i64>(threadIdx.x); e < offsets[i + 1]; e += blockDim.x) {
    if (index[e] != i) panel.scores[blockIdx.x * panel.n + index[e]] = -CUDART_INF_F;
  }
}

// One block per row of the panel.
__global__ void __launch_bounds__(kThreads) row_statistics(Panel panel, Anchor* anchors, float* diagonal) {
  const i64 i = panel.first_row + blockIdx.x;
  const float* scores = panel.scores + blockIdx.x * panel.n;
  const float inverse = *panel.inverse;
  Anchor own = no_candidates();
  for (i64 j = threadIdx.x; j < panel.n; j += kThreads) {
    const Role role = role_of(panel, i, j, scores[j]);
    if (role != Role::left_out)
      add_candidate(own, scores[j] * inverse, role == Role::positive, static_cast<int>(j));
  }
  const Anchor all = block_reduce<kThreads>(own, combine);
  if (threadIdx.x == 0) {
    anchors[i] = all;
    diagonal[i] = scores[i];
  }
}

// One block per kColumns columns; adds the panel's rows to what the panels above it gave.
__global__ void __launch_bounds__(kThreads) column_statistics(Panel panel, Anchor* anchors) {
  constexpr int kShares = kThreads / kColumns;
  __shared__ Anchor shares[kShares][kColumns];
  const int column = static_cast<int>(threadIdx.x) % kColumns,
            share = static_cast<int>(threadIdx.x) / kColumns;
  const i64 j = static_cast<i64>(blockIdx.x) * kColumns + column;
  const float inverse = *panel.inverse;
  Anchor own = no_candidates();
  if (j < panel.n) {
    for (i64 row = share; row < panel.rows; row += kShares) {
      const i64 i = panel.first_row + row;
      const float score = panel.scores[row * panel.n + j];
      const Role role = role_of(panel, i, j, score);
      if (role != Role::left_out)
        add_candidate(own, score * inverse, role == Role::positive, static_cast<int>(i));
    }
  }
  shares[share][column] = own;
  __syncthreads();
  if (share != 0 || j >= panel.n) return;
  Anchor all = panel.first_row > 0 ? anchors[j] : no_candidates();
  for (int s = 0; s < kShares; ++s) all = combine(all, shares[s][column]);
  anchors[j] = all;
}

__device__ inline float log_sum(const Anchor& anchor) { return anchor.max + logf(anchor.sum); }

// One block for the whole batch: loss, both accuracies, mean cosine of the pairs.
__global__ void __launch_bounds__(kThreads)
    summarise(const Anchor* rows, const Anchor* columns, const float* diagonal, const std::int32_t* groups,
              bool share, i64 n, float* stats) {
  double loss = 0.0, to_text = 0.0, to_audio = 0.0, cosine = 0.0;
  for (i64 i = threadIdx.x; i < n; i += kThreads) {
    const Anchor row = rows[i], column = columns[i];
    loss += static_cast<double>(log_sum(row)) - row.positive_sum / row.positives;
    loss += static_cast<double>(log_sum(column)) - column.positive_sum / column.positives;
    to_text += row.best == i || (share && groups[row.best] == groups[i]);
    to_audio += column.best == i || (share && groups[column.best] == groups[i]);
    cosine += diagonal[i];
  }
  const auto add = [](double a, double b) { return a + b; };
  loss = block_reduce<kThreads>(loss, add);
  to_text = block_reduce<kThreads>(to_text, add);
  to_audio = block_reduce<kThreads>(to_audio, add);
  cosine = block_reduce<kThreads>(cosine, add);
  if (threadIdx.x != 0) return;
  const double count = n > 0 ? static_cast<double>(n) : 1.0;
  stats[0] = static_cast<float>(loss / count);
  stats[1] = static_cast<float>(to_text / count);
  stats[2] = static_cast<float>(to_audio / count);
  stats[3] = static_cast<float>(cosine / count);
}

// One block per row of the panel: scores become d loss / d cosine; temperature[i] = -Σ_j of it times the
// cosine.
__global__ void __launch_bounds__(kThreads)
    score_gradients(Panel panel, const Anchor* rows, const Anchor* columns, double* temperature) {
  const i64 i = panel.first_row + blockIdx.x;
  float* scores = panel.scores + blockIdx.x * panel.n;
  const float inverse = *panel.inverse, each = inverse / static_cast<float>(panel.n);
  const float row_log_sum = log_sum(rows[i]), row_target = 1.0f / static_cast<float>(rows[i].positives);
  double product = 0.0;
  for (i64 j = threadIdx.x; j < panel.n; j += kThreads) {
    const float score = scores[j], x = score * inverse;
    const Role role = role_of(panel, i, j, score);
    float gradient = 0.0f;
    if (role != Role::left_out) {
      gradient = expf(x - row_log_sum) + expf(x - log_sum(columns[j]));
      if (role == Role::positive) gradient -= row_target + 1.0f / static_cast<float>(columns[j].positives);
      gradient *= each;
      product -= static_cast<double>(gradient) * score;
    }
    scores[j] = gradient;
  }
  product = block_reduce<kThreads>(product, [](double a, double b) { return a + b; });
  if (threadIdx.x == 0) temperature[i] = product;
}

__global__ void __launch_bounds__(kThreads) add_all(const double* values, i64 count, float* sum) {
  double own = 0.0;
  for (i64 i = threadIdx.x; i < count; i += kThreads) own += values[i];
  own = block_reduce<kThreads>(own, [](double a, double b) { return a + b; });
  if (threadIdx.x == 0) *sum = static_cast<float>(own);
}

// The batch on the device, and the sweeps over its panels.
struct Sweeps {
  const InfoNceArgs& args;
  CudaExec& exec;
  Panel panel;
  const std::int32_t* exclude_offsets;
  const std::int32_t* exclude_index;
  Anchor* rows;
  Anchor* columns;
  float* diagonal;
  double* temperature;

  Status scores(i64 first_row, i64 rows_here) {
    panel.first_row = first_row, panel.rows = rows_here;
    const Operand<true> audio{args.audio.data + first_row * args.d, rows_here, args.d, 0};
    const Operand<true> text{args.text.data, args.n, args.d, 0};
    Status status = product(exec, audio, text, Result{panel.scores, rows_here, args.n}, args.d, 1);
    if (status.ok() && exclude_offsets != nullptr) {
      status = launch(exec, exclude_cells, rows_here, kThreads, panel, exclude_offsets, exclude_index);
    }
    return status;
  }

  Status statistics() {
    Status status = launch(exec, row_statistics, panel.rows, kThreads, panel, rows, diagonal);
    if (!status.ok()) return status;
    return launch(exec, column_statistics, (args.n + kColumns - 1) / kColumns, kThreads, panel, columns);
  }

  // gradAudio of the panel's rows, and their share of gradText.
  Status gradients() {
    Status status = launch(exec, score_gradients, panel.rows, kThreads, panel, rows, columns, temperature);
    if (!status.ok()) return status;
    const i64 first = panel.first_row;
    const Operand<true> by_row{panel.scores, panel.rows, args.n, 0};
    const Operand<false> text{args.text.data, args.d, args.d, 0};
    status = product(exec, by_row, text, Result{args.gradAudio.data + first * args.d, panel.rows, args.d},
                     args.n, 1);
    if (!status.ok()) return status;
    const Operand<false> by_column{panel.scores, args.n, args.n, 0};
    const Operand<false> audio{args.audio.data + first * args.d, args.d, args.d, 0};
    Result text_gradient{args.gradText.data, args.n, args.d};
    text_gradient.beta = first > 0 ? 1.0f : 0.0f;
    return product(exec, by_column, audio, text_gradient, panel.rows, 1);
  }
};

// Memory stays O(n·d): the device's workspace, or as much as the embeddings where those are larger, and whole
// tiles.
i64 panel_rows(const InfoNceArgs& args, const CudaExec& exec) {
  const i64 row_bytes = args.n * static_cast<i64>(sizeof(float));
  const i64 embeddings = args.d * row_bytes;
  const i64 budget = embeddings > exec.workspace ? embeddings : exec.workspace;
  if (row_bytes == 0 || budget / row_bytes >= args.n) return args.n;
  const i64 tiles = budget / row_bytes / 64;
  return tiles > 1 ? tiles * 64 : 64;
}

}  // namespace

Status info_nce(const InfoNceArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const i64 rows_each = panel_rows(args, exec);
  float* inverse = exec.array<float>(1);
  Sweeps sweeps{args,
                exec,
                {},
                nullptr,
                nullptr,
                exec.array<Anchor>(args.n),
                exec.array<Anchor>(args.n),
                exec.array<float>(args.n),
                exec.array<double>(args.n)};
  Panel& panel = sweeps.panel;
  panel.scores = exec.array<float>(rows_each * args.n);
  panel.n = args.n;
  panel.groups = exec.constant(args.groups.data, args.n);
  panel.inverse = inverse;
  panel.share = args.positives == 1;
  bool enough = inverse && sweeps.rows && sweeps.columns && sweeps.diagonal && sweeps.temperature &&
                panel.scores && panel.groups;
  if (args.excludeOffsets) {
    sweeps.exclude_offsets = exec.constant(args.excludeOffsets.data, args.n + 1);
    sweeps.exclude_index = exec.constant(args.excludeIndex.data, args.excludeIndex.size);
    enough = enough && sweeps.exclude_offsets && sweeps.exclude_index;
  }
  if (!enough) return out_of_device_memory();

  Status status = launch(exec, inverse_temperature, 1, 1, args.logTemperature.data, inverse);
  for (i64 first = 0; status.ok() && first < args.n; first += rows_each) {
    if (exec.cancelled()) return {};
    status = sweeps.scores(first, args.n - first < rows_each ? args.n - first : rows_each);
    if (status.ok()) status = sweeps.statistics();
  }
  if (status.ok()) {
    status = launch(exec, summarise, 1, kThreads, sweeps.rows, sweeps.columns, sweeps.diagonal, panel.groups,
                    panel.share, args.n, args.stats.data);
  }
  for (i64 first = 0; status.ok() && first < args.n; first += rows_each) {
    if (exec.cancelled()) return {};
    if (rows_each < args.n)
      status = sweeps.scores(first, args.n - first < rows_each ? args.n - first : rows_each);
    if (status.ok()) status = sweeps.gradients();
  }
  if (status.ok() && args.gradLogTemperature) {
    status = launch(exec, add_all, 1, kThreads, sweeps.temperature, args.n, args.gradLogTemperature.data);
  }
  return status;
}

}  // namespace sonotext::cuda
