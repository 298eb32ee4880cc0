// Windows of images as bf16 blocks: a convolution on the tensor cores is a product of these, as many pixels
// of them at a time as the device's workspace holds.
#pragma once

#include "packed.cuh"
#include "window.cuh"

namespace sonotext::cuda {

// Rows are the pixels first ... first + rows - 1, the depth goes over the places under the window. One thread
// block per packed block.
__global__ void __launch_bounds__(256)
    pack_windows(Window window, int first, int rows, int places, bool vectors, Packed packed) {
  constexpr int kEach = 16 / Bf16::kBytes, kChunks = kRowBytes / 16;
  __shared__ __align__(16) unsigned char block[kBlockBytes];
  const int first_row = static_cast<int>(blockIdx.x / packed.steps) * kBlockRows,
            first_k = static_cast<int>(blockIdx.x % packed.steps) * kStepDepth<Bf16>;
  for (int i = static_cast<int>(threadIdx.x); i < kBlockRows * kChunks; i += 256) {
    const int row = i / kChunks, chunk = i % kChunks, k = first_k + chunk * kEach;
    const bool exists = first_row + row < rows;
    float x[kEach] = {};
    if (vectors) {  // channels of one pixel
      const float* from =
          exists && k < places ? window.find(first + first_row + row, window.place(k)) : nullptr;
#pragma unroll
      for (int e = 0; e < kEach && from != nullptr; e += 4) {
        const float4 four = *reinterpret_cast<const float4*>(from + e);
        x[e] = four.x, x[e + 1] = four.y, x[e + 2] = four.z, x[e + 3] = four.w;
      }
    } else {
      for (int e = 0; e < kEach && exists && k + e < places; ++e) {
        const float* from = window.find(first + first_row + row, window.place(k + e));
        x[e] = from != nullptr ? *from : 0.0f;
      }
    }
    put_chunk<Bf16>(block, row, chunk, x);
  }
  __syncthreads();
  write_block(block, packed.data + static_cast<i64>(blockIdx.x) * kBlockBytes);
}

// f(first pixel, pixels, their windows packed) for all pixels of the images. The windows can be multiplied
// from the left as they are and transposed.
template <class F>
Status for_packed_windows(CudaExec& exec, const Window& window, i64 places, const F& f) {
  Packed packed{};
  packed.steps = (places + kStepDepth<Bf16> - 1) / kStepDepth<Bf16>;
  packed.steps += packed.steps % 2;  // whole tiles of the transposed
  const i64 bytes = packed.steps * kBlockBytes, all = (window.pixels + kBlockRows - 1) / kBlockRows;
  packed.row_blocks = exec.workspace / bytes < 1     ? 1
                      : exec.workspace / bytes < all ? exec.workspace / bytes
                                                     : all;
  packed.data = exec.array<unsigned char>(packed.row_blocks * bytes);
  if (packed.data == nullptr) return out_of_device_memory();
  const bool vectors = window.vectors && window.c % (16 / Bf16::kBytes) == 0;
  Status status;
  for (i64 first = 0; status.ok() && first < window.pixels; first += packed.row_blocks * kBlockRows) {
    if (exec.cancelled()) return {};
    const i64 left = window.pixels - first, room = packed.row_blocks * kBlockRows,
              rows = left < room ? left : room;
    status =
        launch(exec, pack_windows, (rows + kBlockRows - 1) / kBlockRows * packed.steps, 256, window,
               static_cast<int>(first), static_cast<int>(rows), static_cast<int>(places), vectors, packed);
    if (status.ok()) status = f(first, rows, packed);
  }
  exec.release(packed.data);
  return status;
}

}  // namespace sonotext::cuda
