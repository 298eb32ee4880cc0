// A block takes some frames through the transform, the energies and the filters. A frame of N samples, N
// even, is transformed as N/2 complex points, an odd one as N; in float64, or in float32 where the call asks for it or
// the device was told so (see LogMelArgs). Frames of any length go through the passes of their factors in shared memory; the
// lengths of most presets have a kernel of their own in float32, a warp to a transform.
#include "../entries.hpp"
#include "../fft.cuh"
#include "../launch.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kFrameThreads = 256;
constexpr int kMostPasses = 40;
constexpr int kPointsAtOnce = 2048;  // frames of few points are taken together

template <class T>
struct Frames {
  const float* pcm;
  i64 samples;
  const T* taps;            // [n_fft] of the window, see fill_taps
  const Complex<T>* roots;  // [n_fft] e^(-2πi·m/n_fft)
  const std::int32_t* starts;
  const std::int32_t* offsets;
  const float* weights;
  float* out;
  i64 frames;
  int n_fft, bands;
  i64 hop, pad;
  int pad_mode, power, log_kind;
  float offset;

  __host__ __device__ int points() const { return n_fft % 2 == 0 ? n_fft / 2 : n_fft; }
  __host__ __device__ int bins() const { return n_fft / 2 + 1; }
};

template <class T>
__global__ void fill_roots(Complex<T>* roots, int count) {
  const int m = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (m >= count) return;
  double sine, cosine;
  sincospi(-2.0 * m / count, &sine, &cosine);
  roots[m] = {static_cast<T>(cosine), static_cast<T>(sine)};
}

// The window and what rounding it to float32 cut off; halved where two real parts are taken from the sums and
// differences of complex points.
template <class T>
__global__ void fill_taps(const float* window, int n_fft, T factor, T* taps) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n_fft) taps[i] = factor * (static_cast<T>(window[i]) + static_cast<T>(window[n_fft + i]));
}

template <class T>
__device__ inline float sample_at(const Frames<T>& f, i64 index) {
  if (index >= 0 && index < f.samples) return f.pcm[index];
  if (f.pad_mode == 0 || f.samples == 0) return 0.0f;
  if (f.samples == 1) return f.pcm[0];
  const i64 period = 2 * (f.samples - 1);
  i64 folded = index % period;
  if (folded < 0) folded += period;
  return f.pcm[folded < f.samples ? folded : period - folded];
}

template <class T>
__device__ inline T energy(Complex<T> x) {
  return x.re * x.re + x.im * x.im;
}
template <class T>
__device__ inline float powered(const Frames<T>& f, T energy) {
  return static_cast<float>(f.power == 1 ? sqrt(energy) : energy);
}

// Bins k and points - k of a frame whose even and odd samples were the real and imaginary parts of the
// points: with a and b the points k and points - k of the transform, X[k] = E + w^k·O and X[points - k] =
// conj(E - w^k·O) with the even and odd parts E, O.
template <class T>
__device__ inline void energies(const Frames<T>& f, int k, Complex<T> a, Complex<T> b, T& lower, T& upper) {
  const Complex<T> even = {a.re + b.re, a.im - b.im};
  const Complex<T> odd = Complex<T>{a.im + b.im, b.re - a.re} * f.roots[k];
  lower = energy(even + odd), upper = energy(even - odd);
}

// A NaN in the samples must show in the result: comparisons are written so that it passes.
template <class T>
__device__ inline float compressed(const Frames<T>& f, float x) {
  if (f.log_kind == 1) return logf(x + f.offset);
  if (f.log_kind == 2) return logf(x < f.offset ? f.offset : x);
  if (f.log_kind == 3) return 10.0f * log10f(x < f.offset ? f.offset : x);
  return x;
}

// ---- any length

struct Passes {
  int count;
  int radix[kMostPasses];

  explicit Passes(int points) : count(0), radix() {
    for (const int small : {8, 4, 2, 3, 5}) {
      for (; points % small == 0; points /= small) radix[count++] = small;
    }
    for (int prime = 7; points > 1; prime += 2) {
      if (static_cast<i64>(prime) * prime > points) prime = points;
      for (; points % prime == 0; points /= prime) radix[count++] = prime;
    }
  }
};

