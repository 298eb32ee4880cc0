// Three products: pixels under the window · weights; the same with gradients and the window turned around;
// and the places under the window, transposed, · gradients, a sum over all pixels.
#include "../entries.hpp"
#include "../product.cuh"
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

// A 3×3 convolution of images with one channel is too thin for tiles: a lane to an output channel, a warp
// goes along a row of pixels with the window in registers. What is there to move is then the time.
constexpr int kThinWarps = kThreads / kWarp;

struct Row {
  const float* image;  // [w], the row; null above and below the image
  int w;

  __device__ float at(int x) const {
    return image != nullptr && static_cast<unsigned>(x) < static_cast<unsigned>(w) ? image[x] : 0.0f;
  }
};

// visit(x, window) for every pixel of row `row` (of all images' rows): the nine values under the window.
template <class Visit>
__device__ void along_row(const float* images, i64 row, int h, int w, Visit visit) {
  const int y = static_cast<int>(row % h);
  const float* own = images + row * w;
  const Row rows[3] = {{y > 0 ? own - w : nullptr, w}, {own, w}, {y + 1 < h ? own + w : nullptr, w}};
  float window[9];
#pragma unroll
  for (int r = 0; r < 3; ++r)
    window[r * 3] = 0.0f, window[r * 3 + 1] = rows[r].at(0), window[r * 3 + 2] = rows[r].at(1);
#pragma unroll 4
  for (int x = 0; x < w; ++x) {
    visit(x, window);
#pragma unroll
    for (int r = 0; r < 3; ++r)
      window[r * 3] = window[r * 3 + 1], window[r * 3 + 1] = window[r * 3 + 2],
                 window[r * 3 + 2] = rows[r].at(x + 2);
  }
}

__global__ void __launch_bounds__(kThreads) thin_forward(const float* x, const float* weight, float* out,
                                                         i64 rows, int h, int w, int cout, float slope) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp, groups = (cout + kWarp - 1) / kWarp;
  const i64 task = static_cast<i64>(blockIdx.x) * kThinWarps + threadIdx.x / kWarp;
  const i64 row = task / groups;
  const int channel = static_cast<int>(task % groups) * kWarp + lane;
  if (row >= rows || channel >= cout) return;
  float taps[9];
#pragma unroll
  for (int t = 0; t < 9; ++t) taps[t] = weight[t * cout + channel];
  float* to = out + row * w * cout + channel;
  along_row(x, row, h, w, [&](int at, const float(&window)[9]) {
    float sum = 0.0f;
#pragma unroll
    for (int t = 0; t < 9; ++t) sum = fmaf(window[t], taps[t], sum);
    to[static_cast<i64>(at) * cout] = sum > 0.0f ? sum : slope * sum;
  });
}

// parts[block, tap, channel], over the block's share of the rows. Blocks take the groups of 32 channels in
// turn.
__global__ void __launch_bounds__(kThreads)
    thin_weights(const float* x, const float* grad, float* parts, i64 rows, int h, int w, int cout) {
  __shared__ float sums[kThinWarps][9][kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  const int groups = (cout + kWarp - 1) / kWarp, group = static_cast<int>(blockIdx.x) % groups;
  const i64 block = blockIdx.x / groups, blocks = gridDim.x / groups;
  const int channel = group * kWarp + lane;
  float own[9] = {};
  if (channel < cout) {
    for (i64 row = block * kThinWarps + warp; row < rows; row += blocks * kThinWarps) {
      const float* from = grad + row * w * cout + channel;
      along_row(x, row, h, w, [&](int at, const float(&window)[9]) {
        const float g = from[static_cast<i64>(at) * cout];
#pragma unroll
        for (int t = 0; t < 9; ++t) own[t] = fmaf(window[t], g, own[t]);
      });
    }
  }
#pragma unroll
  for (int t = 0; t < 9; ++t) sums[warp][t][lane] = own[t];
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < 9 * kWarp; i += kThreads) {
    const int tap = i / kWarp, c = i % kWarp;
    float sum = 0.0f;
    for (int s = 0; s < kThinWarps; ++s) sum += sums[s][tap][c];
    if (group * kWarp + c < cout) parts[(block * 9 + tap) * cout + group * kWarp + c] = sum;
  }
}

