// Outputs that are a period apart have the same taps, and their inputs are a fixed step apart. So a group of
// neighbouring phases is a matrix product: rows of inputs, one for each period and overlapping, by the taps
// of each phase, shifted to where its inputs begin and zero elsewhere.
#include "../entries.hpp"
#include "../lanes.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kTile = 64;  // periods × phases of a block; a thread has 4 × 4 of them
constexpr int kDepth = 16;
constexpr int kThreads = 256;
constexpr int kLoads = kTile * kDepth / kThreads;

struct Bands {
  const float* pcm;
  const float* taps;
  float* out;
  i64 samples, count, up, down;
  int width;
  i64 period;  // outputs, a multiple of up
  i64 step;    // inputs
  int depth;   // inputs of a group's phases
  i64 groups;
};

// What a thread brings for one step of the depth: kLoads values of each operand, 16 threads along a row.
struct Loader {
  static constexpr int kRows = kThreads / kDepth;  // between the rows of a thread
  i64 first;                                       // input of the thread's first row at depth 0
  bool inside;                                     // all inputs of the block are there
  const float* taps[kLoads];                       // of each row's phase
  int place[kLoads];                               // of depth 0 in them
  float held_x[kLoads], held_taps[kLoads];

  __device__ Loader(const Bands& b, i64 first_period, i64 first_phase) {
    const int row = static_cast<int>(threadIdx.x) / kDepth, k = static_cast<int>(threadIdx.x) % kDepth;
    const i64 base = first_phase * b.down / b.up, corner = first_period * b.step + base - (b.width / 2 - 1);
    first = corner + row * b.step + k;
    inside = corner >= 0 && corner + (kTile - 1) * b.step + b.depth + kDepth <= b.samples;
#pragma unroll
    for (int l = 0; l < kLoads; ++l) {
      const i64 at = (first_phase + row + l * kRows) * b.down, input = at / b.up;
      taps[l] = b.taps + (at - input * b.up) * b.width;
      place[l] = k - static_cast<int>(input - base);
    }
  }

  __device__ void fetch(const Bands& b, int from) {
#pragma unroll
    for (int l = 0; l < kLoads; ++l) {
      const i64 input = first + l * kRows * b.step + from;
      held_x[l] = inside || (input >= 0 && input < b.samples) ? b.pcm[input] : 0.0f;
      const int tap = place[l] + from;
      held_taps[l] = static_cast<unsigned>(tap) < static_cast<unsigned>(b.width) ? taps[l][tap] : 0.0f;
    }
  }

  __device__ void put(float (&x)[kDepth][kTile + 4], float (&t)[kDepth][kTile + 4]) const {
    const int k = static_cast<int>(threadIdx.x) % kDepth;
#pragma unroll
    for (int l = 0; l < kLoads; ++l) {
      const int row = static_cast<int>(threadIdx.x) / kDepth + l * kRows;
      x[k][row] = held_x[l];
      t[k][row] = held_taps[l];
    }
  }
};

__global__ void __launch_bounds__(kThreads) resample_kernel(Bands b) {
  __shared__ __align__(16) float x[2][kDepth][kTile + 4];
  __shared__ __align__(16) float taps[2][kDepth][kTile + 4];
  const i64 first_period = blockIdx.x / b.groups * kTile, first_phase = blockIdx.x % b.groups * kTile;
  const int row = static_cast<int>(threadIdx.x) / 16 * 4, col = static_cast<int>(threadIdx.x) % 16 * 4;
  Loader loader(b, first_period, first_phase);
  loader.fetch(b, 0);
  loader.put(x[0], taps[0]);
  __syncthreads();
  float sum[4][4] = {};
  int current = 0;
  for (int from = 0; from < b.depth; from += kDepth, current = 1 - current) {
    const bool more = from + kDepth < b.depth;
    if (more) loader.fetch(b, from + kDepth);
#pragma unroll
    for (int k = 0; k < kDepth; ++k) {
      const Lanes<4> inputs = load<4>(&x[current][k][row]), weights = load<4>(&taps[current][k][col]);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) sum[i][j] = fmaf(inputs.v[i], weights.v[j], sum[i][j]);
      }
    }
    if (!more) break;
    // The other buffers were last read before the barrier that ended the step before this one.
    loader.put(x[1 - current], taps[1 - current]);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const i64 phase = first_phase + col + j, output = (first_period + row + i) * b.period + phase;
      if (phase < b.period && output < b.count) b.out[output] = sum[i][j];
    }
  }
}

}  // namespace

Status resample(const ResampleArgs& args, Exec& exec) {
  // As many whole periods together as fill the tiles to 8/9.
  i64 periods = 1, groups = 0;
  for (;; ++periods) {
    groups = (args.up * periods + kTile - 1) / kTile;
    if (groups * kTile * 8 <= args.up * periods * 9) break;
  }
  Bands bands;
  bands.pcm = args.pcm.data, bands.taps = args.taps.data, bands.out = args.out.data;
  bands.samples = args.pcm.size, bands.count = args.out.size;
  bands.up = args.up, bands.down = args.down;
  bands.period = args.up * periods, bands.step = args.down * periods;
  const i64 depth = args.width + (kTile - 1) * args.down / args.up + 1;
  if (depth > INT32_MAX - kDepth) return Status::unsupported("more than 2^31 taps of a group of phases");
  bands.width = static_cast<int>(args.width), bands.depth = static_cast<int>(depth);
  bands.groups = groups;
  const i64 tiles = (args.out.size + kTile * bands.period - 1) / (kTile * bands.period);
  return launch(static_cast<CudaExec&>(exec), resample_kernel, tiles * groups, kThreads, bands);
}

}  // namespace sonotext::cuda
