#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Rows of one chunk: its data stays in cache between the pass for the means and the pass for the deviations, and sums
// of at most 1024 floats stay accurate; chunks are combined in double, in order.
inline int64_t norm_chunk_rows(int64_t c) {
  const int64_t rows = kElementChunk / (c > 0 ? c : 1);
  return rows < 1 ? 1 : rows > 1024 ? 1024 : rows;
}

inline float lane_total(const float* x, int64_t rows, float shift, bool squared) {
  Vec total = vzero();
  for (int64_t r = 0; r < rows; r += kLanes) {
    const int64_t n = rows - r;
    // Lanes past the end would contribute the shift: mask them by loading the shift there.
    Vec v = vload_n(x + r, n) - vset(shift);
    if (n < kLanes) {
      float lanes[kLanes];
      vstore(lanes, v);
      for (int64_t i = n; i < kLanes; i++) lanes[i] = 0.0f;
      v = vload(lanes);
    }
    total = squared ? vfma(v, v, total) : total + v;
  }
  return vsum(total);
}

template <int N>
struct NormChains {
  static constexpr int count = N;
};

// How many vectors of channels go down the rows together: each is a chain of sums, and one alone waits for every sum.
constexpr int kNormChains = 4;

// f(j, lanes, chains) for the channels of [0, c): kNormChains whole vectors at a time, then what is left, a vector each.
template <class F>
inline void for_channels(int64_t c, F&& f) {
  int64_t j = 0;
  for (; j + kNormChains * kLanes <= c; j += kNormChains * kLanes) f(j, int64_t{kLanes}, NormChains<kNormChains>{});
  for (; j < c; j += kLanes) f(j, c - j, NormChains<1>{});
}

// mean[j] and sum of squared deviations m2[j] of `rows` rows.
inline void chunk_moments(const float* x, int64_t rows, int64_t c, float* mean, float* m2) {
  const float share = 1.0f / static_cast<float>(rows);
  if (c == 1) {
    mean[0] = lane_total(x, rows, 0.0f, false) * share;
    m2[0] = lane_total(x, rows, mean[0], true);
    return;
  }
  for_channels(c, [&](int64_t j, int64_t n, auto chains) {
    constexpr int kCount = decltype(chains)::count;
    Vec center[kCount], squares[kCount];
    for (int i = 0; i < kCount; i++) center[i] = squares[i] = vzero();
    for (int64_t r = 0; r < rows; r++) {
      const float* row = x + r * c + j;
      for (int i = 0; i < kCount; i++) center[i] = center[i] + vload_n(row + i * kLanes, n);
    }
    for (int i = 0; i < kCount; i++) center[i] = center[i] * vset(share);
    for (int64_t r = 0; r < rows; r++) {
      const float* row = x + r * c + j;
      for (int i = 0; i < kCount; i++) {
        const Vec d = vload_n(row + i * kLanes, n) - center[i];
        squares[i] = vfma(d, d, squares[i]);
      }
    }
    for (int i = 0; i < kCount; i++) {
      vstore_n(mean + j + i * kLanes, center[i], n);
      vstore_n(m2 + j + i * kLanes, squares[i], n);
    }
  });
}

// Batch mean and biased variance of every channel, by Chan's formula for combining parts.
inline Status batch_moments(const BatchNormArgs& args, Exec& exec, double* mean, double* variance) {
  const int64_t c = args.c, rows = args.rows;
  const int64_t per_chunk = norm_chunk_rows(c);
  const int64_t count = (rows + per_chunk - 1) / per_chunk;
  float* parts = static_cast<float*>(exec.scratch((2 * count * c + 1) * static_cast<int64_t>(sizeof(float))));
  if (parts == nullptr) return {Code::out_of_memory, "scratch memory for the batch statistics"};
  parallel_for(exec, count, [&](int64_t chunk, int) {
    const int64_t from = chunk * per_chunk;
    const int64_t size = rows - from < per_chunk ? rows - from : per_chunk;
    chunk_moments(args.x.data + from * c, size, c, parts + 2 * chunk * c, parts + (2 * chunk + 1) * c);
  });
  for (int64_t j = 0; j < c; j++) {
    double seen = 0.0, m = 0.0, m2 = 0.0;
    for (int64_t chunk = 0; chunk < count; chunk++) {
      const int64_t from = chunk * per_chunk;
      const double size = static_cast<double>(rows - from < per_chunk ? rows - from : per_chunk);
      const double delta = static_cast<double>(parts[2 * chunk * c + j]) - m;
      const double total = seen + size;
      m += delta * size / total;
      m2 += static_cast<double>(parts[(2 * chunk + 1) * c + j]) + delta * delta * seen * size / total;
      seen = total;
    }
    mean[j] = m;
    variance[j] = rows > 0 ? m2 / static_cast<double>(rows) : 0.0;
  }
  return {};
}

