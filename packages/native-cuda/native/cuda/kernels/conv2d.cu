// Three products: pixels under the window · weights; the same with gradients and the window turned around;
// and the places under the window, transposed, · gradients, a sum over all pixels. In FP32 the windows are
// never in memory; in bf16 they are packed for the tensor cores, some at a time. Images of one channel have
// kernels of their own.
#include "../entries.hpp"
#include "../packed_window.cuh"
#include "../product.cuh"
#include "../single_channel.cuh"
#include "../window.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kThreads = 256;

// out[tap, co, ci] = weight[tap, ci, co]
__global__ void __launch_bounds__(kThreads)
    swap_channels(const float* weight, float* out, i64 cin, i64 cout, i64 count) {
  const i64 index = static_cast<i64>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= count) return;
  const i64 ci = index % cin, co = index / cin % cout, tap = index / (cin * cout);
  out[index] = weight[(tap * cin + ci) * cout + co];
}

// The gradient before the activation, whose sign is the sign of `out`.
__global__ void __launch_bounds__(kThreads)
    masked(const float* grad, const float* out, float slope, i64 count, float* result) {
  const i64 stride = static_cast<i64>(gridDim.x) * kThreads;
  for (i64 i = static_cast<i64>(blockIdx.x) * kThreads + threadIdx.x; i < count; i += stride) {
    result[i] = out[i] > 0.0f ? grad[i] : slope * grad[i];
  }
}

// Pixels and places are counted in 31 bits.
template <class Args>
bool too_large(const Args& args) {
  constexpr i64 kMost = INT32_MAX;
  const i64 most_c = args.cin > args.cout ? args.cin : args.cout;
  return args.n * args.h * args.w > kMost - kDepth ||
         args.kh * args.kw * (most_c > 0 ? most_c : 1) > kMost - kDepth;
}

// Where there are no windows, or nothing in them, no blocks are packed: zeros come from the FP32 kernel.
bool in_bf16(const CudaExec& exec, const Window& window, i64 places) {
  return exec.precision == Precision::bf16 && window.pixels > 0 && places > 0;
}

// out = windows · weights; weights [places × out.cols] row-major.
Status multiply_windows(CudaExec& exec, const Window& window, const float* weights, i64 places,
                        const Result& out) {
  const Operand<false> by_column{weights, out.cols, out.cols, 0};
  if (!in_bf16(exec, window, places))
    return product_of(exec, MakePixelLoader{window}, MakeMatrixLoader<false>(by_column), out, places, 1);
  Packed packed{};
  Status status = pack<Bf16>(exec, by_column, places, 1, PackedTile::kCols / kBlockRows, packed);
  if (!status.ok()) return status;
  status = for_packed_windows(exec, window, places, [&](i64 first, i64 pixels, const Packed& windows) {
    Result some = out;
    some.data += first * out.cols, some.rows = pixels;
    return product_of_packed<Bf16, false>(exec, windows, packed, some, 1);
  });
  exec.release(packed.data);
  return status;
}

// out = windowsᵀ · gradients, a sum over all pixels.
Status multiply_transposed_windows(CudaExec& exec, const Window& window, const float* gradients, i64 places,
                                   const Result& out) {
  if (!in_bf16(exec, window, places)) {
    return product_of(exec, MakePlaceLoader{window, places},
                      MakeMatrixLoader<false>(Operand<false>{gradients, out.cols, out.cols, 0}), out,
                      window.pixels, 1);
  }
  return for_packed_windows(exec, window, places, [&](i64 first, i64 pixels, const Packed& windows) {
    Packed packed{};
    const Operand<false> some{gradients + first * out.cols, out.cols, out.cols, 0};
    Status status = pack<Bf16>(exec, some, pixels, 1, PackedTile::kCols / kBlockRows, packed);
    Result sum = out;
    sum.beta = first > 0 ? 1.0f : 0.0f;
    if (status.ok()) status = product_of_packed<Bf16, true>(exec, windows, packed, sum, 1);
    exec.release(packed.data);
    return status;
  });
}

}  // namespace

Status conv2d(const Conv2dArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (too_large(args)) return Status::unsupported("2³¹ pixels or weights of an output");
  if (is_single_channel(args)) {
    const SingleChannel shape = single_channel_of(args);
    const i64 tasks = shape.rows * ((shape.cout + kWarp - 1) / kWarp);
    return launch(exec, single_channel_forward, (tasks + kWarpsEach - 1) / kWarpsEach, kRowThreads, shape,
                  args.x.data, args.weight.data, static_cast<float>(args.slope), args.out.data);
  }
  const Window window(args.x.data, args.n, args.h, args.w, args.cin, args.kh, args.kw, 1);
  Result out{args.out.data, window.pixels, args.cout};
  out.slope = static_cast<float>(args.slope);
  return multiply_windows(exec, window, args.weight.data, args.kh * args.kw * args.cin, out);
}

Status conv2d_backward(const Conv2dBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (too_large(args)) return Status::unsupported("2³¹ pixels or weights of an output");
  const i64 pixels = args.n * args.h * args.w, taps = args.kh * args.kw;
  const float* grad = args.gradOut.data;
  Status status;
  if (args.slope != 1.0 && args.gradOut.size > 0) {
    float* result = exec.array<float>(args.gradOut.size);
    if (result == nullptr) return out_of_device_memory();
    const i64 blocks = (args.gradOut.size + kThreads - 1) / kThreads,
              most = 16 * static_cast<i64>(exec.multiprocessors);
    status = launch(exec, masked, blocks < most ? blocks : most, kThreads, grad, args.out.data,
                    static_cast<float>(args.slope), args.gradOut.size, result);
    grad = result;
  }
  if (is_single_channel(args)) {
    const SingleChannel shape = single_channel_of(args);
    if (status.ok() && args.gradX.size > 0) {
      status = launch(exec, single_channel_grad_x, (shape.rows + kWarpsEach - 1) / kWarpsEach, kRowThreads,
                      shape, grad, args.weight.data, args.gradX.data);
    }
    if (!status.ok() || args.gradWeight.size == 0) return status;
    return single_channel_weight_gradient(exec, shape, args.x.data, grad, args.gradWeight.data);
  }
  if (status.ok() && args.gradX.size > 0) {
    const i64 count = taps * args.cin * args.cout;
    float* swapped = exec.array<float>(count);
    if (swapped == nullptr) return out_of_device_memory();
    status = launch(exec, swap_channels, (count + kThreads - 1) / kThreads, kThreads, args.weight.data,
                    swapped, args.cin, args.cout, count);
    if (!status.ok()) return status;
    const Window gradients(grad, args.n, args.h, args.w, args.cout, args.kh, args.kw, -1);
    status = multiply_windows(exec, gradients, swapped, taps * args.cout,
                              Result{args.gradX.data, pixels, args.cin});
  }
  if (status.ok() && args.gradWeight.size > 0) {
    const Window images(args.x.data, args.n, args.h, args.w, args.cin, args.kh, args.kw, 1);
    const i64 places = taps * args.cin;
    status = multiply_transposed_windows(exec, images, grad, places,
                                         Result{args.gradWeight.data, places, args.cout});
  }
  return status;
}

}  // namespace sonotext::cuda
