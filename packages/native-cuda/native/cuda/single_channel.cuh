// A 3×3 convolution of images of one channel, the first of a network over spectrograms. As a product it would
// have nine places for a depth, or one column: nearly all of a tile would be padding. Here a warp goes along
// a row of pixels with a channel of the other side in each lane, and the pixels under the window slide
// through registers; what is left is the traffic of the other side's channels.
#pragma once

#include "product.cuh"
#include "rows.cuh"

namespace sonotext::cuda {

struct SingleChannel {
  i64 rows;  // n · h
  int h, w, cout;

  // The three pixels of column `at` around row y of an image; zeros outside.
  __device__ void column(const float* row, int y, int at, float (&pixels)[3]) const {
    const bool inside = at >= 0 && at < w;
    pixels[0] = inside && y > 0 ? row[at - w] : 0.0f;
    pixels[1] = inside ? row[at] : 0.0f;
    pixels[2] = inside && y + 1 < h ? row[at + w] : 0.0f;
  }
};

constexpr int kWarpsEach = kRowThreads / kWarp;

// One warp for a row of pixels and 32 output channels.
static __global__ void __launch_bounds__(kRowThreads)
    single_channel_forward(SingleChannel shape, const float* x, const float* weight, float slope,
                           float* out) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp, groups = (shape.cout + kWarp - 1) / kWarp;
  const i64 task = static_cast<i64>(blockIdx.x) * kWarpsEach + threadIdx.x / kWarp;
  const i64 row = task / groups;
  const int channel = static_cast<int>(task % groups) * kWarp + lane;
  if (row >= shape.rows || channel >= shape.cout) return;
  float taps[9];
#pragma unroll
  for (int tap = 0; tap < 9; ++tap) taps[tap] = weight[tap * shape.cout + channel];
  const int y = static_cast<int>(row % shape.h);
  const float* own = x + row * shape.w;
  float window[3][3];  // [column][row]
  shape.column(own, y, -1, window[0]);
  shape.column(own, y, 0, window[1]);
  for (int at = 0; at < shape.w; ++at) {
    shape.column(own, y, at + 1, window[2]);
    float sum = 0.0f;
#pragma unroll
    for (int tap = 0; tap < 9; ++tap) sum = fmaf(window[tap % 3][tap / 3], taps[tap], sum);
    out[(row * shape.w + at) * shape.cout + channel] = sum > 0.0f ? sum : slope * sum;
#pragma unroll
    for (int r = 0; r < 3; ++r) window[0][r] = window[1][r], window[1][r] = window[2][r];
  }
}

// grad_x[y, w] = Σ_channel Σ_(dy, dx) grad[y - dy, w - dx, channel] · weight[dy + 1, dx + 1, channel]. One
// warp for a row; it gathers 32 pixels, then writes them at once.
static __global__ void __launch_bounds__(kRowThreads)
    single_channel_grad_x(SingleChannel shape, const float* grad, const float* weight, float* grad_x) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const i64 row = static_cast<i64>(blockIdx.x) * kWarpsEach + threadIdx.x / kWarp;
  if (row >= shape.rows) return;
  const int y = static_cast<int>(row % shape.h);
  const i64 pitch = static_cast<i64>(shape.w) * shape.cout;
  for (int first = 0; first < shape.w; first += kWarp) {
    const int end = first + kWarp < shape.w ? first + kWarp : shape.w;
    float own = 0.0f;  // of pixel first + lane
    for (int group = 0; group < shape.cout; group += kWarp) {
      const int channel = group + lane;
      const bool has = channel < shape.cout;
      float taps[9];
#pragma unroll
      for (int tap = 0; tap < 9; ++tap) taps[tap] = has ? weight[tap * shape.cout + channel] : 0.0f;
      const float* above = grad + row * pitch + channel;
      float before = 0.0f, here = 0.0f;  // sums of pixels at - 1 and at, as far as they have come
      for (int at = first - 1; at <= end; ++at) {
        const bool inside = has && at >= 0 && at < shape.w;
        const float* from = above + static_cast<i64>(at) * shape.cout;
        const float rows[3] = {inside && y + 1 < shape.h ? from[pitch] : 0.0f, inside ? from[0] : 0.0f,
                               inside && y > 0 ? from[-pitch] : 0.0f};
        float next = 0.0f;
#pragma unroll
        for (int r = 0; r < 3; ++r) {  // dy = r - 1
          before = fmaf(rows[r], taps[3 * r], before);
          here = fmaf(rows[r], taps[3 * r + 1], here);
          next = fmaf(rows[r], taps[3 * r + 2], next);
        }
        const float sum = warp_sum(before);
        if (at - 1 - first == lane) own += sum;
        before = here, here = next;
      }
    }
    if (first + lane < end) grad_x[row * shape.w + first + lane] = own;
  }
}

