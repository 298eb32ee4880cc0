#include "../entries.hpp"
#include "../rows.cuh"

namespace sonotext::cuda {
namespace {

template <class T, int kWidth>
__device__ T dot(const Lanes<kWidth>& a, const Lanes<kWidth>& b) {
  T sum = 0;
  for (int k = 0; k < kWidth; ++k) sum += static_cast<T>(a.v[k]) * static_cast<T>(b.v[k]);
  return sum;
}

struct Normalize {
  const float* x;
  float* out;
  float* norms;
  i64 cols;
  float eps;
  template <int kWidth>
  __device__ void operator()(i64 row, int lane) const {
    const float* from = x + row * cols;
    const float squares = row_sum<kWidth, float>(cols, lane, [&](i64 col) {
      const Lanes<kWidth> v = load<kWidth>(from + col);
      return dot<float>(v, v);
    });
    float norm = sqrtf(squares);
    // The squares of the whole row (so for all of the warp) may leave the range of a float.
    if (!(squares > 1e-30f && squares < 1e38f)) {
      const double wide = row_sum<kWidth, double>(cols, lane, [&](i64 col) {
        const Lanes<kWidth> v = load<kWidth>(from + col);
        return dot<double>(v, v);
      });
      norm = static_cast<float>(sqrt(wide));
    }
    if (lane == 0) norms[row] = norm;
    const float divisor = norm > eps || norm != norm ? norm : eps;
    for_columns<kWidth>(cols, lane, [&](i64 col) {
      Lanes<kWidth> v = load<kWidth>(from + col);
      for (int k = 0; k < kWidth; ++k) v.v[k] /= divisor;
      store(out + row * cols + col, v);
    });
  }
};

// Above eps the gradient loses its part along the row; below it the divisor was the constant eps.
struct NormalizeBackward {
  const float* out;
  const float* norms;
  const float* grad_out;
  float* grad_x;
  i64 cols;
  float eps;
  template <int kWidth>
  __device__ void operator()(i64 row, int lane) const {
    const float norm = norms[row];
    const float* y = out + row * cols;
    const float* g = grad_out + row * cols;
    float along = row_sum<kWidth, float>(
        cols, lane, [&](i64 col) { return dot<float>(load<kWidth>(y + col), load<kWidth>(g + col)); });
    if (!(norm > eps)) along = 0.0f;
    const float factor = 1.0f / (norm > eps || norm != norm ? norm : eps);
    for_columns<kWidth>(cols, lane, [&](i64 col) {
      const Lanes<kWidth> direction = load<kWidth>(y + col);
      Lanes<kWidth> gradient = load<kWidth>(g + col);
      for (int k = 0; k < kWidth; ++k) gradient.v[k] = factor * fmaf(-along, direction.v[k], gradient.v[k]);
      store(grad_x + row * cols + col, gradient);
    });
  }
};

}  // namespace

Status l2_normalize(const L2NormalizeArgs& args, Exec& exec) {
  const Normalize f{args.x.data, args.out.data, args.norms.data, args.cols, static_cast<float>(args.eps)};
  return for_rows(static_cast<CudaExec&>(exec), args.rows, in_fours(args.cols, f.x, f.out), f);
}

Status l2_normalize_backward(const L2NormalizeBackwardArgs& args, Exec& exec) {
  const NormalizeBackward f{args.out.data,   args.norms.data, args.gradOut.data,
                            args.gradX.data, args.cols,       static_cast<float>(args.eps)};
  return for_rows(static_cast<CudaExec&>(exec), args.rows, in_fours(args.cols, f.out, f.grad_out, f.grad_x),
                  f);
}

}  // namespace sonotext::cuda
