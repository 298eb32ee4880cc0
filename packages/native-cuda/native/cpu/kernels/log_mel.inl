#include "../../core/ops.hpp"
#include "fft.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// One frame in each lane. An even frame length N is transformed as N/2 complex points, an odd one as N points
// with imaginary part 0, in float64 or float32 (T); power spectra are rounded to float32 before the filters.
template <class T>
struct LogMelPlan {
  const LogMelArgs* args;
  const FftPlan<T>& fft;
  Exec& exec;
  const T* window = nullptr;    // [nFft], halved for even nFft: see log_mel_power
  i64 first_bin = 0, bins = 0;  // spectrum bins that some filter reads
  bool even = false;
  bool fused = false;           // log_mel_transform_fused applies
};

// Memory of one worker.
template <class T>
struct LogMelScratch {
  T* spectrum;   // [fft.points] pairs of vectors
  T* temp;
  float* edges;  // [lanes of T × nFft] frames that reach outside the samples
  float* power;  // [bins × kLanes]
  float* bands;  // [bands, up to a whole vector, × kLanes]
};

inline i64 log_mel_align(i64 bytes) { return (bytes + 63) / 64 * 64; }

inline float log_mel_sample(const LogMelArgs& a, i64 index) {
  const i64 n = a.pcm.size;
  if (index >= 0 && index < n) return a.pcm[index];
  if (a.padMode == 0 || n == 0) return 0.0f;
  if (n == 1) return a.pcm[0];
  const i64 period = 2 * (n - 1);
  i64 folded = index % period;
  if (folded < 0) folded += period;
  return a.pcm[folded < n ? folded : period - folded];
}

// Where the frame of each of `lanes` begins; past the last frame it is repeated. Frames that reach outside the samples are
// copied.
inline void log_mel_rows(const LogMelArgs& a, i64 first, int lanes, float* edges, const float** rows) {
  for (int lane = 0; lane < lanes; lane++) {
    const i64 frame = first + lane < a.frames ? first + lane : a.frames - 1;
    const i64 start = frame * a.hop - a.pad;
    if (start >= 0 && start + a.nFft <= a.pcm.size) {
      rows[lane] = a.pcm.data + start;
    } else {
      float* copy = edges + lane * a.nFft;
      for (i64 i = 0; i < a.nFft; i++) copy[i] = log_mel_sample(a, start + i);
      rows[lane] = copy;
    }
  }
}

// Transform of the windowed frames, in any case.
template <class T>
inline void log_mel_transform(const LogMelPlan<T>& plan, const float* const* rows, const LogMelScratch<T>& scratch) {
  using L = Lanes<T>;
  const i64 n = plan.args->nFft;
  const i64 step = plan.even ? L::count : 2 * L::count;  // from one sample to the next
  T* z = scratch.spectrum;
  if (!plan.even) memset(z, 0, static_cast<size_t>(2 * n * L::count) * sizeof(T));
  i64 i = 0;
  for (; i + L::count <= n; i += L::count) {
    typename L::V column[L::count];
    L::load_transposed(rows, i, column);
    for (int c = 0; c < L::count; c++) L::store(z + (i + c) * step, column[c] * L::set(plan.window[i + c]));
  }
  for (; i < n; i++) {
    for (int lane = 0; lane < L::count; lane++) z[i * step + lane] = plan.window[i] * static_cast<T>(rows[lane][i]);
  }
  fft_run(z, 1, plan.fft.points, 0, plan.fft, scratch.temp, plan.exec);
}

