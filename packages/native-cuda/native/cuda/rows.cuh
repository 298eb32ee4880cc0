// Reductions over the rows of a matrix: a warp takes a row.
#pragma once

#include "lanes.cuh"

namespace sonotext::cuda {

constexpr int kRowThreads = 256;

// The sum of one value of each lane of a warp, in an order that never changes; all get it.
template <class T>
__device__ T warp_sum(T value) {
  for (int half = kWarp / 2; half > 0; half /= 2) value += __shfl_xor_sync(0xffffffffu, value, half);
  return value;
}

template <int kWidth, class F>
__global__ void __launch_bounds__(kRowThreads) rows_kernel(F f, i64 rows) {
  const i64 row = static_cast<i64>(blockIdx.x) * (kRowThreads / kWarp) + threadIdx.x / kWarp;
  if (row < rows) f.template operator()<kWidth>(row, static_cast<int>(threadIdx.x) % kWarp);
}

// f.operator()<kWidth>(row, lane) by every lane of a row's warp.
template <int kWidth, class F>
Status for_rows(CudaExec& exec, i64 rows, F f) {
  constexpr i64 kEach = kRowThreads / kWarp;
  return launch(exec, rows_kernel<kWidth, F>, (rows + kEach - 1) / kEach, kRowThreads, f, rows);
}

// With a kWidth of 4 where the arrays allow it (in_fours), else 1.
template <class F>
Status for_rows(CudaExec& exec, i64 rows, bool fours, F f) {
  return fours ? for_rows<4>(exec, rows, f) : for_rows<1>(exec, rows, f);
}

// f(col) for every kWidth neighbouring columns of a lane.
template <int kWidth, class F>
__device__ void for_columns(i64 cols, int lane, F f) {
  for (i64 col = static_cast<i64>(lane) * kWidth; col < cols; col += kWarp * kWidth) f(col);
}

// Σ f(col) over a row; all lanes get it.
template <int kWidth, class T, class F>
__device__ T row_sum(i64 cols, int lane, F f) {
  T sum = 0;
  for_columns<kWidth>(cols, lane, [&](i64 col) { sum += f(col); });
  return warp_sum(sum);
}

}  // namespace sonotext::cuda
