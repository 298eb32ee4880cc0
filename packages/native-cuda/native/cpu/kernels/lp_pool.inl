#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// x^p for a positive whole p, by squaring; the loop is the same for every lane.
inline Vec power(Vec x, int64_t p) {
  Vec result = vset(1.0f);
  for (; p > 0; p >>= 1) {
    if (p & 1) result = result * x;
    x = x * x;
  }
  return result;
}

// s^(1/p) for s >= 0; powers of two by square roots, which are exact to half an ulp each.
inline Vec root(Vec s, int64_t p) {
  for (; p % 2 == 0; p /= 2) s = vsqrt(s);
  if (p == 1) return s;
  return vselect(vgt(s, vzero()), vexp(vlog(s) * vset(1.0f / static_cast<float>(p))), s);
}

// Windows are scaled by their largest magnitude, so that x^p neither overflows nor vanishes.
inline Status lp_pool(const LpPoolArgs& args, Exec& exec) {
  const int64_t c = args.c, kh = args.kh, kw = args.kw;
  const int64_t out_h = args.h / kh, out_w = args.w / kw;
  parallel_for(exec, args.n * out_h, [&](int64_t index, int) {
    const int64_t image = index / out_h, row = index % out_h;
    const float* top = args.x.data + (image * args.h + row * kh) * args.w * c;
    float* out = args.out.data + index * out_w * c;
    for (int64_t column = 0; column < out_w; column++) {
      const float* corner = top + column * kw * c;
      map_lanes(out + column * c, 0, c, [&](int64_t j, int64_t n) {
        Vec largest = vzero();
        for (int64_t a = 0; a < kh; a++) {
          for (int64_t b = 0; b < kw; b++) largest = vmax(vabs(vload_n(corner + (a * args.w + b) * c + j, n)), largest);
        }
        const Vec scale = vmax(largest, vset(1e-37f));
        const Vec inverse = vset(1.0f) / scale;
        Vec sum = vzero();
        for (int64_t a = 0; a < kh; a++) {
          for (int64_t b = 0; b < kw; b++) {
            const Vec x = inverse * vload_n(corner + (a * args.w + b) * c + j, n);
            if (args.p == 4) {
              const Vec square = x * x;
              sum = vfma(square, square, sum);
            } else {
              sum = sum + power(x, args.p);
            }
          }
        }
        return scale * root(sum, args.p);
      });
    }
  });
  return {};
}

inline Status lp_pool_backward(const LpPoolBackwardArgs& args, Exec& exec) {
  const int64_t c = args.c, kh = args.kh, kw = args.kw;
  const int64_t out_h = args.h / kh, out_w = args.w / kw;
  const Sink sink(args.gradX.data, args.gradX.size, c);
  const int64_t bands = out_h + 1;  // the last one is the rest of the rows, which no window covers
  parallel_for(exec, args.n * bands, [&](int64_t index, int) {
    const int64_t image = index / bands, row = index % bands;
    const int64_t at = (image * args.h + row * kh) * args.w * c;
    float* grad_top = args.gradX.data + at;
    if (row == out_h) {
      memset(grad_top, 0, static_cast<size_t>((args.h - out_h * kh) * args.w * c) * sizeof(float));
      return;
    }
    const float* top = args.x.data + at;
    for (int64_t column = 0; column < out_w; column++) {
      const int64_t pixel = ((image * out_h + row) * out_w + column) * c;
      const int64_t left = column * kw * c;
      for (int64_t j = 0; j < c; j += kLanes) {
        const int64_t n = c - j;
        const Vec y = vload_n(args.out.data + pixel + j, n);
        const Mask some = vne(y, vzero());
        const Vec g = vselect(some, vload_n(args.gradOut.data + pixel + j, n), vzero());
        const Vec safe = vselect(some, y, vset(1.0f));
        for (int64_t a = 0; a < kh; a++) {
          for (int64_t b = 0; b < kw; b++) {
            const int64_t x_at = left + (a * args.w + b) * c + j;
            const Vec ratio = vload_n(top + x_at, n) / safe;
            sink.put(grad_top + x_at, g * power(ratio, args.p - 1), n);
          }
        }
      }
    }
    sink.end();
    const int64_t covered = out_w * kw;
    for (int64_t a = 0; a < kh; a++) {
      memset(grad_top + (a * args.w + covered) * c, 0, static_cast<size_t>((args.w - covered) * c) * sizeof(float));
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
