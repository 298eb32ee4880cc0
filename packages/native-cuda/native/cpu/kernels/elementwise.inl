// Ops whose outputs depend on nothing but the elements at the same place. One that needs no more than its inputs' values
// is one expression over vectors, given to map().
#include "../../core/ops.hpp"
#include "chunks.inl"
#include "philox.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// out[i] = f(in[i]…) for every element. Pointers and constants are copied into the bodies: a store through `out` could
// otherwise change them for all the compiler knows.
template <class F, class... In>
inline Status map(Exec& exec, F32Out out, F f, const In*... in) {
  float* const to = out.data;
  for_chunks(exec, out.size, [=](int64_t begin, int64_t end) {
    map_lanes(to, begin, end, [=](int64_t i, int64_t n) { return f(vload_n(in + i, n)...); });
  });
  return {};
}

inline Status leaky_relu(const LeakyReluArgs& args, Exec& exec) {
  const Vec slope = vset(static_cast<float>(args.slope));
  return map(exec, args.out, [=](Vec x) { return vselect(vgt(x, vzero()), x, slope * x); }, args.x.data);
}

inline Status leaky_relu_backward(const LeakyReluBackwardArgs& args, Exec& exec) {
  const Vec slope = vset(static_cast<float>(args.slope));
  const auto f = [=](Vec out, Vec grad) { return vselect(vgt(out, vzero()), grad, slope * grad); };
  return map(exec, args.gradX, f, args.out.data, args.gradOut.data);
}

inline Status add(const AddArgs& args, Exec& exec) {
  const Vec alpha = vset(static_cast<float>(args.alpha)), beta = vset(static_cast<float>(args.beta));
  return map(exec, args.out, [=](Vec a, Vec b) { return vfma(beta, b, alpha * a); }, args.a.data, args.b.data);
}

inline Status scale(const ScaleArgs& args, Exec& exec) {
  const Vec factor = vset(static_cast<float>(args.factor));
  return map(exec, args.out, [=](Vec x) { return factor * x; }, args.x.data);
}

inline Status multiply(const MultiplyArgs& args, Exec& exec) {
  return map(exec, args.out, [](Vec a, Vec b) { return a * b; }, args.a.data, args.b.data);
}

// Φ(x) and the density φ(x) of the standard normal distribution, from the tail that is less than a half.
struct Normal {
  Vec distribution, density;
};
inline Normal normal(Vec x) {
  const Vec e = vexp(vset(-0.5f) * x * x), tail = e * vnormal_tail(vabs(x));
  return {vselect(vgt(vzero(), x), tail, vset(1.0f) - tail), vset(0.398942280401432678f) * e};
}

inline Status gelu(const GeluArgs& args, Exec& exec) {
  return map(exec, args.out, [](Vec x) { return x * normal(x).distribution; }, args.x.data);
}

inline Status gelu_backward(const GeluBackwardArgs& args, Exec& exec) {
  const auto f = [](Vec x, Vec grad) {
    const Normal at = normal(x);
    return grad * vfma(x, at.density, at.distribution);
  };
  return map(exec, args.gradX, f, args.x.data, args.gradOut.data);
}

inline Status dropout(const DropoutArgs& args, Exec& exec) {
  const float* x = args.x.data;
  float* out = args.out.data;
  const Philox generator(args.seedLow, args.seedHigh, args.offsetLow, args.offsetHigh);
  const Vec keep = vset(static_cast<float>(1.0 / (1.0 - args.rate)));
  // n·2⁻²⁴ >= rate, exactly: numbers up to 2²⁴ are floats.
  const Vec least = vset(static_cast<float>(ceil(args.rate * 0x1p24)));
  for_chunks(exec, args.out.size, [=](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; e += kPhiloxValues) {
      Vec uniform[kPhiloxVectors];
      philox_uniform(static_cast<uint64_t>(e) / 4, generator, uniform);
      SONOTEXT_UNROLL(4)
      for (int v = 0; v < kPhiloxVectors; v++) {
        const int64_t at = e + v * kLanes, n = end - at;
        vprefetch(out + at + kFetchAhead);
        vstore_n(out + at, vselect(vge(uniform[v], least), vload_n(x + at, n) * keep, vzero()), n);
      }
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
