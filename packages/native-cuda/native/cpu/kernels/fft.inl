// Batched complex FFT in float64 or float32 (T): as many transforms at once as a vector has lanes, of any length. Decimation in
// frequency, in place, depth first, so that all but the first stages of a long transform stay in the first-level
// cache; the outputs are left in digit-reversed order and FftPlan::where says where each one lies.

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kFftStages = 40;
constexpr i64 kFftLongPrime = 97;        // prime factors from here on are transformed as convolutions
constexpr i64 kFftLong = 4096;           // points of a transform worth asking in between whether to go on
constexpr i64 kFftFlatBytes = 32 << 10;  // blocks up to this size run stage by stage, larger ones depth first

template <class T>
struct FftPlan;

// A transform of a prime length r as a convolution (Bluestein 1970): with t[k] = e^(-πik²/r), X[q] = t[q]·Σ x[i]·t[i]·conj(t[q - i]).
template <class T>
struct FftChirp {
  const FftPlan<T>* plan = nullptr;  // of the convolution: a power of two, at least 2r - 1 points
  const T* turns = nullptr;          // [r] pairs: t
  const T* kernel = nullptr;         // [plan->points] pairs: the transform of conj(t) over its number of points
};

template <class T>
struct FftPlan {
  i64 points = 0;
  i64 order = 0;                       // roots[k] = e^(-2πik/order), order is a multiple of points
  const T* roots = nullptr;            // [order] pairs cos, -sin
  const int32_t* where = nullptr;      // [points] position of output k
  int stages = 0;
  int radix[kFftStages] = {};
  const T* twiddle[kFftStages] = {};   // [m × (radix - 1)] pairs, m = block length / radix
  FftChirp<T> chirp[kFftStages] = {};  // of stages with a long prime
  i64 temp = 0;                        // values of temporary memory a worker needs
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

// Values of T that hold `bytes`, in whole words of 8 bytes: what lies behind them is aligned for all that a plan holds.
template <class T>
inline i64 fft_values(i64 bytes) {
  return (bytes + 7) / 8 * 8 / static_cast<i64>(sizeof(T));
}

template <class T>
inline i64 fft_plan_values(i64 points, i64 order);

// Values of a FftChirp: the plan itself, what it holds, turns, kernel, and room to make that.
template <class T>
inline i64 fft_chirp_values(i64 prime) {
  const i64 points = fft_chirp_points(prime), plan = fft_values<T>(static_cast<i64>(sizeof(FftPlan<T>)));
  return plan + fft_plan_values<T>(points, points) + 2 * prime + 2 * points + 2 * points * Lanes<T>::count;
}

template <class T>
inline i64 fft_plan_values(i64 points, i64 order) {
  int radix[kFftStages];
  const int stages = fft_factor(points, radix);
  i64 values = 2 * order + fft_values<T>(points * static_cast<i64>(sizeof(int32_t)));
  i64 length = points;
  for (int s = 0; s < stages; s++) {
    const i64 m = length / radix[s];
    values += 2 * m * (radix[s] - 1);
    if (radix[s] >= kFftLongPrime) values += fft_chirp_values<T>(radix[s]);
    length = m;
  }
  return values;
}

template <class T>
inline FftChirp<T> fft_chirp(i64 prime, T* memory, Exec& exec);

// `memory` holds fft_plan_values(points, order) values, aligned to 8 bytes. Roots are computed in float64.
template <class T>
inline FftPlan<T> fft_plan(i64 points, i64 order, T* memory, Exec& exec) {
  FftPlan<T> plan;
  plan.points = points;
  plan.order = order;
  plan.stages = fft_factor(points, plan.radix);

  T* roots = memory;
  memory += 2 * order;
  const double step = 6.283185307179586476925 / static_cast<double>(order);
  const i64 direct = order % 8 == 0 ? order / 8 : order / 2;
  const auto put = [roots](i64 k, double c, double s) {
    roots[2 * k] = static_cast<T>(c), roots[2 * k + 1] = static_cast<T>(-s);
  };
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
      memory += fft_chirp_values<T>(r);
    }
    const i64 pairs = r >= kFftLongPrime ? 2 * fft_chirp_points(r) : r > 5 ? r : 0;
    const i64 temp = 2 * pairs * Lanes<T>::count;
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

template <class T>
struct Complex {
  typename Lanes<T>::V re, im;
};

template <class T>
inline Complex<T> cload(const T* z, i64 point) {
  using L = Lanes<T>;
  const T* p = z + 2 * point * L::count;
  return {L::load(p), L::load(p + L::count)};
}
template <class T>
inline void cstore(T* z, i64 point, Complex<T> a) {
  using L = Lanes<T>;
  T* p = z + 2 * point * L::count;
  L::store(p, a.re), L::store(p + L::count, a.im);
}
template <class T>
inline Complex<T> operator+(Complex<T> a, Complex<T> b) { return {a.re + b.re, a.im + b.im}; }
template <class T>
inline Complex<T> operator-(Complex<T> a, Complex<T> b) { return {a.re - b.re, a.im - b.im}; }
template <class T>
inline Complex<T> cmul(Complex<T> a, const T* w) {
  using L = Lanes<T>;
  const auto c = L::set(w[0]), s = L::set(w[1]);
  return {L::fnma(a.im, s, a.re * c), L::fma(a.im, c, a.re * s)};
}
template <class T>
inline Complex<T> cconj(Complex<T> a) { return {a.re, Lanes<T>::zero() - a.im}; }
template <class T>
inline Complex<T> czero() { return {Lanes<T>::zero(), Lanes<T>::zero()}; }

template <class T>
inline void butterfly(Complex<T> (&x)[2]) {
  const Complex<T> a = x[0] + x[1];
  x[1] = x[0] - x[1], x[0] = a;
}
template <class T>
inline void butterfly(Complex<T> (&x)[3]) {
  using L = Lanes<T>;
  const auto half = L::set(T(-0.5)), s = L::set(T(0.86602540378443864676));
  const Complex<T> sum = x[1] + x[2], difference = x[1] - x[2];
  const Complex<T> middle = {L::fma(half, sum.re, x[0].re), L::fma(half, sum.im, x[0].im)};
  x[0] = x[0] + sum;
  x[1] = {L::fma(s, difference.im, middle.re), L::fnma(s, difference.re, middle.im)};
  x[2] = {L::fnma(s, difference.im, middle.re), L::fma(s, difference.re, middle.im)};
}
template <class T>
inline void butterfly(Complex<T> (&x)[4]) {
  const Complex<T> a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3], d = x[1] - x[3];
  x[0] = a + c;
  x[1] = {b.re + d.im, b.im - d.re};
  x[2] = a - c;
  x[3] = {b.re - d.im, b.im + d.re};
}
template <class T>
inline void butterfly(Complex<T> (&x)[5]) {
  using L = Lanes<T>;
  const auto c1 = L::set(T(0.30901699437494742410)), c2 = L::set(T(-0.80901699437494742410));
  const auto s1 = L::set(T(0.95105651629515357212)), s2 = L::set(T(0.58778525229247312917));
  const Complex<T> a = x[1] + x[4], b = x[2] + x[3], c = x[1] - x[4], d = x[2] - x[3];
  const Complex<T> p = {L::fma(c1, a.re, L::fma(c2, b.re, x[0].re)), L::fma(c1, a.im, L::fma(c2, b.im, x[0].im))};
  const Complex<T> q = {L::fma(c2, a.re, L::fma(c1, b.re, x[0].re)), L::fma(c2, a.im, L::fma(c1, b.im, x[0].im))};
  const Complex<T> u = {L::fma(s1, c.re, s2 * d.re), L::fma(s1, c.im, s2 * d.im)};
  const Complex<T> v = {L::fnma(s1, d.re, s2 * c.re), L::fnma(s1, d.im, s2 * c.im)};
  x[0] = x[0] + a + b;
  x[1] = {p.re + u.im, p.im - u.re};
  x[4] = {p.re - u.im, p.im + u.re};
  x[2] = {q.re + v.im, q.im - v.re};
  x[3] = {q.re - v.im, q.im + v.re};
}

