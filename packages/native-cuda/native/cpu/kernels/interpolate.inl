#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Where output step t reads: x[i0]·(1 - weight) + x[i1]·weight.
struct Between {
  int64_t i0, i1;
  float weight;
};

inline Between between(int64_t t, int64_t l, int64_t steps) {
  double s = (static_cast<double>(t) + 0.5) * static_cast<double>(l) / static_cast<double>(steps) - 0.5;
  if (s < 0.0) s = 0.0;
  int64_t i0 = static_cast<int64_t>(s);
  if (i0 > l - 1) i0 = l - 1;
  const int64_t i1 = i0 + 1 < l ? i0 + 1 : l - 1;
  return {i0, i1, static_cast<float>(s - static_cast<double>(i0))};
}

inline Status interpolate(const InterpolateArgs& args, Exec& exec) {
  const int64_t c = args.c;
  parallel_for(exec, args.n, [&](int64_t i, int) {
    const float* x = args.x.data + i * args.l * c;
    float* out = args.out.data + i * args.t * c;
    for (int64_t t = 0; t < args.t; t++) {
      const Between at = between(t, args.l, args.t);
      const float* low = x + at.i0 * c;
      const float* high = x + at.i1 * c;
      const Vec w0 = vset(1.0f - at.weight);
      const Vec w1 = vset(at.weight);
      map_lanes(out + t * c, 0, c, [&](int64_t j, int64_t n) { return vfma(w1, vload_n(high + j, n), w0 * vload_n(low + j, n)); });
    }
  });
  return {};
}

inline Status interpolate_backward(const InterpolateBackwardArgs& args, Exec& exec) {
  const int64_t c = args.c;
  parallel_for(exec, args.n, [&](int64_t i, int) {
    const float* grad_out = args.gradOut.data + i * args.t * c;
    float* grad_x = args.gradX.data + i * args.l * c;
    memset(grad_x, 0, static_cast<size_t>(args.l * c) * sizeof(float));
    for (int64_t t = 0; t < args.t; t++) {
      const Between at = between(t, args.l, args.t);
      float* low = grad_x + at.i0 * c;
      float* high = grad_x + at.i1 * c;
      const float* g = grad_out + t * c;
      const Vec w0 = vset(1.0f - at.weight);
      const Vec w1 = vset(at.weight);
      map_lanes(low, 0, c, [&](int64_t j, int64_t n) { return vfma(w0, vload_n(g + j, n), vload_n(low + j, n)); });
      map_lanes(high, 0, c, [&](int64_t j, int64_t n) { return vfma(w1, vload_n(g + j, n), vload_n(high + j, n)); });
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
