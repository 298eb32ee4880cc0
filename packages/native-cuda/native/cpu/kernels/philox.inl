// Philox4x32-10, a counter-based random generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include <stdint.h>

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kPhiloxRounds = 10;
constexpr int kPhiloxChains = kLanes64 > 1 ? 2 : 1;                // of rounds at once: each waits for its products
constexpr int64_t kPhiloxValues = 4 * kLanes64 * kPhiloxChains;  // that philox_uniform() gives
constexpr int kPhiloxVectors = static_cast<int>(kPhiloxValues) / kLanes;

struct Philox {
  Words key[kPhiloxRounds][2], offset[2];
  // Unsigned 32-bit values; the offset is the upper half of the counter.
  Philox(int64_t seed_low, int64_t seed_high, int64_t offset_low, int64_t offset_high)
      : offset{wset(static_cast<uint32_t>(offset_low)), wset(static_cast<uint32_t>(offset_high))} {
    uint32_t k0 = static_cast<uint32_t>(seed_low), k1 = static_cast<uint32_t>(seed_high);
    for (int round = 0; round < kPhiloxRounds; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      key[round][0] = wset(k0), key[round][1] = wset(k1);
    }
  }
};

// The next kPhiloxValues numbers from 4·block on: 0, 1, …, 2²⁴ - 1, each as likely as the others. A block of four 32-bit
// words is a lane of four vectors, in the lower halves; what the upper ones hold is never read.
inline void philox_uniform(uint64_t block, const Philox& k, Vec (&out)[kPhiloxVectors]) {
  const Words m0 = wset(0xD2511F53u), m1 = wset(0xCD9E8D57u);
  Words c[kPhiloxChains][4];
  SONOTEXT_UNROLL(2)
  for (int chain = 0; chain < kPhiloxChains; chain++) {
    const Words counter = wcount(block + static_cast<uint64_t>(chain * kLanes64));
    c[chain][0] = counter, c[chain][1] = wupper(counter), c[chain][2] = k.offset[0], c[chain][3] = k.offset[1];
  }
  SONOTEXT_UNROLL(10)
  for (int round = 0; round < kPhiloxRounds; round++) {
    SONOTEXT_UNROLL(2)
    for (Words(&x)[4] : c) {
      const Words p0 = wmul(x[0], m0), p1 = wmul(x[2], m1);
      x[0] = wxor3(wupper(p1), x[1], k.key[round][0]), x[1] = p1;
      x[2] = wxor3(wupper(p0), x[3], k.key[round][1]), x[3] = p0;
    }
  }
  SONOTEXT_UNROLL(2)
  for (int chain = 0; chain < kPhiloxChains; chain++) wuniform(c[chain], out + chain * 4 * kLanes64 / kLanes);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
