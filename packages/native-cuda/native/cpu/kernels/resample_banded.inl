// Resampling as a banded matrix product. Outputs `period` apart have the same taps and read inputs `stride` apart, so with
// the input laid out as planes, plane[m][j] = pcm[j·stride + m], a vector holds kLanes such outputs: a tap is broadcast, the
// inputs are loaded as they lie, and nothing is summed across lanes. A register tile is 6 neighbouring outputs of a
// period, whose bands of inputs overlap, in 2 vectors of periods (4 with AVX-512). Every output is one chain over its taps in
// ascending order: its bits depend neither on the lanes nor on where a piece of a clip begins.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kTilePhases = 6;
constexpr int kTileVectors = kLanes == 16 ? 4 : 2;
constexpr i64 kTilePeriods = kTileVectors * kLanes;

// How a filter is cut.
struct Bands {
  static constexpr i64 kPlaneFloats = 1 << 16;  // of one task, about: 256 KB of inputs stay in L2 for all its outputs
  static constexpr i64 kMostPhases = 2048, kMostFloats = 1 << 22;

  i64 period, stride;       // outputs and inputs after which everything comes again
  i64 half, width;          // taps k of an output meet its position - half + k
  i64 periods;              // of one task
  i64 ahead, behind, line;  // periods of a plane before and after those of a task, and its length

  explicit Bands(const ResampleArgs& a) : period(a.up), stride(a.down), half(a.width / 2 - 1), width(a.width) {
    // Few phases: several of their periods make one, so that tiles are full.
    if (a.up < 8 * kTilePhases) {
      const i64 times = a.up % 6 == 0 ? 1 : a.up % 3 == 0 ? 2 : a.up % 2 == 0 ? 3 : 6;
      period *= times, stride *= times;
    }
    ahead = ceil_div(half, stride), behind = (stride + width) / stride + 1;
    const i64 wanted = kPlaneFloats / stride;
    periods = gemm_max(kTilePeriods, wanted / kTilePeriods * kTilePeriods);
    line = ceil_div(ahead + periods + behind, 16) * 16 + 16;
    if (line % 32 == 0) line += 16;  // an odd number of cache lines: planes lie in all sets of the caches
  }

  // Whether the periods are short enough for a clip to have several, and for a task's planes to be kept.
  bool few() const { return period <= kMostPhases && stride * line <= kMostFloats; }
};

// The planes of periods [first, first + bands.periods), zeros outside of the samples.
inline void fill_planes(const ResampleArgs& a, const Bands& bands, i64 first, i64 count, float* planes) {
  const i64 stride = bands.stride, size = a.pcm.size, line = bands.line;
  const i64 length = bands.ahead + count + bands.behind;
  i64 j = 0;
  for (; j < length; j += kLanes) {
    const i64 from = (first - bands.ahead + j) * stride;  // input of plane 0
    const i64 rows = gemm_min(kLanes, length - j);
    i64 m = 0;
    if (from >= 0 && from + kLanes * stride <= size) {
      for (; m + kLanes <= stride; m += kLanes) {
        Vec t[kLanes];
        for (i64 i = 0; i < kLanes; ++i) t[i] = vload(a.pcm.data + from + i * stride + m);
        vtranspose(t);
        for (i64 i = 0; i < kLanes; ++i) vstore(planes + (m + i) * line + j, t[i]);
      }
    }
    for (; m < stride; ++m) {
      for (i64 i = 0; i < rows; ++i) {
        const i64 at = from + i * stride + m;
        planes[m * line + j + i] = at >= 0 && at < size ? a.pcm[at] : 0.0f;
      }
    }
  }
}

// What a tile reads, in one struct, so that its loop keeps few addresses alive.
struct BandTile {
  const float* taps[kTilePhases];  // of input c: taps[q][c]
  i64 low[kTilePhases];            // the first input of each output's band; each is `width` long
  const float* const* planes;      // of input c at the tile's first period: planes[c] + j
};

