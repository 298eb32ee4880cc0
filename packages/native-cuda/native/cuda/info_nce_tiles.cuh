// What info_nce makes of a tile of cosines while it is in registers: sums of exponentials of its rows and
// columns, and later its gradients. The n×n cosines are never in memory.
//
// Scores are cosine / temperature · log2(e), so that an exponential is one exp2.
#pragma once

#include <cfloat>
#include <type_traits>

#include "score_panels.cuh"

namespace sonotext::cuda {

// Σ 2^(score - most) over the scores of a row or column seen so far. The sum is a NaN when a score is; `most`
// is finite from the start, so that cells that are left out (-∞) add nothing.
struct ExponentialSum {
  float most, sum;
};

__device__ inline ExponentialSum nothing() { return {-FLT_MAX, 0.0f}; }

__device__ inline ExponentialSum together(const ExponentialSum& a, const ExponentialSum& b) {
  const float most = fmaxf(a.most, b.most), factor = exp2f(fminf(a.most, b.most) - most);
  return {most, a.most < b.most ? fmaf(a.sum, factor, b.sum) : fmaf(b.sum, factor, a.sum)};
}

constexpr float kLog2E = 1.44269504088896f;

// First sweep. Each tile gives a part of the sum of its rows and of its columns; add_sums() of info_nce.cu
// combines them.
template <class TileT>
struct SumExponentials {
  Pairs pairs;
  ExponentialSum* row_parts;     // [tile columns · kWarpsAcross × pairs.rows]
  ExponentialSum* column_parts;  // [tile rows × n]

  struct Exchange {
    int groups[TileT::kCols];
    ExponentialSum columns[TileT::kWarpsDown][TileT::kCols];
  };
  static constexpr int kExchangeBytes = sizeof(Exchange);

  __device__ void operator()(typename TileT::Sums& scores, i64, i64 first_row, i64 first_col,
                             void* shared) const {
    Exchange& exchange = *static_cast<Exchange*>(shared);
    constexpr int kSharers = TileT::kWarpsDown * TileT::kWarpsAcross * kWarp;
    const int thread = static_cast<int>(threadIdx.x), warp = thread / kWarp;
    const int row_end = pairs.rows - static_cast<int>(first_row),
              col_end = pairs.n - static_cast<int>(first_col);
    for (int col = thread; col < TileT::kCols; col += kSharers)
      exchange.groups[col] = col < col_end ? pairs.groups[first_col + col] : 0;
    TileT::barrier();
    const float scale = *pairs.inverse * kLog2E;
#pragma unroll
    for (int i = 0; i < TileT::kOwnRows; ++i) {
      const int row = TileT::row(i), at = pairs.first_row + static_cast<int>(first_row) + row;
      const int group = row < row_end ? pairs.groups[at] : 0;
      ExponentialSum all = nothing();
#pragma unroll
      for (int j = 0; j < TileT::kOwnCols; ++j) {
        const int col = TileT::col(j);
        float& score = TileT::at(scores, i, j);
        score *= scale;
        if (row >= row_end || col >= col_end ||
            pairs.left_out(at, static_cast<int>(first_col) + col, group, exchange.groups[col])) {
          score = -INFINITY;
        }
        all.most = fmaxf(all.most, score);
      }
#pragma unroll
      for (int j = 0; j < TileT::kOwnCols; ++j) all.sum += exp2f(TileT::at(scores, i, j) - all.most);
#pragma unroll
      for (int mask = 1; mask < 4; mask *= 2) {
        const ExponentialSum other{__shfl_xor_sync(0xffffffffu, all.most, mask),
                                   __shfl_xor_sync(0xffffffffu, all.sum, mask)};
        all = together(all, other);
      }
      if (thread % 4 == 0 && row < row_end) {
        const i64 part = first_col / TileT::kCols * TileT::kWarpsAcross + warp % TileT::kWarpsAcross;
        row_parts[part * pairs.rows + first_row + row] = all;
      }
    }
    // Eight columns at a time, one of which each of the eight lanes that share them has in the end.
#pragma unroll
    for (int first = 0; first < TileT::kOwnCols; first += 8) {
      ExponentialSum own[8];
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        own[j] = nothing();
#pragma unroll
        for (int i = 0; i < TileT::kOwnRows; ++i)
          own[j].most = fmaxf(own[j].most, TileT::at(scores, i, first + j));
#pragma unroll
        for (int i = 0; i < TileT::kOwnRows; ++i)
          own[j].sum += exp2f(TileT::at(scores, i, first + j) - own[j].most);
      }
#pragma unroll
      for (int half = 4; half > 0; half /= 2) {
        const bool upper = (thread & half * 4) != 0;
#pragma unroll
        for (int j = 0; j < half; ++j) {
          const ExponentialSum kept = upper ? own[j + half] : own[j], given = upper ? own[j] : own[j + half];
          const ExponentialSum other{__shfl_xor_sync(0xffffffffu, given.most, half * 4),
                                     __shfl_xor_sync(0xffffffffu, given.sum, half * 4)};
          own[j] = together(kept, other);
        }
      }
      exchange.columns[warp / TileT::kWarpsAcross][TileT::col(first + thread % kWarp / 4)] = own[0];
    }
    TileT::barrier();
    for (int col = thread; col < TileT::kCols && col < col_end; col += kSharers) {
      ExponentialSum all = exchange.columns[0][col];
#pragma unroll
      for (int w = 1; w < TileT::kWarpsDown; ++w) all = together(all, exchange.columns[w][col]);
      column_parts[first_row / TileT::kRows * pairs.n + first_col + col] = all;
    }
    TileT::barrier();  // before the next tile's
  }
};