template <int R, class T>
inline void fft_stage(T* z, i64 m, const T* twiddle) {
  for (i64 j = 0; j < m; j++, twiddle += 2 * (R - 1)) {
    Complex<T> x[R];
    for (int i = 0; i < R; i++) x[i] = cload(z, j + i * m);
    butterfly(x);
    cstore(z, j, x[0]);
    for (int q = 1; q < R; q++) cstore(z, j + q * m, cmul(x[q], twiddle + 2 * (q - 1)));
  }
}

// The last stage: no twiddles.
template <int R, class T>
inline void fft_leaves(T* z, i64 blocks) {
  for (i64 b = 0; b < blocks; b++) {
    Complex<T> x[R];
    for (int i = 0; i < R; i++) x[i] = cload(z, b * R + i);
    butterfly(x);
    for (int i = 0; i < R; i++) cstore(z, b * R + i, x[i]);
  }
}

// An odd prime that is not long, by its definition with the sums and differences of mirrored inputs: (r-1)² complex products.
// A function of its own: the call in its loop would cost the common radices registers.
template <class T>
__attribute__((noinline)) inline void fft_stage_prime(T* z, i64 r, i64 m, const T* twiddle, const FftPlan<T>& plan,
                                                      T* temp) {
  using L = Lanes<T>;
  const i64 half = (r - 1) / 2, stride = plan.order / r;
  for (i64 j = 0; j < m; j++, twiddle += 2 * (r - 1)) {
    const Complex<T> first = cload(z, j);
    Complex<T> total = first;
    for (i64 i = 1; i <= half; i++) {
      const Complex<T> a = cload(z, j + i * m), b = cload(z, j + (r - i) * m);
      cstore(temp, i, a + b), cstore(temp, half + i, a - b);
      total = total + (a + b);
    }
    cstore(z, j, total);
    for (i64 q = 1; q <= half; q++) {
      Complex<T> even = first, odd = czero<T>();
      for (i64 i = 1, k = q; i <= half; i++, k = k + q >= r ? k + q - r : k + q) {
        const auto c = L::set(plan.roots[2 * k * stride]), s = L::set(plan.roots[2 * k * stride + 1]);
        const Complex<T> a = cload(temp, i), b = cload(temp, half + i);
        even = {L::fma(c, a.re, even.re), L::fma(c, a.im, even.im)};
        odd = {L::fma(s, b.re, odd.re), L::fma(s, b.im, odd.im)};
      }
      const Complex<T> lower = {even.re - odd.im, even.im + odd.re};
      const Complex<T> upper = {even.re + odd.im, even.im - odd.re};
      cstore(z, j + q * m, cmul(lower, twiddle + 2 * (q - 1)));
      cstore(z, j + (r - q) * m, cmul(upper, twiddle + 2 * (r - q - 1)));
    }
  }
}

