#include "../../core/ops.hpp"
#include "fft.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// One frame in each lane. An even frame length N is transformed as N/2 complex points, an odd one as N points
// with imaginary part 0; power spectra are rounded to float32 before the filters.
struct LogMelPlan {
  const LogMelArgs* args;
  FftPlan fft;
  const double* window;  // [nFft], halved for even nFft: see log_mel_power
  i64 first_bin, bins;   // spectrum bins that some filter reads
  bool even;
  bool fused;  // log_mel_transform_fused applies
};

// Memory of one worker.
struct LogMelScratch {
  double* spectrum;  // [fft.points] pairs of vectors
  double* temp;
  float* edges;      // [kLanes64 × nFft] frames that reach outside the samples
  float* power;      // [bins × kLanes]
  float* bands;      // [bands × kLanes]
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

// Where each lane's frame begins; past the last frame it is repeated. Frames that reach outside the samples are
// copied.
inline void log_mel_rows(const LogMelArgs& a, i64 first, float* edges, const float** rows) {
  for (int lane = 0; lane < kLanes64; lane++) {
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
inline void log_mel_transform(const LogMelPlan& plan, const float* const* rows,
                              const LogMelScratch& scratch) {
  const i64 n = plan.args->nFft;
  const i64 step = plan.even ? kLanes64 : 2 * kLanes64;  // from one sample to the next
  double* z = scratch.spectrum;
  if (!plan.even) memset(z, 0, static_cast<size_t>(2 * n * kLanes64) * sizeof(double));
  i64 i = 0;
  for (; i + kLanes64 <= n; i += kLanes64) {
    Vec64 column[kLanes64];
    dload_transposed(rows, i, column);
    for (int c = 0; c < kLanes64; c++) dstore(z + (i + c) * step, column[c] * dset(plan.window[i + c]));
  }
  for (; i < n; i++) {
    for (int lane = 0; lane < kLanes64; lane++) z[i * step + lane] = plan.window[i] * rows[lane][i];
  }
  fft_run(z, 1, plan.fft.points, 0, plan.fft, scratch.temp);
}

// The same when the first stage has radix 4 and its quarters are whole vectors: the samples are read, windowed and
// go through that stage in registers, which saves one pass over the spectrum.
inline void log_mel_transform_fused(const LogMelPlan& plan, const float* const* rows,
                                    const LogMelScratch& scratch) {
  constexpr int kPoints = kLanes64 / 2;
  const i64 quarter = plan.fft.points / 4;
  const double* twiddle = plan.fft.twiddle[0];
  for (i64 j = 0; j < quarter; j += kPoints) {
    Vec64 column[4][kLanes64];
    for (int part = 0; part < 4; part++) {
      const i64 at = 2 * (part * quarter + j);
      dload_transposed(rows, at, column[part]);
      for (int c = 0; c < kLanes64; c++) column[part][c] = column[part][c] * dset(plan.window[at + c]);
    }
    for (int c = 0; c < kPoints; c++, twiddle += 6) {
      Complex64 x[4];
      for (int part = 0; part < 4; part++) x[part] = {column[part][2 * c], column[part][2 * c + 1]};
      butterfly<4>(x);
      cstore(scratch.spectrum, j + c, x[0]);
      for (int q = 1; q < 4; q++) {
        cstore(scratch.spectrum, j + c + q * quarter, cmul(x[q], twiddle + 2 * (q - 1)));
      }
    }
  }
  for (int q = 0; q < 4; q++) {
    fft_run(scratch.spectrum + 2 * q * quarter * kLanes64, 1, quarter, 1, plan.fft, scratch.temp);
  }
}

inline void log_mel_put(const LogMelPlan& plan, i64 bin, Vec64 energy, float* power) {
  if (plan.args->power == 1) energy = dsqrt(energy);
  dstore_f32(power + (bin - plan.first_bin) * kLanes, energy);
}

// Energies of the bins from the transform's output. For even N = 2M with Z the transform of x[2n] + i·x[2n+1],
// X[k] = (Z[k] + Z*[M-k])/2 - i·w^k·(Z[k] - Z*[M-k])/2 and X*[M-k] is the same with a plus; the halves are in the
// window.
inline void log_mel_power(const LogMelPlan& plan, const double* z, float* power) {
  const FftPlan& fft = plan.fft;
  if (!plan.even) {
    for (i64 k = plan.first_bin; k < plan.first_bin + plan.bins; k++) {
      const Complex64 x = cload(z, fft.where[k]);
      log_mel_put(plan, k, dfma(x.re, x.re, x.im * x.im), power);
    }
    return;
  }
  const i64 m = fft.points, end = plan.first_bin + plan.bins;
  for (i64 k = 0; k <= m / 2; k++) {
    const bool lower = k >= plan.first_bin && k < end, upper = m - k >= plan.first_bin && m - k < end;
    if (!lower && !upper) continue;
    const Complex64 a = cload(z, fft.where[k]), b = cload(z, fft.where[k == 0 ? 0 : m - k]);
    const Vec64 even_re = a.re + b.re, even_im = a.im - b.im;
    const Complex64 odd = cmul({a.im + b.im, b.re - a.re}, fft.roots + 2 * k);
    if (lower) {
      const Vec64 re = even_re + odd.re, im = even_im + odd.im;
      log_mel_put(plan, k, dfma(re, re, im * im), power);
    }
    if (upper) {
      const Vec64 re = even_re - odd.re, im = even_im - odd.im;
      log_mel_put(plan, m - k, dfma(re, re, im * im), power);
    }
  }
}

// vmax takes its second operand when one is NaN: a NaN sample must show in the result.
inline Vec log_mel_compress(Vec x, i64 kind, Vec offset) {
  if (kind == 1) return vlog(x + offset);
  if (kind == 2) return vlog(vmax(offset, x));
  if (kind == 3) return vlog(vmax(offset, x)) * vset(4.34294481903251828f);
  return x;
}

inline void log_mel_group(const LogMelPlan& plan, i64 first, const LogMelScratch& scratch) {
  const LogMelArgs& a = *plan.args;
  for (int part = 0; part < kLanes; part += kLanes64) {
    if (part > 0 && first + part >= a.frames) break;
    const float* rows[kLanes64];
    log_mel_rows(a, first + part, scratch.edges, rows);
    if (plan.fused) {
      log_mel_transform_fused(plan, rows, scratch);
    } else {
      log_mel_transform(plan, rows, scratch);
    }
    log_mel_power(plan, scratch.spectrum, scratch.power + part);
  }
  const Vec offset = vset(static_cast<float>(a.offset));
  for (i64 b = 0; b < a.bands; b++) {
    const float* weights = a.filterWeights.data + a.filterOffset[b];
    const float* power = scratch.power + (a.filterStart[b] - plan.first_bin) * kLanes;
    const i64 count = a.filterOffset[b + 1] - a.filterOffset[b];
    Vec sum = vzero();
    for (i64 i = 0; i < count; i++) sum = vfma(vset(weights[i]), vload(power + i * kLanes), sum);
    vstore(scratch.bands + b * kLanes, log_mel_compress(sum, a.logKind, offset));
  }
  const i64 rows = a.frames - first < kLanes ? a.frames - first : kLanes;
  for (i64 row = 0; row < rows; row++) {
    float* out = a.out.data + (first + row) * a.bands;
    for (i64 b = 0; b < a.bands; b++) out[b] = scratch.bands[b * kLanes + row];
  }
}

inline Status log_mel(const LogMelArgs& a, Exec& exec) {
  LogMelPlan plan;
  plan.args = &a;
  plan.even = a.nFft % 2 == 0;
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

  const i64 points = plan.even ? a.nFft / 2 : a.nFft;
  const i64 plan_doubles = fft_plan_doubles(points, a.nFft);
  const i64 shared_bytes = (plan_doubles + a.nFft) * static_cast<i64>(sizeof(double));
  double* shared = static_cast<double*>(exec.scratch(shared_bytes));
  if (shared == nullptr) return {Code::out_of_memory, "memory for the twiddles of log_mel"};
  plan.fft = fft_plan(points, a.nFft, shared, exec);
  const bool radix4 = plan.even && plan.fft.stages > 1 && plan.fft.radix[0] == 4;
  plan.fused = kLanes64 > 1 && radix4 && (points / 4) % (kLanes64 / 2 + (kLanes64 == 1)) == 0;
  double* window = shared + plan_doubles;
  for (i64 i = 0; i < a.nFft; i++) {
    const double tap = static_cast<double>(a.window[i]) + static_cast<double>(a.window[a.nFft + i]);
    window[i] = plan.even ? 0.5 * tap : tap;
  }
  plan.window = window;

  const i64 spectrum = log_mel_align(2 * points * kLanes64 * 8), temp = log_mel_align(plan.fft.temp * 8);
  const i64 edges = log_mel_align(a.nFft * kLanes64 * 4), power = log_mel_align(plan.bins * kLanes * 4);
  const i64 each = spectrum + temp + edges + power + log_mel_align(a.bands * kLanes * 4);
  char* memory = static_cast<char*>(exec.scratch(each * exec.threads()));
  if (memory == nullptr) return {Code::out_of_memory, "memory for the spectra of log_mel"};

  parallel_for(exec, (a.frames + kLanes - 1) / kLanes, [&](i64 group, int worker) {
    char* mine = memory + each * worker;
    LogMelScratch scratch;
    scratch.spectrum = reinterpret_cast<double*>(mine), mine += spectrum;
    scratch.temp = reinterpret_cast<double*>(mine), mine += temp;
    scratch.edges = reinterpret_cast<float*>(mine), mine += edges;
    scratch.power = reinterpret_cast<float*>(mine), mine += power;
    scratch.bands = reinterpret_cast<float*>(mine);
    log_mel_group(plan, group * kLanes, scratch);
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
