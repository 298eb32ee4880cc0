#include "aligned.hpp"

#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace sonotext {
namespace {

constexpr std::int64_t kHugePage = 2 << 20;

}  // namespace

void* aligned_allocate(std::int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX - kHugePage) return nullptr;
  const bool huge = bytes >= 2 * kHugePage;
  const std::int64_t unit = huge ? kHugePage : kAlignment;
  const std::int64_t size = bytes == 0 ? unit : (bytes + unit - 1) / unit * unit;
  void* data = std::aligned_alloc(static_cast<std::size_t>(unit), static_cast<std::size_t>(size));
  if (data == nullptr) return nullptr;
#if defined(__linux__)
  if (huge) madvise(data, static_cast<std::size_t>(size), MADV_HUGEPAGE);
#endif
  std::memset(data, 0, static_cast<std::size_t>(size));
  return data;
}

void aligned_release(void* data) { std::free(data); }

}  // namespace sonotext
