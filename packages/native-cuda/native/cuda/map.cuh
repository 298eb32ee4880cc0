// Kernels under the ops whose outputs each come from a few inputs: map() for those that depend on nothing but
// the elements at the same place, map_rows() for those that need to know the row and the column.
#pragma once

#include "lanes.cuh"

namespace sonotext::cuda {

constexpr int kMapThreads = 256;

// The arrays of a map, with the four elements of one thread. What is read is held before anything is written,
// so that an output may be an input.
struct Input {
  const float* data;
  Lanes<4> held;
  __device__ void take(i64 first, i64 count, bool whole) {
    if (whole) {
      held = load<4>(data + first);
    } else {
      for (int k = 0; k < 4; ++k) held.v[k] = first + k < count ? data[first + k] : 0.0f;
    }
  }
  __device__ void give(i64, i64, bool) const {}
};

struct Output {
  float* data;
  Lanes<4> held;
  __device__ void take(i64, i64, bool) { held = zeros<4>(); }
  __device__ void give(i64 first, i64 count, bool whole) const {
    if (whole) {
      store<4>(data + first, held);
    } else {
      for (int k = 0; k < 4; ++k) {
        if (first + k < count) data[first + k] = held.v[k];
      }
    }
  }
};

struct InOut {
  float* data;
  Lanes<4> held;
  __device__ void take(i64 first, i64 count, bool whole) {
    Input input{data, {}};
    input.take(first, count, whole);
    held = input.held;
  }
  __device__ void give(i64 first, i64 count, bool whole) const {
    Output{data, held}.give(first, count, whole);
  }
};

inline Input read(F32In view) { return {view.data, {}}; }
inline Output written(F32Out view) { return {view.data, {}}; }
inline InOut updated(F32Out view) { return {view.data, {}}; }

template <class F, class... Arrays>
__global__ void __launch_bounds__(kMapThreads) map_kernel(F f, i64 count, bool vectors, Arrays... arrays) {
  const i64 first = 4 * (static_cast<i64>(blockIdx.x) * kMapThreads + threadIdx.x);
  if (first >= count) return;
  const bool whole = vectors && first + 4 <= count;
  (..., arrays.take(first, count, whole));
  f(first, arrays.held.v...);
  (..., arrays.give(first, count, whole));
}

// f(first, four values of each array): elements first ... first + 3, those past the end are ignored.
template <class F, class... Arrays>
Status map_fours(CudaExec& exec, i64 count, F f, Arrays... arrays) {
  constexpr i64 kEach = 4 * kMapThreads;
  return launch(exec, map_kernel<F, Arrays...>, (count + kEach - 1) / kEach, kMapThreads, f, count,
                in_fours(0, arrays.data...), arrays...);
}

template <class F>
struct PerElement {
  F f;
  template <class... Values>
  __device__ void operator()(i64, Values&... values) const {
#pragma unroll
    for (int k = 0; k < 4; ++k) f(values[k]...);
  }
};

// f(an element of each array).
template <class F, class... Arrays>
Status map(CudaExec& exec, i64 count, F f, Arrays... arrays) {
  return map_fours(exec, count, PerElement<F>{f}, arrays...);
}

template <int kWidth, class F>
__global__ void __launch_bounds__(kMapThreads) map_rows_kernel(F f, i64 rows, i64 units) {
  const i64 index = static_cast<i64>(blockIdx.x) * kMapThreads + threadIdx.x;
  if (index >= rows * units) return;
  const i64 row = quotient(index, units);
  f.template operator()<kWidth>(row, (index - row * units) * kWidth);
}

// f.operator()<kWidth>(row, col) for every kWidth neighbouring columns of [rows × cols]: 4 of them where the
// arrays allow it (in_fours), else 1.
template <class F>
Status map_rows(CudaExec& exec, i64 rows, i64 cols, bool fours, F f) {
  const i64 units = fours ? cols / 4 : cols, blocks = (rows * units + kMapThreads - 1) / kMapThreads;
  return fours ? launch(exec, map_rows_kernel<4, F>, blocks, kMapThreads, f, rows, units)
               : launch(exec, map_rows_kernel<1, F>, blocks, kMapThreads, f, rows, units);
}

}  // namespace sonotext::cuda
