#include "../columns.cuh"
#include "../entries.hpp"
#include "../rows.cuh"

namespace sonotext::cuda {
namespace {

struct LayerNorm {
  const float* x;
  const float* gamma;
  const float* beta;
  float* out;
  float* means;
  float* inv_stds;
  i64 cols;
  double eps;
  template <int kWidth>
  __device__ void operator()(i64 row, int lane) const {
    const float* from = x + row * cols;
    const float share = 1.0f / static_cast<float>(cols > 0 ? cols : 1);
    const float mean = share * row_sum<kWidth, float>(cols, lane, [&](i64 col) {
                         const Lanes<kWidth> v = load<kWidth>(from + col);
                         float part = 0.0f;
                         for (int k = 0; k < kWidth; ++k) part += v.v[k];
                         return part;
                       });
    const float variance = share * row_sum<kWidth, float>(cols, lane, [&](i64 col) {
                             const Lanes<kWidth> v = load<kWidth>(from + col);
                             float part = 0.0f;
                             for (int k = 0; k < kWidth; ++k) part = fmaf(v.v[k] - mean, v.v[k] - mean, part);
                             return part;
                           });
    const float inv_std = static_cast<float>(1.0 / sqrt(static_cast<double>(variance) + eps));
    if (lane == 0) means[row] = mean, inv_stds[row] = inv_std;
    for_columns<kWidth>(cols, lane, [&](i64 col) {
      Lanes<kWidth> v = load<kWidth>(from + col);
      const Lanes<kWidth> scale = load<kWidth>(gamma + col), shift = load<kWidth>(beta + col);
      for (int k = 0; k < kWidth; ++k) v.v[k] = fmaf((v.v[k] - mean) * inv_std, scale.v[k], shift.v[k]);
      store(out + row * cols + col, v);
    });
  }
};

// The gradient of a row loses its mean and its part along the normalised row.
struct LayerNormBackward {
  const float* x;
  const float* gamma;
  const float* means;
  const float* inv_stds;
  const float* grad_out;
  float* grad_x;
  i64 cols;
  template <int kWidth>
  __device__ void operator()(i64 row, int lane) const {
    const float *from = x + row * cols, *g = grad_out + row * cols;
    const float mean = means[row], inv_std = inv_stds[row];
    const float share = 1.0f / static_cast<float>(cols > 0 ? cols : 1);
    float constant = 0.0f, along = 0.0f;
    for_columns<kWidth>(cols, lane, [&](i64 col) {
      const Lanes<kWidth> v = load<kWidth>(from + col), grad = load<kWidth>(g + col),
                          scale = load<kWidth>(gamma + col);
      for (int k = 0; k < kWidth; ++k) {
        const float weighted = __fmul_rn(grad.v[k], scale.v[k]);
        constant += weighted, along = fmaf(weighted, (v.v[k] - mean) * inv_std, along);
      }
    });
    constant = share * warp_sum(constant), along = share * warp_sum(along);
    for_columns<kWidth>(cols, lane, [&](i64 col) {
      const Lanes<kWidth> v = load<kWidth>(from + col), scale = load<kWidth>(gamma + col);
      Lanes<kWidth> grad = load<kWidth>(g + col);
      for (int k = 0; k < kWidth; ++k) {
        const float normal = (v.v[k] - mean) * inv_std;
        // Rounded as it was in the sum: of a single column nothing may be left.
        grad.v[k] = inv_std * fmaf(-along, normal, __fmul_rn(grad.v[k], scale.v[k]) - constant);
      }
      store(grad_x + row * cols + col, grad);
    });
  }
};

constexpr i64 kRowsOfPiece = 512;

struct Pair {
  float gamma, beta;
};

// Sums over the rows of a piece.
struct ParameterSums {
  using Sum = Pair;
  const float* x;
  const float* means;
  const float* inv_stds;
  const float* grad_out;
  Pair* parts;  // [pieces × cols]
  i64 rows, cols;
  template <int kWidth>
  __device__ void gather(i64 piece, int share, int shares, i64 col, Pair (&own)[kWidth]) const {
    for (int k = 0; k < kWidth; ++k) own[k] = {0.0f, 0.0f};
    const i64 end = (piece + 1) * kRowsOfPiece < rows ? (piece + 1) * kRowsOfPiece : rows;
    for (i64 row = piece * kRowsOfPiece + share; row < end; row += shares) {
      const Lanes<kWidth> v = load<kWidth>(x + row * cols + col),
                          g = load<kWidth>(grad_out + row * cols + col);
      for (int k = 0; k < kWidth; ++k) {
        own[k].gamma = fmaf(g.v[k], (v.v[k] - means[row]) * inv_stds[row], own[k].gamma);
        own[k].beta += g.v[k];
      }
    }
  }
  __device__ static Pair combine(Pair a, Pair b) { return {a.gamma + b.gamma, a.beta + b.beta}; }
  __device__ void put(i64 piece, i64 col, Pair sum) const { parts[piece * cols + col] = sum; }
};

// Sums of the pieces.
struct PieceSums {
  using Sum = Pair;
  const Pair* parts;
  float* gamma;
  float* beta;
  i64 pieces, cols;
  template <int kWidth>
  __device__ void gather(i64, int share, int shares, i64 col, Pair (&own)[kWidth]) const {
    for (int k = 0; k < kWidth; ++k) {
      own[k] = {0.0f, 0.0f};
      for (i64 piece = share; piece < pieces; piece += shares)
        own[k] = ParameterSums::combine(own[k], parts[piece * cols + col + k]);
    }
  }
  __device__ static Pair combine(Pair a, Pair b) { return ParameterSums::combine(a, b); }
  __device__ void put(i64, i64 col, Pair sum) const { gamma[col] = sum.gamma, beta[col] = sum.beta; }
};

}  // namespace

Status layer_norm(const LayerNormArgs& args, Exec& exec) {
  const LayerNorm f{args.x.data,    args.gamma.data,  args.beta.data, args.out.data,
                    args.mean.data, args.invStd.data, args.cols,      args.eps};
  return for_rows(static_cast<CudaExec&>(exec), args.rows, in_fours(args.cols, f.x, f.gamma, f.beta, f.out),
                  f);
}

Status layer_norm_backward(const LayerNormBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  constexpr int kMostLanes = 32;
  if (args.gradX) {
    const LayerNormBackward f{args.x.data,       args.gamma.data, args.mean.data, args.invStd.data,
                              args.gradOut.data, args.gradX.data, args.cols};
    const Status status =
        for_rows(exec, args.rows, in_fours(args.cols, f.x, f.gamma, f.grad_out, f.grad_x), f);
    if (!status.ok()) return status;
  }
  const i64 pieces = args.rows > 0 ? (args.rows + kRowsOfPiece - 1) / kRowsOfPiece : 1;
  const ParameterSums sums{
      args.x.data, args.mean.data, args.invStd.data, args.gradOut.data, exec.array<Pair>(pieces * args.cols),
      args.rows,   args.cols};
  if (sums.parts == nullptr) return out_of_device_memory();
  const Status status =
      reduce_columns(exec, pieces, args.cols, in_fours(args.cols, sums.x, sums.grad_out), kMostLanes, sums);
  if (!status.ok()) return status;
  const PieceSums all{sums.parts, args.gradGamma.data, args.gradBeta.data, pieces, args.cols};
  return reduce_columns(exec, 1, args.cols, false, kMostLanes, all);
}

}  // namespace sonotext::cuda
