// Resampling of few periods: a vector holds kLanes neighbouring outputs of one period. Inputs are broadcast, blocks of
// kLanes × kLanes taps are transposed on the way. The chains of an output are those of resample_banded.inl, so are its bits.
#pragma once
#include "resample_bands.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kPhaseVectors = 2;  // independent chains even with a single period
constexpr i64 kPhases = kPhaseVectors * kLanes;
constexpr i64 kFewPeriods = 4;

struct PhaseTile {
  i64 begin, end;             // the inputs that are none but zeros beyond: outside of the clip in all periods
  const float* row[kPhases];  // taps of input c: row[q][c]
  i64 low[kPhases];           // the first input of each output's band
  Vec lows[kPhaseVectors];
};

// The chain over the taps from number `first` on, `length` of them, upwards (kStep = 1) or downwards (-1). x: the input that
// the first period lies on.
template <int kStep, int kPeriods>
inline void phase_chain(const PhaseTile& tile, i64 first, i64 length, i64 stride, const float* x,
                        Vec (&acc)[kPeriods][kPhaseVectors]) {
  // Of each vector: the input that its chains begin with, and how much later its last output's does.
  i64 start[kPhaseVectors], spread = 0;
  for (int v = 0; v < kPhaseVectors; ++v) {
    const i64 low = tile.low[v * kLanes], high = tile.low[v * kLanes + kLanes - 1];
    start[v] = kStep > 0 ? low + first : high + first + length - 1;
    spread = gemm_max(spread, high - low);
  }
  const float reach = 0.5f * static_cast<float>(length - 1), centre = static_cast<float>(first) + reach;
  // All outputs meet all inputs of the block.
  const auto whole = [&](i64 n) {
    SONOTEXT_UNROLL(2)
    for (int v = 0; v < kPhaseVectors; ++v) {
      const i64 c = start[v] + kStep * n, lowest = kStep > 0 ? c : c - (kLanes - 1);
      Vec t[kLanes];
      SONOTEXT_UNROLL(16)
      for (int q = 0; q < kLanes; ++q) t[q] = vload(tile.row[v * kLanes + q] + lowest);
      vtranspose(t);
      SONOTEXT_UNROLL(4)
      for (int p = 0; p < kPeriods; ++p) {
        const float* y = x + p * stride + c;
        Vec sum = acc[p][v];
        SONOTEXT_UNROLL(16)
        for (int l = 0; l < kLanes; ++l) sum = vfma(t[kStep > 0 ? l : kLanes - 1 - l], vset(y[kStep * l]), sum);
        acc[p][v] = sum;
      }
    }
  };
  // Some meet some: is the number of a tap within `reach` of the chain's centre?
  const auto ragged = [&](i64 n) {
    SONOTEXT_UNROLL(2)
    for (int v = 0; v < kPhaseVectors; ++v) {
      const i64 c = start[v] + kStep * n, lowest = kStep > 0 ? c : c - (kLanes - 1);
      Vec t[kLanes];
      SONOTEXT_UNROLL(8)
      for (int q = 0; q < kLanes; ++q) t[q] = vload(tile.row[v * kLanes + q] + lowest);
      vtranspose(t);
      SONOTEXT_UNROLL(8)
      for (int l = 0; l < kLanes; ++l) {
        const i64 i = c + kStep * l;
        const Vec tap = t[kStep > 0 ? l : kLanes - 1 - l];
        const Mask meets = vge(vset(reach), vabs(vset(static_cast<float>(i) - centre) - tile.lows[v]));
        SONOTEXT_UNROLL(4)
        for (int p = 0; p < kPeriods; ++p) {
          acc[p][v] = vselect(meets, vfma(tap, vset(x[p * stride + i]), acc[p][v]), acc[p][v]);
        }
      }
    }
  };
  const i64 least = start[0], most = start[kPhaseVectors - 1];
  const i64 from = kStep > 0 ? tile.begin - most : least - tile.end + 1;
  const i64 until = kStep > 0 ? tile.end - least : most - tile.begin + 1;
  for (i64 n = gemm_max(0, from); n < gemm_min(spread + length, until); n += kLanes) {
    if (n >= spread && n + kLanes <= length) {
      whole(n);
    } else {
      ragged(n);
    }
  }
}