// The same when the first stage has radix 4 and its quarters are no shorter than a vector: the samples are read, windowed and
// go through that stage in registers, which saves one pass over the spectrum. What is left of a quarter is taken with points
// before it, once more.
template <class T>
inline void log_mel_transform_fused(const LogMelPlan<T>& plan, const float* const* rows,
                                    const LogMelScratch<T>& scratch) {
  using L = Lanes<T>;
  constexpr int kPoints = L::count / 2;
  const i64 quarter = plan.fft.points / 4;
  for (i64 next = 0; next < quarter; next += kPoints) {
    const i64 j = next + kPoints <= quarter ? next : quarter - kPoints;
    typename L::V column[4][L::count];
    for (int part = 0; part < 4; part++) {
      const i64 at = 2 * (part * quarter + j);
      L::load_transposed(rows, at, column[part]);
      for (int c = 0; c < L::count; c++) column[part][c] = column[part][c] * L::set(plan.window[at + c]);
    }
    const T* twiddle = plan.fft.twiddle[0] + 6 * j;
    for (int c = 0; c < kPoints; c++, twiddle += 6) {
      Complex<T> x[4];
      for (int part = 0; part < 4; part++) x[part] = {column[part][2 * c], column[part][2 * c + 1]};
      butterfly(x);
      cstore(scratch.spectrum, j + c, x[0]);
      for (int q = 1; q < 4; q++) {
        cstore(scratch.spectrum, j + c + q * quarter, cmul(x[q], twiddle + 2 * (q - 1)));
      }
    }
  }
  for (int q = 0; q < 4; q++) {
    fft_run(scratch.spectrum + 2 * q * quarter * L::count, 1, quarter, 1, plan.fft, scratch.temp, plan.exec);
  }
}

template <class T>
inline void log_mel_put(const LogMelPlan<T>& plan, i64 bin, typename Lanes<T>::V energy, float* power) {
  if (plan.args->power == 1) energy = Lanes<T>::sqrt(energy);
  Lanes<T>::store_f32(power + (bin - plan.first_bin) * kLanes, energy);
}

// Energies of the bins from the transform's output. For even N = 2M with Z the transform of x[2n] + i·x[2n+1],
// X[k] = (Z[k] + Z*[M-k])/2 - i·w^k·(Z[k] - Z*[M-k])/2 and X*[M-k] is the same with a plus; the halves are in the
// window.
template <class T>
inline void log_mel_power(const LogMelPlan<T>& plan, const T* z, float* power) {
  using L = Lanes<T>;
  const FftPlan<T>& fft = plan.fft;
  if (!plan.even) {
    for (i64 k = plan.first_bin; k < plan.first_bin + plan.bins; k++) {
      const Complex<T> x = cload(z, fft.where[k]);
      log_mel_put(plan, k, L::fma(x.re, x.re, x.im * x.im), power);
    }
    return;
  }
  const i64 m = fft.points, end = plan.first_bin + plan.bins;
  for (i64 k = 0; k <= m / 2; k++) {
    const bool lower = k >= plan.first_bin && k < end, upper = m - k >= plan.first_bin && m - k < end;
    if (!lower && !upper) continue;
    const Complex<T> a = cload(z, fft.where[k]), b = cload(z, fft.where[k == 0 ? 0 : m - k]);
    const Complex<T> even = {a.re + b.re, a.im - b.im};
    const Complex<T> odd = cmul(Complex<T>{a.im + b.im, b.re - a.re}, fft.roots + 2 * k);
    if (lower) {
      const Complex<T> x = even + odd;
      log_mel_put(plan, k, L::fma(x.re, x.re, x.im * x.im), power);
    }
    if (upper) {
      const Complex<T> x = even - odd;
      log_mel_put(plan, m - k, L::fma(x.re, x.re, x.im * x.im), power);
    }
  }
}

// In place, `count` whole vectors: a logarithm is one long chain, so as many of them as possible follow each other. vmax takes its
// second operand when one is NaN: a NaN sample must show in the result.
inline void log_mel_compress(float* values, i64 count, i64 kind, Vec offset) {
  const auto each = [&](auto&& f) {
    for (float* at = values; at < values + count * kLanes; at += kLanes) vstore(at, f(vload(at)));
  };
  if (kind == 1) each([&](Vec x) { return vlog(x + offset); });
  if (kind == 2) each([&](Vec x) { return vlog(vmax(offset, x)); });
  if (kind == 3) each([&](Vec x) { return vlog(vmax(offset, x)) * vset(4.34294481903251828f); });
}