// parts[block, tap, channel] = the block's share of Σ_pixels x under the tap · grad. Warps take rows in turn.
static __global__ void __launch_bounds__(kRowThreads)
    single_channel_grad_weight(SingleChannel shape, const float* x, const float* grad, float* parts) {
  __shared__ float shares[kWarpsEach][9][kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  const i64 stride = static_cast<i64>(gridDim.x) * kWarpsEach;
  for (int group = 0; group < shape.cout; group += kWarp) {
    const int channel = group + lane;
    const bool has = channel < shape.cout;
    float sums[9] = {};
    for (i64 row = static_cast<i64>(blockIdx.x) * kWarpsEach + warp; row < shape.rows; row += stride) {
      const int y = static_cast<int>(row % shape.h);
      const float* own = x + row * shape.w;
      const float* from = grad + row * shape.w * shape.cout + channel;
      float window[3][3];
      shape.column(own, y, -1, window[0]);
      shape.column(own, y, 0, window[1]);
      for (int at = 0; at < shape.w; ++at) {
        shape.column(own, y, at + 1, window[2]);
        const float g = has ? from[static_cast<i64>(at) * shape.cout] : 0.0f;
#pragma unroll
        for (int tap = 0; tap < 9; ++tap) sums[tap] = fmaf(window[tap % 3][tap / 3], g, sums[tap]);
#pragma unroll
        for (int r = 0; r < 3; ++r) window[0][r] = window[1][r], window[1][r] = window[2][r];
      }
    }
    __syncthreads();  // the shares of the channels before may still be read
#pragma unroll
    for (int tap = 0; tap < 9; ++tap) shares[warp][tap][lane] = sums[tap];
    __syncthreads();
    for (int tap = warp; tap < 9; tap += kWarpsEach) {
      float sum = 0.0f;
      for (int other = 0; other < kWarpsEach; ++other) sum += shares[other][tap][lane];
      if (has) parts[(static_cast<i64>(blockIdx.x) * 9 + tap) * shape.cout + channel] = sum;
    }
  }
}

// Whether a convolution is one for this file.
template <class Args>
bool is_single_channel(const Args& args) {
  return args.cin == 1 && args.kh == 3 && args.kw == 3 && args.h > 0 && args.w > 0 && args.cout > 0;
}

template <class Args>
SingleChannel single_channel_of(const Args& args) {
  return {args.n * args.h, static_cast<int>(args.h), static_cast<int>(args.w), static_cast<int>(args.cout)};
}

inline Status single_channel_weight_gradient(CudaExec& exec, const SingleChannel& shape, const float* x,
                                             const float* grad, float* grad_weight) {
  const i64 most = 4 * static_cast<i64>(exec.multiprocessors),
            all = (shape.rows + kWarpsEach - 1) / kWarpsEach;
  const i64 blocks = all < most ? all : most;
  float* parts = exec.array<float>(blocks * 9 * shape.cout);
  if (parts == nullptr) return out_of_device_memory();
  const Status status = launch(exec, single_channel_grad_weight, blocks, kRowThreads, shape, x, grad, parts);
  if (!status.ok()) return status;
  return add_parts(exec, parts, blocks, Result{grad_weight, 9, shape.cout}, 1);
}

}  // namespace sonotext::cuda
