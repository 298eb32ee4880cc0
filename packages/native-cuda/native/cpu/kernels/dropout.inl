#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// One block of Philox4x32-10 (Salmon et al., SC 2011); see core/ops.hpp for how elements map to blocks.
inline void philox_block(uint32_t out[4], uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c0;
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

inline Status dropout(const DropoutArgs& args, Exec& exec) {
  const float* x = args.x.data;
  float* out = args.out.data;
  const uint32_t k0 = static_cast<uint32_t>(args.seedLow);
  const uint32_t k1 = static_cast<uint32_t>(args.seedHigh);
  const uint32_t o0 = static_cast<uint32_t>(args.offsetLow);
  const uint32_t o1 = static_cast<uint32_t>(args.offsetHigh);
  const double rate = args.rate;
  const float keep = rate < 1.0 ? static_cast<float>(1.0 / (1.0 - rate)) : 0.0f;
  // u = (word >> 8)·2⁻²⁴ is exact in double, so the comparison is the same everywhere.
  for_chunks(exec, args.out.size, [&](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; e += 4) {
      const uint64_t block = static_cast<uint64_t>(e) / 4;
      uint32_t word[4];
      philox_block(word, static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), o0, o1, k0, k1);
      for (int64_t j = 0; j < 4 && e + j < end; j++) {
        const double u = static_cast<double>(word[j] >> 8) * 0x1p-24;
        out[e + j] = u >= rate ? x[e + j] * keep : 0.0f;
      }
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
