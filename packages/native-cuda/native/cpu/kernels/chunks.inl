// Elementwise work in chunks of a fixed size, so that the cut does not depend on the number of threads.
#pragma once

#include "../../core/exec.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int64_t kElementChunk = 1 << 15;  // 128 KiB of floats: a few of them fit the second-level cache

// f(begin, end) over [0, n).
template <class F>
inline void for_chunks(Exec& exec, int64_t n, F&& f) {
  const int64_t count = (n + kElementChunk - 1) / kElementChunk;
  parallel_for(exec, count, [&](int64_t index, int) {
    const int64_t begin = index * kElementChunk;
    const int64_t rest = n - begin;
    f(begin, begin + (rest < kElementChunk ? rest : kElementChunk));
  });
}

// How far ahead lines of results are fetched, floats: left to itself, the processor begins with them when it stores, and waits.
constexpr int64_t kFetchAhead = 128;

// out[i] = op(i-th vector of loads) for i in [begin, end): `op(i, lanes)` gives the vector to store.
template <class F>
inline void map_lanes(float* out, int64_t begin, int64_t end, F&& op) {
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) {
    vprefetch(out + i + kFetchAhead);
    vstore(out + i, op(i, int64_t{kLanes}));
  }
  if (i < end) vstore_n(out + i, op(i, end - i), end - i);
}

// f(i, lanes) for every vector of [begin, end): the same where an element gives several results.
template <class F>
inline void for_vectors(int64_t begin, int64_t end, F&& f) {
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) f(i, int64_t{kLanes});
  if (i < end) f(i, end - i);
}

// Where results go. Large ones are gone from the caches before anyone reads them: they are stored past them, which spares
// fetching every line before it is overwritten. Call end() after the last put() of a piece of parallel work.
struct Sink {
  static constexpr int64_t kLarge = 1 << 23;  // floats: 32 MB
  bool stream;

  // `size` floats at out, written as whole vectors from multiples of `row` on.
  Sink(const float* out, int64_t size, int64_t row)
      : stream(kLanes > 1 && size >= kLarge && row % kLanes == 0 && reinterpret_cast<uintptr_t>(out) % 64 == 0) {}

  void put(float* p, Vec a, int64_t n) const {
    if (stream) {
      vstream(p, a);
    } else {
      vprefetch(p + kFetchAhead);
      vstore_n(p, a, n);
    }
  }
  void end() const {
    if (stream) vstream_end();
  }
};

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
