#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status transpose(const TransposeArgs& args, Exec& exec) {
  constexpr int64_t kBlock = 32;  // of both axes: what is read and written of them fits the first-level cache
  const int64_t m = args.m, n = args.n, between = args.between, inner = args.inner, blocks = (n + kBlock - 1) / kBlock;
  const auto end = [](int64_t first, int64_t extent) { return first + kBlock < extent ? first + kBlock : extent; };
  parallel_for(exec, args.outer * blocks, [&](int64_t chunk, int) {
    const int64_t outer = chunk / blocks, j0 = chunk % blocks * kBlock;
    const float* x = args.x.data + outer * m * between * n * inner;
    float* out = args.out.data + outer * m * between * n * inner;
    for (int64_t b = 0; b < between; b++) {
      for (int64_t i0 = 0; i0 < m; i0 += kBlock) {
        for (int64_t j = j0; j < end(j0, n); j++) {
          for (int64_t i = i0; i < end(i0, m); i++) {
            const float* from = x + ((i * between + b) * n + j) * inner;
            float* to = out + ((j * between + b) * m + i) * inner;
            if (inner == 1) {
              *to = *from;
            } else {
              memcpy(to, from, static_cast<size_t>(inner) * sizeof(float));
            }
          }
        }
      }
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
