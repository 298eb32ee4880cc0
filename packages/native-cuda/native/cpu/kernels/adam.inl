#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Moments below this are kept as 0. Those of a parameter whose gradient stays 0 would fade into denormals and stay
// there, and arithmetic on denormals takes many times as long. A NaN is kept.
constexpr float kLeastMoment = 1e-37f;

inline Vec moment_to_keep(Vec x) { return vselect(vgt(vset(kLeastMoment), vabs(x)), vzero(), x); }

inline Status adam(const AdamArgs& args, Exec& exec) {
  const double correction1 = 1.0 - __builtin_pow(args.beta1, static_cast<double>(args.step));
  const double correction2 = 1.0 - __builtin_pow(args.beta2, static_cast<double>(args.step));
  // PyTorch's order of operations: the step size carries the first correction, the root the second.
  const Vec step = vset(static_cast<float>(args.lr / correction1));
  const Vec root = vset(static_cast<float>(__builtin_sqrt(correction2)));
  const Vec eps = vset(static_cast<float>(args.eps));
  const Vec beta2 = vset(static_cast<float>(args.beta2));
  const bool recent = args.beta1 < 0.5;  // the mean is nearer to the gradient than to what it was
  const Vec beta1 = vset(static_cast<float>(args.beta1));
  const Vec rest1 = vset(static_cast<float>(1.0 - args.beta1));
  const Vec rest2 = vset(static_cast<float>(1.0 - args.beta2));
  const Vec decay = vset(args.decoupled != 0 ? 0.0f : static_cast<float>(args.weightDecay));
  const Vec shrink = vset(args.decoupled != 0 ? static_cast<float>(1.0 - args.lr * args.weightDecay) : 1.0f);
  float* param = args.param.data;
  float* first = args.m.data;
  float* second = args.v.data;
  const float* grad = args.grad.data;
  for_chunks(exec, args.param.size, [&](int64_t begin, int64_t end) {
    for_vectors(begin, end, [&](int64_t i, int64_t n) {
      const Vec p = shrink * vload_n(param + i, n);
      const Vec g = vfma(decay, p, vload_n(grad + i, n));
      const Vec old = vload_n(first + i, n);
      // From the nearer end, so that a small one is not lost in the difference to a large one.
      const Vec m = recent ? vfma(beta1, old - g, g) : vfma(rest1, g - old, old);
      const Vec v = vfma(rest2 * g, g, beta2 * vload_n(second + i, n));
      vstore_n(first + i, moment_to_keep(m), n);
      vstore_n(second + i, moment_to_keep(v), n);
      vstore_n(param + i, vfnma(step, m / (vsqrt(v) / root + eps), p), n);
    });
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
