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

// Row r of the sums is that of rows order[begin[r]] ... order[begin[r + 1] - 1] of `from`, in this order.
struct RowSums {
  const float* from;
  const std::int32_t* order;  // null: the rows as they are
  const std::int32_t* begin;
  const std::int32_t* target;  // where a sum goes: a row of the table, or row -1 - target of the parts
  float* table;
  float* parts;
  i64 d;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    constexpr int kAhead = 8;  // loads in flight: one after the other would wait for memory each time
    const int end = begin[row + 1];
    Lanes<kWidth> sum = zeros<kWidth>();
    for (int first = begin[row]; first < end; first += kAhead) {
      Lanes<kWidth> next[kAhead];
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        if (first + i < end) next[i] = load<kWidth>(from + (order ? order[first + i] : first + i) * d + col);
      }
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        if (first + i >= end) break;
        for (int k = 0; k < kWidth; ++k) sum.v[k] += next[i].v[k];
      }
    }
    const i64 to = target[row];
    store((to < 0 ? parts + (-1 - to) * d : table + to * d) + col, sum);
  }
};

using Ints = std::vector<std::int32_t>;

// Sums to make, as RowSums takes them.
struct Sums {
  Ints begin{0}, target;
  void add(std::int32_t count, i64 to) {
    begin.push_back(begin.back() + count);
    target.push_back(static_cast<std::int32_t>(to));
  }
  i64 rows() const { return static_cast<i64>(target.size()); }
};

// The occurrences of each token, in runs that have a sum of their own: a frequent word would take one thread
// long.
struct Occurrences {
  Ints order;  // of tokens sorted by counting, so that equal ones keep their order
  Sums runs;
  Sums tokens;  // of the parts, those tokens that have more than one run

  Occurrences(const I32In& token, i64 vocabulary) : order(static_cast<std::size_t>(token.size)) {
    constexpr std::int32_t kRun = 64;
    Ints place(static_cast<std::size_t>(vocabulary));
    for (i64 i = 0; i < token.size; ++i) ++place[static_cast<std::size_t>(token[i])];
    std::int32_t seen = 0;
    for (std::size_t v = 0; v < place.size(); ++v) {
      const std::int32_t count = place[v];
      place[v] = seen;
      seen += count;
      if (count == 0) continue;
      if (count <= kRun) {
        runs.add(count, static_cast<i64>(v));
        continue;
      }
      const std::int32_t parts = (count + kRun - 1) / kRun, before = tokens.begin.back();
      for (std::int32_t r = 0; r < parts; ++r)
        runs.add(r + 1 < parts ? kRun : count - r * kRun, -1 - (before + r));
      tokens.add(parts, static_cast<i64>(v));
    }
    for (i64 i = 0; i < token.size; ++i) {
      order[static_cast<std::size_t>(place[static_cast<std::size_t>(token[i])]++)] =
          static_cast<std::int32_t>(i);
    }
  }
};

const std::int32_t* constant(CudaExec& exec, const Ints& values) {
  return exec.constant(values.data(), static_cast<i64>(values.size()));
}

}  // namespace

Status embedding(const EmbeddingArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.out.size == 0) return {};
  const std::int32_t* tokens = exec.constant(args.tokens);
  if (tokens == nullptr) return out_of_device_memory();
  return map_rows(exec, args.count, args.d, in_fours(args.d, args.table.data, args.out.data),
                  Rows{args.table.data, tokens, args.out.data, args.d});
}

Status embedding_backward(const EmbeddingBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.gradTable.size == 0) return {};
  const std::size_t bytes = static_cast<std::size_t>(args.gradTable.size) * sizeof(float);
  Status status = status_of(cudaMemsetAsync(args.gradTable.data, 0, bytes, exec.stream));
  if (!status.ok() || args.count == 0) return status;
  const Occurrences all(args.tokens, args.vocabulary);
  float* parts = exec.array<float>(all.tokens.begin.back() * args.d);
  const auto add_up = [&](const Sums& sums, const float* from, const std::int32_t* order) {
    const RowSums f{
        from,  order, constant(exec, sums.begin), constant(exec, sums.target), args.gradTable.data,
        parts, args.d};
    if (f.begin == nullptr || f.target == nullptr) return out_of_device_memory();
    return map_rows(exec, sums.rows(), args.d, in_fours(args.d, from, parts, args.gradTable.data), f);
  };
  const std::int32_t* order = constant(exec, all.order);
  if (parts == nullptr || order == nullptr) return out_of_device_memory();
  status = add_up(all.runs, args.gradOut.data, order);
  return status.ok() && all.tokens.rows() > 0 ? add_up(all.tokens, parts, nullptr) : status;
}

}  // namespace sonotext::cuda
