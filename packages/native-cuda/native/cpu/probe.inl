// Compiled once per instruction set, after its vocabulary.
#include "probe.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

// As many chains as hide the latency of the unit (4 cycles, two units) and fit the registers. The baseline has 128-bit
// vectors and no fused multiply-add: its peak is a product and a sum.
#if defined(__AVX512F__) || defined(__AVX2__)
constexpr int kChains = kLanes == 16 ? 16 : 12;
constexpr int kPeakLanes = kLanes;
using Peak = Vec;
inline Peak peak_set(float x) { return vset(x); }
inline Peak peak_step(Peak a, Peak x, Peak y) { return vfma(a, x, y); }
inline float peak_first(Peak a) { return vsum(a); }
#else
constexpr int kChains = 12;
constexpr int kPeakLanes = 4;
typedef float Peak __attribute__((vector_size(16)));
inline Peak peak_set(float x) { return Peak{x, x, x, x}; }
inline Peak peak_step(Peak a, Peak x, Peak y) { return a * x + y; }
inline float peak_first(Peak a) { return a[0]; }
#endif

double multiply_add(i64 steps, float* sink) {
  Peak chain[kChains];
  SONOTEXT_UNROLL(16)
  for (int c = 0; c < kChains; ++c) chain[c] = peak_set(static_cast<float>(c));
  const Peak x = peak_set(0.999f), y = peak_set(0.001f);  // converges to 1: no denormals, no overflow
  for (i64 s = 0; s < steps; ++s) {
    SONOTEXT_UNROLL(16)
    for (int c = 0; c < kChains; ++c) chain[c] = peak_step(chain[c], x, y);
  }
  float total = 0.0f;
  SONOTEXT_UNROLL(16)
  for (int c = 0; c < kChains; ++c) total += peak_first(chain[c]);
  *sink = total;
  return 2.0 * kChains * kPeakLanes * static_cast<double>(steps);
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
