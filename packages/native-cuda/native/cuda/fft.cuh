// Discrete Fourier transforms of a few points in a thread's registers.
#pragma once

#include <cuda_runtime.h>

namespace sonotext::cuda {

template <class T>
struct alignas(2 * sizeof(T)) Complex {
  T re, im;
};

template <class T>
__device__ inline Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
__device__ inline Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
__device__ inline Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class T>
__device__ inline Complex<T> scaled(T factor, Complex<T> a) {
  return {factor * a.re, factor * a.im};
}
template <class T>
__device__ inline Complex<T> minus_i(Complex<T> a) {  // times -i
  return {a.im, -a.re};
}

// x[k] = Σ x[r] · e^(-2πi·r·k/R).
template <class T>
__device__ inline void transform(Complex<T> (&x)[2]) {
  const Complex<T> a = x[0] + x[1];
  x[1] = x[0] - x[1], x[0] = a;
}

template <class T>
__device__ inline void transform(Complex<T> (&x)[3]) {
  const T sine = static_cast<T>(0.86602540378443864676);
  const Complex<T> sum = x[1] + x[2], turned = scaled(sine, minus_i(x[1] - x[2]));
  const Complex<T> middle = x[0] - scaled(static_cast<T>(0.5), sum);
  x[0] = x[0] + sum, x[1] = middle + turned, x[2] = middle - turned;
}

template <class T>
__device__ inline void transform(Complex<T> (&x)[4]) {
  const Complex<T> a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3], d = minus_i(x[1] - x[3]);
  x[0] = a + c, x[1] = b + d, x[2] = a - c, x[3] = b - d;
}

template <class T>
__device__ inline void transform(Complex<T> (&x)[5]) {
  const T c1 = static_cast<T>(0.30901699437494742410), c2 = static_cast<T>(-0.80901699437494742410);
  const T s1 = static_cast<T>(0.95105651629515357212), s2 = static_cast<T>(0.58778525229247312917);
  const Complex<T> a = x[1] + x[4], b = x[2] + x[3];
  const Complex<T> c = minus_i(x[1] - x[4]), d = minus_i(x[2] - x[3]);
  const Complex<T> p = x[0] + (scaled(c1, a) + scaled(c2, b)), q = x[0] + (scaled(c2, a) + scaled(c1, b));
  const Complex<T> u = scaled(s1, c) + scaled(s2, d), v = scaled(s2, c) - scaled(s1, d);
  x[0] = x[0] + (a + b), x[1] = p + u, x[4] = p - u, x[2] = q + v, x[3] = q - v;
}

template <class T>
__device__ inline void transform(Complex<T> (&x)[8]) {
  const T half = static_cast<T>(0.70710678118654752440);
  Complex<T> even[4] = {x[0], x[2], x[4], x[6]}, odd[4] = {x[1], x[3], x[5], x[7]};
  transform(even), transform(odd);
  odd[1] = scaled(half, odd[1] + minus_i(odd[1]));
  odd[2] = minus_i(odd[2]);
  odd[3] = scaled(half, minus_i(odd[3]) - odd[3]);
#pragma unroll
  for (int k = 0; k < 4; ++k) x[k] = even[k] + odd[k], x[k + 4] = even[k] - odd[k];
}

// Where transform() of 32 points leaves its result k.
__host__ __device__ constexpr int place_of_32(int k) { return k % 4 * 8 + k / 4; }

// 32 = 4·8; the results are in another order.
__device__ inline void transform(Complex<float> (&x)[32]) {
  // cos(2π·m/32), m = 0 … 8
  constexpr float kCosine[9] = {1.0f,
                                0.980785280403f,
                                0.923879532511f,
                                0.831469612303f,
                                0.707106781187f,
                                0.55557023302f,
                                0.382683432365f,
                                0.195090322016f,
                                0.0f};
#pragma unroll
  for (int n = 0; n < 8; ++n) {
    Complex<float> four[4] = {x[n], x[n + 8], x[n + 16], x[n + 24]};
    transform(four);
    x[n] = four[0];
#pragma unroll
    for (int k = 1; k < 4; ++k) {
      const int m = n * k;  // up to 21 of 32
      const float cosine = m <= 8 ? kCosine[m] : m <= 16 ? -kCosine[16 - m] : -kCosine[m - 16];
      const float sine = m <= 8 ? kCosine[8 - m] : m <= 16 ? kCosine[m - 8] : -kCosine[24 - m];
      x[n + 8 * k] = m == 0 ? four[k] : four[k] * Complex<float>{cosine, -sine};
    }
  }
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    Complex<float> eight[8];
#pragma unroll
    for (int n = 0; n < 8; ++n) eight[n] = x[8 * k + n];
    transform(eight);
#pragma unroll
    for (int n = 0; n < 8; ++n) x[8 * k + n] = eight[n];
  }
}

}  // namespace sonotext::cuda
