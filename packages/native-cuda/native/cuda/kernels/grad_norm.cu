#include "../entries.hpp"
#include "../lanes.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kThreads = 256;
constexpr i64 kMostPieces = 1024;
constexpr i64 kUnit = 4 * kThreads;  // elements that a block reads at once

// Sums of the pieces, and how many blocks have written theirs: kept between calls, and 0 at the end of each.
struct Pieces {
  double* sums;
  unsigned* done;
};

__device__ inline double plus(double a, double b) { return a + b; }

// Four squares at a time are added in float32, the rest in float64. The last block to end adds the pieces up,
// in their order.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    sum_squares(const float* x, i64 count, i64 each, Pieces pieces, float* out) {
  __shared__ bool last;
  const i64 first = blockIdx.x * each, end = first + each < count ? first + each : count;
  double sum = 0.0;
#pragma unroll 8
  for (i64 i = first + static_cast<i64>(threadIdx.x) * kWidth; i < end; i += kThreads * kWidth) {
    const Lanes<kWidth> v = load<kWidth>(x + i);
    float squares = 0.0f;
    for (int k = 0; k < kWidth; ++k) squares = fmaf(v.v[k], v.v[k], squares);
    sum += static_cast<double>(squares);
  }
  sum = block_reduce<kThreads>(sum, plus);
  if (gridDim.x > 1) {
    if (threadIdx.x == 0) {
      pieces.sums[blockIdx.x] = sum;
      __threadfence();
      last = atomicInc(pieces.done, gridDim.x - 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (!last) return;
    const volatile double* sums = pieces.sums;
    sum = 0.0;
    for (unsigned piece = threadIdx.x; piece < gridDim.x; piece += kThreads) sum += sums[piece];
    sum = block_reduce<kThreads>(sum, plus);
  }
  if (threadIdx.x == 0) *out = static_cast<float>(sum);
}

}  // namespace

Status grad_norm(const GradNormArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  bool fresh = false;
  Pieces pieces;
  pieces.sums = exec.table<double>("grad_norm", 0, kMostPieces + 1, fresh);
  if (pieces.sums == nullptr) return out_of_device_memory();
  pieces.done = reinterpret_cast<unsigned*>(pieces.sums + kMostPieces);
  if (fresh) {
    const Status status = status_of(cudaMemsetAsync(pieces.done, 0, sizeof(double), exec.stream));
    if (!status.ok()) return status;
  }
  const i64 count = args.x.size, units = (count + kUnit - 1) / kUnit;
  const i64 each = kUnit * (units > 16 * kMostPieces ? (units + kMostPieces - 1) / kMostPieces : 16);
  const i64 blocks = count > each ? (count + each - 1) / each : 1;
  float* out = args.out.data + args.slot;
  return in_fours(count, args.x.data)
             ? launch(exec, sum_squares<4>, blocks, kThreads, args.x.data, count, each, pieces, out)
             : launch(exec, sum_squares<1>, blocks, kThreads, args.x.data, count, each, pieces, out);
}

}  // namespace sonotext::cuda
