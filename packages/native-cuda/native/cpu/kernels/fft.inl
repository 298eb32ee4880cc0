// Batched complex FFT in float64: kLanes64 transforms at once, one in each lane, of any length. Decimation in
// frequency, in place, depth first, so that all but the first stages of a long transform stay in the first-level
// cache; the outputs are left in digit-reversed order and FftPlan::where says where each one lies.

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kFftStages = 40;
constexpr i64 kFftLongPrime = 97;        // prime factors from here on are transformed as convolutions
constexpr i64 kFftLong = 4096;           // points of a transform worth asking in between whether to go on
constexpr i64 kFftFlatBytes = 32 << 10;  // blocks up to this size run stage by stage, larger ones depth first

struct FftPlan;

// A transform of a prime length r as a convolution (Bluestein 1970): with t[k] = e^(-πik²/r), X[q] = t[q]·Σ x[i]·t[i]·conj(t[q - i]).
struct FftChirp {
  const FftPlan* plan = nullptr;   // of the convolution: a power of two, at least 2r - 1 points
  const double* turns = nullptr;   // [r] pairs: t
  const double* kernel = nullptr;  // [plan->points] pairs: the transform of conj(t) over its number of points
};

struct FftPlan {
  i64 points = 0;
  i64 order = 0;                       // roots[k] = e^(-2πik/order), order is a multiple of points
  const double* roots = nullptr;       // [order] pairs cos, -sin
  const int32_t* where = nullptr;      // [points] position of output k
  int stages = 0;
  int radix[kFftStages] = {};
  const double* twiddle[kFftStages] = {};  // [m × (radix - 1)] pairs, m = block length / radix
  FftChirp chirp[kFftStages] = {};     // of stages with a long prime
  i64 temp = 0;                        // doubles of temporary memory a worker needs
  Exec* exec = nullptr;                // asked whether to go on: a long transform is abandoned when cancelled
};

// Largest radix first where the block is large: fewer passes over memory.
inline int fft_factor(i64 points, int* radix) {
  int stages = 0;
  const int small[] = {4, 2, 3, 5};
  for (int r : small) {
    while (points % r == 0) radix[stages++] = r, points /= r;
  }
  for (i64 r = 7; points > 1; r += 2) {
    if (r * r > points) r = points;
    while (points % r == 0) radix[stages++] = static_cast<int>(r), points /= r;
  }
  return stages;
}

inline i64 fft_chirp_points(i64 prime) {
  i64 points = 1;
  while (points < 2 * prime - 1) points *= 2;
  return points;
}

inline i64 fft_plan_doubles(i64 points, i64 order);

// Doubles of a FftChirp: the plan itself, what it holds, turns, kernel, and room to make that.
inline i64 fft_chirp_doubles(i64 prime) {
  const i64 points = fft_chirp_points(prime), plan = (static_cast<i64>(sizeof(FftPlan)) + 7) / 8;
  return plan + fft_plan_doubles(points, points) + 2 * prime + 2 * points + 2 * points * kLanes64;
}

inline i64 fft_plan_doubles(i64 points, i64 order) {
  int radix[kFftStages];
  const int stages = fft_factor(points, radix);
  i64 doubles = 2 * order + (points + 1) / 2;
  i64 length = points;
  for (int s = 0; s < stages; s++) {
    const i64 m = length / radix[s];
    doubles += 2 * m * (radix[s] - 1);
    if (radix[s] >= kFftLongPrime) doubles += fft_chirp_doubles(radix[s]);
    length = m;
  }
  return doubles;
}

inline FftChirp fft_chirp(i64 prime, double* memory, Exec& exec);