// One Stockham pass over `frames` transforms: butterfly j reads points j + r·points/R, multiplies by the
// roots of the `done` points transformed so far and writes to (j / done)·done·R + j % done + r·done.
template <int kRadix, class T>
__device__ void pass(const Frames<T>& f, int frames, int points, int done, const Complex<T>* from,
                     Complex<T>* to) {
  const int butterflies = points / kRadix, stretch = f.n_fft / (done * kRadix);
  for (int item = static_cast<int>(threadIdx.x); item < frames * butterflies; item += kFrameThreads) {
    const int frame = item / butterflies, j = item % butterflies, block = j / done, k = j - block * done;
    const Complex<T>* in = from + frame * points + j;
    Complex<T> x[kRadix];
#pragma unroll
    for (int r = 0; r < kRadix; ++r) {
      x[r] = in[r * butterflies];
      if (r > 0 && done > 1) x[r] = x[r] * f.roots[r * k * stretch];
    }
    transform(x);
    Complex<T>* out = to + frame * points + block * done * kRadix + k;
#pragma unroll
    for (int r = 0; r < kRadix; ++r) out[r * done] = x[r];
  }
}

// The same for a radix without code of its own, by the definition.
template <class T>
__device__ void pass_of(int radix, const Frames<T>& f, int frames, int points, int done,
                        const Complex<T>* from, Complex<T>* to) {
  const int butterflies = points / radix, stretch = f.n_fft / (done * radix);
  for (int item = static_cast<int>(threadIdx.x); item < frames * points; item += kFrameThreads) {
    const int frame = item / points, at = item % points;
    const int block = at / (done * radix), q = at / done % radix, k = at % done;
    const Complex<T>* in = from + frame * points + block * done + k;
    const int turn = k * stretch + q * (f.n_fft / radix);  // of one step, below 2·n_fft
    Complex<T> sum = in[0];
    i64 angle = 0;
    for (int r = 1; r < radix; ++r) {
      angle += turn;
      while (angle >= f.n_fft) angle -= f.n_fft;
      sum = sum + in[r * butterflies] * f.roots[angle];
    }
    to[item] = sum;
  }
}

// `memory` is two buffers of `at_once` transforms for each block where shared memory has no room for them.
template <class T>
__global__ void __launch_bounds__(kFrameThreads)
    any_bands(Frames<T> f, Passes passes, int at_once, Complex<T>* memory) {
  SONOTEXT_DYNAMIC_SHARED(Complex<T>, shared);
  const int points = f.points(), bins = f.bins(), thread = static_cast<int>(threadIdx.x);
  const bool even = f.n_fft % 2 == 0;
  const i64 size = static_cast<i64>(at_once) * points;
  Complex<T>* z = memory != nullptr ? memory + blockIdx.x * 2 * size : shared;
  Complex<T>* other = z + size;
  for (i64 first = static_cast<i64>(blockIdx.x) * at_once; first < f.frames;
       first += static_cast<i64>(gridDim.x) * at_once) {
    const int frames = f.frames - first < at_once ? static_cast<int>(f.frames - first) : at_once;
    for (int item = thread; item < frames * points; item += kFrameThreads) {
      const int i = item % points;
      const i64 start = (first + item / points) * f.hop - f.pad;
      z[item] = even ? Complex<T>{f.taps[2 * i] * sample_at(f, start + 2 * i),
                                  f.taps[2 * i + 1] * sample_at(f, start + 2 * i + 1)}
                     : Complex<T>{f.taps[i] * sample_at(f, start + i), 0};
    }
    __syncthreads();
    int done = 1;
    for (int p = 0; p < passes.count; ++p) {
      const int radix = passes.radix[p];
      if (radix == 8) pass<8>(f, frames, points, done, z, other);
      if (radix == 4) pass<4>(f, frames, points, done, z, other);
      if (radix == 2) pass<2>(f, frames, points, done, z, other);
      if (radix == 3) pass<3>(f, frames, points, done, z, other);
      if (radix == 5) pass<5>(f, frames, points, done, z, other);
      if (radix > 5 && radix != 8) pass_of(radix, f, frames, points, done, z, other);
      done *= radix;
      Complex<T>* const swap = z;
      z = other, other = swap;
      __syncthreads();
    }
    float* const spectrum = reinterpret_cast<float*>(other);
    if (even) {
      const int pairs = points / 2 + 1;
      for (int item = thread; item < frames * pairs; item += kFrameThreads) {
        const int frame = item / pairs, k = item % pairs;
        const Complex<T>* own = z + frame * points;
        float* to = spectrum + frame * bins;
        T lower, upper;
        energies(f, k, own[k], own[k == 0 ? 0 : points - k], lower, upper);
        to[points - k] = powered(f, upper);
        to[k] = powered(f, lower);
      }
    } else {
      for (int item = thread; item < frames * bins; item += kFrameThreads) {
        spectrum[item] = powered(f, energy(z[item / bins * points + item % bins]));
      }
    }
    __syncthreads();
    for (int item = thread; item < frames * f.bands; item += kFrameThreads) {
      const int frame = item / f.bands, b = item % f.bands;
      const float* own = spectrum + frame * bins + f.starts[b];
      float sum = 0.0f;
      for (int i = f.offsets[b], bin = 0; i < f.offsets[b + 1]; ++i, ++bin)
        sum = fmaf(f.weights[i], own[bin], sum);
      f.out[first * f.bands + item] = compressed(f, sum);
    }
    __syncthreads();
  }
}

