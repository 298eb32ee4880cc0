// Resampling as a banded matrix product. Outputs `period` apart have the same taps and read inputs `stride` apart, so with
// the input laid out as planes, plane[m][j] = pcm[j·stride + m], a vector holds kLanes such outputs: a tap is broadcast, the
// inputs are loaded as they lie, and nothing is summed across lanes. A register tile is 6 neighbouring outputs of a
// period, whose bands of inputs overlap, in 2 vectors of periods (4 where there are 32 registers). Where few periods are left, as in a
// clip of 20 ms, a vector holds neighbouring outputs of one period instead (resample_phases.inl).
//
// Every output is the sum of two chains over its taps, from the first up to the middle and from the last down to it: large taps lie
// in the middle, so sums are small until the end of a chain and little is rounded. Its bits depend neither on the lanes nor
// on where a piece of a clip begins.
//
// A half-band filter, which keeps each second sample, has zeros for all even taps but the one in the middle: chains go in steps of two
// and take the middle one in the end. The bits are the same; only a sample that is no number is not heard through a tap that is zero.
#pragma once
#include "resample_bands.inl"
#include "resample_phases.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Samples [from, from + count) as they lie, or in `room` with zeros outside of the clip.
inline const float* padded(const ResampleArgs& a, i64 from, i64 count, float* room) {
  if (from >= 0 && from + count <= a.pcm.size) return a.pcm.data + from;
  const i64 begin = gemm_min(gemm_max(-from, 0), count), end = gemm_max(gemm_min(a.pcm.size - from, count), begin);
  const auto bytes = [](i64 floats) { return static_cast<size_t>(floats) * sizeof(float); };
  memset(room, 0, bytes(begin));
  if (end > begin) memcpy(room + begin, a.pcm.data + from + begin, bytes(end - begin));
  memset(room + end, 0, bytes(count - end));
  return room;
}

// The planes of periods [first, first + count) and of those that their bands reach; `room` for padded().
inline void fill_planes(const ResampleArgs& a, const Bands& bands, i64 first, i64 count, float* room, float* planes) {
  const i64 stride = bands.stride, line = bands.line, front = bands.front;
  for (i64 j = 0; j < bands.ahead + count + bands.behind; j += kLanes) {
    const float* x = padded(a, (first - bands.ahead + j) * stride, kLanes * stride, room);
    const auto block = [&](i64 m) {
      Vec t[kLanes];
      for (i64 i = 0; i < kLanes; ++i) t[i] = vload(x + i * stride + m);
      vtranspose(t);
      for (i64 i = 0; i < kLanes; ++i) vstore(planes + (m + i) * line + front + j, t[i]);
    };
    i64 m = 0;
    for (; m + kLanes <= stride; m += kLanes) block(m);
    if (m < stride && m > 0) {
      block(stride - kLanes);  // with planes before it, once more
      continue;
    }
    for (; m < stride; ++m) {
      for (i64 i = 0; i < kLanes; ++i) planes[m * line + front + j + i] = x[i * stride + m];
    }
  }
}

// What a tile reads, in one struct, so that its loop keeps few addresses alive.
struct BandTile {
  const float* taps[kTilePhases];  // of input c: taps[q][c]
  i64 low[kTilePhases];            // the first input of each output's band; each is `width` long
  const float* const* planes;      // of input c at the tile's first period: planes[c] + j
};

// Steps [from, until) of a chain: outputs first..last of those that begin one after the other meet an input each. In a chain
// upwards the first output begins first, in one downwards the last one.
template <int kStep, int kFirst, int kLast, int kVectors>
SONOTEXT_INLINE void band_steps(const BandTile& tile, i64 start, i64 from, i64 until, i64 j,
                                Vec (&acc)[kTilePhases][kVectors]) {
  for (i64 n = from; n < until; ++n) {
    const i64 c = start + kStep * n;
    const float* x = tile.planes[c] + j;
    Vec y[kVectors];
    SONOTEXT_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) y[v] = vload(x + v * kLanes);
    SONOTEXT_UNROLL(6)
    for (int k = kFirst; k <= kLast; ++k) {
      const int q = kStep > 0 ? k : static_cast<int>(kTilePhases) - 1 - k;
      const Vec tap = vset(tile.taps[q][c]);
      SONOTEXT_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) acc[q][v] = vfma(tap, y[v], acc[q][v]);
    }
  }
}

// From where on the first kCount outputs have begun until they all have; and from where on the first kCount have ended.
template <int kStep, int kCount, int kVectors>
SONOTEXT_INLINE void band_rise(const BandTile& tile, i64 start, const i64* begins, i64 j, Vec (&acc)[kTilePhases][kVectors]) {
  if constexpr (kCount < kTilePhases) {
    band_steps<kStep, 0, kCount - 1>(tile, start, begins[kCount - 1], begins[kCount], j, acc);
    band_rise<kStep, kCount + 1>(tile, start, begins, j, acc);
  }
}
template <int kStep, int kCount, int kVectors>
SONOTEXT_INLINE void band_fall(const BandTile& tile, i64 start, const i64* begins, i64 length, i64 j,
                               Vec (&acc)[kTilePhases][kVectors]) {
  if constexpr (kCount < kTilePhases) {
    band_steps<kStep, kCount, kTilePhases - 1>(tile, start, begins[kCount - 1] + length, begins[kCount] + length, j, acc);
    band_fall<kStep, kCount + 1>(tile, start, begins, length, j, acc);
  }
}

