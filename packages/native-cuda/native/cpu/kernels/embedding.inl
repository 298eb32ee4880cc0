#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status embedding(const EmbeddingArgs& args, Exec& exec) {
  const int64_t d = args.d;
  const float* table = args.table.data;
  const int32_t* tokens = args.tokens.data;
  float* out = args.out.data;
  constexpr int64_t kRows = 64;
  parallel_for(exec, (args.count + kRows - 1) / kRows, [&](int64_t chunk, int) {
    const int64_t end = (chunk + 1) * kRows < args.count ? (chunk + 1) * kRows : args.count;
    for (int64_t i = chunk * kRows; i < end; i++) {
      memcpy(out + i * d, table + tokens[i] * d, static_cast<size_t>(d) * sizeof(float));
    }
  });
  return {};
}

// Chunks of columns: every chunk walks all tokens in order, so the sums do not depend on the number of threads.
inline Status embedding_backward(const EmbeddingBackwardArgs& args, Exec& exec) {
  const int64_t d = args.d;
  const int32_t* tokens = args.tokens.data;
  const float* grad_out = args.gradOut.data;
  float* grad_table = args.gradTable.data;
  constexpr int64_t kColumns = 64, kAsk = 4096;
  parallel_for(exec, (d + kColumns - 1) / kColumns, [&](int64_t chunk, int) {
    const int64_t from = chunk * kColumns;
    const int64_t width = from + kColumns < d ? kColumns : d - from;
    for (int64_t v = 0; v < args.vocabulary; v++) {
      memset(grad_table + v * d + from, 0, static_cast<size_t>(width) * sizeof(float));
    }
    for (int64_t i = 0; i < args.count; i++) {
      if (i % kAsk == kAsk - 1 && exec.cancelled()) return;
      float* row = grad_table + tokens[i] * d;
      const float* g = grad_out + i * d;
      map_lanes(row, from, from + width, [&](int64_t c, int64_t n) { return vload_n(row + c, n) + vload_n(g + c, n); });
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
