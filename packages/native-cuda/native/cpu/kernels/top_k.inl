// The best items of each query: scores of a block of queries and a slab of items are computed in cache, and what beats a
// query's worst kept item goes to its heap. Items are cut into parts so that few queries keep all threads busy; the parts'
// lists are merged at the end. Which part a thread has when decides what is looked at twice, not what is kept.
#include "../../core/ops.hpp"
#include "gemm_core.inl"
#include "gemm_skinny.inl"
#include "kept_heap.inl"
#include "top_k_narrow.inl"
#include "top_k_tiles.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kPartItems = 4096;  // about, per part, at least
constexpr i64 kMostParts = 16;

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

// Items [first, last), at most kSkinny queries; `scores` holds a slab's.
inline void few_queries(const TopKArgs& args, const NarrowItems& narrow, i64 first, i64 last, KeptHeap* heaps, float* scores,
                        Exec& exec) {
  const i64 rows = args.q, d = args.d;
  const float* own = args.queries.data;
  for (i64 j = first; j < last && !exec.cancelled(); j += kItemSlab) {
    const i64 count = gemm_min(kItemSlab, last - j);
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
    skinny_block(own, slab, rows, d, 0, count, {scores, kItemSlab, 1, 0, 0}, Epilogue{});
    for (i64 i = 0; i < rows; ++i) {
      const float* row = scores + i * kItemSlab;
      keep(heaps[i], row, count, j, [&](i64 l) { return row[l]; });
    }
  }
}

inline Status top_k(const TopKArgs& args, Exec& exec) {
  if (args.d == 0) return top_k_of_nothing(args);
  const i64 q = args.q, n = args.n, d = args.d, wanted = args.k, k = gemm_min(wanted, n);
  const bool direct = q <= kSkinny;  // few queries: not even they are packed
  const i64 blocks = gemm_max(1, ceil_div(q, kMostQueries)), block = ceil_div(ceil_div(q, blocks), kNr) * kNr;
  const i64 parts = top_k_parts(n, blocks, exec.threads());
  const i64 stride = direct ? q * kItemSlab : QueryTiles::floats(block, d);
  Kept* kept = static_cast<Kept*>(exec.scratch(static_cast<i64>(sizeof(Kept)) * parts * q * k));
  float* scratch = static_cast<float*>(exec.scratch(4 * stride * exec.threads()));
  const bool given = direct && args.narrow;
  float* padded = given ? static_cast<float*>(exec.scratch(4 * NarrowItems::floats(args))) : nullptr;
  std::int32_t* lengths = static_cast<std::int32_t*>(exec.scratch(4 * parts * q));
  Floor* floors = static_cast<Floor*>(exec.scratch(static_cast<i64>(sizeof(Floor)) * q));
  if (!kept || !scratch || !lengths || !floors || (given && !padded))
    return {Code::out_of_memory, "scratch memory for the kept items"};
  for (i64 i = 0; i < q; ++i) floors[i].reset();
  const NarrowItems narrow(args, padded);
  const auto list = [&](i64 part, i64 query) { return kept + (part * q + query) * k; };
  const auto bound = [&](i64 part) { return part == parts ? n : part * n / parts / kWholeTiles * kWholeTiles; };

  gemm_chunks(exec, k > 0 ? blocks * parts : 0, q * n * (d + 16), [&](i64 chunk, int worker) {
    const i64 part = chunk % parts, first = chunk / parts * block, rows = gemm_min(block, q - first);
    float* memory = scratch + worker * stride;
    KeptHeap heaps[kMostQueries];
    for (i64 i = 0; i < rows; ++i) heaps[i] = {list(part, first + i), 0, k};
    if (direct) {
      few_queries(args, narrow, bound(part), bound(part + 1), heaps, memory, exec);
    } else {
      QueryTiles(args, first, rows, heaps, floors + first, memory).meet(bound(part), bound(part + 1), exec);
    }
    for (i64 i = 0; i < rows; ++i) {
      heaps[i].sort();
      lengths[part * q + first + i] = static_cast<std::int32_t>(heaps[i].size);
    }
  });

  // Parts hold ascending indices, so the first of equals is the lowest.
  gemm_chunks(exec, q, q * wanted * parts, [&](i64 query, int) {
    i64 next[kMostParts] = {};
    for (i64 r = 0; r < wanted; ++r) {
      i64 best = -1;
      for (i64 p = 0; r < k && p < parts; ++p) {
        if (next[p] == lengths[p * q + query]) continue;
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