// A chain over `length` taps from number `first` on, upwards (kStep = 1, or 2 for each second one) or downwards (-1, -2).
template <int kStep, int kVectors>
SONOTEXT_INLINE void band_chain(const BandTile& tile, i64 first, i64 length, i64 j, Vec (&acc)[kTilePhases][kVectors]) {
  const i64 start = (kStep > 0 ? tile.low[0] : tile.low[kTilePhases - 1]) + first;
  // The k-th output to begin meets inputs start + kStep·n for n from begins[k] on.
  i64 begins[kTilePhases];
  for (int k = 0; k < kTilePhases; ++k) {
    begins[k] = (kStep > 0 ? tile.low[k] - tile.low[0] : tile.low[kTilePhases - 1 - k] - tile.low[kTilePhases - 1]) / kStep;
  }
  const i64 spread = begins[kTilePhases - 1];
  if (spread <= length) {
    band_rise<kStep, 1>(tile, start, begins, j, acc);
    band_steps<kStep, 0, kTilePhases - 1>(tile, start, spread, length, j, acc);
    band_fall<kStep, 1>(tile, start, begins, length, j, acc);
    return;
  }
  // Filters so short that the first output ends before the last begins: each goes alone.
  SONOTEXT_UNROLL(6)
  for (int k = 0; k < kTilePhases; ++k) {
    const int q = kStep > 0 ? k : static_cast<int>(kTilePhases) - 1 - k;
    for (i64 n = begins[k]; n < begins[k] + length; ++n) {
      const i64 c = start + kStep * n;
      const Vec tap = vset(tile.taps[q][c]);
      SONOTEXT_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) acc[q][v] = vfma(tap, vload(tile.planes[c] + j + v * kLanes), acc[q][v]);
    }
  }
}

template <bool kHalfBand, int kVectors>
inline void band_tile(const BandTile& tile, i64 width, i64 middle, i64 j, float* sums) {
  Vec acc[kTilePhases][kVectors];
  const auto each = [&](auto act) {
    SONOTEXT_UNROLL(6)
    for (int q = 0; q < kTilePhases; ++q)
      SONOTEXT_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) act(acc[q][v], sums + q * kTilePeriods + v * kLanes);
  };
  each([](Vec& sum, float*) { sum = vzero(); });
  if constexpr (kHalfBand) {
    const i64 centre = middle - 1;
    band_chain<2>(tile, middle % 2, centre / 2 + centre % 2, j, acc);
    SONOTEXT_UNROLL(6)
    for (int q = 0; q < kTilePhases; ++q) {
      const i64 c = tile.low[q] + centre;
      const Vec tap = vset(tile.taps[q][c]);
      SONOTEXT_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) acc[q][v] = vfma(tap, vload(tile.planes[c] + j + v * kLanes), acc[q][v]);
    }
  } else {
    band_chain<1>(tile, 0, middle, j, acc);
  }
  each([](Vec& sum, float* kept) {
    vstore(kept, sum);
    sum = vzero();
  });
  if constexpr (kHalfBand) {
    band_chain<-2>(tile, width - 1 - (width - middle + 1) % 2, (width - middle + 1) / 2, j, acc);
  } else {
    band_chain<-1>(tile, width - 1, width - middle, j, acc);
  }
  each([](Vec& sum, float* kept) { vstore(kept, vload(kept) + sum); });
}

// Whether each second sample is kept and all even taps but the middle one are zero.
inline bool is_half_band(const ResampleArgs& a) {
  if (a.up != 1 || a.down != 2) return false;
  const i64 centre = a.width / 2 - 1;
  for (i64 k = centre % 2; k < a.width; k += 2) {
    if (k != centre && a.taps[k] != 0.0f) return false;
  }
  return true;
}

// The outputs of periods [first, first + count).
template <bool kHalfBand>
inline void resample_planes(const ResampleArgs& a, const Bands& bands, i64 first, i64 count, const float* const* table) {
  const i64 period = bands.period, width = bands.width, half = bands.half;
  constexpr i64 kRow = (kTilePhases + kLanes - 1) / kLanes * kLanes;  // outputs that the vectors of a row hold
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
        band_tile<kHalfBand, kTileVectors>(tile, width, bands.middle(), j, sums);
      } else {
        band_tile<kHalfBand, 1>(tile, width, bands.middle(), j, sums);
      }
      const i64 rows = gemm_min(kTilePeriods, count - j);
      // A whole vector may be stored where what it writes too much is written after it, by this task.
      const bool within = q0 + kRow <= period, between = phases == period && kRow <= 2 * period;
      for (i64 l0 = 0; l0 < rows; l0 += kLanes)
        for (i64 q = 0; q < phases; q += kLanes) {
          Vec t[kLanes];
          for (i64 i = 0; i < kLanes; ++i) t[i] = q + i < kTilePhases ? vload(sums + (q + i) * kTilePeriods + l0) : vzero();
          vtranspose(t);
          for (i64 l = l0; l < gemm_min(rows, l0 + kLanes); ++l) {
            const i64 at = (first + j + l) * period + q0 + q;
            const bool later = within || (between && j + l + 1 < count);
            if (later && at + kLanes <= a.out.size) {
              vstore(a.out.data + at, t[l - l0]);
            } else {
              vstore_n(a.out.data + at, t[l - l0], gemm_min(phases - q, a.out.size - at));
            }
          }
        }
    }
  }
}

inline Status resample_in_bands(const ResampleArgs& a, const Bands& bands, Exec& exec) {
  const i64 width = bands.width, half = bands.half, line = bands.line, stride = bands.stride;
  const i64 total = ceil_div(a.out.size, bands.period), reach = stride + width;
  const bool half_band = is_half_band(a);
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
        table[c + half] = planes + (c - turn * stride) * line + bands.front + bands.ahead + turn;
      }
      const auto outputs = half_band ? resample_planes<true> : resample_planes<false>;
      outputs(a, bands, first, tiled, table + half);
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
