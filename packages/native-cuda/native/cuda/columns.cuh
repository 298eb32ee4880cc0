// Reductions down the columns of matrices [rows × cols]: neighbouring threads take neighbouring columns, and
// the rows of a piece are shared between the threads of a block.
#pragma once

#include "lanes.cuh"

namespace sonotext::cuda {

constexpr int kColumnThreads = 256;

// One block reduces `lanes` units of kWidth columns of one piece.
template <int kWidth, class F>
__global__ void __launch_bounds__(kColumnThreads)
    columns_kernel(F f, i64 units, int lanes, i64 column_blocks) {
  using Sum = typename F::Sum;
  __shared__ Sum sums[kWidth][kColumnThreads];
  const int thread = static_cast<int>(threadIdx.x), shares = kColumnThreads / lanes;
  const int lane = thread % lanes, share = thread / lanes;
  const i64 piece = blockIdx.x / column_blocks, unit = blockIdx.x % column_blocks * lanes + lane;
  const bool works = share < shares && unit < units;
  Sum own[kWidth];
  if (works) f.template gather<kWidth>(piece, share, shares, unit * kWidth, own);
  int half = 1;
  while (2 * half < shares) half *= 2;
  for (int k = 0; works && k < kWidth; ++k) sums[k][thread] = own[k];
  for (; shares > 1 && half > 0; half /= 2) {
    __syncthreads();
    if (!works || share >= half || share + half >= shares) continue;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      sums[k][thread] = F::combine(sums[k][thread], sums[k][thread + half * lanes]);
    }
  }
  if (!works || share != 0) return;
  for (int k = 0; k < kWidth; ++k) f.put(piece, unit * kWidth + k, sums[k][thread]);
}

// For every piece and column: f.gather<kWidth>(piece, share, shares, col, own) makes one Sum for each of
// kWidth neighbouring columns from rows share, share + shares, … of the piece, F::combine adds two of them up
// in an order that never changes, f.put(piece, col, sum) takes the result. A block has at most most_lanes × 4
// columns: few leave more shares.
template <class F>
Status reduce_columns(CudaExec& exec, i64 pieces, i64 cols, bool fours, int most_lanes, F f) {
  const i64 units = fours ? cols / 4 : cols;
  const int lanes = static_cast<int>(units < most_lanes ? units : most_lanes);
  if (units == 0 || pieces == 0) return {};
  const i64 column_blocks = (units + lanes - 1) / lanes;
  return fours ? launch(exec, columns_kernel<4, F>, pieces * column_blocks, kColumnThreads, f, units, lanes,
                        column_blocks)
               : launch(exec, columns_kernel<1, F>, pieces * column_blocks, kColumnThreads, f, units, lanes,
                        column_blocks);
}

}  // namespace sonotext::cuda
