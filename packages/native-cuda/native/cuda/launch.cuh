// Starts a kernel. A function instead of <<<…>>>, so that the sources are also plain C++ for the emulated
// build.
#pragma once

#include <cuda_runtime.h>

#include <type_traits>

#include "exec.hpp"

namespace sonotext::cuda {

// `shared_bytes` is dynamic shared memory, which the kernel finds by SONOTEXT_DYNAMIC_SHARED.
template <class... Parameters, class... Arguments>
Status launch_with_shared(CudaExec& exec, void (*kernel)(Parameters...), std::int64_t blocks, int threads,
                          std::int64_t shared_bytes, Arguments... arguments) {
  if (blocks <= 0) return {};
  if (blocks > INT32_MAX) return Status::unsupported("more blocks than a CUDA grid has");
  constexpr std::int64_t kWithoutAsking = 48 << 10;
  if (shared_bytes > kWithoutAsking) {
    // As much as the kernel can have, not what this launch takes: others of it wait in a list, or come from another device.
    cudaFuncAttributes own = {};
    cudaError_t error = cudaFuncGetAttributes(&own, kernel);
    const std::int64_t most = exec.shared_memory - static_cast<std::int64_t>(own.sharedSizeBytes);
    if (error == cudaSuccess && shared_bytes > most) {
      return Status::unsupported("more shared memory than a block of this GPU has");
    }
    if (error == cudaSuccess) {
      error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(most));
    }
    if (error != cudaSuccess) return status_of(error);
  }
#ifndef __CUDACC__
  emulation::know(kernel);  // it is started by its address, as on a GPU
#endif
  return [&](Parameters... values) {
    static_assert((std::is_trivially_copyable_v<Parameters> && ...));  // they may wait as bytes
    void* pointers[] = {&values...};
    constexpr std::size_t sizes[] = {sizeof(Parameters)...};
    return status_of(exec.stream.launch(reinterpret_cast<const void*>(kernel), blocks, threads, shared_bytes,
                                        pointers, sizes, sizeof...(Parameters)));
  }(static_cast<Parameters>(arguments)...);
}

template <class... Parameters, class... Arguments>
Status launch(CudaExec& exec, void (*kernel)(Parameters...), std::int64_t blocks, int threads,
              Arguments... arguments) {
  return launch_with_shared(exec, kernel, blocks, threads, 0, arguments...);
}

// T* name, the dynamic shared memory of the block.
#ifdef __CUDACC__
#define SONOTEXT_DYNAMIC_SHARED(T, name)                            \
  extern __shared__ __align__(128) unsigned char sonotext_shared[]; \
  T* const name = reinterpret_cast<T*>(sonotext_shared)
#else
#define SONOTEXT_DYNAMIC_SHARED(T, name) T* const name = static_cast<T*>(emulation::dynamic_shared())
#endif

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
