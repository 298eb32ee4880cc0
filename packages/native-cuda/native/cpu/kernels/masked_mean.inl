#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status masked_mean(const MaskedMeanArgs& args, Exec& exec) {
  const int64_t c = args.c;
  parallel_for(exec, args.n, [&](int64_t i, int) {
    const int64_t length = args.lengths[i];
    const float* x = args.x.data + i * args.t * c;
    float* out = args.out.data + i * c;
    const Vec share = vset(length > 0 ? 1.0f / static_cast<float>(length) : 0.0f);
    map_lanes(out, 0, c, [&](int64_t j, int64_t n) {
      // Sums of 32 frames each, then their sum: long clips lose no accuracy.
      Vec total = vzero();
      for (int64_t from = 0; from < length; from += 32) {
        const int64_t to = from + 32 < length ? from + 32 : length;
        Vec part = vzero();
        for (int64_t t = from; t < to; t++) part = part + vload_n(x + t * c + j, n);
        total = total + part;
      }
      return total * share;
    });
  });
  return {};
}

inline Status masked_mean_backward(const MaskedMeanBackwardArgs& args, Exec& exec) {
  const int64_t c = args.c;
  parallel_for(exec, args.n, [&](int64_t i, int) {
    const int64_t length = args.lengths[i];
    const float* grad_out = args.gradOut.data + i * c;
    float* grad_x = args.gradX.data + i * args.t * c;
    const Vec share = vset(length > 0 ? 1.0f / static_cast<float>(length) : 0.0f);
    for (int64_t t = 0; t < length; t++) {
      map_lanes(grad_x + t * c, 0, c, [&](int64_t j, int64_t n) { return share * vload_n(grad_out + j, n); });
    }
    memset(grad_x + length * c, 0, static_cast<size_t>((args.t - length) * c) * sizeof(float));
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