// ---- 1024 and 2048 samples in float32

// A warp makes transforms of 1024 points, 32 in each lane, as 32·32: one exchange between its lanes. Such a
// transform is two frames of 1024 samples, one its real and the other its imaginary part, or the even and odd
// samples of one frame of 2048.
template <bool kPair>
struct WarpFrames {
  static constexpr int kWarps = kFrameThreads / kWarp;
  static constexpr int kTransforms = 2;                                   // of a warp
  static constexpr int kFrames = kWarps * kTransforms * (kPair ? 2 : 1);  // of a block
  static constexpr int kSamples = kPair ? 1024 : 2048;
  static constexpr int kBins = kSamples / 2 + 1;
  static constexpr int kPitch = kPair ? kFrames + 2 : kFrames + 1;  // of a bin: its frames side by side
  static constexpr int kExchange = kWarp * (kWarp + 1);             // floats of a warp
  static constexpr int kSharedBytes = (kWarps * kExchange + kBins * kPitch) * 4;
};

__device__ inline float from_lane(float x, int lane) { return __shfl_sync(0xffffffffu, x, lane); }

// Element (lane, register q) goes to (lane q, register lane), first the real and then the imaginary parts.
__device__ inline void exchange(Complex<float> (&x)[32], float* memory, int lane) {
#pragma unroll
  for (int q = 0; q < 32; ++q) memory[q * (kWarp + 1) + lane] = x[place_of_32(q)].re;
  __syncwarp();
  float real[32];
#pragma unroll
  for (int n = 0; n < 32; ++n) real[n] = memory[lane * (kWarp + 1) + n];
  __syncwarp();
#pragma unroll
  for (int q = 0; q < 32; ++q) memory[q * (kWarp + 1) + lane] = x[place_of_32(q)].im;
  __syncwarp();
#pragma unroll
  for (int n = 0; n < 32; ++n) x[n] = {real[n], memory[lane * (kWarp + 1) + n]};
  __syncwarp();
}

