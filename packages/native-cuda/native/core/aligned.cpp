#include "aligned.hpp"

#include <cstdlib>
#include <cstring>

#if defined(_WIN32)
#include <malloc.h>
#elif defined(__linux__)
#include <sys/mman.h>
#endif

namespace sonotext {
namespace {

constexpr std::int64_t kHugePage = 2 << 20;

}  // namespace

void* aligned_allocate(std::int64_t bytes, Contents contents) {
  if (bytes < 0 || bytes > INT64_MAX - kHugePage) return nullptr;
  const bool huge = bytes >= 2 * kHugePage;
  const std::int64_t unit = huge ? kHugePage : kAlignment;
  const auto size = static_cast<std::size_t>(bytes == 0 ? unit : (bytes + unit - 1) / unit * unit);
#if defined(_WIN32)
  void* data = _aligned_malloc(size, static_cast<std::size_t>(unit));
#else
  void* data = std::aligned_alloc(static_cast<std::size_t>(unit), size);
#endif
  if (data == nullptr) return nullptr;
#if defined(__linux__)
  if (huge) madvise(data, size, MADV_HUGEPAGE);
#endif
  if (contents == Contents::zeroed) std::memset(data, 0, size);
  return data;
}

void aligned_release(void* data) {
#if defined(_WIN32)
  _aligned_free(data);
#else
  std::free(data);
#endif
}

}  // namespace sonotext
