// One block per frame. The frame of N samples is transformed as N/2 complex points in float64 (see
// LogMelArgs), in shared memory, by radix-4 Stockham passes (radix 2 for the last when the number of points
// asks for it).
#include "../entries.hpp"
#include "../launch.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kFrameThreads = 256;
constexpr int kLongest = 4096;

struct Frames {
  const float* pcm;
  i64 samples;
  const float* window;   // [2 × n_fft]
  const double2* roots;  // [n_fft] e^(-2πi·m/n_fft)
  const std::int32_t* starts;
  const std::int32_t* offsets;
  const float* weights;
  float* out;
  int n_fft, bands;
  i64 hop, pad;
  int pad_mode, power, log_kind;
  float offset;
};

__global__ void fill_roots(double2* roots, int count) {
  const int m = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (m >= count) return;
  double sine, cosine;
  sincospi(-2.0 * m / count, &sine, &cosine);
  roots[m] = make_double2(cosine, sine);
}

__device__ inline double2 add(double2 a, double2 b) { return make_double2(a.x + b.x, a.y + b.y); }
__device__ inline double2 sub(double2 a, double2 b) { return make_double2(a.x - b.x, a.y - b.y); }
__device__ inline double2 mul(double2 a, double2 b) {
  return make_double2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}
__device__ inline double2 turned(double2 a) { return make_double2(a.y, -a.x); }  // times -i

__device__ inline float sample_at(const Frames& f, i64 index) {
  if (index >= 0 && index < f.samples) return f.pcm[index];
  if (f.pad_mode == 0 || f.samples == 0) return 0.0f;
  if (f.samples == 1) return f.pcm[0];
  const i64 period = 2 * (f.samples - 1);
  i64 folded = index % period;
  if (folded < 0) folded += period;
  return f.pcm[folded < f.samples ? folded : period - folded];
}

// One Stockham pass of radix R over `points` values in place: butterfly j reads j + r·points/R, multiplies by
// the roots of the `done` points transformed so far and writes to (j / done)·done·R + j % done + r·done. All
// reads come before the barrier, all writes after it. kMost is the most butterflies a thread can have.
template <int kRadix, int kMost>
__device__ void pass(double2* z, const Frames& f, int points, int done) {
  const int butterflies = points / kRadix, stretch = f.n_fft / (done * kRadix);
  double2 v[kMost][kRadix];
#pragma unroll
  for (int t = 0; t < kMost; ++t) {
    const int j = static_cast<int>(threadIdx.x) + t * kFrameThreads;
    if (j >= butterflies) continue;
    const int k = j % done;
#pragma unroll
    for (int r = 0; r < kRadix; ++r) {
      v[t][r] = z[j + r * butterflies];
      if (r > 0) v[t][r] = mul(v[t][r], f.roots[r * k * stretch]);
    }
  }
  __syncthreads();
#pragma unroll
  for (int t = 0; t < kMost; ++t) {
    const int j = static_cast<int>(threadIdx.x) + t * kFrameThreads;
    if (j >= butterflies) continue;
    double2* to = z + j / done * done * kRadix + j % done;
    if constexpr (kRadix == 2) {
      to[0] = add(v[t][0], v[t][1]);
      to[done] = sub(v[t][0], v[t][1]);
    } else {
      const double2 even = add(v[t][0], v[t][2]), odd = add(v[t][1], v[t][3]);
      const double2 even_difference = sub(v[t][0], v[t][2]), odd_difference = turned(sub(v[t][1], v[t][3]));
      to[0] = add(even, odd);
      to[done] = add(even_difference, odd_difference);
      to[2 * done] = sub(even, odd);
      to[3 * done] = sub(even_difference, odd_difference);
    }
  }
  __syncthreads();
}

__device__ inline float energy(const Frames& f, double2 x) {
  const double squared = x.x * x.x + x.y * x.y;
  return static_cast<float>(f.power == 1 ? sqrt(squared) : squared);
}

// A NaN in the samples must show in the result: comparisons are written so that it passes.
__device__ inline float compressed(const Frames& f, float x) {
  if (f.log_kind == 1) return logf(x + f.offset);
  if (f.log_kind == 2) return logf(x < f.offset ? f.offset : x);
  if (f.log_kind == 3) return 10.0f * log10f(x < f.offset ? f.offset : x);
  return x;
}