// twiddles: [32 × 32] e^(-2πi·q·lane/1024), q-major.
template <bool kPair>
__global__ void __launch_bounds__(kFrameThreads, 2)
    warp_bands(Frames<float> f, const Complex<float>* twiddles, int transforms) {
  using Shape = WarpFrames<kPair>;
  SONOTEXT_DYNAMIC_SHARED(float, shared);
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  float* const memory = shared + warp * Shape::kExchange;
  float* const spectrum = shared + Shape::kWarps * Shape::kExchange;
  const int all_frames = Shape::kWarps * transforms * (kPair ? 2 : 1);
  const i64 first = static_cast<i64>(blockIdx.x) * all_frames;
#pragma unroll 1
  for (int t = 0; t < transforms; ++t) {
    const int own = (warp * transforms + t) * (kPair ? 2 : 1);  // of the block's frames
    const i64 last = f.frames - 1, frame = first + own < last ? first + own : last;
    const i64 start = frame * f.hop - f.pad, start2 = (frame < last ? frame + 1 : last) * f.hop - f.pad;
    Complex<float> x[32];
    // Whole frames within the samples are read at once, others by way of shared memory.
    if (start >= 0 && (kPair ? start2 : start) + Shape::kSamples <= f.samples) {
      const float* const real = f.pcm + start + (kPair ? lane : 2 * lane);
      const float* const imaginary = kPair ? f.pcm + start2 + lane : real + 1;
#pragma unroll
      for (int r = 0; r < 32; ++r) {
        constexpr int kStep = kPair ? kWarp : 2 * kWarp;
        x[r] = {real[r * kStep], imaginary[r * kStep]};
      }
    } else {
#pragma unroll 1
      for (int part = 0; part < 2; ++part) {
        const i64 from = kPair ? (part == 0 ? start : start2) : start + part;
#pragma unroll 1
        for (int n = lane; n < 1024; n += kWarp) memory[n] = sample_at(f, from + (kPair ? n : 2 * n));
        __syncwarp();
#pragma unroll
        for (int r = 0; r < 32; ++r) (part == 0 ? x[r].re : x[r].im) = memory[lane + r * kWarp];
        __syncwarp();
      }
    }
#pragma unroll
    for (int r = 0; r < 32; ++r) {
      const int n = lane + r * kWarp;
      x[r].re *= f.taps[kPair ? n : 2 * n], x[r].im *= f.taps[kPair ? n : 2 * n + 1];
    }
#pragma unroll 1
    for (int pass = 0;; ++pass) {  // one code for both
      transform(x);
      if (pass == 1) break;
#pragma unroll
      for (int q = 1; q < 32; ++q) x[place_of_32(q)] = x[place_of_32(q)] * twiddles[q * kWarp + lane];
      exchange(x, memory, lane);
    }

    // Point k = lane + 32·q, and point 1024 - k of the lane that has it.
#pragma unroll
    for (int q = 0; q <= 16; ++q) {
      if (q == 16 && lane > 0) break;
      const int k = lane + q * kWarp;
      const Complex<float> a = x[place_of_32(q)];
      Complex<float> b = x[place_of_32((32 - q) % 32)];
      if (q < 16) {
        const Complex<float> there = x[place_of_32(31 - q)];
        const int from = (kWarp - lane) % kWarp;
        const Complex<float> taken = {from_lane(there.re, from), from_lane(there.im, from)};
        if (lane > 0) b = taken;
      }
      float* to = spectrum + k * Shape::kPitch + own;
      if constexpr (kPair) {
        const Complex<float> real = {a.re + b.re, a.im - b.im};
        const Complex<float> imaginary = {a.im + b.im, b.re - a.re};
        to[0] = energy(real), to[1] = energy(imaginary);
      } else {
        float lower, upper;
        energies(f, k, a, b, lower, upper);
        to[0] = lower;
        spectrum[(1024 - k) * Shape::kPitch + own] = upper;
      }
    }
  }
  __syncthreads();
  if (f.power == 1) {
    for (int i = static_cast<int>(threadIdx.x); i < Shape::kBins * Shape::kPitch; i += kFrameThreads) {
      spectrum[i] = sqrtf(spectrum[i]);
    }
    __syncthreads();
  }

  // A lane's frame, and one of the bands that the warp's lanes make at a time. The results of whole frames
  // are brought together first where there is room for them.
  constexpr int kBandsAtOnce = kWarp / Shape::kFrames;
  const int frame = lane % Shape::kFrames, pitch = f.bands | 1;
  const bool gather = Shape::kFrames * pitch <= Shape::kWarps * Shape::kExchange;
  const int frames = f.frames - first < all_frames ? static_cast<int>(f.frames - first) : all_frames;
  for (int b = warp * kBandsAtOnce + lane / Shape::kFrames; b < f.bands; b += Shape::kWarps * kBandsAtOnce) {
    const float* own = spectrum + f.starts[b] * Shape::kPitch + frame;
    const float* weights = f.weights + f.offsets[b];
    int count = f.offsets[b + 1] - f.offsets[b];
    float sum = 0.0f;
    for (; count >= 4; count -= 4, weights += 4, own += 4 * Shape::kPitch) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sum = fmaf(weights[i], own[i * Shape::kPitch], sum);
    }
#pragma unroll
    for (int i = 0; i < 3; ++i) {
      if (i < count) sum = fmaf(weights[i], own[i * Shape::kPitch], sum);
    }
    const float value = compressed(f, sum);
    if (gather) {
      shared[frame * pitch + b] = value;
    } else if (frame < frames) {
      f.out[(first + frame) * f.bands + b] = value;
    }
  }
  if (!gather) return;
  __syncthreads();
  for (int row = warp; row < frames; row += Shape::kWarps) {
    for (int b = lane; b < f.bands; b += kWarp) f.out[(first + row) * f.bands + b] = shared[row * pitch + b];
  }
}

__global__ void fill_twiddles(Complex<float>* twiddles) {
  double sine, cosine;
  sincospi(-2.0 * static_cast<double>(blockIdx.x * threadIdx.x) / 1024.0, &sine, &cosine);
  twiddles[blockIdx.x * kWarp + threadIdx.x] = {static_cast<float>(cosine), static_cast<float>(sine)};
}

