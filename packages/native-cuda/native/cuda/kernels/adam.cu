#include <cmath>

#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

// Moments below this are kept as 0, as on the CPU, where denormals are slow. A NaN is kept.
__device__ inline float moment_to_keep(float x) { return fabsf(x) < 1e-37f ? 0.0f : x; }

// PyTorch's order of operations: the step size carries the first correction, the root the second.
struct Adam {
  float step, root, eps, beta1, rest1, beta2, rest2, decay, shrink;
  bool recent;  // beta1 < .5: the mean is nearer to the gradient than to what it was
  __device__ void operator()(float& param, float grad, float& first, float& second) const {
    const float p = shrink * param, g = fmaf(decay, p, grad);
    // From the nearer end, so that a small one is not lost in the difference to a large one.
    const float m = recent ? fmaf(beta1, first - g, g) : fmaf(rest1, g - first, first);
    const float v = fmaf(rest2 * g, g, beta2 * second);
    first = moment_to_keep(m), second = moment_to_keep(v);
    param = fmaf(-step, m / (sqrtf(v) / root + eps), p);
  }
};

}  // namespace

Status adam(const AdamArgs& args, Exec& exec) {
  const auto step = static_cast<double>(args.step);
  const double correction1 = 1.0 - std::pow(args.beta1, step), correction2 = 1.0 - std::pow(args.beta2, step);
  const bool decoupled = args.decoupled != 0;
  Adam f;
  f.step = static_cast<float>(args.lr / correction1), f.root = static_cast<float>(std::sqrt(correction2));
  f.eps = static_cast<float>(args.eps);
  f.beta1 = static_cast<float>(args.beta1), f.rest1 = static_cast<float>(1.0 - args.beta1);
  f.beta2 = static_cast<float>(args.beta2), f.rest2 = static_cast<float>(1.0 - args.beta2);
  f.decay = decoupled ? 0.0f : static_cast<float>(args.weightDecay);
  f.shrink = decoupled ? static_cast<float>(1.0 - args.lr * args.weightDecay) : 1.0f;
  f.recent = args.beta1 < 0.5;
  return map(static_cast<CudaExec&>(exec), args.param.size, f, updated(args.param), read(args.grad),
             updated(args.m), updated(args.v));
}

}  // namespace sonotext::cuda