template <int kPeriods>
inline void phase_tile(const PhaseTile& tile, const Bands& bands, const float* x, float* sums) {
  Vec up[kPeriods][kPhaseVectors], down[kPeriods][kPhaseVectors];
  for (int p = 0; p < kPeriods; ++p)
    for (int v = 0; v < kPhaseVectors; ++v) up[p][v] = down[p][v] = vzero();
  const i64 middle = bands.middle();
  phase_chain<1>(tile, 0, middle, bands.stride, x, up);
  phase_chain<-1>(tile, middle, bands.width - middle, bands.stride, x, down);
  for (int p = 0; p < kPeriods; ++p)
    for (int v = 0; v < kPhaseVectors; ++v) vstore(sums + p * kPhases + v * kLanes, up[p][v] + down[p][v]);
}

// A block reaches past a chain by less than kLanes outputs and twice as many inputs. What lies there no lane looks at, but it must
// be memory: so the other half of a filter is long enough, and beside its ends lie the neighbouring phases, or zeros for copies of
// the first and the last.
inline bool has_phases(const ResampleArgs& a) { return a.width >= 2 * kLanes * (a.down / a.up + 4); }
inline i64 phase_room(i64 width) { return 5 * width; }

// The outputs of periods [first, first + count), at most kFewPeriods; x: the input that the first of them lies on.
inline void resample_phases(const ResampleArgs& a, const Bands& bands, i64 first, i64 count, const float* x, float* room) {
  const i64 width = bands.width;
  float *first_row = room + width, *last_row = room + 3 * width;
  const i64 margin = width / 2;  // at least what a block reaches past a chain: has_phases()
  const auto copy_row = [&](const float* taps, float* row) {
    memset(row - margin, 0, static_cast<size_t>(margin) * sizeof(float));
    memcpy(row, taps, static_cast<size_t>(width) * sizeof(float));
    memset(row + width, 0, static_cast<size_t>(margin) * sizeof(float));
  };
  copy_row(a.taps.data, first_row);
  copy_row(a.taps.data + (a.up - 1) * width, last_row);
  for (i64 q0 = 0; q0 < gemm_min(bands.period, a.out.size - first * bands.period); q0 += kPhases) {
    const i64 phases = gemm_min(kPhases, bands.period - q0);
    PhaseTile tile;
    float lows[kPhases];
    for (i64 q = 0; q < kPhases; ++q) {
      const i64 at = (q0 + gemm_min(q, phases - 1)) * a.down, base = at / a.up;
      tile.low[q] = base - bands.half;
      const i64 phase = at - base * a.up;
      const float* row = phase == 0 ? first_row : phase == a.up - 1 ? last_row : a.taps.data + phase * width;
      tile.row[q] = row - tile.low[q];
      lows[q] = static_cast<float>(tile.low[q]);
    }
    for (int v = 0; v < kPhaseVectors; ++v) tile.lows[v] = vload(lows + v * kLanes);
    tile.begin = -(first + count - 1) * bands.stride;
    tile.end = a.pcm.size - first * bands.stride;
    float sums[kFewPeriods * kPhases];
    switch (count) {
      case 1: phase_tile<1>(tile, bands, x, sums); break;
      case 2: phase_tile<2>(tile, bands, x, sums); break;
      case 3: phase_tile<3>(tile, bands, x, sums); break;
      default: phase_tile<4>(tile, bands, x, sums);
    }
    for (i64 p = 0; p < count; ++p) {
      const i64 at = (first + p) * bands.period + q0;
      for (i64 q = 0; q < gemm_min(phases, a.out.size - at); ++q) a.out[at + q] = sums[p * kPhases + q];
    }
  }
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