template <class T>
inline void log_mel_group(const LogMelPlan<T>& plan, i64 first, const LogMelScratch<T>& scratch) {
  const LogMelArgs& a = *plan.args;
  for (int part = 0; part < kLanes; part += Lanes<T>::count) {
    if (part > 0 && first + part >= a.frames) break;
    const float* rows[Lanes<T>::count];
    log_mel_rows(a, first + part, Lanes<T>::count, scratch.edges, rows);
    if (plan.fused) {
      log_mel_transform_fused(plan, rows, scratch);
    } else {
      log_mel_transform(plan, rows, scratch);
    }
    log_mel_power(plan, scratch.spectrum, scratch.power + part);
  }
  for (i64 b = 0; b < a.bands; b++) {
    const float* weights = a.filterWeights.data + a.filterOffset[b];
    const float* power = scratch.power + (a.filterStart[b] - plan.first_bin) * kLanes;
    const i64 count = a.filterOffset[b + 1] - a.filterOffset[b];
    Vec sum = vzero();
    for (i64 i = 0; i < count; i++) sum = vfma(vset(weights[i]), vload(power + i * kLanes), sum);
    vstore(scratch.bands + b * kLanes, sum);
  }
  log_mel_compress(scratch.bands, a.bands, a.logKind, vset(static_cast<float>(a.offset)));
  const i64 rows = a.frames - first < kLanes ? a.frames - first : kLanes;
  for (i64 b = 0; b < a.bands; b += kLanes) {
    Vec columns[kLanes];
    for (int i = 0; i < kLanes; i++) columns[i] = vload(scratch.bands + (b + i) * kLanes);
    vtranspose(columns);
    float* out = a.out.data + first * a.bands + b;
    for (i64 row = 0; row < rows; row++) vstore_n(out + row * a.bands, columns[row], a.bands - b);
  }
}

template <class T>
inline Status log_mel_in(const LogMelArgs& a, Exec& exec) {
  constexpr i64 kWidth = Lanes<T>::count, kSize = static_cast<i64>(sizeof(T));
  const bool even = a.nFft % 2 == 0;
  const i64 points = even ? a.nFft / 2 : a.nFft;
  const FftPlan<T>* fft = fft_kept_plan<T>(points, a.nFft, exec);
  T* window = static_cast<T*>(exec.scratch(a.nFft * kSize));
  if (!fft || !window) return {Code::out_of_memory, "memory for the twiddles of log_mel"};
  LogMelPlan<T> plan{&a, *fft, exec};
  plan.even = even;
  plan.first_bin = a.nFft;
  i64 end = 0;
  for (i64 b = 0; b < a.bands; b++) {
    const i64 count = a.filterOffset[b + 1] - a.filterOffset[b];
    if (count == 0) continue;
    if (a.filterStart[b] < plan.first_bin) plan.first_bin = a.filterStart[b];
    if (a.filterStart[b] + count > end) end = a.filterStart[b] + count;
  }
  if (end == 0) plan.first_bin = 0;  // no filter reads anything
  plan.bins = end - plan.first_bin;

  const bool radix4 = plan.even && plan.fft.stages > 1 && plan.fft.radix[0] == 4;
  plan.fused = kWidth > 1 && radix4 && points / 4 >= kWidth / 2;
  for (i64 i = 0; i < a.nFft; i++) {
    const double tap = static_cast<double>(a.window[i]) + static_cast<double>(a.window[a.nFft + i]);
    window[i] = static_cast<T>(plan.even ? 0.5 * tap : tap);
  }
  plan.window = window;

  const i64 spectrum = log_mel_align(2 * points * kWidth * kSize), temp = log_mel_align(plan.fft.temp * kSize);
  const i64 edges = log_mel_align(a.nFft * kWidth * 4), power = log_mel_align(plan.bins * kLanes * 4);
  const i64 bands = log_mel_align((a.bands + kLanes - 1) / kLanes * kLanes * kLanes * 4);
  const i64 each = spectrum + temp + edges + power + bands;
  char* memory = static_cast<char*>(exec.scratch(each * exec.threads()));
  if (memory == nullptr) return {Code::out_of_memory, "memory for the spectra of log_mel"};

  parallel_for(exec, (a.frames + kLanes - 1) / kLanes, [&](i64 group, int worker) {
    char* mine = memory + each * worker;
    LogMelScratch<T> scratch;
    scratch.spectrum = reinterpret_cast<T*>(mine), mine += spectrum;
    scratch.temp = reinterpret_cast<T*>(mine), mine += temp;
    scratch.edges = reinterpret_cast<float*>(mine), mine += edges;
    scratch.power = reinterpret_cast<float*>(mine), mine += power;
    scratch.bands = reinterpret_cast<float*>(mine);
    log_mel_group(plan, group * kLanes, scratch);
  });
  return {};
}

inline Status log_mel(const LogMelArgs& a, Exec& exec) {
  return a.precision == 1 ? log_mel_in<float>(a, exec) : log_mel_in<double>(a, exec);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
