// The best items of each query: scores of a block of queries and a slab of items are computed in cache, and what beats a
// query's worst kept item goes to its heap. Items are cut into parts so that few queries keep all threads busy; the parts'
// lists are merged at the end.
#include "../../core/ops.hpp"
#include "gemm_core.inl"
#include "gemm_skinny.inl"
#include "top_k_narrow.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kQueryBlock = 16 * kMr;  // at most
constexpr i64 kItemSlab = 256;
constexpr i64 kPartItems = 4096;  // about, per part, at least
constexpr i64 kMostParts = 16;

struct Kept {
  float score;
  std::int32_t index;

  // A score that is not a number ranks with -inf, equal scores by index.
  float key() const { return score == score ? score : -__builtin_inff(); }
  bool before(const Kept& other) const {
    return key() > other.key() || (key() == other.key() && index < other.index);
  }
};

// The k best so far; the worst of them on top.
struct KeptHeap {
  Kept* at;
  i64 size, k;

  void sift(i64 i) {
    const Kept moved = at[i];
    for (i64 child; (child = 2 * i + 1) < size; i = child) {
      if (child + 1 < size && at[child].before(at[child + 1])) ++child;
      if (!moved.before(at[child])) break;
      at[i] = at[child];
    }
    at[i] = moved;
  }
  // While there is room.
  void offer(Kept item) {
    i64 i = size++;
    for (; i > 0 && at[(i - 1) / 2].before(item); i = (i - 1) / 2) at[i] = at[(i - 1) / 2];
    at[i] = item;
  }
  // Best first.
  void sort() {
    const i64 all = size;
    while (size > 1) {
      const Kept worst = at[0];
      at[0] = at[--size];
      sift(0);
      at[size] = worst;
    }
    size = all;
  }
};

// Offers `count` items from `first` on of which bounds[j] says that the score is not above, score(j) what it is. Ascending
// indices: an equal score never displaces.
template <class Score>
inline void keep(KeptHeap& heap, const float* bounds, i64 count, i64 first, Score&& score) {
  i64 j = 0;
  for (; j < count && heap.size < heap.k; ++j) heap.offer({score(j), static_cast<std::int32_t>(first + j)});
  if (j == count) return;
  float worst = heap.at[0].key();
  for (; j < count; j += kLanes) {
    const i64 lanes = gemm_min(kLanes, count - j);
    if (lanes == kLanes && !vany(vgt(vload(bounds + j), vset(worst)))) continue;
    for (i64 l = j; l < j + lanes; ++l) {
      if (!(bounds[l] > worst)) continue;
      const float own = score(l);
      if (!(own > worst)) continue;
      heap.at[0] = {own, static_cast<std::int32_t>(first + l)};
      heap.sift(0);
      worst = heap.at[0].key();
    }
  }
}

// Every score is 0: the first items are the best.
inline Status top_k_of_nothing(const TopKArgs& args) {
  for (i64 i = 0; i < args.q * args.k; ++i) {
    const i64 rank = i % args.k;
    args.outIndices[i] = rank < args.n ? static_cast<std::int32_t>(rank) : -1;
    args.outScores[i] = rank < args.n ? 0.0f : -__builtin_inff();
  }
  return {};
}

// In how many parts the items are looked through for each block of queries. As many chunks as a multiple of the threads where
// that is few: of five, one of two threads has three.
inline i64 top_k_parts(i64 n, i64 blocks, i64 threads) {
  const i64 least = gemm_max(1, gemm_min(ceil_div(n, kPartItems), ceil_div(kMostParts, blocks)));
  if (least == 1) return 1;
  i64 parts = least;
  while (parts * blocks % threads != 0 && parts < kMostParts) ++parts;
  return parts * blocks % threads == 0 ? parts : least;
}

