#include "../columns.cuh"
#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kThreads = 256;

// x as a matrix whose rows are moved in fours where that can be: one channel, or two, as four columns of a
// fourth, or half, of the rows. Column i belongs to channel i mod c.
struct Shape {
  i64 rows, cols, c;
  bool fours;
  i64 piece_rows, pieces;  // of a block of the reductions
};

template <class... Pointers>
Shape shape_of(i64 rows, i64 c, Pointers... arrays) {
  Shape s{rows, c, c, in_fours(c, arrays...), 0, 0};
  if ((c == 1 || c == 2) && in_fours(rows * c, arrays...)) s.rows = rows * c / 4, s.cols = 4, s.fours = true;
  // Enough pieces for every multiprocessor; rows enough that a piece's sum costs little. By the shape alone.
  constexpr i64 kPieces = 512, kLeast = 8, kMost = 128;
  const i64 units = s.fours ? s.cols / 4 : s.cols;
  const i64 shares = units < kColumnThreads ? kColumnThreads / (units > 0 ? units : 1) : 1;
  const i64 wanted = s.rows / (shares * kPieces) + 1;
  s.piece_rows = shares * (wanted < kLeast ? kLeast : wanted > kMost ? kMost : wanted);
  s.pieces = (s.rows + s.piece_rows - 1) / s.piece_rows;
  return s;
}

// Of every column's channel.
template <int kWidth>
__device__ Lanes<kWidth> of_channels(const float* values, i64 col, i64 c) {
  Lanes<kWidth> lanes = zeros<kWidth>();
  if (c >= kWidth) return load<kWidth>(values + col);
  for (int k = 0; k < kWidth; ++k) lanes.v[k] = values[c == 1 ? 0 : k % 2];
  return lanes;
}

// What is known of some values: how many, their mean, the sum of their squared deviations from it.
struct Moments {
  double n, mean, m2;
};

// Chan's formula.
__device__ inline Moments combine(const Moments& a, const Moments& b) {
  if (a.n == 0.0) return b;
  if (b.n == 0.0) return a;
  const double n = a.n + b.n, delta = b.mean - a.mean;
  const double share = static_cast<float>(b.n) / static_cast<float>(n);  // a division in float64 takes long
  return {n, a.mean + delta * share, a.m2 + b.m2 + delta * delta * a.n * share};
}

struct ColumnMoments {
  using Sum = Moments;
  const float* x;
  Moments* parts;  // [pieces × cols]
  Shape s;
  // Deviations from the first value, in float32: a thread has few rows, and what it loses is relative to
  // their spread.
  template <int kWidth>
  __device__ void gather(i64 piece, int share, int shares, i64 col, Moments (&own)[kWidth]) const {
    const i64 first = piece * s.piece_rows + share;
    const i64 end = (piece + 1) * s.piece_rows < s.rows ? (piece + 1) * s.piece_rows : s.rows;
    const Lanes<kWidth> origin = first < end ? load<kWidth>(x + first * s.cols + col) : zeros<kWidth>();
    Lanes<kWidth> sum = zeros<kWidth>(), squares = sum;
    int n = 0;
#pragma unroll 4
    for (i64 row = first; row < end; row += shares, ++n) {
      const Lanes<kWidth> v = load<kWidth>(x + row * s.cols + col);
      for (int k = 0; k < kWidth; ++k) {
        const float deviation = v.v[k] - origin.v[k];
        sum.v[k] += deviation;
        squares.v[k] = fmaf(deviation, deviation, squares.v[k]);
      }
    }
    for (int k = 0; k < kWidth; ++k) {
      const double mean = n > 0 ? static_cast<double>(sum.v[k]) / n : 0.0;
      const double m2 = static_cast<double>(squares.v[k]) - mean * static_cast<double>(sum.v[k]);
      own[k] = {static_cast<double>(n), static_cast<double>(origin.v[k]) + mean, m2 < 0.0 ? 0.0 : m2};
    }
  }
  __device__ static Moments combine(const Moments& a, const Moments& b) { return cuda::combine(a, b); }
  __device__ void put(i64 piece, i64 col, const Moments& sum) const { parts[piece * s.cols + col] = sum; }
};

struct Channels {
  const float* gamma;
  float* running_mean;
  float* running_var;
  float* saved_mean;
  float* saved_inv_std;
  float* factor;  // [c] what deviations are multiplied by
  i64 rows, c;
  bool training;
  double eps, momentum;
};