template <class T>
__attribute__((noinline)) void fft_stage_chirp(T* z, i64 r, i64 m, const T* twiddle, const FftChirp<T>& chirp, T* temp,
                                               Exec& exec);

// Stages from `stage` on of `blocks` blocks of `length` points; (z, 1, points, 0) is the whole transform. z holds
// pairs of vectors, real and imaginary parts. A long transform is abandoned when cancelled.
template <class T>
inline void fft_run(T* z, i64 blocks, i64 length, int stage, const FftPlan<T>& plan, T* temp, Exec& exec) {
  constexpr int kPair = 2 * Lanes<T>::count;  // values of one point
  while (stage < plan.stages) {
    const i64 r = plan.radix[stage], m = length / r;
    const T* twiddle = plan.twiddle[stage];
    if (m == 1 && r <= 5) {
      if (r == 2) fft_leaves<2>(z, blocks);
      if (r == 3) fft_leaves<3>(z, blocks);
      if (r == 4) fft_leaves<4>(z, blocks);
      if (r == 5) fft_leaves<5>(z, blocks);
    } else {
      for (i64 b = 0; b < blocks; b++) {
        T* block = z + b * length * kPair;
        if (r == 2) fft_stage<2>(block, m, twiddle);
        else if (r == 3) fft_stage<3>(block, m, twiddle);
        else if (r == 4) fft_stage<4>(block, m, twiddle);
        else if (r == 5) fft_stage<5>(block, m, twiddle);
        else if (r >= kFftLongPrime) fft_stage_chirp(block, r, m, twiddle, plan.chirp[stage], temp, exec);
        else fft_stage_prime(block, r, m, twiddle, plan, temp);
      }
    }
    blocks *= r, length = m, stage++;
    const i64 bytes = blocks * length * kPair * static_cast<i64>(sizeof(T));
    if (bytes > kFftFlatBytes && stage < plan.stages) {
      for (i64 b = 0; b < blocks; b++) {
        if (plan.points >= kFftLong && exec.cancelled()) return;
        fft_run(z + b * length * kPair, 1, length, stage, plan, temp, exec);
      }
      return;
    }
  }
}

