#include "../../core/ops.hpp"
#include "chunks.inl"
#include "rows.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status l2_normalize(const L2NormalizeArgs& args, Exec& exec) {
  const int64_t cols = args.cols, rows = args.rows;
  const float eps = static_cast<float>(args.eps);
  for_each_row(exec, rows, [&](int64_t r) {
    const float* x = args.x.data + r * cols;
    const float norm = row_norm(x, cols);
    args.norms[r] = norm;
    const Vec divisor = vset(norm > eps || norm != norm ? norm : eps);
    map_lanes(args.out.data + r * cols, 0, cols, [&](int64_t j, int64_t n) { return vload_n(x + j, n) / divisor; });
  });
  return {};
}

// Above eps the gradient loses its part along the row; below it the divisor was the constant eps.
inline Status l2_normalize_backward(const L2NormalizeBackwardArgs& args, Exec& exec) {
  const int64_t cols = args.cols, rows = args.rows;
  const float eps = static_cast<float>(args.eps);
  for_each_row(exec, rows, [&](int64_t r) {
    const float* y = args.out.data + r * cols;
    const float* g = args.gradOut.data + r * cols;
    const float norm = args.norms[r];
    const Vec along = vset(norm > eps ? row_dot(y, g, cols) : 0.0f);
    const Vec factor = vset(1.0f / (norm > eps || norm != norm ? norm : eps));
    map_lanes(args.gradX.data + r * cols, 0, cols, [&](int64_t j, int64_t n) {
      return factor * vfnma(along, vload_n(y + j, n), vload_n(g + j, n));
    });
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