// Rows of a one-channel image are one long row of lanes.
struct RowShape {
  int64_t rows, c;
};
inline void normalize_rows(const float* x, float* out, RowShape shape, const float* mean, const float* factor,
                           const float* beta, const Sink& sink) {
  if (shape.c == 1) {
    const Vec m = vset(mean[0]), f = vset(factor[0]), b = vset(beta[0]);
    map_lanes(out, 0, shape.rows, [&](int64_t i, int64_t n) { return vfma(vload_n(x + i, n) - m, f, b); });
    return;
  }
  for (int64_t r = 0; r < shape.rows; r++) {
    const float* row = x + r * shape.c;
    for_vectors(0, shape.c, [&](int64_t j, int64_t n) {
      const Vec d = vload_n(row + j, n) - vload_n(mean + j, n);
      sink.put(out + r * shape.c + j, vfma(d, vload_n(factor + j, n), vload_n(beta + j, n)), n);
    });
  }
  sink.end();
}

inline Status batch_norm(const BatchNormArgs& args, Exec& exec) {
  const int64_t c = args.c, rows = args.rows;
  double* moments = static_cast<double*>(exec.scratch((2 * c + 1) * static_cast<int64_t>(sizeof(double))));
  float* factor = static_cast<float*>(exec.scratch((c + 1) * static_cast<int64_t>(sizeof(float))));
  if (moments == nullptr || factor == nullptr) return {Code::out_of_memory, "scratch memory for the channel factors"};
  double* mean = moments;
  double* variance = moments + c;
  if (args.training != 0) {
    const Status status = batch_moments(args, exec, mean, variance);
    if (!status.ok()) return status;
    if (exec.cancelled()) return {};  // the running statistics outlive the op: they stay as they were
  }
  for (int64_t j = 0; j < c; j++) {
    if (args.training == 0) {
      mean[j] = static_cast<double>(args.runningMean[j]);
      variance[j] = static_cast<double>(args.runningVar[j]);
    } else if (rows > 0) {
      const double n = static_cast<double>(rows);
      const double unbiased = rows > 1 ? variance[j] * n / (n - 1.0) : variance[j];
      const double keep = 1.0 - args.momentum;
      args.runningMean[j] = static_cast<float>(keep * static_cast<double>(args.runningMean[j]) + args.momentum * mean[j]);
      args.runningVar[j] = static_cast<float>(keep * static_cast<double>(args.runningVar[j]) + args.momentum * unbiased);
    }
    const double inv_std = 1.0 / __builtin_sqrt(variance[j] + args.eps);
    args.savedMean[j] = static_cast<float>(mean[j]);
    args.savedInvStd[j] = static_cast<float>(inv_std);
    factor[j] = static_cast<float>(inv_std * static_cast<double>(args.gamma[j]));
  }
  const int64_t per_chunk = norm_chunk_rows(c);
  const Sink sink(args.out.data, args.out.size, c);
  parallel_for(exec, (rows + per_chunk - 1) / per_chunk, [&](int64_t chunk, int) {
    const int64_t from = chunk * per_chunk;
    const int64_t size = rows - from < per_chunk ? rows - from : per_chunk;
    normalize_rows(args.x.data + from * c, args.out.data + from * c, {size, c}, args.savedMean.data, factor,
                   args.beta.data, sink);
  });
  return {};
}

