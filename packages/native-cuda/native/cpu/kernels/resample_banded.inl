// Resampling as a banded matrix product. Outputs `period` apart have the same taps and read inputs `stride` apart, so with
// the input laid out as planes, plane[m][j] = pcm[j·stride + m], a vector holds kLanes such outputs: a tap is broadcast, the
// inputs are loaded as they lie, and nothing is summed across lanes. A register tile is 6 neighbouring outputs of a
// period, whose bands of inputs overlap, in 2 vectors of periods (4 where there are 32 registers). Where few periods are left, as in a
// clip of 20 ms, a vector holds neighbouring outputs of one period instead (resample_phases.inl).
//
// Every output is the sum of two chains over its taps, from the first up to the middle and from the last down to it: large taps lie
// in the middle, so sums are small until the end of a chain and little is rounded. Its bits depend neither on the lanes nor
// on where a piece of a clip begins.
#pragma once
#include "resample_bands.inl"
#include "resample_phases.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Samples [from, from + count) as they lie, or in `room` with zeros outside of the clip.
inline const float* padded(const ResampleArgs& a, i64 from, i64 count, float* room) {
  if (from >= 0 && from + count <= a.pcm.size) return a.pcm.data + from;
  for (i64 i = 0; i < count; ++i) {
    const i64 at = from + i;
    room[i] = at >= 0 && at < a.pcm.size ? a.pcm[at] : 0.0f;
  }
  return room;
}

// The planes of periods [first, first + count) and of those that their bands reach; `room` for padded().
inline void fill_planes(const ResampleArgs& a, const Bands& bands, i64 first, i64 count, float* room, float* planes) {
  const i64 stride = bands.stride, line = bands.line;
  for (i64 j = 0; j < bands.ahead + count + bands.behind; j += kLanes) {
    const float* x = padded(a, (first - bands.ahead + j) * stride, kLanes * stride, room);
    i64 m = 0;
    for (; m + kLanes <= stride; m += kLanes) {
      Vec t[kLanes];
      for (i64 i = 0; i < kLanes; ++i) t[i] = vload(x + i * stride + m);
      vtranspose(t);
      for (i64 i = 0; i < kLanes; ++i) vstore(planes + (m + i) * line + j, t[i]);
    }
    for (; m < stride; ++m) {
      for (i64 i = 0; i < kLanes; ++i) planes[m * line + j + i] = x[i * stride + m];
    }
  }
}

// What a tile reads, in one struct, so that its loop keeps few addresses alive.
struct BandTile {
  const float* taps[kTilePhases];  // of input c: taps[q][c]
  i64 low[kTilePhases];            // the first input of each output's band; each is `width` long
  const float* const* planes;      // of input c at the tile's first period: planes[c] + j
};

// The chain over the taps from number `first` on, `length` of them, upwards (kStep = 1) or downwards (-1).
template <int kStep, int kVectors>
inline void band_chain(const BandTile& tile, i64 first, i64 length, i64 j, Vec (&acc)[kTilePhases][kVectors]) {
  const i64 spread = tile.low[kTilePhases - 1] - tile.low[0];
  const i64 start = kStep > 0 ? tile.low[0] + first : tile.low[kTilePhases - 1] + first + length - 1;
  // Output q meets inputs start + kStep·n for n from begins(q) on. Where not all outputs do, each goes alone.
  const auto begins = [&](int q) { return kStep > 0 ? tile.low[q] - tile.low[0] : tile.low[kTilePhases - 1] - tile.low[q]; };
  const auto alone = [&](int q, i64 begin, i64 end) {
    for (i64 n = begin; n < end; ++n) {
      const i64 c = start + kStep * n;
      const Vec tap = vset(tile.taps[q][c]);
      SONOTEXT_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) acc[q][v] = vfma(tap, vload(tile.planes[c] + j + v * kLanes), acc[q][v]);
    }
  };
  SONOTEXT_UNROLL(6)
  for (int q = 0; q < kTilePhases; ++q) alone(q, begins(q), gemm_min(spread, begins(q) + length));
  for (i64 n = spread; n < length; ++n) {
    const i64 c = start + kStep * n;
    const float* x = tile.planes[c] + j;
    Vec y[kVectors];
    SONOTEXT_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) y[v] = vload(x + v * kLanes);
    SONOTEXT_UNROLL(6)
    for (int q = 0; q < kTilePhases; ++q) {
      const Vec tap = vset(tile.taps[q][c]);
      SONOTEXT_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) acc[q][v] = vfma(tap, y[v], acc[q][v]);
    }
  }
  SONOTEXT_UNROLL(6)
  for (int q = 0; q < kTilePhases; ++q) alone(q, gemm_max(spread, length), begins(q) + length);
}

