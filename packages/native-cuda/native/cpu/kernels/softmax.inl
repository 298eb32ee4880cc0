#include "../../core/ops.hpp"
#include "chunks.inl"
#include "rows.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// The largest of the values that are no NaN: a NaN is seen by the sum.
inline float row_max(const float* x, int64_t n) {
  float top = -__builtin_inff();
  const int64_t whole = n / kLanes * kLanes;
  Vec running = vset(top);
  for (int64_t i = 0; i < whole; i += kLanes) running = vmax(vload(x + i), running);
  if (whole > 0) top = vhmax(running);
  for (int64_t i = whole; i < n; i++) top = x[i] > top ? x[i] : top;
  return top;
}

inline Status softmax(const SoftmaxArgs& args, Exec& exec) {
  const int64_t cols = args.cols, rows = args.rows;
  for_each_row(exec, args.n * rows, [&](int64_t r) {
    const int64_t length = args.lengths ? args.lengths[r / rows] : cols;
    const float* x = args.x.data + r * cols;
    float* out = args.out.data + r * cols;
    const Vec most = vset(row_max(x, length));
    Vec sums = vzero();
    for_vectors(0, length, [&](int64_t j, int64_t lanes) {
      const Vec e = vexp(vload_n(x + j, lanes) - most);
      vstore_n(out + j, e, lanes);
      sums = sums + vload_n(out + j, lanes);  // lanes past the end are 0
    });
    const Vec share = vset(1.0f / vsum(sums));
    map_lanes(out, 0, length, [&](int64_t j, int64_t lanes) { return vload_n(out + j, lanes) * share; });
    memset(out + length, 0, static_cast<size_t>(cols - length) * sizeof(float));
  });
  return {};
}

inline Status softmax_backward(const SoftmaxBackwardArgs& args, Exec& exec) {
  const int64_t cols = args.cols, rows = args.rows;
  for_each_row(exec, args.n * rows, [&](int64_t r) {
    const int64_t length = args.lengths ? args.lengths[r / rows] : cols;
    const float* y = args.out.data + r * cols;
    const float* g = args.gradOut.data + r * cols;
    float* grad_x = args.gradX.data + r * cols;
    const Vec along = vset(row_dot(y, g, length));
    map_lanes(grad_x, 0, length, [&](int64_t j, int64_t lanes) {
      return vload_n(y + j, lanes) * (vload_n(g + j, lanes) - along);
    });
    memset(grad_x + length, 0, static_cast<size_t>(cols - length) * sizeof(float));
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
