#include "../../core/ops.hpp"
#include "narrow.inl"
#include "rows.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// max |x|; NaN where an element is not a number.
inline float largest_magnitude(const float* x, i64 n) {
  Vec most = vzero(), broken = vzero();
  for (i64 i = 0; i < n; i += kLanes) {
    const Vec v = vload_n(x + i, n - i);
    most = vmax(vabs(v), most);
    broken = vfma(v, vzero(), broken);  // 0 · NaN, and 0 · ∞
  }
  return vhmax(most) + vsum(broken);
}

inline Status quantize(const QuantizeArgs& args, Exec& exec) {
  const i64 cols = args.cols, bits = args.bits, words = (cols * bits + 31) / 32, each = bits / 8;
  const float unit = bits == 8 ? 127.0f : 1.0f;  // what the largest magnitude of a row becomes
  const double n = static_cast<double>(cols);
  for_each_row(exec, args.rows, [&](i64 r) {
    const float* x = args.x.data + r * cols;
    char* out = reinterpret_cast<char*>(args.out.data + r * words);
    const float most = largest_magnitude(x, cols);
    if (!(most >= 1e-10f && most <= 1e10f)) {
      memset(out, 0, static_cast<size_t>(4 * words));
      args.scales[2 * r] = 0.0f;
      args.scales[2 * r + 1] = most == 0.0f ? 0.0f : __builtin_inff();
      return;
    }
    const float inverse = unit / most, scale = most / unit;
    Vec lost = vzero(), whole = vzero();  // squares of what rounding takes, and of the row, in units of the scale
    args.out[(r + 1) * words - 1] = 0;
    for (i64 i = 0; i < cols; i += kLanes) {
      const Vec y = vload_n(x + i, cols - i) * vset(inverse);
      alignas(64) char narrow[4 * kLanes] = {};
      store_narrow(narrow, bits == 8 ? vround(y) : y, bits);
      const Vec rest = y - load_narrow(narrow, bits);
      lost = vfma(rest, rest, lost);
      whole = vfma(y, y, whole);
      const i64 values = kLanes < cols - i ? kLanes : cols - i;
      memcpy(out + i * each, narrow, static_cast<size_t>(values * each));
    }
    // Beside what was rounded away: a float32 sum of n products with a vector of length 1 is off by n roundings of the
    // row's length at most, once for the narrow row and once for the row itself, and a few for y, the scale and the bound.
    const double roundings = 0x1p-24 * (2.0 * n + 64.0);
    const double residual = __builtin_sqrt(static_cast<double>(vsum(lost)));
    const double length = __builtin_sqrt(static_cast<double>(vsum(whole)));
    const double error = static_cast<double>(scale) * (residual + roundings * (length + residual));
    args.scales[2 * r] = scale;
    args.scales[2 * r + 1] = static_cast<float>(error * (1.0 + 0x1p-23 * (n + 32.0)));
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
