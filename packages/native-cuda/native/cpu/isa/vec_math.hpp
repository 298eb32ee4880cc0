// exp, log, sigmoid and tanh over the vector vocabulary: one polynomial for every instruction set, so that the sets
// agree to a few ulp. Coefficients: minimax fits of the Cephes single-precision family (public domain formulae).

namespace sonotext::SONOTEXT_ISA {
namespace {

// e^x, infinite from 88.73 on. Results under 1.8e-38, about the smallest normal float, are 0: denormals would cost a hundred
// times more and no kernel tells them from 0.
inline Vec vexp(Vec x) {
  const Mask nan = vne(x, x);
  const Mask tiny = vgt(vset(-86.9f), x);
  const Vec c = vmin(vmax(x, vset(-86.9f)), vset(88.8f));
  const Vec n = vround(c * vset(1.44269504088896341f));
  Vec r = vfnma(n, vset(0.693359375f), c);
  r = vfnma(n, vset(-2.12194440e-4f), r);
  Vec p = vset(1.9875691500e-4f);
  p = vfma(p, r, vset(1.3981999507e-3f));
  p = vfma(p, r, vset(8.3334519073e-3f));
  p = vfma(p, r, vset(4.1665795894e-2f));
  p = vfma(p, r, vset(1.6666665459e-1f));
  p = vfma(p, r, vset(5.0000001201e-1f));
  // 2^n in two factors: 2^128 is no float, though e^88.5 is one.
  const Vec e = (vfma(p, r * r, r) + vset(1.0f)) * vpow2(n - vset(1.0f)) * vset(2.0f);
  return vselect(nan, x, vselect(tiny, vzero(), e));
}

// ln(m·2^e) for m in [√½, √2).
inline Vec vlog_of(Vec m, Vec e) {
  m = m - vset(1.0f);
  const Vec z = m * m;
  Vec p = vset(7.0376836292e-2f);
  p = vfma(p, m, vset(-1.1514610310e-1f));
  p = vfma(p, m, vset(1.1676998740e-1f));
  p = vfma(p, m, vset(-1.2420140846e-1f));
  p = vfma(p, m, vset(1.4249322787e-1f));
  p = vfma(p, m, vset(-1.6668057665e-1f));
  p = vfma(p, m, vset(2.0000714765e-1f));
  p = vfma(p, m, vset(-2.4999993993e-1f));
  p = vfma(p, m, vset(3.3333331174e-1f));
  p = p * m * z;
  p = vfma(e, vset(-2.12194440e-4f), p);
  p = vfnma(z, vset(0.5f), p);
  return vfma(e, vset(0.693359375f), m + p);
}

// ln x; -inf for 0, NaN below it.
inline Vec vlog(Vec x) {
  const Vec least = vset(1.17549435e-38f), most = vset(3.40282347e38f);
  const Vec normal = vmin(vmax(x, least), most);
  Vec e;
  if (!vany(vne(normal, x))) {  // nearly always
    const Vec m = vfrexp(x, &e);
    return vlog_of(m, e);
  }
  const Mask denormal = vgt(least, x);
  const Vec m = vfrexp(vmax(vselect(denormal, x * vset(8388608.0f), x), least), &e);
  const Vec result = vlog_of(m, vselect(denormal, e - vset(23.0f), e));
  const Vec outside = vselect(vgt(vzero(), x), vset(__builtin_nanf("")), vset(-__builtin_inff()));  // below 0, and 0
  return vselect(vgt(x, vzero()), vselect(vgt(x, most), x, result), vselect(vne(x, x), x, outside));
}

// e^(x²/2)·Φ(-x) of the standard normal distribution, for x ≥ 0: a polynomial in 1 / (1 + 0.35 x), fitted to a relative error of 3e-8.
inline Vec vnormal_tail(Vec x) {
  const Vec t = vset(1.0f) / vfma(vset(0.35f), x, vset(1.0f));
  Vec p = vset(-2.914590575e-02f);
  p = vfma(p, t, vset(1.439715922e-01f));
  p = vfma(p, t, vset(-2.557140589e-01f));
  p = vfma(p, t, vset(1.591739506e-01f));
  p = vfma(p, t, vset(-2.310970426e-02f));
  p = vfma(p, t, vset(1.055079550e-01f));
  p = vfma(p, t, vset(1.198328808e-01f));
  p = vfma(p, t, vset(1.398618668e-01f));
  p = vfma(p, t, vset(1.396214068e-01f));
  return p * t;
}

inline Vec vsigmoid(Vec x) { return vset(1.0f) / (vset(1.0f) + vexp(vzero() - x)); }

// Odd polynomial near 0 (no cancellation), (1 - e)/(1 + e) elsewhere.
inline Vec vtanh(Vec x) {
  const Vec a = vabs(x);
  const Vec z = x * x;
  Vec p = vset(-5.70498872745e-3f);
  p = vfma(p, z, vset(2.06390887954e-2f));
  p = vfma(p, z, vset(-5.37397155531e-2f));
  p = vfma(p, z, vset(1.33314422036e-1f));
  p = vfma(p, z, vset(-3.33332819422e-1f));
  const Vec small = vfma(p * z, x, x);
  const Vec e = vexp(a * vset(-2.0f));
  const Vec big = (vset(1.0f) - e) / (vset(1.0f) + e);
  const Vec signed_big = vselect(vgt(vzero(), x), vzero() - big, big);
  return vselect(vgt(vset(0.625f), a), small, vselect(vne(x, x), x, signed_big));
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
