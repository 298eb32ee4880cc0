// Philox4x32-10, a counter-based random generator (Salmon et al., "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011).
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace sonotext::cuda {

struct PhiloxKey {
  std::uint32_t key[2], offset[2];  // the offset is the upper half of the counter
};

inline PhiloxKey make_key(std::int64_t seed_low, std::int64_t seed_high, std::int64_t offset_low,
                          std::int64_t offset_high) {
  return {{static_cast<std::uint32_t>(seed_low), static_cast<std::uint32_t>(seed_high)},
          {static_cast<std::uint32_t>(offset_low), static_cast<std::uint32_t>(offset_high)}};
}

// The four words of one block.
__device__ inline void philox_block(std::uint32_t (&out)[4], std::uint64_t block, const PhiloxKey& k) {
  std::uint32_t c0 = static_cast<std::uint32_t>(block), c1 = static_cast<std::uint32_t>(block >> 32);
  std::uint32_t c2 = k.offset[0], c3 = k.offset[1], k0 = k.key[0], k1 = k.key[1];
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

}  // namespace sonotext::cuda
