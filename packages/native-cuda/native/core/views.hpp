// Non-owning views that cross the op table. Float data lives where the table's device lives; integers
// describe the batch (lengths, tokens, picked indices) and always live on the host, as bytes do.
#pragma once

#include <cstdint>

namespace sonotext {

template <class T>
struct View {
  T* data = nullptr;
  std::int64_t size = 0;

  explicit operator bool() const { return data != nullptr; }
  T& operator[](std::int64_t i) const { return data[i]; }
};

using F32In = View<const float>;
using F32Out = View<float>;
using I32In = View<const std::int32_t>;
using I32Out = View<std::int32_t>;
using U32In = View<const std::uint32_t>;  // what is packed into words of 32 bits: data, never an index
using U32Out = View<std::uint32_t>;
using U8In = View<const unsigned char>;  // bytes of a file: data too
using i64 = std::int64_t;

}  // namespace sonotext
