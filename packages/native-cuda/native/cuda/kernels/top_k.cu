// Scores of a panel of items at a time; what beats a query's floor, the worst of its k best so far, is
// appended to its list, and a list that is full is sorted and cut to k again. After the first panels few
// scores do. Where there are few queries, the items are cut into parts with lists of their own, which are
// merged at the end.
#include <math_constants.h>

#include "../entries.hpp"
#include "../product.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kTakers = 512;  // threads of a block that takes keys
constexpr int kTaken = 4;     // keys a thread looks at together
constexpr int kFanIn = 8;     // lists that are merged at once
constexpr i64 kSkinny = 8;    // so few queries are limited by reading the items
constexpr i64 kPart = 1024;   // items of a part, at least, and so many times k
constexpr i64 kPartOfK = 16;
constexpr i64 kPanelBytes = 64 << 20;  // scores at once: most of them stay in the L2 cache
constexpr i64 kQueryBlock = 4096;      // queries at once, at most

// The larger key is the better item: its score, by order, in the upper half, and its index, counted down,
// below. The lowest bit, which orders nothing, tells a NaN from the -inf it ranks with. No item has the key
// 0.
using Key = unsigned long long;

__device__ inline Key key_of(float score, i64 index) {
  const bool number = score == score;
  const unsigned bits = number ? __float_as_uint(score + 0.0f) : 0xff800000u;  // -0 ranks as 0
  const unsigned ordered = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return static_cast<Key>(ordered) << 32 | static_cast<Key>(0x7fffffff - index) << 1 | (number ? 0 : 1);
}
__device__ inline std::int32_t index_of(Key key) {
  return static_cast<std::int32_t>(0x7fffffff - (key >> 1 & 0x7fffffff));
}
__device__ inline float score_of(Key key) {
  const auto ordered = static_cast<unsigned>(key >> 32);
  const unsigned bits = (ordered & 0x80000000u) != 0 ? ordered & 0x7fffffffu : ~ordered;
  return (key & 1) != 0 ? CUDART_NAN_F : __uint_as_float(bits);
}

// One list per query and part.
struct Lists {
  Key* keys;    // [lists × capacity]
  int* counts;  // [lists]
  Key* floors;  // [lists]: what is not above cannot be among the k best
  int k, capacity;
  bool sort_in_shared;  // there is room for a list in shared memory

  __host__ __device__ i64 shared_bytes() const {
    return sort_in_shared ? capacity * static_cast<i64>(sizeof(Key)) : 0;
  }
};

// Sorts `count` keys, a power of two of them, the largest first.
__device__ __forceinline__ void sort_keys(Key* keys, int count) {
  for (int size = 2; size <= count; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      for (int i = static_cast<int>(threadIdx.x); i < count / 2; i += kTakers) {
        const int low = 2 * i - (i & (stride - 1)), high = low + stride;
        const Key a = keys[low], b = keys[high];
        if ((a < b) == ((low & size) == 0)) keys[low] = b, keys[high] = a;
      }
      __syncthreads();
    }
  }
}

// A block at work on one list.
struct Taker {
  const Lists& lists;
  i64 list;
  Key* work;   // shared memory for a list, where there is room for it
  int& count;  // shared
  Key& floor;  // shared

  __device__ Key* keys() const { return lists.keys + list * lists.capacity; }

  __device__ void begin(int first_count, Key first_floor) const {
    if (threadIdx.x == 0) count = first_count, floor = first_floor;
    __syncthreads();
  }

  // The list, best first, and behind the last the key 0. All threads.
  __device__ __forceinline__ const Key* sorted() const {
    Key* const own = keys();
    Key* const to = lists.sort_in_shared ? work : own;
    for (int i = static_cast<int>(threadIdx.x); i < lists.capacity; i += kTakers) {
      to[i] = i < count ? own[i] : 0;
    }
    __syncthreads();
    sort_keys(to, lists.capacity);
    return to;
  }

  // Keeps the k best of a full list.
  __device__ __forceinline__ void cut() const {
    const Key* best = sorted();
    Key* const own = keys();
    for (int i = static_cast<int>(threadIdx.x); lists.sort_in_shared && i < lists.k; i += kTakers)
      own[i] = best[i];
    if (threadIdx.x == 0) count = lists.k, floor = best[lists.k - 1];
    __syncthreads();
  }

