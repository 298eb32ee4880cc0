#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline float scaled(uint32_t bits) { return static_cast<float>(static_cast<int32_t>(bits)) * 0x1p-31f; }

// The sample that begins at p; the byte behind three is read with them. The compiler makes vectors of plain loops over these.
template <int kWidth, bool kFloats, bool kBig>
inline float sample_at(const unsigned char* p) {
  if constexpr (kWidth == 2) {
    uint16_t bits;
    memcpy(&bits, p, 2);
    return static_cast<float>(static_cast<int16_t>(kBig ? __builtin_bswap16(bits) : bits)) * 0x1p-15f;
  } else {
    uint32_t bits;
    memcpy(&bits, p, 4);
    if (kBig) bits = __builtin_bswap32(bits);
    if constexpr (kWidth == 3) return scaled(kBig ? bits & ~0xffu : bits << 8);
    if constexpr (!kFloats) return scaled(bits);
    float x;
    memcpy(&x, &bits, 4);
    return x;
  }
}

// n samples, `stride` bytes from one to the next.
template <int kWidth, bool kFloats, bool kBig>
inline void read_samples(float* out, const unsigned char* p, int64_t stride, int64_t n) {
  if constexpr (kWidth == 3) {
    // The byte behind the last one need not be there.
    const unsigned char* last = p + --n * stride;
    const uint32_t bits = static_cast<uint32_t>(last[1]) << 16 | static_cast<uint32_t>(last[kBig ? 2 : 0]) << 8;
    out[n] = scaled(bits | static_cast<uint32_t>(last[kBig ? 0 : 2]) << 24);
  }
  // The usual strides as constants.
  if (stride == kWidth) {
    for (int64_t i = 0; i < n; i++) out[i] = sample_at<kWidth, kFloats, kBig>(p + i * kWidth);
  } else if (stride == 2 * kWidth) {
    for (int64_t i = 0; i < n; i++) out[i] = sample_at<kWidth, kFloats, kBig>(p + i * 2 * kWidth);
  } else {
    for (int64_t i = 0; i < n; i++) out[i] = sample_at<kWidth, kFloats, kBig>(p + i * stride);
  }
}

using SampleReader = void (*)(float* out, const unsigned char* p, int64_t stride, int64_t n);

inline SampleReader sample_reader(const PcmArgs& args) {
  const bool big = args.bigEndian != 0;
  if (args.floats != 0) return big ? read_samples<4, true, true> : read_samples<4, true, false>;
  switch (args.width) {
    case 2: return big ? read_samples<2, false, true> : read_samples<2, false, false>;
    case 3: return big ? read_samples<3, false, true> : read_samples<3, false, false>;
    default: return big ? read_samples<4, false, true> : read_samples<4, false, false>;
  }
}

// Means of n frames; p is the first channel of the first.
inline void read_means(float* out, const unsigned char* p, SampleReader read, const PcmArgs& args, int64_t n) {
  constexpr int64_t kEach = 1024;  // frames whose sums stay in the first-level cache
  float samples[kEach];
  double sums[kEach];
  const int64_t frame = args.channels * args.width;
  const double count = static_cast<double>(args.count);
  // Exact where it is a power of two, as the quotient is.
  const bool halves = (args.count & (args.count - 1)) == 0;
  for (int64_t i = 0; i < n; i += kEach) {
    const int64_t each = n - i < kEach ? n - i : kEach;
    read(samples, p + i * frame, frame, each);
    for (int64_t k = 0; k < each; k++) sums[k] = 0.0 + static_cast<double>(samples[k]);  // of -0 and -0 it is 0
    for (int64_t c = 1; c < args.count; c++) {
      read(samples, p + i * frame + c * args.width, frame, each);
      for (int64_t k = 0; k < each; k++) sums[k] += static_cast<double>(samples[k]);
    }
    if (halves) {
      for (int64_t k = 0; k < each; k++) out[i + k] = static_cast<float>(sums[k] * (1.0 / count));
    } else {
      for (int64_t k = 0; k < each; k++) out[i + k] = static_cast<float>(sums[k] / count);
    }
  }
}

inline Status pcm(const PcmArgs& args, Exec& exec) {
  const SampleReader read = sample_reader(args);
  const int64_t frame = args.channels * args.width;
  for_chunks(exec, args.frames, [&](int64_t begin, int64_t end) {
    for (int64_t r = 0; r < args.rows; r++) {
      const unsigned char* p = args.bytes.data + begin * frame + (args.first + r * args.count) * args.width;
      float* out = args.out.data + r * args.frames + begin;
      if (args.count == 1) {
        read(out, p, frame, end - begin);
      } else {
        read_means(out, p, read, args, end - begin);
      }
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