// One block per channel. The parts of a channel stand c apart, in columns or in rows.
__global__ void __launch_bounds__(kThreads) finish_moments(Channels ch, const Moments* parts, i64 count) {
  const i64 j = blockIdx.x;
  Moments all{0.0, 0.0, 0.0};
  for (i64 part = threadIdx.x; part < count; part += kThreads) all = combine(all, parts[part * ch.c + j]);
  all = block_reduce<kThreads>(all, [](const Moments& a, const Moments& b) { return combine(a, b); });
  if (threadIdx.x != 0) return;
  double mean = all.mean, variance = ch.rows > 0 ? all.m2 / static_cast<double>(ch.rows) : 0.0;
  if (!ch.training) {
    mean = static_cast<double>(ch.running_mean[j]), variance = static_cast<double>(ch.running_var[j]);
  } else if (ch.rows > 0) {
    const double unbiased = ch.rows > 1 ? all.m2 / static_cast<double>(ch.rows - 1) : variance;
    const double keep = 1.0 - ch.momentum;
    ch.running_mean[j] =
        static_cast<float>(keep * static_cast<double>(ch.running_mean[j]) + ch.momentum * mean);
    ch.running_var[j] =
        static_cast<float>(keep * static_cast<double>(ch.running_var[j]) + ch.momentum * unbiased);
  }
  const double inv_std = 1.0 / sqrt(variance + ch.eps);
  ch.saved_mean[j] = static_cast<float>(mean);
  ch.saved_inv_std[j] = static_cast<float>(inv_std);
  ch.factor[j] = static_cast<float>(inv_std * static_cast<double>(ch.gamma[j]));
}

struct Apply {
  const float* x;
  const float* mean;
  const float* factor;
  const float* beta;
  float* out;
  i64 cols, c;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    Lanes<kWidth> v = load<kWidth>(x + row * cols + col);
    const Lanes<kWidth> m = of_channels<kWidth>(mean, col, c), f = of_channels<kWidth>(factor, col, c),
                        b = of_channels<kWidth>(beta, col, c);
    for (int k = 0; k < kWidth; ++k) v.v[k] = fmaf(v.v[k] - m.v[k], f.v[k], b.v[k]);
    store(out + row * cols + col, v);
  }
};

struct GradientSums {
  double sum, product;  // Σ g, Σ g·(x - mean)
};

__device__ inline GradientSums combine(const GradientSums& a, const GradientSums& b) {
  return {a.sum + b.sum, a.product + b.product};
}

struct ColumnGradients {
  using Sum = GradientSums;
  const float* x;
  const float* grad_out;
  const float* mean;
  GradientSums* parts;  // [pieces × cols]
  Shape s;
  template <int kWidth>
  __device__ void gather(i64 piece, int share, int shares, i64 col, GradientSums (&own)[kWidth]) const {
    const i64 end = (piece + 1) * s.piece_rows < s.rows ? (piece + 1) * s.piece_rows : s.rows;
    const Lanes<kWidth> m = of_channels<kWidth>(mean, col, s.c);
    Lanes<kWidth> sum = zeros<kWidth>(), product = sum;
#pragma unroll 4
    for (i64 row = piece * s.piece_rows + share; row < end; row += shares) {
      const Lanes<kWidth> v = load<kWidth>(x + row * s.cols + col),
                          g = load<kWidth>(grad_out + row * s.cols + col);
      for (int k = 0; k < kWidth; ++k) {
        sum.v[k] += g.v[k];
        product.v[k] = fmaf(g.v[k], v.v[k] - m.v[k], product.v[k]);
      }
    }
    for (int k = 0; k < kWidth; ++k)
      own[k] = {static_cast<double>(sum.v[k]), static_cast<double>(product.v[k])};
  }
  __device__ static GradientSums combine(const GradientSums& a, const GradientSums& b) {
    return cuda::combine(a, b);
  }
  __device__ void put(i64 piece, i64 col, const GradientSums& sum) const {
    parts[piece * s.cols + col] = sum;
  }
};

// gradX = factor·(g - through - (x - mean)·slope), with through = mean of g and slope = invStd²·mean of g·(x
// - mean) in training and 0 where the statistics were constants.
struct ChannelGradients {
  const float* gamma;
  const float* inv_std;
  float* grad_gamma;
  float* grad_beta;
  float* factor;
  float* through;
  float* slope;
  i64 c;
  double share;  // 1 / rows, or 0
};