  // Every thread brings some keys; 0 is none.
  __device__ __forceinline__ void take(Key (&brought)[kTaken]) const {
    for (;;) {
      bool left = false;
#pragma unroll
      for (int i = 0; i < kTaken; ++i) {
        if (brought[i] <= floor) continue;
        const int slot = atomicAdd(&count, 1);
        if (slot < lists.capacity) {
          keys()[slot] = brought[i];
          brought[i] = 0;
        } else {
          left = true;
        }
      }
      if (!__syncthreads_or(left)) return;
      cut();
    }
  }

  __device__ void end() const {
    if (threadIdx.x == 0) lists.counts[list] = count, lists.floors[list] = floor;
  }
};

// scores: [queries × items], of the items from `first` on, cut into `parts`.
__global__ void __launch_bounds__(kTakers)
    take_scores(Lists lists, const float* scores, i64 first, i64 items, int parts) {
  SONOTEXT_DYNAMIC_SHARED(Key, work);
  __shared__ int count;
  __shared__ Key floor;
  const i64 query = blockIdx.x / parts, part = blockIdx.x % parts;
  const Taker taker{lists, blockIdx.x, work, count, floor};
  taker.begin(lists.counts[blockIdx.x], lists.floors[blockIdx.x]);
  const i64 each = (items + parts * kTaken - 1) / (parts * kTaken) * kTaken;  // whole vectors
  const i64 end = (part + 1) * each < items ? (part + 1) * each : items;
  const float* own = scores + query * items;
  const bool vectors = items % kTaken == 0;
  for (i64 from = part * each; from < end; from += kTakers * kTaken) {
    const i64 i = from + static_cast<i64>(threadIdx.x) * kTaken;
    Key brought[kTaken] = {};
    if (vectors && i + kTaken <= end) {
      const float4 four = *reinterpret_cast<const float4*>(own + i);
      brought[0] = key_of(four.x, first + i), brought[1] = key_of(four.y, first + i + 1);
      brought[2] = key_of(four.z, first + i + 2), brought[3] = key_of(four.w, first + i + 3);
    } else {
#pragma unroll
      for (int j = 0; j < kTaken; ++j) {
        if (i + j < end) brought[j] = key_of(own[i + j], first + i + j);
      }
    }
    taker.take(brought);
  }
  taker.end();
}

// List `blockIdx.x` of `to` from up to kFanIn lists of `from`; a query has `parts` lists there.
__global__ void __launch_bounds__(kTakers) merge_lists(Lists from, int parts, Lists to, int to_parts) {
  SONOTEXT_DYNAMIC_SHARED(Key, work);
  __shared__ int count;
  __shared__ Key floor;
  const int first = static_cast<int>(blockIdx.x % to_parts) * kFanIn;
  const int last = first + kFanIn < parts ? first + kFanIn : parts;
  const i64 base = static_cast<i64>(blockIdx.x / to_parts) * parts;
  // A list's floor is itself among its k best.
  Key known = 0;
  for (int p = first; p < last; ++p) {
    const Key below = from.floors[base + p];
    if (below > 0 && below - 1 > known) known = below - 1;
  }
  const Taker taker{to, blockIdx.x, work, count, floor};
  taker.begin(0, known);
  for (int p = first; p < last; ++p) {
    const Key* keys = from.keys + (base + p) * from.capacity;
    const int end = from.counts[base + p];
    for (int i = 0; i < end; i += kTakers * kTaken) {
      Key brought[kTaken];
#pragma unroll
      for (int j = 0; j < kTaken; ++j) {
        const int at = i + j * kTakers + static_cast<int>(threadIdx.x);
        brought[j] = at < end ? keys[at] : 0;
      }
      taker.take(brought);
    }
  }
  taker.end();
}

