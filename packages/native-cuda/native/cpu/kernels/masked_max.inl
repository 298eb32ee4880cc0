#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status masked_max(const MaskedMaxArgs& args, Exec& exec) {
  const int64_t c = args.c;
  parallel_for(exec, args.n, [&](int64_t i, int) {
    const int64_t length = args.lengths[i];
    const float* x = args.x.data + i * args.t * c;
    map_lanes(args.out.data + i * c, 0, c, [&](int64_t j, int64_t lanes) {
      if (length == 0) return vzero();
      Vec most = vload_n(x + j, lanes);
      for (int64_t t = 1; t < length; t++) {
        const Vec v = vload_n(x + t * c + j, lanes);
        const Vec larger = vselect(vgt(v, most), v, vselect(vne(v, v), v, most));
        most = vselect(vne(most, most), most, larger);  // a NaN stays
      }
      return most;
    });
  });
  return {};
}

inline Status masked_max_backward(const MaskedMaxBackwardArgs& args, Exec& exec) {
  const int64_t c = args.c;
  parallel_for(exec, args.n, [&](int64_t i, int) {
    const int64_t length = args.lengths[i];
    const float* x = args.x.data + i * args.t * c;
    float* grad_x = args.gradX.data + i * args.t * c;
    for_vectors(0, c, [&](int64_t j, int64_t lanes) {
      const Vec most = vload_n(args.out.data + i * c + j, lanes), g = vload_n(args.gradOut.data + i * c + j, lanes);
      const Vec one = vset(1.0f);
      Vec open = one;  // 0 once the maximum is found
      for (int64_t t = 0; t < length; t++) {
        const Vec v = vload_n(x + t * c + j, lanes);
        const Vec both_nan = vselect(vne(v, v), vselect(vne(most, most), one, vzero()), vzero());
        const Vec hit = open * vselect(vne(v, most), both_nan, one);
        vstore_n(grad_x + t * c + j, vselect(vgt(hit, vzero()), g, vzero()), lanes);
        open = open - hit;
      }
    });
    memset(grad_x + length * c, 0, static_cast<size_t>((args.t - length) * c) * sizeof(float));
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
