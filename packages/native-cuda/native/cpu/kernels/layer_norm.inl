#include "../../core/ops.hpp"
#include "chunks.inl"
#include "rows.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Σ f(i, lanes) over the vectors of a row, in two chains; f gives 0 in lanes past the end.
template <class F>
inline float row_sum(int64_t n, F&& f) {
  Vec a = vzero(), b = vzero();
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) a = a + f(i, int64_t{kLanes}), b = b + f(i + kLanes, int64_t{kLanes});
  for (; i < n; i += kLanes) a = a + f(i, n - i < kLanes ? n - i : int64_t{kLanes});
  return vsum(a + b);
}

// The first `lanes` of v, then zeros.
inline Vec first_lanes(Vec v, int64_t lanes) {
  if (lanes >= kLanes) return v;
  float values[kLanes];
  vstore(values, v);
  return vload_n(values, lanes);
}

inline Status layer_norm(const LayerNormArgs& args, Exec& exec) {
  const int64_t cols = args.cols;
  const float share = cols > 0 ? 1.0f / static_cast<float>(cols) : 0.0f;
  for_each_row(exec, args.rows, [&](int64_t r) {
    const float* x = args.x.data + r * cols;
    const float mean = share * row_sum(cols, [&](int64_t j, int64_t lanes) { return vload_n(x + j, lanes); });
    const Vec centre = vset(mean);
    const float variance = share * row_sum(cols, [&](int64_t j, int64_t lanes) {
      const Vec d = first_lanes(vload_n(x + j, lanes) - centre, lanes);
      return d * d;
    });
    const float inv_std = static_cast<float>(1.0 / __builtin_sqrt(static_cast<double>(variance) + args.eps));
    args.mean[r] = mean, args.invStd[r] = inv_std;
    const Vec scale = vset(inv_std);
    map_lanes(args.out.data + r * cols, 0, cols, [&](int64_t j, int64_t lanes) {
      const Vec normal = (vload_n(x + j, lanes) - centre) * scale;
      return vfma(normal, vload_n(args.gamma.data + j, lanes), vload_n(args.beta.data + j, lanes));
    });
  });
  return {};
}

// Parameters' gradients are sums over all rows: parts of consecutive rows, then the parts in order.
inline Status layer_norm_backward(const LayerNormBackwardArgs& args, Exec& exec) {
  constexpr int64_t kMostParts = 64;
  const int64_t rows = args.rows, cols = args.cols;
  const int64_t each = rows > kMostParts * kRowsEach ? (rows + kMostParts - 1) / kMostParts : kRowsEach;
  const int64_t parts = (rows + each - 1) / each;
  float* sums = static_cast<float*>(exec.scratch(4 * 2 * parts * cols));
  if (!sums) return {Code::out_of_memory, "scratch memory for sums over rows"};
  const float share = cols > 0 ? 1.0f / static_cast<float>(cols) : 0.0f;
  parallel_for(exec, parts, [&](int64_t part, int) {
    float* of_gamma = sums + 2 * part * cols;
    float* of_beta = of_gamma + cols;
    memset(of_gamma, 0, static_cast<size_t>(2 * cols) * sizeof(float));
    for (int64_t r = part * each; r < ((part + 1) * each < rows ? (part + 1) * each : rows); r++) {
      const float* x = args.x.data + r * cols;
      const float* g = args.gradOut.data + r * cols;
      const Vec mean = vset(args.mean[r]), scale = vset(args.invStd[r]);
      const auto normal = [&](int64_t j, int64_t lanes) { return (vload_n(x + j, lanes) - mean) * scale; };
      for_vectors(0, cols, [&](int64_t j, int64_t lanes) {
        const Vec grad = vload_n(g + j, lanes);
        vstore_n(of_gamma + j, vfma(grad, normal(j, lanes), vload_n(of_gamma + j, lanes)), lanes);
        vstore_n(of_beta + j, vload_n(of_beta + j, lanes) + grad, lanes);
      });
      if (!args.gradX) continue;
      const auto weighted = [&](int64_t j, int64_t lanes) {
        return vload_n(g + j, lanes) * vload_n(args.gamma.data + j, lanes);
      };
      const Vec constant = vset(share * row_sum(cols, weighted));
      const Vec along = vset(share * row_sum(cols, [&](int64_t j, int64_t lanes) {
        return first_lanes(weighted(j, lanes) * normal(j, lanes), lanes);
      }));
      map_lanes(args.gradX.data + r * cols, 0, cols, [&](int64_t j, int64_t lanes) {
        return scale * vfnma(along, normal(j, lanes), weighted(j, lanes) - constant);
      });
    }
  });
  if (exec.cancelled()) return {};
  const auto add = [&](F32Out to, int64_t from) {
    map_lanes(to.data, 0, cols, [&](int64_t j, int64_t lanes) {
      Vec sum = vzero();
      for (int64_t part = 0; part < parts; part++) sum = sum + vload_n(sums + 2 * part * cols + from + j, lanes);
      return sum;
    });
  };
  add(args.gradGamma, 0), add(args.gradBeta, cols);
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