__global__ void __launch_bounds__(kTakers)
    write_best(Lists lists, i64 k, std::int32_t* indices, float* scores) {
  SONOTEXT_DYNAMIC_SHARED(Key, work);
  __shared__ int count;
  __shared__ Key floor;
  const Taker taker{lists, blockIdx.x, work, count, floor};
  taker.begin(lists.counts[blockIdx.x], 0);
  const Key* best = taker.sorted();
  const i64 row = blockIdx.x * k;
  for (i64 i = threadIdx.x; i < k; i += kTakers) {
    const Key key = i < lists.capacity ? best[i] : 0;
    indices[row + i] = key != 0 ? index_of(key) : -1;
    scores[row + i] = key != 0 ? score_of(key) : -CUDART_INF_F;
  }
}

// Of a warp: more queries leave fewer registers for them.
__host__ __device__ constexpr int items_at_once(int queries) { return queries > 2 ? 2 : 4; }

// Scores of few queries: a warp reads some items at a time, and each of them once.
template <int kQueries>
__global__ void __launch_bounds__(256) score_few(const float* queries, int count, const float* items, i64 n,
                                                 i64 d, bool vectors, float* scores) {
  constexpr int kItems = items_at_once(kQueries);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const i64 warp = (static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp;
  const i64 first = warp * kItems;
  if (first >= n) return;
  float sums[kItems][kQueries] = {};
  const float* rows[kItems];
#pragma unroll
  for (int i = 0; i < kItems; ++i) rows[i] = items + (first + i < n ? first + i : n - 1) * d;
  if (vectors) {
#pragma unroll 2
    for (i64 c = lane * 4; c < d; c += 4 * kWarp) {
      float4 x[kItems];
#pragma unroll
      for (int i = 0; i < kItems; ++i) x[i] = *reinterpret_cast<const float4*>(rows[i] + c);
#pragma unroll
      for (int q = 0; q < kQueries; ++q) {
        const float4 y = *reinterpret_cast<const float4*>(queries + (q < count ? q : 0) * d + c);
#pragma unroll
        for (int i = 0; i < kItems; ++i) {
          sums[i][q] = fmaf(x[i].x, y.x, fmaf(x[i].y, y.y, fmaf(x[i].z, y.z, fmaf(x[i].w, y.w, sums[i][q]))));
        }
      }
    }
  } else {
    for (i64 c = lane; c < d; c += kWarp) {
#pragma unroll
      for (int q = 0; q < kQueries; ++q) {
        const float y = queries[(q < count ? q : 0) * d + c];
#pragma unroll
        for (int i = 0; i < kItems; ++i) sums[i][q] = fmaf(rows[i][c], y, sums[i][q]);
      }
    }
  }
  // Over the lanes, half of the sums at a time: a lane ends with one of them.
  constexpr int kSums = kItems * kQueries;
  float* const all = &sums[0][0];
  int own = 0, rest = kWarp - 1;
#pragma unroll
  for (int half = kWarp / 2, have = kSums / 2; half > 0; half /= 2, have /= 2) {
    const bool upper = (lane & half) != 0;
    if (have == 0) all[0] += __shfl_xor_sync(0xffffffffu, all[0], half);
#pragma unroll
    for (int i = 0; i < have; ++i) {
      const float kept = upper ? all[i + have] : all[i], sent = upper ? all[i] : all[i + have];
      all[i] = kept + __shfl_xor_sync(0xffffffffu, sent, half);
    }
    if (have > 0) own += upper ? have : 0, rest -= half;
  }
  const int item = own / kQueries, query = own % kQueries;
  if ((lane & rest) == 0 && query < count && first + item < n) scores[query * n + first + item] = all[0];
}

struct Search {
  const TopKArgs& args;
  CudaExec& exec;

  i64 panel(i64 queries) const {  // items at once
    const i64 bytes = kPanelBytes < exec.workspace ? kPanelBytes : exec.workspace;
    const i64 fits = bytes / (queries * static_cast<i64>(sizeof(float))) / 128 * 128;
    const i64 most = (args.n + 3) / 4 * 4;
    return fits < 1024 ? (most < 1024 ? most : 1024) : fits < most ? fits : most;
  }

  Status scores(i64 first_query, i64 queries, i64 first, i64 items, float* plane) const {
    const float* own = args.queries.data + first_query * args.d;
    const float* from = args.items.data + first * args.d;
    if (queries > kSkinny) {
      const Operand<true> a{own, queries, args.d, 0}, b{from, items, args.d, 0};
      return product(exec, a, b, Result{plane, queries, items}, args.d, 1, true);
    }
    const bool vectors = takes_vectors(own, args.d, 0) && takes_vectors(from, args.d, 0);
    const auto run = [&](auto kernel, int most) {
      const i64 each = 256 / kWarp * items_at_once(most);  // of a block
      return launch(exec, kernel, (items + each - 1) / each, 256, own, static_cast<int>(queries), from, items,
                    args.d, vectors, plane);
    };
    if (queries == 1) return run(score_few<1>, 1);
    if (queries == 2) return run(score_few<2>, 2);
    return queries <= 4 ? run(score_few<4>, 4) : run(score_few<8>, 8);
  }

  bool make(Lists& lists, i64 count) const {
    lists.keys = exec.array<Key>(count * lists.capacity);
    lists.counts = exec.array<int>(count);
    lists.floors = exec.array<Key>(count);
    return lists.keys && lists.counts && lists.floors;
  }

  // The best of a block of queries into device arrays.
  Status best(i64 first_query, i64 queries, Lists shape, std::int32_t* indices, float* scores_out) const {
    const i64 width = panel(queries);
    i64 parts = 2 * exec.multiprocessors / queries;
    const i64 least = kPartOfK * shape.k > kPart ? kPartOfK * shape.k : kPart;
    if (parts > width / least) parts = width / least;
    if (parts < 1) parts = 1;
    Lists lists = shape;
    float* plane = exec.array<float>(queries * width);
    if (plane == nullptr || !make(lists, queries * parts)) return out_of_device_memory();
    Status status = status_of(cudaMemsetAsync(
        lists.counts, 0, static_cast<std::size_t>(queries * parts) * sizeof(int), exec.stream));
    if (status.ok()) {
      status = status_of(cudaMemsetAsync(
          lists.floors, 0, static_cast<std::size_t>(queries * parts) * sizeof(Key), exec.stream));
    }
    for (i64 first = 0; status.ok() && first < args.n; first += width) {
      if (exec.cancelled()) return {};
      const i64 items = args.n - first < width ? args.n - first : width;
      status = scores(first_query, queries, first, items, plane);
      if (status.ok()) {
        status = launch_with_shared(exec, take_scores, queries * parts, kTakers, lists.shared_bytes(), lists,
                                    plane, first, items, parts);
      }
    }
    while (status.ok() && parts > 1) {
      const i64 fewer = (parts + kFanIn - 1) / kFanIn;
      Lists merged = shape;
      if (!make(merged, queries * fewer)) return out_of_device_memory();
      status = launch_with_shared(exec, merge_lists, queries * fewer, kTakers, lists.shared_bytes(), lists,
                                  parts, merged, fewer);
      lists = merged, parts = fewer;
    }
    if (!status.ok()) return status;
    return launch_with_shared(exec, write_best, queries, kTakers, lists.shared_bytes(), lists, args.k,
                              indices, scores_out);
  }
};

}  // namespace

