// SONOTEXT_UNROLL(n) before a loop: all of its up to n turns, so that arrays indexed by it live in registers. One spelling
// for GCC, Clang and clang-cl.
#pragma once

#define SONOTEXT_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define SONOTEXT_UNROLL(n) SONOTEXT_PRAGMA(unroll n)
#else
#define SONOTEXT_UNROLL(n) SONOTEXT_PRAGMA(GCC unroll n)
#endif

// Into its caller whatever its size, for the same reason.
#define SONOTEXT_INLINE inline __attribute__((always_inline))