// Of a row or column after the first sweep.
struct Anchor {
  float log_sum;  // log2 Σ 2^score
  float most;
  float share;  // 1 / number of positives
  int group;
};

// With the mass of its targets, and what the weights of its soft ones are multiplied by.
struct SoftAnchor : Anchor {
  float mass, weight;
};

struct TileTotals {
  double temperature;  // -Σ gradient · cosine
  double targets;  // Σ of the positives' scores, each by its share of its row's and of its column's positives
};

// Second sweep: d loss / d cosine, handed on to `sink`; and what the statistics need. The best of an anchor
// is the first of those that reach its maximum.
template <class TileT, class Sink, class AnchorT>
struct ScoreGradients {
  static constexpr bool kSoft = std::is_same_v<AnchorT, SoftAnchor>;
  Pairs pairs;
  const float* weights;  // [pairs.rows × n] of soft targets, 0 where a pair is left out; or none
  const AnchorT* rows;
  const AnchorT* columns;
  int* best_of_rows;     // [n] INT_MAX before
  int* best_of_columns;  // [n]
  float* diagonal;       // [n] cosines of the pairs
  TileTotals* totals;    // [tiles]
  i64 tile_cols;
  Sink sink;

  struct Exchange {
    AnchorT columns[TileT::kCols];
    TileTotals totals[TileT::kWarpsDown * TileT::kWarpsAcross];
  };
  static constexpr int kExchangeBytes = sizeof(Exchange) + Sink::kExchangeBytes;

  __device__ void operator()(typename TileT::Sums& cells, i64, i64 first_row, i64 first_col,
                             void* shared) const {
    Exchange& exchange = *static_cast<Exchange*>(shared);
    constexpr int kWarps = TileT::kWarpsDown * TileT::kWarpsAcross;
    const int thread = static_cast<int>(threadIdx.x), warp = thread / kWarp;
    const int row_end = pairs.rows - static_cast<int>(first_row),
              col_end = pairs.n - static_cast<int>(first_col);
    for (int col = thread; col < TileT::kCols; col += kWarps * kWarp)
      exchange.columns[col] = col < col_end ? columns[first_col + col] : AnchorT{};
    TileT::barrier();
    const float inverse = *pairs.inverse, scale = inverse * kLog2E,
                each = inverse / static_cast<float>(pairs.n);
    float temperature = 0.0f, targets = 0.0f;
#pragma unroll
    for (int i = 0; i < TileT::kOwnRows; ++i) {
      const int row = TileT::row(i), at_row = pairs.first_row + static_cast<int>(first_row) + row;
      const AnchorT anchor = row < row_end ? rows[at_row] : AnchorT{};
      // Bit j: the cell is the best of its row, of its column. Few are: they are told after the loop.
      std::uint64_t best_of_row = 0, best_of_column = 0;
#pragma unroll
      for (int j = 0; j < TileT::kOwnCols; ++j) {
        // No more columns than these are read ahead: the sums leave few registers.
        if (j % 4 == 0) asm volatile("" ::: "memory");
        const int col = TileT::col(j), at_col = static_cast<int>(first_col) + col;
        const AnchorT other = exchange.columns[col];
        float& cell = TileT::at(cells, i, j);
        const float cosine = cell, score = cosine * scale;
        const bool counts =
            row < row_end && col < col_end && !pairs.left_out(at_row, at_col, anchor.group, other.group);
        const bool positive = counts && anchor.group == other.group;  // what is left of a group
        float share = positive ? anchor.share + other.share : 0.0f;
        float to_text = exp2f(score - anchor.log_sum), to_audio = exp2f(score - other.log_sum);
        if constexpr (kSoft) {
          to_text *= anchor.mass, to_audio *= other.mass;
          if (counts && weights != nullptr)
            share = fmaf(weights[(first_row + row) * pairs.n + at_col], anchor.weight + other.weight, share);
        }
        const float gradient = counts ? each * (to_text + to_audio - share) : 0.0f;
        targets = fmaf((kSoft ? counts : positive) ? cosine * inverse : 0.0f, share, targets);
        temperature = counts ? fmaf(-gradient, cosine, temperature) : temperature;
        if (at_row == at_col && counts) diagonal[at_row] = cosine;
        best_of_row |= static_cast<std::uint64_t>(counts && score == anchor.most) << j;
        best_of_column |= static_cast<std::uint64_t>(counts && score == other.most) << j;
        cell = gradient;
      }
      for (int j = 0; (best_of_row | best_of_column) >> j != 0; ++j) {
        const int at_col = static_cast<int>(first_col) + TileT::col(j);
        if ((best_of_row >> j & 1) != 0) atomicMin(best_of_rows + at_row, at_col);
        if ((best_of_column >> j & 1) != 0) atomicMin(best_of_columns + at_col, at_row);
        if (j == TileT::kOwnCols - 1) break;
      }
    }
    sink(cells, first_row, first_col, &exchange + 1);
    double sum_temperature = temperature, sum_targets = targets;
    for (int mask = kWarp / 2; mask > 0; mask /= 2) {
      sum_temperature += __shfl_xor_sync(0xffffffffu, sum_temperature, mask);
      sum_targets += __shfl_xor_sync(0xffffffffu, sum_targets, mask);
    }
    if (thread % kWarp == 0) exchange.totals[warp] = {sum_temperature, sum_targets};
    TileT::barrier();
    if (thread == 0) {
      TileTotals all = exchange.totals[0];
      for (int w = 1; w < kWarps; ++w) {
        all.temperature += exchange.totals[w].temperature;
        all.targets += exchange.totals[w].targets;
      }
      totals[first_row / TileT::kRows * tile_cols + first_col / TileT::kCols] = all;
    }
    TileT::barrier();  // before the next tile's
  }
};

}  // namespace sonotext::cuda