Status top_k(const TopKArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.q == 0 || args.k == 0) return {};
  Lists lists = {};
  lists.k = static_cast<int>(args.k < args.n ? args.k : args.n);
  if (lists.k > 1 << 29) return Status::unsupported("more than 2²⁹ items of a query");
  lists.capacity = 512;
  while (lists.capacity < 2 * lists.k) lists.capacity *= 2;
  lists.sort_in_shared = lists.capacity * static_cast<i64>(sizeof(Key)) + 1024 <= exec.shared_memory;
  i64 block = exec.workspace / (lists.capacity * static_cast<i64>(sizeof(Key)));
  block = block < 1 ? 1 : block > kQueryBlock ? kQueryBlock : block;
  std::int32_t* indices = exec.array<std::int32_t>(args.q * args.k);
  if (indices == nullptr) return out_of_device_memory();
  const Search search{args, exec};
  for (i64 first = 0; first < args.q; first += block) {
    const i64 queries = args.q - first < block ? args.q - first : block;
    const Status status =
        search.best(first, queries, lists, indices + first * args.k, args.outScores.data + first * args.k);
    if (!status.ok()) return status;
    if (exec.cancelled()) return {};
  }
  return exec.download(indices, args.outIndices.data, args.q * args.k);
}

}  // namespace sonotext::cuda
