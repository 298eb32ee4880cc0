// The floating-point environment that ops compute in: round to nearest, denormals kept, nothing trapped.
// Whatever else is loaded into the process may have changed that of its threads (code linked with -ffast-math
// turns denormals off for the thread that loads it), and results must not depend on which thread ran a chunk.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace sonotext {

// The calling thread computes in it while this object lives, and as before afterwards.
class FloatEnvironment {
 public:
  FloatEnvironment() : before_(read()) {
    if ((before_ & ~kStatus) != kPlain) write(kPlain);
  }
  ~FloatEnvironment() {
    if ((before_ & ~kStatus) != kPlain) write(before_);
  }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
  using Word = std::uint64_t;

#if defined(__x86_64__) || defined(_M_X64)
  static constexpr Word kPlain = 0x1f80;  // MXCSR: every exception masked
  static constexpr Word kStatus = 0x3f;   // exceptions seen so far
  static Word read() { return _mm_getcsr(); }
  static void write(Word word) { _mm_setcsr(static_cast<unsigned>(word)); }
#elif defined(__aarch64__)
  static constexpr Word kPlain = 0;   // FPCR
  static constexpr Word kStatus = 0;  // they stand in another register
  static Word read() {
    Word word;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
  static constexpr Word kPlain = 0;
  static constexpr Word kStatus = 0;
  static Word read() { return kPlain; }
  static void write(Word) {}
#endif

  const Word before_;
};

}  // namespace sonotext