template <int kVectors>
inline void band_tile(const BandTile& tile, i64 width, i64 j, float* sums) {
  Vec acc[kTilePhases][kVectors];
  SONOTEXT_UNROLL(6)
  for (int q = 0; q < kTilePhases; ++q)
    SONOTEXT_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) acc[q][v] = vzero();
  const auto run = [&](i64 begin, i64 end, auto meets) {
    for (i64 c = begin; c < end; ++c) {
      const float* x = tile.planes[c] + j;
      Vec y[kVectors];
      SONOTEXT_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) y[v] = vload(x + v * kLanes);
      SONOTEXT_UNROLL(6)
      for (int q = 0; q < kTilePhases; ++q) {
        if (!meets(c, q)) continue;
        const Vec tap = vset(tile.taps[q][c]);
        SONOTEXT_UNROLL(4)
        for (int v = 0; v < kVectors; ++v) acc[q][v] = vfma(tap, y[v], acc[q][v]);
      }
    }
  };
  const auto some = [&](i64 c, int q) { return c >= tile.low[q] && c < tile.low[q] + width; };
  const i64 begin = tile.low[0], last = tile.low[kTilePhases - 1];
  run(begin, last, some);  // not all bands have begun; those of few taps are over
  run(last, begin + width, [](i64, int) { return true; });
  run(gemm_max(last, begin + width), last + width, some);
  SONOTEXT_UNROLL(6)
  for (int q = 0; q < kTilePhases; ++q)
    SONOTEXT_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) vstore(sums + q * kTilePeriods + v * kLanes, acc[q][v]);
}

inline Status resample_in_bands(const ResampleArgs& a, const Bands& bands, Exec& exec) {
  const i64 period = bands.period, width = bands.width, half = bands.half, line = bands.line;
  const i64 total = ceil_div(a.out.size, period), reach = bands.stride + width;
  const i64 floats = ceil_div(bands.stride * line, 16) * 16;
  float* workers = static_cast<float*>(exec.scratch(4 * floats * exec.threads()));
  const float** tables = static_cast<const float**>(exec.scratch(8 * reach * exec.threads()));
  if (!workers || !tables) return {Code::out_of_memory, "scratch memory for the planes of the samples"};
  parallel_for(exec, ceil_div(total, bands.periods), [&](i64 chunk, int worker) {
    const i64 first = chunk * bands.periods, count = gemm_min(bands.periods, total - first);
    float* planes = workers + worker * floats;
    fill_planes(a, bands, first, ceil_div(count, kTilePeriods) * kTilePeriods, planes);
    const float** table = tables + worker * reach;  // of inputs from -half on
    for (i64 c = -half; c < reach - half; ++c) {
      const i64 turn = c < 0 ? -ceil_div(-c, bands.stride) : c / bands.stride;
      table[c + half] = planes + (c - turn * bands.stride) * line + bands.ahead + turn;
    }
    for (i64 q0 = 0; q0 < period; q0 += kTilePhases) {
      const i64 phases = gemm_min(kTilePhases, period - q0);
      BandTile tile;
      tile.planes = table + half;
      for (i64 q = 0; q < kTilePhases; ++q) {
        const i64 at = (q0 + gemm_min(q, phases - 1)) * a.down, base = at / a.up;
        tile.low[q] = base - half;
        tile.taps[q] = a.taps.data + (at - base * a.up) * width - tile.low[q];
      }
      for (i64 j = 0; j < count; j += kTilePeriods) {
        float sums[kTilePhases * kTilePeriods];
        if (count - j > kLanes) {
          band_tile<kTileVectors>(tile, width, j, sums);
        } else {
          band_tile<1>(tile, width, j, sums);
        }
        float* out = a.out.data + (first + j) * period + q0;
        for (i64 l = 0; l < gemm_min(kTilePeriods, count - j); ++l) {
          const i64 kept = gemm_min(phases, a.out.size - (first + j + l) * period - q0);
          for (i64 q = 0; q < kept; ++q) out[l * period + q] = sums[q * kTilePeriods + l];
        }
      }
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
