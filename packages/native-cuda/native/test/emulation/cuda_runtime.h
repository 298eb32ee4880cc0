// Stands in for CUDA's header of this name when the .cu files are compiled as plain C++: what our sources use
// of CUDA, on the CPU. One GPU thread is one fiber; a block's fibers take turns, in a different order each
// time, and switch at barriers. So a wrong index, a missing or divergent barrier and an unwritten result show
// without a GPU. Slow by design.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct __align__(16) float4 {
  float x, y, z, w;
};
struct __align__(8) float2 {
  float x, y;
};
struct __align__(8) uint2 {
  unsigned x, y;
};
struct __align__(16) uint4 {
  unsigned x, y, z, w;
};
struct __align__(16) double2 {
  double x, y;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline double2 make_double2(double x, double y) { return {x, y}; }
inline void sincospi(double x, double* sine, double* cosine) {
  *sine = std::sin(M_PI * x), *cosine = std::cos(M_PI * x);
}

inline std::uint32_t __float_as_uint(float x) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<std::uint64_t>(a) * b >> 32);
}

// Fibers take turns only where they wait.
template <class T>
T atomicMin(T* at, T value) {
  const T old = *at;
  return *at = value < old ? value : old, old;
}
template <class T>
T atomicAdd(T* at, T value) {
  const T old = *at;
  return *at = old + value, old;
}
template <class T>
T atomicOr(T* at, T value) {
  const T old = *at;
  return *at = old | value, old;
}
inline unsigned atomicInc(unsigned* at, unsigned last) {
  const unsigned old = *at;
  *at = old >= last ? 0 : old + 1;
  return old;
}
inline void __threadfence() {}

// Of the fiber that runs now.
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

void __syncthreads();
int __syncthreads_or(int own);

namespace emulation {
// Shows the warp up to 128 bytes; shown_by() is then what a lane has shown, until the thread's next call.
void show(const void* value, std::size_t bytes);
const void* shown_by(int lane);
// of(lane) of what it returns: the value of that lane.
template <class T>
auto shown(const T& own) {
  static_assert(sizeof(T) <= 128);
  show(&own, sizeof own);
  return [](int lane) -> const T& { return *static_cast<const T*>(shown_by(lane)); };
}
void run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& kernel);
// How a kernel is called by its address alone, as CUDA does.
struct Known {
  std::vector<std::size_t> sizes;  // of its arguments
  std::function<void(void** arguments)> call;
};
void know(const void* kernel, Known (*make)(const void* kernel));
template <class... Parameters>
void know(void (*kernel)(Parameters...)) {
  know(reinterpret_cast<const void*>(kernel), [](const void* address) {
    const auto own = reinterpret_cast<void (*)(Parameters...)>(const_cast<void*>(address));
    return Known{{sizeof(Parameters)...}, [own](void** arguments) {
                   [&]<std::size_t... i>(std::index_sequence<i...>) {
                     own(*static_cast<Parameters*>(arguments[i])...);
                   }(std::index_sequence_for<Parameters...>{});
                 }};
  });
}
// How much dynamic shared memory launches of a kernel may take from here on.
void allow_shared(const void* kernel, std::size_t bytes);
// For tests: bytes of device memory.
std::size_t memory_in_use();
// For tests: no more of it than so many bytes besides what is in use now; SIZE_MAX ends that.
void limit_memory(std::size_t more);
// For tests: of the launches to come, a graph being one, some go and then some fail, doing nothing.
void fail_launches(int after, int count);
// Of the block that runs now: as many bytes as its launch asked for, and a guard behind them.
void* dynamic_shared();
// Copies that are made when the thread waits for them: until then their target holds NaN.
void copy_async(void* to, const void* from, int bytes, int have);
void commit_copies();
void wait_for_copies(int newest);
// 90, or what SONOTEXT_EMULATED_CAPABILITY says: "8.0". What a kernel needs fails below that.
int capability();
void needs_capability(int least);
}  // namespace emulation

