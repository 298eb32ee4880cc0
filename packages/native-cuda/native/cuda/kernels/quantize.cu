#include "../entries.hpp"
#include "../rows.cuh"

namespace sonotext::cuda {
namespace {

__device__ inline float as_float(std::uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// The half-precision number nearest to x, of ties the even one, and its value; |x| is 1 at most.
__device__ inline std::uint32_t half_of(float x, float& value) {
  std::uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const std::uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude < 0x38800000u) {  // below 2⁻¹⁴: a multiple of 2⁻²⁴
    const float units = rintf(fabsf(x) * 16777216.0f);
    value = sign ? -units / 16777216.0f : units / 16777216.0f;
    return sign | static_cast<std::uint32_t>(units);
  }
  const std::uint32_t half = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
  value = as_float(sign << 16 | ((half << 13) + 0x38000000u));
  return sign | half;
}

// A warp takes a row, a lane whole words of it.
struct Quantize {
  const float* x;
  std::uint32_t* out;
  float* scales;
  i64 cols, words;
  int bits;

  template <int kWidth>
  __device__ void operator()(i64 row, int lane) const {
    const float* from = x + row * cols;
    float most = 0.0f, broken = 0.0f;
    for (i64 col = lane; col < cols; col += kWarp) {
      most = fmaxf(most, fabsf(from[col]));
      broken += 0.0f * from[col];  // 0 · NaN, and 0 · ∞
    }
    for (int half = kWarp / 2; half > 0; half /= 2)
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, half));
    most += warp_sum(broken);
    const bool usable = most >= 1e-10f && most <= 1e10f;
    const float unit = bits == 8 ? 127.0f : 1.0f;
    const float inverse = usable ? unit / most : 0.0f, scale = usable ? most / unit : 0.0f;
    float lost = 0.0f, whole = 0.0f;
    const int each = 32 / bits;
    for (i64 word = lane; word < words; word += kWarp) {
      std::uint32_t packed = 0;
      for (int i = 0; usable && i < each; ++i) {
        const i64 col = word * each + i;
        const float y = col < cols ? from[col] * inverse : 0.0f;
        float value;
        if (bits == 8) {
          value = rintf(y);
          packed |= (static_cast<std::uint32_t>(static_cast<int>(value)) & 0xffu) << (8 * i);
        } else {
          packed |= half_of(y, value) << (16 * i);
        }
        lost += (y - value) * (y - value);
        whole += y * y;
      }
      out[row * words + word] = packed;
    }
    const double n = static_cast<double>(cols);
    const double residual = sqrt(static_cast<double>(warp_sum(lost)));
    const double length = sqrt(static_cast<double>(warp_sum(whole)));
    // As cpu/kernels/quantize.inl says.
    const double rounded = (2.0 * n + 64.0) / 16777216.0 * (length + residual);
    const double error = static_cast<double>(scale) * (residual + rounded) * (1.0 + (n + 32.0) / 8388608.0);
    if (lane > 0) return;
    scales[2 * row] = scale;
    scales[2 * row + 1] = usable ? static_cast<float>(error) : most == 0.0f ? 0.0f : INFINITY;
  }
};

}  // namespace

Status quantize(const QuantizeArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.rows == 0) return {};
  const i64 words = (args.cols * args.bits + 31) / 32;
  std::uint32_t* out = exec.array<std::uint32_t>(args.rows * words);
  if (out == nullptr) return out_of_device_memory();
  const Quantize f{args.x.data, out, args.scales.data, args.cols, words, static_cast<int>(args.bits)};
  const Status status = for_rows<1>(exec, args.rows, f);
  return status.ok() ? exec.download(out, args.out.data, args.rows * words) : status;
}

}  // namespace sonotext::cuda
