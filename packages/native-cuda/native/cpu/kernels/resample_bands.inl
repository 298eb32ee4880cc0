// How a resampling filter is cut into pieces that come again.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kTilePhases = 6;
constexpr int kTileVectors = kRegisters / 8;
constexpr i64 kTilePeriods = kTileVectors * kLanes;

// How a filter is cut.
struct Bands {
  static constexpr i64 kPlaneFloats = 1 << 15;  // of one task, about: 128 KB of inputs stay in L2 beside the taps
  static constexpr i64 kMostPhases = 2048, kMostFloats = 1 << 22;

  i64 period, stride;       // outputs and inputs after which everything comes again
  i64 half, width;          // taps k of an output meet its position - half + k
  i64 periods;              // of one task
  i64 ahead, behind;        // periods of a plane before and after those of a task
  i64 front, line;          // where a plane's periods begin, so that a task's own lie on a cache line; its length

  explicit Bands(const ResampleArgs& a) : period(a.up), stride(a.down), half(a.width / 2 - 1), width(a.width) {
    // Few phases: several of their periods make one, so that tiles are full.
    if (a.up < 8 * kTilePhases) {
      const i64 times = a.up % 6 == 0 ? 1 : a.up % 3 == 0 ? 2 : a.up % 2 == 0 ? 3 : 6;
      period *= times, stride *= times;
    }
    ahead = ceil_div(half, stride), behind = (stride + width) / stride + 1;
    front = ceil_div(ahead, 16) * 16 - ahead;
    const i64 wanted = kPlaneFloats / stride;
    periods = gemm_max(kTilePeriods, wanted / kTilePeriods * kTilePeriods);
    line = ceil_div(front + ahead + periods + behind, 16) * 16 + 16;
    if (line % 32 == 0) line += 16;  // an odd number of cache lines: planes lie in all sets of the caches
  }

  i64 middle() const { return width / 2; }

  // Whether the periods are short enough for a clip to have several, and for a task's planes to be kept.
  bool few() const { return period <= kMostPhases && stride * line <= kMostFloats; }
};

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