// Sums over a chunk's rows of g and of g·(x - mean) for every channel.
inline void chunk_gradient_sums(const float* x, const float* g, int64_t rows, int64_t c, const float* mean, float* sums,
                                float* products) {
  if (c == 1) {
    Vec sum = vzero(), product = vzero();
    const Vec m = vset(mean[0]);
    for (int64_t r = 0; r < rows; r += kLanes) {
      const Vec v = vload_n(g + r, rows - r);  // lanes past the end are 0 and so is their product
      sum = sum + v;
      product = vfma(v, vload_n(x + r, rows - r) - m, product);
    }
    sums[0] = vsum(sum);
    products[0] = vsum(product);
    return;
  }
  for_channels(c, [&](int64_t j, int64_t n, auto chains) {
    constexpr int kCount = decltype(chains)::count;
    Vec m[kCount], sum[kCount], product[kCount];
    for (int i = 0; i < kCount; i++) m[i] = vload_n(mean + j + i * kLanes, n), sum[i] = product[i] = vzero();
    for (int64_t r = 0; r < rows; r++) {
      const int64_t at = r * c + j;
      for (int i = 0; i < kCount; i++) {
        const Vec v = vload_n(g + at + i * kLanes, n);
        sum[i] = sum[i] + v;
        product[i] = vfma(v, vload_n(x + at + i * kLanes, n) - m[i], product[i]);
      }
    }
    for (int i = 0; i < kCount; i++) {
      vstore_n(sums + j + i * kLanes, sum[i], n);
      vstore_n(products + j + i * kLanes, product[i], n);
    }
  });
}

// gradX = factor·(g - through - (x - mean)·slope), with through = mean of g and slope = invStd²·mean of g·(x - mean) in
// training and 0 where the statistics were constants.
inline Status batch_norm_backward(const BatchNormBackwardArgs& args, Exec& exec) {
  const int64_t c = args.c, rows = args.rows;
  const int64_t per_chunk = norm_chunk_rows(c);
  const int64_t count = (rows + per_chunk - 1) / per_chunk;
  float* parts = static_cast<float*>(exec.scratch((2 * count * c + 3 * c + 1) * static_cast<int64_t>(sizeof(float))));
  if (parts == nullptr) return {Code::out_of_memory, "scratch memory for the gradient sums"};
  const float* mean = args.savedMean.data;
  const auto size_of = [&](int64_t chunk) {
    const int64_t rest = rows - chunk * per_chunk;
    return rest < per_chunk ? rest : per_chunk;
  };
  parallel_for(exec, count, [&](int64_t chunk, int) {
    const int64_t at = chunk * per_chunk * c;
    chunk_gradient_sums(args.x.data + at, args.gradOut.data + at, size_of(chunk), c, mean, parts + 2 * chunk * c,
                        parts + (2 * chunk + 1) * c);
  });
  float* factor = parts + 2 * count * c;
  float* through = factor + c;
  float* slope = through + c;
  for (int64_t j = 0; j < c; j++) {
    double sum = 0.0, product = 0.0;
    for (int64_t chunk = 0; chunk < count; chunk++) {
      sum += static_cast<double>(parts[2 * chunk * c + j]);
      product += static_cast<double>(parts[(2 * chunk + 1) * c + j]);
    }
    const double inv_std = static_cast<double>(args.savedInvStd[j]);
    args.gradBeta[j] = static_cast<float>(sum);
    args.gradGamma[j] = static_cast<float>(product * inv_std);
    const double share = args.training != 0 && rows > 0 ? 1.0 / static_cast<double>(rows) : 0.0;
    factor[j] = static_cast<float>(inv_std * static_cast<double>(args.gamma[j]));
    through[j] = static_cast<float>(sum * share);
    slope[j] = static_cast<float>(product * inv_std * inv_std * share);
  }
  if (!args.gradX) return {};
  const Sink sink(args.gradX.data, args.gradX.size, c);
  parallel_for(exec, count, [&](int64_t chunk, int) {
    const int64_t at = chunk * per_chunk * c;
    const float* x = args.x.data + at;
    const float* g = args.gradOut.data + at;
    float* grad_x = args.gradX.data + at;
    if (c == 1) {
      const Vec f = vset(factor[0]), t = vset(through[0]), s = vset(slope[0]), m = vset(mean[0]);
      map_lanes(grad_x, 0, size_of(chunk), [&](int64_t i, int64_t n) {
        return f * vfnma(vload_n(x + i, n) - m, s, vload_n(g + i, n) - t);
      });
      return;
    }
    for (int64_t r = 0; r < size_of(chunk); r++) {
      for_vectors(0, c, [&](int64_t j, int64_t n) {
        const Vec centered = vload_n(x + r * c + j, n) - vload_n(mean + j, n);
        const Vec rest = vload_n(g + r * c + j, n) - vload_n(through + j, n);
        sink.put(grad_x + r * c + j, vload_n(factor + j, n) * vfnma(centered, vload_n(slope + j, n), rest), n);
      });
    }
    sink.end();
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