// `memory` holds fft_plan_doubles(points, order) doubles.
inline FftPlan fft_plan(i64 points, i64 order, double* memory, Exec& exec) {
  FftPlan plan;
  plan.exec = &exec;
  plan.points = points;
  plan.order = order;
  plan.stages = fft_factor(points, plan.radix);

  double* roots = memory;
  memory += 2 * order;
  const double step = 6.283185307179586476925 / static_cast<double>(order);
  const i64 direct = order % 8 == 0 ? order / 8 : order / 2;
  const auto put = [roots](i64 k, double c, double s) { roots[2 * k] = c, roots[2 * k + 1] = -s; };
  for (i64 k = 0; k <= direct; k++) {
    const double c = cos(step * static_cast<double>(k)), s = sin(step * static_cast<double>(k));
    put(k, c, s);
    if (order % 8 == 0) {
      const i64 quarter = order / 4, half = order / 2;
      put(quarter - k, s, c), put(quarter + k, -s, c), put(half - k, -c, s);
      put(half + k, -c, -s), put(half + quarter - k, -s, -c), put(half + quarter + k, s, -c);
    }
    if (k > 0) put(order - k, c, -s);
  }
  plan.roots = roots;

  i64 length = points;
  for (int s = 0; s < plan.stages; s++) {
    const i64 r = plan.radix[s], m = length / r, stride = order / length;
    plan.twiddle[s] = memory;
    for (i64 j = 0; j < m; j++) {
      for (i64 q = 1; q < r; q++, memory += 2) {
        memory[0] = roots[2 * j * q * stride], memory[1] = roots[2 * j * q * stride + 1];
      }
    }
    if (r >= kFftLongPrime) {
      plan.chirp[s] = fft_chirp(r, memory, exec);
      memory += fft_chirp_doubles(r);
    }
    const i64 temp = r >= kFftLongPrime ? 4 * fft_chirp_points(r) * kLanes64 : r > 5 ? 2 * r * kLanes64 : 0;
    plan.temp = plan.temp > temp ? plan.temp : temp;
    length = m;
  }

  // Output q + r·k of a block of r·m points lies at q·m + (position of output k in a block of m points).
  int32_t* where = reinterpret_cast<int32_t*>(memory);
  where[0] = 0;
  i64 m = 1;
  for (int s = plan.stages - 1; s >= 0; s--) {
    const i64 r = plan.radix[s];
    for (i64 k = m - 1; k >= 0; k--) {
      const int32_t inner = where[k];
      for (i64 q = r - 1; q >= 0; q--) where[q + r * k] = static_cast<int32_t>(q * m) + inner;
    }
    m *= r;
  }
  plan.where = where;
  return plan;
}

struct Complex64 {
  Vec64 re, im;
};

inline Complex64 cload(const double* z, i64 point) {
  const double* p = z + 2 * point * kLanes64;
  return {dload(p), dload(p + kLanes64)};
}
inline void cstore(double* z, i64 point, Complex64 a) {
  double* p = z + 2 * point * kLanes64;
  dstore(p, a.re), dstore(p + kLanes64, a.im);
}
inline Complex64 operator+(Complex64 a, Complex64 b) { return {a.re + b.re, a.im + b.im}; }
inline Complex64 operator-(Complex64 a, Complex64 b) { return {a.re - b.re, a.im - b.im}; }
inline Complex64 cmul(Complex64 a, const double* w) {
  const Vec64 c = dset(w[0]), s = dset(w[1]);
  return {dfnma(a.im, s, a.re * c), dfma(a.im, c, a.re * s)};
}
inline Complex64 cminus_i(Complex64 a) { return {a.im, dzero() - a.re}; }  // -i·a

template <int R>
inline void butterfly(Complex64 (&x)[R]);

template <>
inline void butterfly<2>(Complex64 (&x)[2]) {
  const Complex64 a = x[0] + x[1];
  x[1] = x[0] - x[1], x[0] = a;
}
template <>
inline void butterfly<3>(Complex64 (&x)[3]) {
  const Vec64 half = dset(-0.5), s = dset(0.86602540378443864676);
  const Complex64 sum = x[1] + x[2], difference = x[1] - x[2];
  const Complex64 middle = {dfma(half, sum.re, x[0].re), dfma(half, sum.im, x[0].im)};
  x[0] = x[0] + sum;
  x[1] = {dfma(s, difference.im, middle.re), dfnma(s, difference.re, middle.im)};
  x[2] = {dfnma(s, difference.im, middle.re), dfma(s, difference.re, middle.im)};
}
template <>
inline void butterfly<4>(Complex64 (&x)[4]) {
  const Complex64 a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3], d = x[1] - x[3];
  x[0] = a + c;
  x[1] = {b.re + d.im, b.im - d.re};
  x[2] = a - c;
  x[3] = {b.re - d.im, b.im + d.re};
}
template <>
inline void butterfly<5>(Complex64 (&x)[5]) {
  const Vec64 c1 = dset(0.30901699437494742410), c2 = dset(-0.80901699437494742410);
  const Vec64 s1 = dset(0.95105651629515357212), s2 = dset(0.58778525229247312917);
  const Complex64 a = x[1] + x[4], b = x[2] + x[3], c = x[1] - x[4], d = x[2] - x[3];
  const Complex64 p = {dfma(c1, a.re, dfma(c2, b.re, x[0].re)), dfma(c1, a.im, dfma(c2, b.im, x[0].im))};
  const Complex64 q = {dfma(c2, a.re, dfma(c1, b.re, x[0].re)), dfma(c2, a.im, dfma(c1, b.im, x[0].im))};
  const Complex64 u = {dfma(s1, c.re, s2 * d.re), dfma(s1, c.im, s2 * d.im)};
  const Complex64 v = {dfnma(s1, d.re, s2 * c.re), dfnma(s1, d.im, s2 * c.im)};
  x[0] = x[0] + a + b;
  x[1] = {p.re + u.im, p.im - u.re};
  x[4] = {p.re - u.im, p.im + u.re};
  x[2] = {q.re + v.im, q.im - v.re};
  x[3] = {q.re - v.im, q.im + v.re};
}

