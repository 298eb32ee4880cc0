#include <vector>

#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

struct Rows {
  const float* table;
  const std::int32_t* tokens;
  float* out;
  i64 d;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    store(out + row * d + col, load<kWidth>(table + tokens[row] * d + col));
  }
};

// Rows of the gradient that have occurrences: each the sum of its own, in token order.
struct RowSums {
  const float* grad_out;
  const std::int32_t* distinct;  // the token of each row of the sum
  const std::int32_t* begin;     // its occurrences are order[begin[row]] ... order[begin[row + 1] - 1]
  const std::int32_t* order;
  float* grad_table;
  i64 d;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    constexpr int kAhead = 8;  // loads in flight: one after the other would wait for memory each time
    Lanes<kWidth> sum = zeros<kWidth>();
    for (int from = begin[row]; from < begin[row + 1]; from += kAhead) {
      const int count = begin[row + 1] - from;
      Lanes<kWidth> next[kAhead];
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        if (i < count) next[i] = load<kWidth>(grad_out + order[from + i] * d + col);
      }
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        if (i >= count) break;
        for (int k = 0; k < kWidth; ++k) sum.v[k] += next[i].v[k];
      }
    }
    store(grad_table + distinct[row] * d + col, sum);
  }
};

}  // namespace

Status embedding(const EmbeddingArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.out.size == 0) return {};
  const std::int32_t* tokens = exec.constant(args.tokens);
  if (tokens == nullptr) return out_of_device_memory();
  return map_rows(exec, args.count, args.d, in_fours(args.d, args.table.data, args.out.data),
                  Rows{args.table.data, tokens, args.out.data, args.d});
}

// The tokens are sorted on the host, by counting, so that equal ones keep their order.
Status embedding_backward(const EmbeddingBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.gradTable.size == 0) return {};
  const cudaError_t zeroed = cudaMemsetAsync(
      args.gradTable.data, 0, static_cast<std::size_t>(args.gradTable.size) * sizeof(float), exec.stream);
  if (zeroed != cudaSuccess) return status_of(zeroed);
  std::vector<std::int32_t> place(static_cast<std::size_t>(args.vocabulary)), distinct, begin,
      order(static_cast<std::size_t>(args.count));
  for (i64 i = 0; i < args.count; ++i) ++place[static_cast<std::size_t>(args.tokens[i])];
  std::int32_t seen = 0;
  for (std::size_t token = 0; token < place.size(); ++token) {
    const std::int32_t count = place[token];
    place[token] = seen;
    if (count == 0) continue;
    distinct.push_back(static_cast<std::int32_t>(token));
    begin.push_back(seen);
    seen += count;
  }
  begin.push_back(seen);
  for (i64 i = 0; i < args.count; ++i) {
    order[static_cast<std::size_t>(place[static_cast<std::size_t>(args.tokens[i])]++)] =
        static_cast<std::int32_t>(i);
  }
  const auto rows = static_cast<i64>(distinct.size());
  const RowSums sums{args.gradOut.data,
                     exec.constant(distinct.data(), rows),
                     exec.constant(begin.data(), rows + 1),
                     exec.constant(order.data(), args.count),
                     args.gradTable.data,
                     args.d};
  if (sums.distinct == nullptr || sums.begin == nullptr || sums.order == nullptr)
    return out_of_device_memory();
  return map_rows(exec, rows, args.d, in_fours(args.d, args.gradOut.data, args.gradTable.data), sums);
}

}  // namespace sonotext::cuda
