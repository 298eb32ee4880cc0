// Starts a kernel. A function instead of <<<…>>>, so that the sources are also plain C++ for the emulated
// build.
#pragma once

#include <cuda_runtime.h>

#include "exec.hpp"

namespace sonotext::cuda {

template <class... Parameters, class... Arguments>
Status launch(CudaExec& exec, void (*kernel)(Parameters...), std::int64_t blocks, int threads,
              Arguments... arguments) {
  if (blocks <= 0) return {};
  if (blocks > INT32_MAX) return Status::unsupported("more blocks than a CUDA grid has");
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(blocks), 1, 1);
  config.blockDim = dim3(static_cast<unsigned>(threads), 1, 1);
  config.stream = exec.stream;
  return status_of(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...));
}

constexpr int kWarp = 32;

// Combines one value of each thread of a block of kThreads threads, in an order that never changes; every
// thread gets the result. `combine` must not care about the order of its operands' lanes beyond that.
template <int kThreads, class T, class Combine>
__device__ T block_reduce(T value, Combine combine) {
  __shared__ T values[kThreads];
  __syncthreads();  // the array may still be in use by a reduction before this one
  values[threadIdx.x] = value;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (static_cast<int>(threadIdx.x) < half) {
      values[threadIdx.x] = combine(values[threadIdx.x], values[threadIdx.x + half]);
    }
    __syncthreads();
  }
  return values[0];
}

}  // namespace sonotext::cuda