inline Status top_k(const TopKArgs& args, Exec& exec) {
  if (args.d == 0) return top_k_of_nothing(args);
  const i64 q = args.q, n = args.n, d = args.d, wanted = args.k, k = gemm_min(wanted, n);
  const i64 blocks = gemm_max(1, ceil_div(q, kQueryBlock)), block = ceil_div(ceil_div(q, blocks), kMr) * kMr;
  const i64 parts = top_k_parts(n, blocks, exec.threads());
  const bool direct = q <= kSkinny;  // few queries: the items are read in place
  const i64 queryFloats = direct ? 0 : ceil_div(packed_a_size(block, d), 16) * 16;
  const i64 itemFloats = direct ? 0 : ceil_div(packed_b_size(d, kItemSlab), 16) * 16;
  const i64 stride = queryFloats + itemFloats + block * kItemSlab;
  Kept* kept = static_cast<Kept*>(exec.scratch(static_cast<i64>(sizeof(Kept)) * parts * q * k));
  float* scratch = static_cast<float*>(exec.scratch(4 * stride * exec.threads()));
  const bool given = direct && args.narrow;
  float* padded = given ? static_cast<float*>(exec.scratch(4 * NarrowItems::floats(args))) : nullptr;
  if (!kept || !scratch || (given && !padded)) return {Code::out_of_memory, "scratch memory for the kept items"};
  const NarrowItems narrow(args, padded);
  const auto list = [&](i64 part, i64 query) { return kept + (part * q + query) * k; };
  const auto bound = [&](i64 part) { return part * n / parts; };

  gemm_chunks(exec, k > 0 ? blocks * parts : 0, q * n * (d + 16), [&](i64 chunk, int worker) {
    const i64 part = chunk % parts, first = chunk / parts * block, rows = gemm_min(block, q - first);
    float* queries = scratch + worker * stride;
    float* items = queries + queryFloats;
    float* scores = items + itemFloats;
    KeptHeap heaps[kQueryBlock];
    for (i64 i = 0; i < rows; ++i) heaps[i] = {list(part, first + i), 0, k};
    const float* own = args.queries.data + first * d;
    if (!direct) pack_a({own, d, 1}, rows, d, queries);
    for (i64 j = bound(part); j < bound(part + 1) && !exec.cancelled(); j += kItemSlab) {
      const i64 count = gemm_min(kItemSlab, bound(part + 1) - j);
      const MatIn slab{args.items.data + j * d, 1, d};
      if (narrow.usable()) {
        narrow.bounds(j, count, scores, kItemSlab);
        for (i64 i = 0; i < rows; ++i) {
          keep(heaps[i], scores + i * kItemSlab, count, j, [&](i64 l) {
            float score;  // of the same bits as in a block
            skinny_dot<1, 1>(own + i * d, slab.data + l * d, d, d, 0, {&score, 0, 0, 0, 0}, Epilogue{});
            return score;
          });
        }
        continue;
      }
      if (direct) {
        skinny_block(own, slab, rows, d, 0, count, {scores, kItemSlab, 1, 0, 0}, Epilogue{});
      } else {
        pack_b(slab, d, count, items);
        gemm_block(queries, items, rows, count, d, scores, kItemSlab, Epilogue{});
      }
      for (i64 i = 0; i < rows; ++i) {
        const float* row = scores + i * kItemSlab;
        keep(heaps[i], row, count, j, [&](i64 l) { return row[l]; });
      }
    }
    for (i64 i = 0; i < rows; ++i) heaps[i].sort();
  });

  // A part's list is as long as the part, at most k. Parts hold ascending indices, so the first of equals is the lowest.
  gemm_chunks(exec, q, q * wanted * parts, [&](i64 query, int) {
    i64 next[kMostParts] = {};
    for (i64 r = 0; r < wanted; ++r) {
      i64 best = -1;
      for (i64 p = 0; r < k && p < parts; ++p) {
        const i64 length = gemm_min(k, bound(p + 1) - bound(p));
        if (next[p] == length) continue;
        if (best < 0 || list(p, query)[next[p]].before(list(best, query)[next[best]])) best = p;
      }
      const Kept item = best < 0 ? Kept{-__builtin_inff(), -1} : list(best, query)[next[best]++];
      args.outIndices[query * wanted + r] = item.index;
      args.outScores[query * wanted + r] = item.score;
    }
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
