// Host memory for bulk data: 64-byte aligned, and in huge pages where that pays and the system offers them.
#pragma once

#include <cstdint>

namespace sonotext {

constexpr std::int64_t kAlignment = 64;  // a cache line, and the widest vector

enum class Contents { zeroed, unspecified };

// Null when there is no memory or `bytes` is negative. Zero bytes give a valid pointer.
void* aligned_allocate(std::int64_t bytes, Contents contents = Contents::zeroed);
void aligned_release(void* data);

}  // namespace sonotext
