// Philox4x32-10, a counter-based random generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include <stdint.h>

namespace sonotext::SONOTEXT_ISA {
namespace {

struct PhiloxKey {
  uint32_t key[2], offset[2];
  // Unsigned 32-bit values; the offset is the upper half of the counter.
  PhiloxKey(int64_t seed_low, int64_t seed_high, int64_t offset_low, int64_t offset_high)
      : key{static_cast<uint32_t>(seed_low), static_cast<uint32_t>(seed_high)},
        offset{static_cast<uint32_t>(offset_low), static_cast<uint32_t>(offset_high)} {}
};

// The four words of one block.
inline void philox_block(uint32_t out[4], uint64_t block, const PhiloxKey& k) {
  uint32_t c0 = static_cast<uint32_t>(block), c1 = static_cast<uint32_t>(block >> 32);
  uint32_t c2 = k.offset[0], c3 = k.offset[1], k0 = k.key[0], k1 = k.key[1];
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

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