// A long prime: two transforms of a power of two points, the second of conjugates, which makes it the inverse.
template <class T>
void fft_stage_chirp(T* z, i64 r, i64 m, const T* twiddle, const FftChirp<T>& chirp, T* temp, Exec& exec) {
  const FftPlan<T>& plan = *chirp.plan;
  const i64 points = plan.points;
  T *spectrum = temp, *product = temp + 2 * points * Lanes<T>::count;
  for (i64 j = 0; j < m; j++, twiddle += 2 * (r - 1)) {
    for (i64 i = 0; i < r; i++) cstore(spectrum, i, cmul(cload(z, j + i * m), chirp.turns + 2 * i));
    for (i64 i = r; i < points; i++) cstore(spectrum, i, czero<T>());
    fft_run<T>(spectrum, 1, points, 0, plan, nullptr, exec);
    for (i64 k = 0; k < points; k++) {
      cstore(product, k, cconj(cmul(cload(spectrum, plan.where[k]), chirp.kernel + 2 * k)));
    }
    fft_run<T>(product, 1, points, 0, plan, nullptr, exec);
    for (i64 q = 0; q < r; q++) {
      const Complex<T> x = cmul(cconj(cload(product, plan.where[q])), chirp.turns + 2 * q);
      cstore(z, j + q * m, q == 0 ? x : cmul(x, twiddle + 2 * (q - 1)));
    }
  }
}

// `memory` holds fft_chirp_values(prime) values.
template <class T>
inline FftChirp<T> fft_chirp(i64 prime, T* memory, Exec& exec) {
  FftChirp<T> chirp;
  const i64 points = fft_chirp_points(prime);
  FftPlan<T>* plan = reinterpret_cast<FftPlan<T>*>(memory);
  memory += fft_values<T>(static_cast<i64>(sizeof(FftPlan<T>)));
  *plan = fft_plan(points, points, memory, exec);
  memory += fft_plan_values<T>(points, points);
  T *turns = memory, *kernel = turns + 2 * prime, *work = kernel + 2 * points;

  for (i64 k = 0; k < points; k++) cstore(work, k, czero<T>());
  for (i64 k = 0; k < prime; k++) {
    const double angle = 3.14159265358979323846 * static_cast<double>(k * k % (2 * prime)) / static_cast<double>(prime);
    turns[2 * k] = static_cast<T>(cos(angle)), turns[2 * k + 1] = static_cast<T>(-sin(angle));
    const Complex<T> opposite = {Lanes<T>::set(turns[2 * k]), Lanes<T>::set(-turns[2 * k + 1])};
    cstore(work, k, opposite);
    if (k > 0) cstore(work, points - k, opposite);
  }
  fft_run<T>(work, 1, points, 0, *plan, nullptr, exec);
  const T count = static_cast<T>(points);
  for (i64 k = 0; k < points; k++) {
    const T* at = work + 2 * plan->where[k] * Lanes<T>::count;
    kernel[2 * k] = at[0] / count, kernel[2 * k + 1] = at[Lanes<T>::count] / count;
  }
  chirp.plan = plan, chirp.turns = turns, chirp.kernel = kernel;
  return chirp;
}

// The plan of fft_plan(points, order), made once and kept over calls; nullptr when there is no memory.
template <class T>
inline const FftPlan<T>* fft_kept_plan(i64 points, i64 order, Exec& exec) {
  static const char kind = 0;  // one of every instruction set and type
  const i64 bytes = fft_values<T>(static_cast<i64>(sizeof(FftPlan<T>))) * static_cast<i64>(sizeof(T));
  const auto make = [&](void* memory) {
    T* values = reinterpret_cast<T*>(static_cast<char*>(memory) + bytes);
    *static_cast<FftPlan<T>*>(memory) = fft_plan(points, order, values, exec);
  };
  const i64 size = bytes + fft_plan_values<T>(points, order) * static_cast<i64>(sizeof(T));
  return static_cast<const FftPlan<T>*>(plan_of(exec, {&kind, points, order}, size, make));
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