template <int R>
inline void fft_stage(double* z, i64 m, const double* twiddle) {
  for (i64 j = 0; j < m; j++, twiddle += 2 * (R - 1)) {
    Complex64 x[R];
    for (int i = 0; i < R; i++) x[i] = cload(z, j + i * m);
    butterfly<R>(x);
    cstore(z, j, x[0]);
    for (int q = 1; q < R; q++) cstore(z, j + q * m, cmul(x[q], twiddle + 2 * (q - 1)));
  }
}

// The last stage: no twiddles.
template <int R>
inline void fft_leaves(double* z, i64 blocks) {
  for (i64 b = 0; b < blocks; b++) {
    Complex64 x[R];
    for (int i = 0; i < R; i++) x[i] = cload(z, b * R + i);
    butterfly<R>(x);
    for (int i = 0; i < R; i++) cstore(z, b * R + i, x[i]);
  }
}

// An odd prime that is not long, by its definition with the sums and differences of mirrored inputs: (r-1)² complex products.
// A function of its own: the call in its loop would cost the common radices registers.
__attribute__((noinline)) inline void fft_stage_prime(double* z, i64 r, i64 m, const double* twiddle, const FftPlan& plan,
                            double* temp) {
  const i64 half = (r - 1) / 2, stride = plan.order / r;
  for (i64 j = 0; j < m; j++, twiddle += 2 * (r - 1)) {
    const Complex64 first = cload(z, j);
    Complex64 total = first;
    for (i64 i = 1; i <= half; i++) {
      const Complex64 a = cload(z, j + i * m), b = cload(z, j + (r - i) * m);
      cstore(temp, i, a + b), cstore(temp, half + i, a - b);
      total = total + (a + b);
    }
    cstore(z, j, total);
    for (i64 q = 1; q <= half; q++) {
      Complex64 even = first, odd = {dzero(), dzero()};
      for (i64 i = 1, k = q; i <= half; i++, k = k + q >= r ? k + q - r : k + q) {
        const Vec64 c = dset(plan.roots[2 * k * stride]), s = dset(plan.roots[2 * k * stride + 1]);
        const Complex64 a = cload(temp, i), b = cload(temp, half + i);
        even = {dfma(c, a.re, even.re), dfma(c, a.im, even.im)};
        odd = {dfma(s, b.re, odd.re), dfma(s, b.im, odd.im)};
      }
      const Complex64 lower = {even.re - odd.im, even.im + odd.re};
      const Complex64 upper = {even.re + odd.im, even.im - odd.re};
      cstore(z, j + q * m, cmul(lower, twiddle + 2 * (q - 1)));
      cstore(z, j + (r - q) * m, cmul(upper, twiddle + 2 * (r - q - 1)));
    }
  }
}

__attribute__((noinline)) void fft_stage_chirp(double* z, i64 r, i64 m, const double* twiddle, const FftChirp& chirp,
                                               double* temp);

