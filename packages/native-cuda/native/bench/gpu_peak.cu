#include "gpu_peak.hpp"

namespace sonotext {
namespace {

constexpr int kChains = 16, kSteps = 4096, kThreads = 256, kBlocks = 2048;

__global__ void __launch_bounds__(kThreads) chains(float* out) {
  float x[kChains];
  for (int c = 0; c < kChains; ++c) x[c] = static_cast<float>(threadIdx.x + c);
  const float factor = 0.999f, term = static_cast<float>(blockIdx.x);
  for (int step = 0; step < kSteps; ++step) {
#pragma unroll
    for (int c = 0; c < kChains; ++c) x[c] = fmaf(x[c], factor, term);
  }
  float sum = 0.0f;
  for (int c = 0; c < kChains; ++c) sum += x[c];
  if (sum == -1.0f) out[threadIdx.x] = sum;  // never: the chains must only not be left out
}

}  // namespace

double multiply_adds(float* out, cudaStream_t stream) {
  chains<<<kBlocks, kThreads, 0, stream>>>(out);
  return 2.0 * kChains * kSteps * kThreads * kBlocks;
}

}  // namespace sonotext
