// Compiled once per instruction set, after its vocabulary.
#include "probe.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

// As many chains as hide the latency of the units (4 cycles, two to four units) and fit the registers.
constexpr int kChains = kRegisters == 32 ? 16 : 12;

template <int lanes>
struct Peak {
  static constexpr int count = lanes;
  using V = Vec;
  static V set(float x) { return vset(x); }
  static V step(V a, V x, V y) { return vfma(a, x, y); }
  static float first(V a) { return vsum(a); }
};
// The plain set has the compiler's 128-bit vectors and no fused multiply-add: its peak is a product and a sum.
template <>
struct Peak<1> {
  static constexpr int count = 4;
  typedef float V __attribute__((vector_size(16)));
  static V set(float x) { return V{x, x, x, x}; }
  static V step(V a, V x, V y) { return a * x + y; }
  static float first(V a) { return a[0]; }
};

double multiply_add(i64 steps, float* sink) {
  using P = Peak<kLanes>;
  P::V chain[kChains];
  SONOTEXT_UNROLL(16)
  for (int c = 0; c < kChains; ++c) chain[c] = P::set(static_cast<float>(c));
  const P::V x = P::set(0.999f), y = P::set(0.001f);  // converges to 1: no denormals, no overflow
  for (i64 s = 0; s < steps; ++s) {
    SONOTEXT_UNROLL(16)
    for (int c = 0; c < kChains; ++c) chain[c] = P::step(chain[c], x, y);
  }
  float total = 0.0f;
  SONOTEXT_UNROLL(16)
  for (int c = 0; c < kChains; ++c) total += P::first(chain[c]);
  *sink = total;
  return 2.0 * kChains * P::count * static_cast<double>(steps);
}

void math(int function, const float* x, float* out, i64 count) {
  for (i64 i = 0; i < count; i += kLanes) {
    const Vec v = vload_n(x + i, count - i);
    const Vec y = function == 0 ? vexp(v) : function == 1 ? vlog(v) : function == 2 ? vsigmoid(v) : vtanh(v);
    vstore_n(out + i, y, count - i);
  }
}

}  // namespace

extern const Probe probe;
const Probe probe = {multiply_add, math};

}  // namespace sonotext::SONOTEXT_ISA
