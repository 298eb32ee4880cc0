#include "../entries.hpp"
#include "../rows.cuh"

namespace sonotext::cuda {
namespace {

__device__ float warp_max(float value) {
  for (int half = kWarp / 2; half > 0; half /= 2)
    value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, half));
  return value;
}

// Rows of matrices, with how many of their columns take part.
struct Rows {
  const std::int32_t* lengths;  // [matrices] or none
  i64 rows, cols;
  __device__ i64 length(i64 row) const { return lengths != nullptr ? lengths[quotient(row, rows)] : cols; }
};

struct Softmax {
  const float* x;
  float* out;
  Rows rows;
  template <int kWidth>
  __device__ void operator()(i64 row, int lane) const {
    const i64 length = rows.length(row);
    const float* from = x + row * rows.cols;
    float* to = out + row * rows.cols;
    float most = -INFINITY;  // of the values that are no NaN: a NaN is seen by the sum
    for_columns<kWidth>(length, lane, [&](i64 col) {
      const Lanes<kWidth> v = load<kWidth>(from + col);
      for (int k = 0; k < kWidth; ++k)
        if (col + k < length) most = fmaxf(most, v.v[k]);
    });
    most = warp_max(most);
    const float sum = row_sum<kWidth, float>(length, lane, [&](i64 col) {
      const Lanes<kWidth> v = load<kWidth>(from + col);
      float part = 0.0f;
      for (int k = 0; k < kWidth; ++k) part += col + k < length ? expf(v.v[k] - most) : 0.0f;
      return part;
    });
    for_columns<kWidth>(rows.cols, lane, [&](i64 col) {
      Lanes<kWidth> v = col < length ? load<kWidth>(from + col) : zeros<kWidth>();
      for (int k = 0; k < kWidth; ++k) v.v[k] = col + k < length ? expf(v.v[k] - most) / sum : 0.0f;
      store(to + col, v);
    });
  }
};

struct SoftmaxBackward {
  const float* out;
  const float* grad_out;
  float* grad_x;
  Rows rows;
  template <int kWidth>
  __device__ void operator()(i64 row, int lane) const {
    const i64 length = rows.length(row), first = row * rows.cols;
    const float along = row_sum<kWidth, float>(length, lane, [&](i64 col) {
      const Lanes<kWidth> y = load<kWidth>(out + first + col), g = load<kWidth>(grad_out + first + col);
      float part = 0.0f;
      for (int k = 0; k < kWidth; ++k) part += col + k < length ? y.v[k] * g.v[k] : 0.0f;
      return part;
    });
    for_columns<kWidth>(rows.cols, lane, [&](i64 col) {
      const Lanes<kWidth> y = load<kWidth>(out + first + col), g = load<kWidth>(grad_out + first + col);
      Lanes<kWidth> gradient;
      for (int k = 0; k < kWidth; ++k) gradient.v[k] = col + k < length ? y.v[k] * (g.v[k] - along) : 0.0f;
      store(grad_x + first + col, gradient);
    });
  }
};

}  // namespace

Status softmax(const SoftmaxArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const std::int32_t* lengths = args.lengths ? exec.constant(args.lengths) : nullptr;
  if (args.lengths && lengths == nullptr) return out_of_device_memory();
  const Softmax f{args.x.data, args.out.data, {lengths, args.rows, args.cols}};
  return for_rows(exec, args.n * args.rows, in_fours(args.cols, f.x, f.out), f);
}

Status softmax_backward(const SoftmaxBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const std::int32_t* lengths = args.lengths ? exec.constant(args.lengths) : nullptr;
  if (args.lengths && lengths == nullptr) return out_of_device_memory();
  const SoftmaxBackward f{args.out.data, args.gradOut.data, args.gradX.data, {lengths, args.rows, args.cols}};
  return for_rows(exec, args.n * args.rows, in_fours(args.cols, f.out, f.grad_out, f.grad_x), f);
}

}  // namespace sonotext::cuda