template <int kPoints>
__global__ void __launch_bounds__(kFrameThreads) frame_bands(Frames f) {
  __shared__ double2 z[kPoints];
  __shared__ float spectrum[kPoints + 1];
  const int points = f.n_fft / 2, thread = static_cast<int>(threadIdx.x);
  const i64 start = static_cast<i64>(blockIdx.x) * f.hop - f.pad;
  for (int i = thread; i < points; i += kFrameThreads) {
    const int even = 2 * i, odd = even + 1;
    const double tap0 = static_cast<double>(f.window[even]) + f.window[f.n_fft + even];
    const double tap1 = static_cast<double>(f.window[odd]) + f.window[f.n_fft + odd];
    z[i] = make_double2(tap0 * sample_at(f, start + even), tap1 * sample_at(f, start + odd));
  }
  __syncthreads();
  int done = 1;
  for (; done * 4 <= points; done *= 4)
    pass<4, (kPoints / 4 + kFrameThreads - 1) / kFrameThreads>(z, f, points, done);
  if (done < points) pass<2, (kPoints / 2 + kFrameThreads - 1) / kFrameThreads>(z, f, points, done);

  // Z transforms x[2n] + i·x[2n+1]: X[k] = E + w^k·O and X[N/2 - k] = conj(E - w^k·O) with the even and odd
  // parts E, O.
  for (int k = thread; k <= points / 2; k += kFrameThreads) {
    const double2 a = z[k], b = z[k == 0 ? 0 : points - k];
    const double2 even = make_double2(0.5 * (a.x + b.x), 0.5 * (a.y - b.y));
    const double2 odd = mul(make_double2(0.5 * (a.y + b.y), 0.5 * (b.x - a.x)), f.roots[k]);
    spectrum[k] = energy(f, add(even, odd));
    spectrum[points - k] = energy(f, sub(even, odd));
  }
  __syncthreads();

  // A warp per band.
  for (int b = thread / kWarp; b < f.bands; b += kFrameThreads / kWarp) {
    const int first = f.offsets[b], count = f.offsets[b + 1] - first;
    float sum = 0.0f;
    for (int i = thread % kWarp; i < count; i += kWarp)
      sum = fmaf(f.weights[first + i], spectrum[f.starts[b] + i], sum);
    for (int half = kWarp / 2; half > 0; half /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, half);
    if (thread % kWarp == 0) f.out[static_cast<i64>(blockIdx.x) * f.bands + b] = compressed(f, sum);
  }
}

}  // namespace

Status log_mel(const LogMelArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.nFft < 4 || args.nFft > kLongest || (args.nFft & (args.nFft - 1)) != 0) {
    return Status::unsupported("frame lengths that are not powers of two from 4 to 4096");
  }
  if (args.frames == 0 || args.bands == 0) return {};
  Frames frames;
  frames.pcm = args.pcm.data, frames.samples = args.pcm.size, frames.window = args.window.data;
  frames.weights = args.filterWeights.data, frames.out = args.out.data;
  frames.n_fft = static_cast<int>(args.nFft), frames.bands = static_cast<int>(args.bands);
  frames.hop = args.hop, frames.pad = args.pad, frames.pad_mode = static_cast<int>(args.padMode);
  frames.power = static_cast<int>(args.power), frames.log_kind = static_cast<int>(args.logKind);
  frames.offset = static_cast<float>(args.offset);
  double2* roots = exec.array<double2>(args.nFft);
  frames.roots = roots;
  frames.starts = exec.constant(args.filterStart.data, args.bands);
  frames.offsets = exec.constant(args.filterOffset.data, args.bands + 1);
  if (roots == nullptr || frames.starts == nullptr || frames.offsets == nullptr)
    return out_of_device_memory();
  const Status status = launch(exec, fill_roots, (args.nFft + 127) / 128, 128, roots, frames.n_fft);
  if (!status.ok()) return status;
  return args.nFft <= 1024 ? launch(exec, frame_bands<512>, args.frames, kFrameThreads, frames)
                           : launch(exec, frame_bands<kLongest / 2>, args.frames, kFrameThreads, frames);
}

}  // namespace sonotext::cuda