template <class T>
T __shfl_sync(unsigned, T value, int lane) {
  return emulation::shown(value)(lane);
}
template <class T>
T __shfl_xor_sync(unsigned warp, T value, int mask) {
  return __shfl_sync(warp, value, static_cast<int>(threadIdx.x % 32) ^ mask);
}
inline float __expf(float x) { return std::exp(x); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdividef(float a, float b) { return a / b; }
inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline void __syncwarp(unsigned = 0xffffffffu) { emulation::show(nullptr, 0); }

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorLaunchFailure = 719,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaDeviceAttr { cudaDevAttrMemoryPoolsSupported };
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold };
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2;
constexpr int CUDART_VERSION = 1;
using cudaStream_t = struct CUstream_st*;
using cudaMemPool_t = struct CUmemPool_st*;
using cudaEvent_t = struct CUevent_st*;
struct cudaDeviceProp {
  char name[64];
  std::size_t totalGlobalMem;
  int major, minor, multiProcessorCount;
  std::size_t sharedMemPerBlockOptin;
};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  std::size_t dynamicSmemBytes;
  cudaStream_t stream;
};

// New memory holds NaN; writes past its ends are found when it is freed. What was freed lately holds NaN too,
// and a write into it is found.
cudaError_t cudaMallocAsync(void** data, std::size_t bytes, cudaStream_t);
cudaError_t cudaFreeAsync(void* data, cudaStream_t);

inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                                   cudaStream_t) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t) {
  std::memset(to, value, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline const char* cudaGetErrorString(cudaError_t) { return "an emulated error"; }
// SONOTEXT_EMULATED_GPUS: how many there are.
inline cudaError_t cudaGetDeviceCount(int* count) {
  const char* set = std::getenv("SONOTEXT_EMULATED_GPUS");
  return *count = set != nullptr ? std::atoi(set) : 1, cudaSuccess;
}
inline thread_local int emulated_device = 0;
inline cudaError_t cudaSetDevice(int device) { return emulated_device = device, cudaSuccess; }
inline cudaError_t cudaGetDevice(int* device) { return *device = emulated_device, cudaSuccess; }
inline cudaError_t cudaDeviceGetPCIBusId(char* text, int size, int device) {
  return std::snprintf(text, static_cast<std::size_t>(size), "emulated:%d", device), cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return *stream = nullptr, cudaSuccess;
}
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return *event = nullptr, cudaSuccess;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }
inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
inline cudaError_t cudaMallocHost(void** data, std::size_t bytes) {
  *data = std::malloc(bytes);
  return *data != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaFreeHost(void* data) { return std::free(data), cudaSuccess; }
struct cudaFuncAttributes {
  std::size_t sharedSizeBytes;
};
template <class T>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, T*) {
  return *attributes = {0}, cudaSuccess;
}
template <class T>
cudaError_t cudaFuncSetAttribute(T* kernel, int, int bytes) {
  return emulation::allow_shared(reinterpret_cast<const void*>(kernel), static_cast<std::size_t>(bytes)), cudaSuccess;
}
constexpr int cudaFuncAttributeMaxDynamicSharedMemorySize = 8;
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) { return *value = 1, cudaSuccess; }
inline cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
  return *pool = nullptr, cudaSuccess;
}
inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
// So small that ops must work in parts.
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  const int capability = emulation::capability();
  const int shared = capability / 10 == 9 ? 227 << 10 : 163 << 10;  // as Hopper's and Ampere's
  *properties = {"emulated GPU", 4 << 20, capability / 10, capability % 10, 4, static_cast<std::size_t>(shared)};
  return cudaSuccess;
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel, void** arguments);

// Graphs of kernels. Those that do not wait for each other run in any order.
using cudaGraph_t = struct CUgraph_st*;
using cudaGraphNode_t = struct CUgraphNode_st*;
using cudaGraphExec_t = struct CUgraphExec_st*;
struct cudaKernelNodeParams {
  void* func;
  dim3 gridDim, blockDim;
  unsigned sharedMemBytes;
  void** kernelParams;
  void** extra;
};
cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned);
cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* before,
                                   std::size_t count, const cudaKernelNodeParams* params);
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long);
cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* params);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
