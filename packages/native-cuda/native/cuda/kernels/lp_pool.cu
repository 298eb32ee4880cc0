#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

// x^p for a positive whole p, by squaring.
__device__ inline float power(float x, int p) {
  float result = 1.0f;
  for (; p > 0; p >>= 1) {
    if (p & 1) result *= x;
    x *= x;
  }
  return result;
}

// The powers of the usual exponents, 2 and 4, and of their gradients are spelt out.
template <int kWidth>
__device__ Lanes<kWidth> powers(const Lanes<kWidth>& x, int p) {
  Lanes<kWidth> result = x;
  if (p == 4) {
    for (int k = 0; k < kWidth; ++k) result.v[k] = x.v[k] * x.v[k] * (x.v[k] * x.v[k]);
  } else if (p == 2) {
    for (int k = 0; k < kWidth; ++k) result.v[k] = x.v[k] * x.v[k];
  } else if (p == 3) {
    for (int k = 0; k < kWidth; ++k) result.v[k] = x.v[k] * x.v[k] * x.v[k];
  } else if (p > 4) {
    for (int k = 0; k < kWidth; ++k) result.v[k] = power(x.v[k], p);
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
  i64 h, w, c;
  int kh, kw, p;
  i64 out_h, out_w;
};

int as_int(i64 extent) { return static_cast<int>(extent < INT32_MAX ? extent : INT32_MAX); }

Windows windows_of(i64 h, i64 w, i64 c, i64 kh, i64 kw, i64 p) {
  return {h, w, c, as_int(kh), as_int(kw), as_int(p), h / kh, w / kw};
}

// A row is an output pixel.
struct LpPool {
  Windows s;
  const float* x;
  float* out;

  // f(values) for every place of a window.
  template <int kWidth, class F>
  __device__ void for_window(const float* corner, F f) const {
    for (int a = 0; a < s.kh; ++a) {
      const float* from = corner + a * s.w * s.c;
#pragma unroll 4
      for (int b = 0; b < s.kw; ++b) f(load<kWidth>(from + b * s.c));
    }
  }

  template <int kWidth>
  __device__ void operator()(i64 pixel, i64 col) const {
    const i64 line = quotient(pixel, s.out_w), image = quotient(line, s.out_h);
    const i64 row = (line - image * s.out_h) * s.kh, column = (pixel - line * s.out_w) * s.kw;
    const float* corner = x + ((image * s.h + row) * s.w + column) * s.c + col;
    Lanes<kWidth> sum = zeros<kWidth>(), scale;
    for_window<kWidth>(corner, [&](const Lanes<kWidth>& v) {
      const Lanes<kWidth> power = powers(v, s.p);
      for (int k = 0; k < kWidth; ++k) sum.v[k] += power.v[k];
    });
    bool far = false;
    for (int k = 0; k < kWidth; ++k) {
      scale.v[k] = 1.0f;
      far = far || !(sum.v[k] > 1e-30f && sum.v[k] < 1e30f);
    }
    if (far) {  // again, scaled by the largest magnitude, so that x^p neither overflows nor vanishes
      scale = sum = zeros<kWidth>();
      for_window<kWidth>(corner, [&](const Lanes<kWidth>& v) {
        for (int k = 0; k < kWidth; ++k) scale.v[k] = fmaxf(fabsf(v.v[k]), scale.v[k]);
      });
      for (int k = 0; k < kWidth; ++k) scale.v[k] = fmaxf(scale.v[k], 1e-37f);
      for_window<kWidth>(corner, [&](Lanes<kWidth> v) {
        for (int k = 0; k < kWidth; ++k) v.v[k] *= 1.0f / scale.v[k];
        const Lanes<kWidth> power = powers(v, s.p);
        for (int k = 0; k < kWidth; ++k) sum.v[k] += power.v[k];
      });
    }
    for (int k = 0; k < kWidth; ++k) sum.v[k] = scale.v[k] * root(sum.v[k], s.p);
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
    const int high = least(s.kh, s.h - row * s.kh), wide = least(s.kw, s.w - column * s.kw);
    Lanes<kWidth> y = zeros<kWidth>(), g = y;
    if (row < s.out_h && column < s.out_w) {
      const i64 pixel = ((image * s.out_h + row) * s.out_w + column) * s.c + col;
      y = load<kWidth>(out + pixel);
      g = load<kWidth>(grad_out + pixel);
    }
    for (int k = 0; k < kWidth; ++k) {
      if (y.v[k] == 0.0f) g.v[k] = 0.0f, y.v[k] = 1.0f;
    }
    for (int a = 0; a < high; ++a) {
#pragma unroll 4
      for (int b = 0; b < wide; ++b) {
        const i64 at = corner + (a * s.w + b) * s.c;
        Lanes<kWidth> v = load<kWidth>(x + at);
        for (int k = 0; k < kWidth; ++k) v.v[k] /= y.v[k];
        v = powers(v, s.p - 1);
        for (int k = 0; k < kWidth; ++k) v.v[k] *= g.v[k];
        store(grad_x + at, v);
      }
    }
  }
  __device__ static int least(int a, i64 b) { return a < b ? a : static_cast<int>(b); }
};

}  // namespace

Status lp_pool(const LpPoolArgs& args, Exec& exec) {
  if (args.out.size == 0) return {};
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
