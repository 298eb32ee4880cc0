#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status leaky_relu(const LeakyReluArgs& args, Exec& exec) {
  const float* x = args.x.data;
  float* out = args.out.data;
  const Vec slope = vset(static_cast<float>(args.slope));
  for_chunks(exec, args.out.size, [&](int64_t begin, int64_t end) {
    map_lanes(out, begin, end, [&](int64_t i, int64_t n) {
      const Vec v = vload_n(x + i, n);
      return vselect(vgt(v, vzero()), v, slope * v);
    });
  });
  return {};
}

inline Status leaky_relu_backward(const LeakyReluBackwardArgs& args, Exec& exec) {
  const float* out = args.out.data;
  const float* grad_out = args.gradOut.data;
  float* grad_x = args.gradX.data;
  const Vec slope = vset(static_cast<float>(args.slope));
  for_chunks(exec, args.gradX.size, [&](int64_t begin, int64_t end) {
    map_lanes(grad_x, begin, end, [&](int64_t i, int64_t n) {
      const Vec g = vload_n(grad_out + i, n);
      return vselect(vgt(vload_n(out + i, n), vzero()), g, slope * g);
    });
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
