// Matrix products of a warp, which every GPU from sm_80 on has: fragments of operands are read from shared
// memory into the lanes' registers and multiplied there. Beside each instruction stands its twin for the
// emulation, which does with the registers of 32 lanes what the PTX manual says of them.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "async_copy.cuh"

namespace sonotext::cuda {

// Four matrices of 8 rows of 16 bytes. Lane l says where row l % 8 of matrix l / 8 stands, and gets of each
// matrix the word l % 4 of row l / 4.
__device__ inline void read_matrices(const void* row, std::uint32_t (&words)[4]) {
#ifdef __CUDACC__
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(shared_address(row))
               : "memory");
#else
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const auto rows = emulation::shown(row);
  for (int m = 0; m < 4; ++m)
    memcpy(words + m, static_cast<const unsigned char*>(rows(m * 8 + lane / 4)) + lane % 4 * 4, 4);
#endif
}

// The same of matrices of 8×8 16-bit numbers, transposed: a lane gets numbers l / 4 of the rows 2·(l % 4) and
// 2·(l % 4) + 1, the first in the lower half.
__device__ inline void read_matrices_transposed(const void* row, std::uint32_t (&words)[4]) {
#ifdef __CUDACC__
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(shared_address(row))
               : "memory");
#else
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const auto rows = emulation::shown(row);
  for (int m = 0; m < 4; ++m) {
    std::uint16_t halves[2];
    for (int r = 0; r < 2; ++r)
      memcpy(halves + r, static_cast<const unsigned char*>(rows(m * 8 + lane % 4 * 2 + r)) + lane / 4 * 2, 2);
    words[m] = halves[0] | static_cast<std::uint32_t>(halves[1]) << 16;
  }
#endif
}

// What a lane has of 16·kDown rows of a and 8·kAcross rows of b, over 32 bytes of their depth.
template <int kDown, int kAcross>
struct Fragments {
  std::uint32_t a[kDown][4], b[kAcross][2];
};

// sums += a·bᵀ, four sums of a lane for each of the 16×8 blocks [kDown × kAcross].
template <class Number, int kDown, int kAcross>
__device__ void multiply_fragments(float (&sums)[kDown * kAcross * 4], const Fragments<kDown, kAcross>& own) {
#ifdef __CUDACC__
#pragma unroll
  for (int m = 0; m < kDown; ++m) {
#pragma unroll
    for (int n = 0; n < kAcross; ++n) {
      float* const d = sums + (m * kAcross + n) * 4;
      const std::uint32_t *const a = own.a[m], *const b = own.b[n];
#define SONOTEXT_MULTIPLY(kinds)                                                                             \
  asm volatile("mma.sync.aligned." kinds                                                                     \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                            \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                              \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
      if constexpr (Number::kBytes == 2) {
        SONOTEXT_MULTIPLY("m16n8k16.row.col.f32.bf16.bf16.f32");
      } else {
        SONOTEXT_MULTIPLY("m16n8k8.row.col.f32.tf32.tf32.f32");
      }
#undef SONOTEXT_MULTIPLY
    }
  }
#else
  // A word holds one number or two, of depths that follow each other. Lane l has words l % 4 and, in the
  // later registers, l % 4 + 4 of the depth, of rows l / 4 and l / 4 + 8 of a and of row l / 4 of b. Its sums
  // are of rows l / 4 and l / 4 + 8 and of columns 2·(l % 4) and the next. Depth by depth: the manual leaves
  // the order within a product open.
  constexpr int kOfWord = 4 / Number::kBytes, kDepths = 8 * kOfWord;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const auto of = emulation::shown(own);
  const auto number = [](std::uint32_t word, int k) { return Number::value(word >> (k % kOfWord * 16)); };
  float b[kDepths][kAcross][2];
  for (int k = 0; k < kDepths; ++k) {
    const int word = k / kOfWord;
    for (int n = 0; n < kAcross; ++n) {
      for (int col = 0; col < 2; ++col)
        b[k][n][col] = number(of((lane % 4 * 2 + col) * 4 + word % 4).b[n][word / 4], k);
    }
  }
  for (int m = 0; m < kDown; ++m) {
    for (int below = 0; below < 2; ++below) {
      for (int k = 0; k < kDepths; ++k) {
        const int word = k / kOfWord;
        const float a = number(of(lane / 4 * 4 + word % 4).a[m][word / 4 * 2 + below], k);
        for (int n = 0; n < kAcross; ++n) {
          for (int col = 0; col < 2; ++col)  // what two numbers make is exact
            sums[(m * kAcross + n) * 4 + below * 2 + col] += a * b[k][n][col];
        }
      }
    }
  }
#endif
}

}  // namespace sonotext::cuda
