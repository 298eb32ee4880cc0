#include <cmath>

#include "../entries.hpp"
#include "../map.cuh"
#include "../philox.cuh"

namespace sonotext::cuda {
namespace {

struct LeakyRelu {
  float slope;
  __device__ void operator()(float& out, float x) const { out = x > 0.0f ? x : slope * x; }
};

struct LeakyReluBackward {
  float slope;
  __device__ void operator()(float& grad_x, float out, float grad) const {
    grad_x = out > 0.0f ? grad : slope * grad;
  }
};

struct Add {
  float alpha, beta;
  __device__ void operator()(float& out, float a, float b) const { out = fmaf(beta, b, alpha * a); }
};

struct Scale {
  float factor;
  __device__ void operator()(float& out, float x) const { out = factor * x; }
};

struct Multiply {
  __device__ void operator()(float& out, float a, float b) const { out = a * b; }
};

// The distribution function of the standard normal distribution.
__device__ inline float normal_distribution(float x) { return 0.5f * erfcf(-0.707106781186547524f * x); }

struct Gelu {
  __device__ void operator()(float& out, float x) const { out = x * normal_distribution(x); }
};

struct GeluBackward {
  __device__ void operator()(float& grad_x, float x, float grad) const {
    const float density = 0.398942280401432678f * expf(-0.5f * x * x);
    grad_x = grad * fmaf(x, density, normal_distribution(x));
  }
};

// u = (word >>> 8)·2⁻²⁴ is not below the rate where the 24 bits are not below `least`.
struct Dropout {
  PhiloxKey key;
  std::uint32_t least;
  float keep;
  __device__ void operator()(i64 first, float (&out)[4], const float (&x)[4]) const {
    std::uint32_t word[4];
    philox_block(word, static_cast<std::uint64_t>(first) / 4, key);
#pragma unroll
    for (int k = 0; k < 4; ++k) out[k] = word[k] >> 8 >= least ? x[k] * keep : 0.0f;
  }
};

CudaExec& cuda_exec(Exec& exec) { return static_cast<CudaExec&>(exec); }

}  // namespace

Status leaky_relu(const LeakyReluArgs& args, Exec& exec) {
  const LeakyRelu f{static_cast<float>(args.slope)};
  return map(cuda_exec(exec), args.out.size, f, written(args.out), read(args.x));
}

Status leaky_relu_backward(const LeakyReluBackwardArgs& args, Exec& exec) {
  const LeakyReluBackward f{static_cast<float>(args.slope)};
  return map(cuda_exec(exec), args.gradX.size, f, written(args.gradX), read(args.out), read(args.gradOut));
}

Status add(const AddArgs& args, Exec& exec) {
  const Add f{static_cast<float>(args.alpha), static_cast<float>(args.beta)};
  return map(cuda_exec(exec), args.out.size, f, written(args.out), read(args.a), read(args.b));
}

Status scale(const ScaleArgs& args, Exec& exec) {
  const Scale f{static_cast<float>(args.factor)};
  return map(cuda_exec(exec), args.out.size, f, written(args.out), read(args.x));
}

Status multiply(const MultiplyArgs& args, Exec& exec) {
  return map(cuda_exec(exec), args.out.size, Multiply{}, written(args.out), read(args.a), read(args.b));
}

Status gelu(const GeluArgs& args, Exec& exec) {
  return map(cuda_exec(exec), args.out.size, Gelu{}, written(args.out), read(args.x));
}

Status gelu_backward(const GeluBackwardArgs& args, Exec& exec) {
  return map(cuda_exec(exec), args.gradX.size, GeluBackward{}, written(args.gradX), read(args.x),
             read(args.gradOut));
}

Status dropout(const DropoutArgs& args, Exec& exec) {
  const Dropout f{make_key(args.seedLow, args.seedHigh, args.offsetLow, args.offsetHigh),
                  static_cast<std::uint32_t>(std::ceil(args.rate * 0x1p24)),
                  static_cast<float>(1.0 / (1.0 - args.rate))};
  return map_fours(cuda_exec(exec), args.out.size, f, written(args.out), read(args.x));
}

}  // namespace sonotext::cuda