// Stages from `stage` on of `blocks` blocks of `length` points; (z, 1, points, 0) is the whole transform. z holds
// pairs of vectors, real and imaginary parts.
inline void fft_run(double* z, i64 blocks, i64 length, int stage, const FftPlan& plan, double* temp) {
  while (stage < plan.stages) {
    const i64 r = plan.radix[stage], m = length / r;
    const double* twiddle = plan.twiddle[stage];
    if (m == 1 && r <= 5) {
      if (r == 2) fft_leaves<2>(z, blocks);
      if (r == 3) fft_leaves<3>(z, blocks);
      if (r == 4) fft_leaves<4>(z, blocks);
      if (r == 5) fft_leaves<5>(z, blocks);
    } else {
      for (i64 b = 0; b < blocks; b++) {
        double* block = z + 2 * b * length * kLanes64;
        if (r == 2) fft_stage<2>(block, m, twiddle);
        else if (r == 3) fft_stage<3>(block, m, twiddle);
        else if (r == 4) fft_stage<4>(block, m, twiddle);
        else if (r == 5) fft_stage<5>(block, m, twiddle);
        else if (r >= kFftLongPrime) fft_stage_chirp(block, r, m, twiddle, plan.chirp[stage], temp);
        else fft_stage_prime(block, r, m, twiddle, plan, temp);
      }
    }
    blocks *= r, length = m, stage++;
    const i64 bytes = blocks * length * 2 * kLanes64 * static_cast<i64>(sizeof(double));
    if (bytes > kFftFlatBytes && stage < plan.stages) {
      for (i64 b = 0; b < blocks; b++) {
        if (plan.points >= kFftLong && plan.exec->cancelled()) return;
        fft_run(z + 2 * b * length * kLanes64, 1, length, stage, plan, temp);
      }
      return;
    }
  }
}

// A long prime: two transforms of a power of two points, the second of conjugates, which makes it the inverse.
void fft_stage_chirp(double* z, i64 r, i64 m, const double* twiddle, const FftChirp& chirp, double* temp) {
  const FftPlan& plan = *chirp.plan;
  const i64 points = plan.points;
  double *spectrum = temp, *product = temp + 2 * points * kLanes64;
  for (i64 j = 0; j < m; j++, twiddle += 2 * (r - 1)) {
    for (i64 i = 0; i < r; i++) cstore(spectrum, i, cmul(cload(z, j + i * m), chirp.turns + 2 * i));
    for (i64 i = r; i < points; i++) cstore(spectrum, i, {dzero(), dzero()});
    fft_run(spectrum, 1, points, 0, plan, nullptr);
    for (i64 k = 0; k < points; k++) {
      const Complex64 a = cmul(cload(spectrum, plan.where[k]), chirp.kernel + 2 * k);
      cstore(product, k, {a.re, dzero() - a.im});
    }
    fft_run(product, 1, points, 0, plan, nullptr);
    for (i64 q = 0; q < r; q++) {
      const Complex64 a = cload(product, plan.where[q]);
      const Complex64 x = cmul({a.re, dzero() - a.im}, chirp.turns + 2 * q);
      cstore(z, j + q * m, q == 0 ? x : cmul(x, twiddle + 2 * (q - 1)));
    }
  }
}

// `memory` holds fft_chirp_doubles(prime) doubles.
inline FftChirp fft_chirp(i64 prime, double* memory, Exec& exec) {
  FftChirp chirp;
  const i64 points = fft_chirp_points(prime);
  FftPlan* plan = reinterpret_cast<FftPlan*>(memory);
  memory += (static_cast<i64>(sizeof(FftPlan)) + 7) / 8;
  *plan = fft_plan(points, points, memory, exec);
  memory += fft_plan_doubles(points, points);
  double *turns = memory, *kernel = turns + 2 * prime, *work = kernel + 2 * points;

  for (i64 k = 0; k < points; k++) cstore(work, k, {dzero(), dzero()});
  for (i64 k = 0; k < prime; k++) {
    const double angle = 3.14159265358979323846 * static_cast<double>(k * k % (2 * prime)) / static_cast<double>(prime);
    turns[2 * k] = cos(angle), turns[2 * k + 1] = -sin(angle);
    const Complex64 opposite = {dset(turns[2 * k]), dset(-turns[2 * k + 1])};
    cstore(work, k, opposite);
    if (k > 0) cstore(work, points - k, opposite);
  }
  fft_run(work, 1, points, 0, *plan, nullptr);
  for (i64 k = 0; k < points; k++) {
    const double* at = work + 2 * plan->where[k] * kLanes64;
    kernel[2 * k] = at[0] / static_cast<double>(points), kernel[2 * k + 1] = at[kLanes64] / static_cast<double>(points);
  }
  chirp.plan = plan, chirp.turns = turns, chirp.kernel = kernel;
  return chirp;
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
