#include "../columns.cuh"
#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kMostLanes = 8;  // a cache line of columns a block: there are few clips

struct MaskedMean {
  using Sum = float;
  const float* x;
  const std::int32_t* lengths;
  float* out;
  i64 t, c;
  template <int kWidth>
  __device__ void gather(i64 clip, int share, int shares, i64 col, float (&own)[kWidth]) const {
    const float* from = x + clip * t * c + col;
    const int length = lengths[clip];
    Lanes<kWidth> sum = zeros<kWidth>();
#pragma unroll 8
    for (int row = share; row < length; row += shares) {
      const Lanes<kWidth> v = load<kWidth>(from + row * c);
      for (int k = 0; k < kWidth; ++k) sum.v[k] += v.v[k];
    }
    for (int k = 0; k < kWidth; ++k) own[k] = sum.v[k];
  }
  __device__ static float combine(float a, float b) { return a + b; }
  __device__ void put(i64 clip, i64 col, float sum) const {
    out[clip * c + col] = lengths[clip] > 0 ? sum * (1.0f / static_cast<float>(lengths[clip])) : 0.0f;
  }
};

struct MaskedMeanBackward {
  const float* grad_out;
  const std::int32_t* lengths;
  float* grad_x;
  i64 t, c;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    const i64 clip = quotient(row, t);
    const int length = lengths[clip];
    Lanes<kWidth> gradient = zeros<kWidth>();
    if (row - clip * t < length) {
      gradient = load<kWidth>(grad_out + clip * c + col);
      const float share = 1.0f / static_cast<float>(length);
      for (int k = 0; k < kWidth; ++k) gradient.v[k] *= share;
    }
    store(grad_x + row * c + col, gradient);
  }
};

}  // namespace

Status masked_mean(const MaskedMeanArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const MaskedMean f{args.x.data, exec.constant(args.lengths), args.out.data, args.t, args.c};
  if (f.lengths == nullptr) return out_of_device_memory();
  return reduce_columns(exec, args.n, args.c, in_fours(args.c, f.x), kMostLanes, f);
}

Status masked_mean_backward(const MaskedMeanBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const MaskedMeanBackward f{args.gradOut.data, exec.constant(args.lengths), args.gradX.data, args.t, args.c};
  if (f.lengths == nullptr) return out_of_device_memory();
  return map_rows(exec, args.n * args.t, args.c, in_fours(args.c, f.grad_out, f.grad_x), f);
}

}  // namespace sonotext::cuda