template <bool kPair>
Status run_warps(CudaExec& exec, const Frames<float>& frames) {
  using Shape = WarpFrames<kPair>;
  bool fresh = false;
  auto* twiddles = exec.table<Complex<float>>("log_mel twiddles", 1024, kWarp * kWarp, fresh);
  if (twiddles == nullptr) return out_of_device_memory();
  Status status;
  if (fresh) status = launch(exec, fill_twiddles, kWarp, kWarp, twiddles);
  if (!status.ok()) return status;
  // Few frames are spread over more blocks.
  const int transforms = frames.frames > exec.multiprocessors * Shape::kFrames ? Shape::kTransforms : 1;
  const i64 each = Shape::kFrames / Shape::kTransforms * transforms;
  return launch_with_shared(exec, warp_bands<kPair>, (frames.frames + each - 1) / each, kFrameThreads,
                            Shape::kSharedBytes, frames, twiddles, transforms);
}

template <class T>
Status run_any(CudaExec& exec, const Frames<T>& frames) {
  const int points = frames.points();
  const i64 transform_bytes = 2 * points * static_cast<i64>(sizeof(Complex<T>));
  int at_once = kPointsAtOnce / points;
  if (at_once > frames.frames) at_once = static_cast<int>(frames.frames);
  if (at_once < 1) at_once = 1;
  const i64 bytes = at_once * transform_bytes;
  const Passes passes(points);
  i64 blocks = (frames.frames + at_once - 1) / at_once;
  if (bytes <= exec.shared_memory) {
    return launch_with_shared(exec, any_bands<T>, blocks, kFrameThreads, bytes, frames, passes, at_once,
                              nullptr);
  }
  if (blocks > 4 * exec.multiprocessors) blocks = 4 * exec.multiprocessors;
  auto* memory = static_cast<Complex<T>*>(exec.scratch(blocks * bytes));
  if (memory == nullptr) return out_of_device_memory();
  return launch(exec, any_bands<T>, blocks, kFrameThreads, frames, passes, at_once, memory);
}

template <class T>
Status frames_of(CudaExec& exec, const LogMelArgs& args, const char* table, Frames<T>& frames) {
  frames.pcm = args.pcm.data, frames.samples = args.pcm.size;
  frames.weights = args.filterWeights.data, frames.out = args.out.data, frames.frames = args.frames;
  frames.n_fft = static_cast<int>(args.nFft), frames.bands = static_cast<int>(args.bands);
  frames.hop = args.hop, frames.pad = args.pad, frames.pad_mode = static_cast<int>(args.padMode);
  frames.power = static_cast<int>(args.power), frames.log_kind = static_cast<int>(args.logKind);
  frames.offset = static_cast<float>(args.offset);
  bool fresh = false;
  auto* roots = exec.table<Complex<T>>(table, args.nFft, args.nFft, fresh);
  frames.roots = roots;
  frames.starts = exec.constant(args.filterStart.data, args.bands);
  frames.offsets = exec.constant(args.filterOffset.data, args.bands + 1);
  T* taps = exec.array<T>(args.nFft);
  frames.taps = taps;
  if (!roots || !taps || !frames.starts || !frames.offsets) return out_of_device_memory();
  const i64 blocks = (args.nFft + 127) / 128;
  const T factor = static_cast<T>(args.nFft % 2 == 0 ? 0.5 : 1.0);
  const Status status = launch(exec, fill_taps<T>, blocks, 128, args.window.data, frames.n_fft, factor, taps);
  return status.ok() && fresh ? launch(exec, fill_roots<T>, blocks, 128, roots, frames.n_fft) : status;
}

}  // namespace

Status log_mel(const LogMelArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.frames == 0 || args.bands == 0) return {};
  if (args.nFft > 1 << 24) return Status::unsupported("frames of more than 2²⁴ samples");
  if (args.precision == 0 && !exec.mel_fp32) {
    Frames<double> frames;
    const Status status = frames_of(exec, args, "log_mel fp64", frames);
    return status.ok() ? run_any(exec, frames) : status;
  }
  Frames<float> frames;
  const Status status = frames_of(exec, args, "log_mel fp32", frames);
  if (!status.ok()) return status;
  if (args.nFft == 1024 && WarpFrames<true>::kSharedBytes <= exec.shared_memory)
    return run_warps<true>(exec, frames);
  if (args.nFft == 2048 && WarpFrames<false>::kSharedBytes <= exec.shared_memory)
    return run_warps<false>(exec, frames);
  return run_any(exec, frames);
}

}  // namespace sonotext::cuda
