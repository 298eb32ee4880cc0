#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

// x^p for a positive whole p, by squaring.
__device__ inline float power(float x, int p) {
  if (p == 3) return x * x * x;
  float result = 1.0f;
  for (; p > 0; p >>= 1) {
    if (p & 1) result *= x;
    x *= x;
  }
  return result;
}

// s^(1/p) for s >= 0; powers of two by square roots, which are exact to half an ulp each.
__device__ inline float root(float s, int p) {
  for (; p % 2 == 0; p /= 2) s = sqrtf(s);
  if (p == 1) return s;
  return s > 0.0f ? expf(logf(s) / static_cast<float>(p)) : s;
}

struct Windows {
  i64 h, w, c, kh, kw, out_h, out_w;
  int p;
};

Windows windows_of(i64 h, i64 w, i64 c, i64 kh, i64 kw, i64 p) {
  return {h, w, c, kh, kw, h / kh, w / kw, static_cast<int>(p)};
}

// A row is an output pixel. Windows are scaled by their largest magnitude, so that x^p neither overflows nor
// vanishes.
struct LpPool {
  Windows s;
  const float* x;
  float* out;
  template <int kWidth>
  __device__ void operator()(i64 pixel, i64 col) const {
    const i64 line = quotient(pixel, s.out_w), image = quotient(line, s.out_h);
    const i64 row = (line - image * s.out_h) * s.kh, column = (pixel - line * s.out_w) * s.kw;
    const float* corner = x + ((image * s.h + row) * s.w + column) * s.c + col;
    Lanes<kWidth> largest = zeros<kWidth>();
    for (i64 a = 0; a < s.kh; ++a) {
      for (i64 b = 0; b < s.kw; ++b) {
        const Lanes<kWidth> v = load<kWidth>(corner + (a * s.w + b) * s.c);
        for (int k = 0; k < kWidth; ++k) largest.v[k] = fmaxf(fabsf(v.v[k]), largest.v[k]);
      }
    }
    Lanes<kWidth> inverse, sum = zeros<kWidth>();
    for (int k = 0; k < kWidth; ++k) {
      largest.v[k] = fmaxf(largest.v[k], 1e-37f);
      inverse.v[k] = 1.0f / largest.v[k];
    }
    for (i64 a = 0; a < s.kh; ++a) {
      for (i64 b = 0; b < s.kw; ++b) {
        const Lanes<kWidth> v = load<kWidth>(corner + (a * s.w + b) * s.c);
        for (int k = 0; k < kWidth; ++k) sum.v[k] += power(inverse.v[k] * v.v[k], s.p);
      }
    }
    for (int k = 0; k < kWidth; ++k) sum.v[k] = largest.v[k] * root(sum.v[k], s.p);
    store(out + pixel * s.c + col, sum);
  }
};

// A row is a window: its inputs' gradients from one output pixel. The windows at the ends that are cut off
// have no output, and their gradients are 0.
struct LpPoolBackward {
  Windows s;
  i64 rows, columns;  // windows of an image, those that are cut off counted
  const float* x;
  const float* out;
  const float* grad_out;
  float* grad_x;
  template <int kWidth>
  __device__ void operator()(i64 window, i64 col) const {
    const i64 line = quotient(window, columns), image = quotient(line, rows);
    const i64 row = line - image * rows, column = window - line * columns;
    const i64 corner = ((image * s.h + row * s.kh) * s.w + column * s.kw) * s.c + col;
    const i64 high = min_of(s.kh, s.h - row * s.kh), wide = min_of(s.kw, s.w - column * s.kw);
    Lanes<kWidth> y = zeros<kWidth>(), g = y;
    if (row < s.out_h && column < s.out_w) {
      const i64 pixel = ((image * s.out_h + row) * s.out_w + column) * s.c + col;
      y = load<kWidth>(out + pixel);
      g = load<kWidth>(grad_out + pixel);
    }
    for (int k = 0; k < kWidth; ++k) {
      if (y.v[k] == 0.0f) g.v[k] = 0.0f, y.v[k] = 1.0f;
    }
    for (i64 a = 0; a < high; ++a) {
      for (i64 b = 0; b < wide; ++b) {
        const i64 at = corner + (a * s.w + b) * s.c;
        Lanes<kWidth> v = load<kWidth>(x + at);
        // Where there is no gradient x may hold anything.
        for (int k = 0; k < kWidth; ++k) v.v[k] = g.v[k] * power(v.v[k] / y.v[k], s.p - 1);
        store(grad_x + at, v);
      }
    }
  }
  __device__ static i64 min_of(i64 a, i64 b) { return a < b ? a : b; }
};

}  // namespace

Status lp_pool(const LpPoolArgs& args, Exec& exec) {
  const Windows s = windows_of(args.h, args.w, args.c, args.kh, args.kw, args.p);
  return map_rows(static_cast<CudaExec&>(exec), args.n * s.out_h * s.out_w, args.c,
                  in_fours(args.c, args.x.data, args.out.data), LpPool{s, args.x.data, args.out.data});
}

Status lp_pool_backward(const LpPoolBackwardArgs& args, Exec& exec) {
  const Windows s = windows_of(args.h, args.w, args.c, args.kh, args.kw, args.p);
  const i64 rows = (s.h + s.kh - 1) / s.kh, columns = (s.w + s.kw - 1) / s.kw;
  const LpPoolBackward f{s, rows, columns, args.x.data, args.out.data, args.gradOut.data, args.gradX.data};
  return map_rows(static_cast<CudaExec&>(exec), args.n * rows * columns, args.c,
                  in_fours(args.c, f.x, f.out, f.grad_out, f.grad_x), f);
}

}  // namespace sonotext::cuda
