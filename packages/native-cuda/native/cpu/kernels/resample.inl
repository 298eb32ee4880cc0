#include "../../core/ops.hpp"
#include "resample_banded.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kResampleChunk = 4096;  // outputs of one task

// Inputs [start, start + width) clipped to the samples, against taps.
inline float resample_edge(const ResampleArgs& a, const float* taps, i64 start) {
  const i64 low = start < 0 ? -start : 0;
  const i64 high = start + a.width > a.pcm.size ? a.pcm.size - start : a.width;
  Vec sum = vzero();
  for (i64 k = low; k < high; k += kLanes) {
    sum = vfma(vload_n(taps + k, high - k), vload_n(a.pcm.data + start + k, high - k), sum);
  }
  return vsum(sum);
}

inline float resample_one(const ResampleArgs& a, const float* taps, const float* x) {
  Vec sum0 = vzero(), sum1 = vzero();
  i64 k = 0;
  for (; k + 2 * kLanes <= a.width; k += 2 * kLanes) {
    sum0 = vfma(vload(taps + k), vload(x + k), sum0);
    sum1 = vfma(vload(taps + k + kLanes), vload(x + k + kLanes), sum1);
  }
  for (; k < a.width; k += kLanes) {
    sum0 = vfma(vload_n(taps + k, a.width - k), vload_n(x + k, a.width - k), sum0);
  }
  return vsum(sum0 + sum1);
}

// An output is a dot product of its own: for ratios whose phases hardly come again within a clip.
inline Status resample_directly(const ResampleArgs& a, Exec& exec) {
  const i64 half = a.width / 2 - 1;
  // The kind of an output (inside, at an edge) depends on its place alone, so the bits do not depend on the
  // chunks.
  parallel_for(exec, (a.out.size + kResampleChunk - 1) / kResampleChunk, [&](i64 chunk, int) {
    const i64 begin = chunk * kResampleChunk;
    const i64 end = begin + kResampleChunk < a.out.size ? begin + kResampleChunk : a.out.size;
    for (i64 i = begin; i < end; i++) {
      const i64 base = i * a.down / a.up, start = base - half;
      const float* taps = a.taps.data + (i * a.down - base * a.up) * a.width;
      const bool inside = start >= 0 && start + a.width <= a.pcm.size;
      a.out[i] = inside ? resample_one(a, taps, a.pcm.data + start) : resample_edge(a, taps, start);
    }
  });
  return {};
}

// The way depends on the filter alone, never on the clip: a clip resampled in pieces has the bits of the whole.
inline Status resample(const ResampleArgs& a, Exec& exec) {
  const Bands bands(a);
  return bands.few() ? resample_in_bands(a, bands, exec) : resample_directly(a, exec);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
