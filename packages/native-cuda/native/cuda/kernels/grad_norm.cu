#include "../entries.hpp"
#include "../lanes.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kThreads = 256;
constexpr i64 kPiece = 32 * kThreads * 4;  // elements of one block

// Four squares at a time are added in float32, the rest in float64. The sum of one piece is the result when
// there is no other.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    sum_squares(const float* x, i64 count, double* pieces, float* out) {
  const i64 first = blockIdx.x * kPiece, end = first + kPiece < count ? first + kPiece : count;
  double sum = 0.0;
#pragma unroll 8
  for (i64 i = first + static_cast<i64>(threadIdx.x) * kWidth; i < end; i += kThreads * kWidth) {
    const Lanes<kWidth> v = load<kWidth>(x + i);
    float squares = 0.0f;
    for (int k = 0; k < kWidth; ++k) squares = fmaf(v.v[k], v.v[k], squares);
    sum += static_cast<double>(squares);
  }
  sum = block_reduce<kThreads>(sum, [](double a, double b) { return a + b; });
  if (threadIdx.x != 0) return;
  if (gridDim.x == 1) {
    *out = static_cast<float>(sum);
  } else {
    pieces[blockIdx.x] = sum;
  }
}

__global__ void __launch_bounds__(kThreads) add_pieces(const double* pieces, i64 count, float* out) {
  double sum = 0.0;
  for (i64 piece = threadIdx.x; piece < count; piece += kThreads) sum += pieces[piece];
  sum = block_reduce<kThreads>(sum, [](double a, double b) { return a + b; });
  if (threadIdx.x == 0) *out = static_cast<float>(sum);
}

}  // namespace

Status grad_norm(const GradNormArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const i64 count = args.x.size, pieces = count > kPiece ? (count + kPiece - 1) / kPiece : 1;
  float* out = args.out.data + args.slot;
  double* sums = exec.array<double>(pieces);
  if (sums == nullptr) return out_of_device_memory();
  const Status status = in_fours(count, args.x.data)
                            ? launch(exec, sum_squares<4>, pieces, kThreads, args.x.data, count, sums, out)
                            : launch(exec, sum_squares<1>, pieces, kThreads, args.x.data, count, sums, out);
  if (!status.ok() || pieces == 1) return status;
  return launch(exec, add_pieces, 1, kThreads, sums, pieces, out);
}

}  // namespace sonotext::cuda
