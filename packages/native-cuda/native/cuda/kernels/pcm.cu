#include <cstring>

#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

struct Pcm {
  const unsigned char* bytes;
  float* out;
  i64 frames, channels, first, count;
  int width;
  bool floats, big_endian;

  // Of three bytes the upper three of a word.
  __device__ float sample(i64 at) const {
    const unsigned char* p = bytes + at * width;
    std::uint32_t bits = 0;
    for (int i = 0; i < width; ++i) {
      const std::uint32_t byte = p[big_endian ? width - 1 - i : i];
      bits |= byte << (8 * (4 - width + i));
    }
    if (!floats) return static_cast<float>(static_cast<std::int32_t>(bits)) * 0x1p-31f;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
  }

  __device__ float mean(i64 at) const {
    if (count == 1) return sample(at);
    double sum = 0.0;
    for (i64 c = 0; c < count; ++c) sum += static_cast<double>(sample(at + c));
    return static_cast<float>(sum / static_cast<double>(count));
  }

  template <int kWidth>
  __device__ void operator()(i64 row, i64 frame) const {
    Lanes<kWidth> lanes;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) lanes.v[k] = mean((frame + k) * channels + first + row * count);
    store(out + row * frames + frame, lanes);
  }
};

}  // namespace

Status pcm(const PcmArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  // Not as a constant: the bytes of a recording do not come again.
  unsigned char* bytes = exec.array<unsigned char>(args.bytes.size);
  if (bytes == nullptr) return out_of_device_memory();
  const Status sent = exec.upload(args.bytes.data, bytes, args.bytes.size);
  if (!sent.ok()) return sent;
  const Pcm f{bytes,      args.out.data, args.frames,
              args.channels, args.first,    args.count,
              static_cast<int>(args.width), args.floats != 0, args.bigEndian != 0};
  return map_rows(exec, args.rows, args.frames, in_fours(args.frames, f.out), f);
}

}  // namespace sonotext::cuda
