// Vocabulary of 64-bit words, 2 lanes of NEON.

namespace sonotext::SONOTEXT_ISA {
namespace {

struct Words { uint64x2_t v; };

inline Words wset(uint64_t x) { return {vdupq_n_u64(x)}; }
inline Words operator^(Words a, Words b) { return {veorq_u64(a.v, b.v)}; }
inline Words wxor3(Words a, Words b, Words c) { return a ^ b ^ c; }
inline Words wmul(Words a, Words b) { return {vmull_u32(vmovn_u64(a.v), vmovn_u64(b.v))}; }
inline Words wupper(Words a) { return {vshrq_n_u64(a.v, 32)}; }
inline Words wcount(uint64_t first) { return {vcombine_u64(vcreate_u64(first), vcreate_u64(first + 1))}; }
inline void wuniform(const Words (&w)[4], Vec* out) {
  const auto pairs = [](Words a, Words b) {
    return vreinterpretq_u64_u32(vtrn1q_u32(vreinterpretq_u32_u64(a.v), vreinterpretq_u32_u64(b.v)));
  };
  const uint64x2_t low = pairs(w[0], w[1]), high = pairs(w[2], w[3]);
  out[0] = {vcvtq_f32_u32(vshrq_n_u32(vreinterpretq_u32_u64(vzip1q_u64(low, high)), 8))};
  out[1] = {vcvtq_f32_u32(vshrq_n_u32(vreinterpretq_u32_u64(vzip2q_u64(low, high)), 8))};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