template <class Args>
bool is_thin(const Args& args) {
  return args.cin == 1 && args.kh == 3 && args.kw == 3 && args.n * args.h * args.w > 0;
}

// Pixels and places are counted in 31 bits.
template <class Args>
bool too_large(const Args& args) {
  constexpr i64 kMost = INT32_MAX;
  const i64 most_c = args.cin > args.cout ? args.cin : args.cout;
  return args.n * args.h * args.w > kMost - kDepth ||
         args.kh * args.kw * (most_c > 0 ? most_c : 1) > kMost - kDepth;
}

}  // namespace

Status conv2d(const Conv2dArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (too_large(args)) return Status::unsupported("2³¹ pixels or weights of an output");
  if (is_thin(args)) {
    const i64 rows = args.n * args.h, tasks = rows * ((args.cout + kWarp - 1) / kWarp);
    return launch(exec, thin_forward, (tasks + kThinWarps - 1) / kThinWarps, kThreads, args.x.data,
                  args.weight.data, args.out.data, rows, args.h, args.w, args.cout,
                  static_cast<float>(args.slope));
  }
  const Window window(args.x.data, args.n, args.h, args.w, args.cin, args.kh, args.kw, 1);
  const i64 places = args.kh * args.kw * args.cin;
  const Operand<false> weights{args.weight.data, args.cout, args.cout, 0};
  Result out{args.out.data, window.pixels, args.cout};
  out.slope = static_cast<float>(args.slope);
  return product_of(exec, MakePixelLoader{window}, MakeMatrixLoader<false>(weights), out, places, 1);
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
  if (status.ok() && args.gradX.size > 0) {
    const i64 count = taps * args.cin * args.cout;
    float* swapped = exec.array<float>(count);
    if (swapped == nullptr) return out_of_device_memory();
    status = launch(exec, swap_channels, (count + kThreads - 1) / kThreads, kThreads, args.weight.data,
                    swapped, args.cin, args.cout, count);
    if (!status.ok()) return status;
    const MakePixelLoader gradients{Window(grad, args.n, args.h, args.w, args.cout, args.kh, args.kw, -1)};
    const Operand<false> weights{swapped, args.cin, args.cin, 0};
    status = product_of(exec, gradients, MakeMatrixLoader<false>(weights),
                        Result{args.gradX.data, pixels, args.cin}, taps * args.cout, 1);
  }
  if (status.ok() && args.gradWeight.size > 0) {
    const i64 places = taps * args.cin;
    const Result sums{args.gradWeight.data, places, args.cout};
    if (is_thin(args)) {
      const i64 rows = args.n * args.h, groups = (args.cout + kWarp - 1) / kWarp;
      const i64 most = (rows + kThinWarps - 1) / kThinWarps,
                room = 2 * static_cast<i64>(exec.multiprocessors);
      const i64 blocks = most < room ? most : room;
      float* parts = exec.array<float>(blocks * places * args.cout);
      if (parts == nullptr) return out_of_device_memory();
      status = launch(exec, thin_weights, blocks * groups, kThreads, args.x.data, grad, parts, rows, args.h,
                      args.w, args.cout);
      return status.ok() && blocks > 0 ? add_parts(exec, parts, blocks, sums, 1) : status;
    }
    const MakePlaceLoader images{Window(args.x.data, args.n, args.h, args.w, args.cin, args.kh, args.kw, 1),
                                 places};
    const Operand<false> gradients{grad, args.cout, args.cout, 0};
    status = product_of(exec, images, MakeMatrixLoader<false>(gradients), sums, pixels, 1);
  }
  return status;
}

}  // namespace sonotext::cuda