template <int kVectors>
inline void band_tile(const BandTile& tile, i64 width, i64 middle, i64 j, float* sums) {
  Vec acc[kTilePhases][kVectors];
  const auto each = [&](auto act) {
    SONOTEXT_UNROLL(6)
    for (int q = 0; q < kTilePhases; ++q)
      SONOTEXT_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) act(acc[q][v], sums + q * kTilePeriods + v * kLanes);
  };
  each([](Vec& sum, float*) { sum = vzero(); });
  band_chain<1>(tile, 0, middle, j, acc);
  each([](Vec& sum, float* kept) {
    vstore(kept, sum);
    sum = vzero();
  });
  band_chain<-1>(tile, middle, width - middle, j, acc);
  each([](Vec& sum, float* kept) { vstore(kept, vload(kept) + sum); });
}

// The outputs of periods [first, first + count).
inline void resample_planes(const ResampleArgs& a, const Bands& bands, i64 first, i64 count, const float* const* table) {
  const i64 period = bands.period, width = bands.width, half = bands.half;
  for (i64 q0 = 0; q0 < period; q0 += kTilePhases) {
    const i64 phases = gemm_min(kTilePhases, period - q0);
    BandTile tile;
    tile.planes = table;
    for (i64 q = 0; q < kTilePhases; ++q) {
      const i64 at = (q0 + gemm_min(q, phases - 1)) * a.down, base = at / a.up;
      tile.low[q] = base - half;
      tile.taps[q] = a.taps.data + (at - base * a.up) * width - tile.low[q];
    }
    for (i64 j = 0; j < count; j += kTilePeriods) {
      float sums[kTilePhases * kTilePeriods];
      if (count - j > kLanes) {
        band_tile<kTileVectors>(tile, width, bands.middle(), j, sums);
      } else {
        band_tile<1>(tile, width, bands.middle(), j, sums);
      }
      float* out = a.out.data + (first + j) * period + q0;
      for (i64 l = 0; l < gemm_min(kTilePeriods, count - j); ++l) {
        const i64 kept = gemm_min(phases, a.out.size - (first + j + l) * period - q0);
        for (i64 q = 0; q < kept; ++q) out[l * period + q] = sums[q * kTilePeriods + l];
      }
    }
  }
}

inline Status resample_in_bands(const ResampleArgs& a, const Bands& bands, Exec& exec) {
  const i64 width = bands.width, half = bands.half, line = bands.line, stride = bands.stride;
  const i64 total = ceil_div(a.out.size, bands.period), reach = stride + width;
  const i64 room = gemm_max(kLanes * stride, kFewPeriods * stride + width);
  const i64 floats = ceil_div(stride * line + room + phase_room(width), 16) * 16;
  float* workers = static_cast<float*>(exec.scratch(4 * floats * exec.threads()));
  const float** tables = static_cast<const float**>(exec.scratch(8 * reach * exec.threads()));
  if (!workers || !tables) return {Code::out_of_memory, "scratch memory for the planes of the samples"};
  parallel_for(exec, ceil_div(total, bands.periods), [&](i64 chunk, int worker) {
    const i64 first = chunk * bands.periods, count = gemm_min(bands.periods, total - first);
    const i64 rest = has_phases(a) && count % kTilePeriods <= kFewPeriods ? count % kTilePeriods : 0;
    const i64 tiled = count - rest;
    float *planes = workers + worker * floats, *padding = planes + stride * line;
    if (tiled > 0) {
      fill_planes(a, bands, first, ceil_div(tiled, kTilePeriods) * kTilePeriods, padding, planes);
      const float** table = tables + worker * reach;  // of inputs from -half on
      for (i64 c = -half; c < reach - half; ++c) {
        const i64 turn = c < 0 ? -ceil_div(-c, stride) : c / stride;
        table[c + half] = planes + (c - turn * stride) * line + bands.ahead + turn;
      }
      resample_planes(a, bands, first, tiled, table + half);
    }
    if (rest > 0) {
      const i64 from = (first + tiled) * stride - half;
      const float* x = padded(a, from, rest * stride + width, padding);
      resample_phases(a, bands, first + tiled, rest, x + half, padding + room);
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