__global__ void __launch_bounds__(kThreads)
    finish_gradients(ChannelGradients ch, const GradientSums* parts, i64 count) {
  const i64 j = blockIdx.x;
  GradientSums all{0.0, 0.0};
  for (i64 part = threadIdx.x; part < count; part += kThreads) all = combine(all, parts[part * ch.c + j]);
  all =
      block_reduce<kThreads>(all, [](const GradientSums& a, const GradientSums& b) { return combine(a, b); });
  if (threadIdx.x != 0) return;
  const double inv_std = static_cast<double>(ch.inv_std[j]);
  ch.grad_beta[j] = static_cast<float>(all.sum);
  ch.grad_gamma[j] = static_cast<float>(all.product * inv_std);
  ch.factor[j] = static_cast<float>(inv_std * static_cast<double>(ch.gamma[j]));
  ch.through[j] = static_cast<float>(all.sum * ch.share);
  ch.slope[j] = static_cast<float>(all.product * inv_std * inv_std * ch.share);
}

struct ApplyBackward {
  const float* x;
  const float* grad_out;
  const float* mean;
  const float* factor;
  const float* through;
  const float* slope;
  float* grad_x;
  i64 cols, c;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    const i64 at = row * cols + col;
    const Lanes<kWidth> v = load<kWidth>(x + at), m = of_channels<kWidth>(mean, col, c),
                        f = of_channels<kWidth>(factor, col, c), t = of_channels<kWidth>(through, col, c),
                        s = of_channels<kWidth>(slope, col, c);
    Lanes<kWidth> g = load<kWidth>(grad_out + at);
    for (int k = 0; k < kWidth; ++k) g.v[k] = f.v[k] * fmaf(m.v[k] - v.v[k], s.v[k], g.v[k] - t.v[k]);
    store(grad_x + at, g);
  }
};

}  // namespace

Status batch_norm(const BatchNormArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const float* mean = args.savedMean.data;
  const bool training = args.training != 0;
  const Shape s = args.c >= 4 ? shape_of(args.rows, args.c, args.x.data, args.out.data, mean, args.beta.data)
                              : shape_of(args.rows, args.c, args.x.data, args.out.data);
  float* factor = exec.array<float>(args.c);
  Moments* parts = training ? exec.array<Moments>(s.pieces * s.cols) : nullptr;
  if (factor == nullptr || (training && parts == nullptr)) return out_of_device_memory();
  Status status;
  if (training) {
    status =
        reduce_columns(exec, s.pieces, s.cols, s.fours, kColumnThreads, ColumnMoments{args.x.data, parts, s});
  }
  if (!status.ok()) return status;
  const Channels channels{args.gamma.data,
                          args.runningMean.data,
                          args.runningVar.data,
                          args.savedMean.data,
                          args.savedInvStd.data,
                          factor,
                          args.rows,
                          args.c,
                          training,
                          args.eps,
                          args.momentum};
  const i64 count = training ? s.pieces * (s.cols / (args.c > 0 ? args.c : 1)) : 0;
  status = launch(exec, finish_moments, args.c, kThreads, channels, parts, count);
  if (!status.ok()) return status;
  return map_rows(exec, s.rows, s.cols, s.fours,
                  Apply{args.x.data, mean, factor, args.beta.data, args.out.data, s.cols, args.c});
}

Status batch_norm_backward(const BatchNormBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const float* mean = args.savedMean.data;
  const Shape s = args.c >= 4
                      ? shape_of(args.rows, args.c, args.x.data, args.gradOut.data, args.gradX.data, mean)
                      : shape_of(args.rows, args.c, args.x.data, args.gradOut.data, args.gradX.data);
  GradientSums* parts = exec.array<GradientSums>(s.pieces * s.cols);
  float* factor = exec.array<float>(args.c);
  float* through = exec.array<float>(args.c);
  float* slope = exec.array<float>(args.c);
  if (!parts || !factor || !through || !slope) return out_of_device_memory();
  Status status = reduce_columns(exec, s.pieces, s.cols, s.fours, kColumnThreads,
                                 ColumnGradients{args.x.data, args.gradOut.data, mean, parts, s});
  if (!status.ok()) return status;
  const double share = args.training != 0 && args.rows > 0 ? 1.0 / static_cast<double>(args.rows) : 0.0;
  const ChannelGradients channels{args.gamma.data,
                                  args.savedInvStd.data,
                                  args.gradGamma.data,
                                  args.gradBeta.data,
                                  factor,
                                  through,
                                  slope,
                                  args.c,
                                  share};
  status = launch(exec, finish_gradients, args.c, kThreads, channels, parts,
                  s.pieces * (s.cols / (args.c > 0 ? args.c : 1)));
  if (!status.ok() || !args.gradX) return status;
  return map_rows(exec, s.rows, s.cols, s.fours,
                  ApplyBackward{args.x.data, args.gradOut.data, mean, factor, through, slope, args.gradX.data,
                                s.cols, args.c});
}

}  // namespace sonotext::cuda
