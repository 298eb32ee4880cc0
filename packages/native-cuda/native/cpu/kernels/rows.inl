// Work row by row, sums over a row and its length.
#pragma once
#include "../../core/exec.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int64_t kRowsEach = 32;  // of one piece of parallel work

// f(row) for every row of [0, rows).
template <class F>
inline void for_each_row(Exec& exec, int64_t rows, F&& f) {
  parallel_for(exec, (rows + kRowsEach - 1) / kRowsEach, [&](int64_t chunk, int) {
    const int64_t last = (chunk + 1) * kRowsEach;
    for (int64_t r = chunk * kRowsEach; r < (last < rows ? last : rows); r++) f(r);
  });
}

// Σ a·b of one row, in four chains so that the additions overlap.
inline float row_dot(const float* a, const float* b, int64_t n) {
  Vec s0 = vzero(), s1 = vzero(), s2 = vzero(), s3 = vzero();
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s0 = vfma(vload(a + i), vload(b + i), s0);
    s1 = vfma(vload(a + i + kLanes), vload(b + i + kLanes), s1);
    s2 = vfma(vload(a + i + 2 * kLanes), vload(b + i + 2 * kLanes), s2);
    s3 = vfma(vload(a + i + 3 * kLanes), vload(b + i + 3 * kLanes), s3);
  }
  for (; i < n; i += kLanes) s0 = vfma(vload_n(a + i, n - i), vload_n(b + i, n - i), s0);
  return vsum((s0 + s1) + (s2 + s3));
}

// ‖x‖₂, also where the squares leave the range of a float.
inline float row_norm(const float* x, int64_t n) {
  const float squares = row_dot(x, x, n);
  if (squares > 1e-30f && squares < 1e38f) return __builtin_sqrtf(squares);
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return static_cast<float>(__builtin_sqrt(sum));
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
