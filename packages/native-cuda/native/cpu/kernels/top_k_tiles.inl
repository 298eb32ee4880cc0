// Scores of five queries and more: tiles of items, read where they lie, and of queries in packed panels. A tile broadcasts the items'
// numbers one after the other, so that only the queries, which every item meets, are packed. A score is the sum that gemm_block gives, bit
// for bit: one chain of multiply-adds in ascending dimensions, cut at multiples of the k block.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"
#include "kept_heap.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kMostQueries = 6 * kNr;    // of a block
constexpr i64 kItemSlab = 256;           // at most, and of few queries
constexpr i64 kSlabBytes = 128 << 10;    // items that all queries of a block meet before the next ones: L2 holds both
constexpr i64 kWholeTiles = 4 * kMr;     // items: a multiple of every tile's
constexpr i64 kScoreRow = kNr + 16;      // floats from an item's scores to the next one's: without a gap GCC mixes the plain set's rows

// Rows of a tile of C vectors of queries. Narrow ones have enough of them to keep two units of multiply-adds busy, and few enough to point
// at each.
template <int C>
constexpr int kItemRows = C == kNv ? kMr : 8;

// out[R × C vectors, rows of kScoreRow] = products of R items, `stride` floats apart, and C vectors of queries; or added to what is there.
template <int R, int C>
void tile_products(const float* items, i64 stride, const float* queries, i64 depth, bool add, float* out) {
  Vec sums[R][C];
  SONOTEXT_UNROLL(16)
  for (int r = 0; r < R; ++r)
    SONOTEXT_UNROLL(8)
    for (int c = 0; c < C; ++c) sums[r][c] = vzero();
  const float* rows[R];
  SONOTEXT_UNROLL(16)
  for (int r = 0; r < R; ++r) rows[r] = items + r * stride;
  for (i64 p = 0; p < depth; ++p) {
    Vec y[C];
    SONOTEXT_UNROLL(8)
    for (int c = 0; c < C; ++c) y[c] = vload(queries + c * kLanes);
    SONOTEXT_UNROLL(16)
    for (int r = 0; r < R; ++r) {
      const Vec x = vset(rows[r][p]);
      SONOTEXT_UNROLL(8)
      for (int c = 0; c < C; ++c) sums[r][c] = vfma(x, y[c], sums[r][c]);
    }
    queries += kNr;
    asm("" : "+r"(queries));  // the plain set: vectors of queries, not of dimensions
  }
  if (add) {
    SONOTEXT_UNROLL(16)
    for (int r = 0; r < R; ++r)
      SONOTEXT_UNROLL(8)
      for (int c = 0; c < C; ++c) sums[r][c] = vload(out + r * kScoreRow + c * kLanes) + sums[r][c];
  }
  SONOTEXT_UNROLL(16)
  for (int r = 0; r < R; ++r)
    SONOTEXT_UNROLL(8)
    for (int c = 0; c < C; ++c) vstore(out + r * kScoreRow + c * kLanes, sums[r][c]);
}

class QueryTiles {
 public:
  // Of queries [first, first + rows); heaps[i] takes the items of the i-th, floors[i] is what others know of it. `memory` holds
  // floats(rows, d) values.
  QueryTiles(const TopKArgs& args, i64 first, i64 rows, KeptHeap* heaps, Floor* floors, float* memory)
      : items_(args.items.data), d_(args.d), rows_(rows), slab_(slab(args.d)), heaps_(heaps), floors_(floors), packed_(memory),
        sums_(memory + queries(rows, args.d)), open_(rows) {
    pack_b({args.queries.data + first * d_, 1, d_}, d_, rows, memory);
    for (i64 i = 0; i < kMostQueries; ++i) worst_[i] = i < rows ? -__builtin_inff() : __builtin_inff();
  }

  static i64 floats(i64 rows, i64 d) { return queries(rows, d) + (d > kKc ? slab(d) * kScoreRow : 0); }

  // Items [first, last), in ascending order.
  void meet(i64 first, i64 last, Exec& exec) {
    const i64 panels = ceil_div(rows_, kNr);
    for (i64 j = first; j < last && !exec.cancelled(); j += slab_) {
      const i64 count = gemm_min(slab_, last - j);
      share_floors();
      ahead_ = items_ + (j + count) * d_;
      end_ = ahead_ + gemm_min(slab_, last - j - count) * d_;
      step_ = ceil_div(ceil_div(end_ - ahead_, 16), panels * ceil_div(count, kMr)) * 16;
      for (i64 panel = 0; panel < panels; ++panel) {
        const i64 vectors = kLanes == 1 ? kNv : ceil_div(gemm_min(kNr, rows_ - panel * kNr), kLanes);
        panel_of<kNv>(vectors, panel, j, count);
      }
    }
    share_floors();
  }

 private:
  static i64 queries(i64 rows, i64 d) { return ceil_div(packed_b_size(d, rows), 16) * 16; }
  static i64 slab(i64 d) { return gemm_max(1, gemm_min(kItemSlab, kSlabBytes / 4 / d) / kWholeTiles) * kWholeTiles; }

  void share_floors() {
    for (i64 i = 0; i < rows_; ++i) {
      if (heaps_[i].size == heaps_[i].k) floors_[i].raise(heaps_[i].at[0].key());
      const float below = floors_[i].below();
      if (below <= worst_[i]) continue;
      if (is_open(i)) --open_;
      worst_[i] = below;
    }
  }

  // Nothing is known of what it has to keep: anything, also what is not a number.
  bool is_open(i64 query) const { return heaps_[query].size < heaps_[query].k && worst_[query] == -__builtin_inff(); }

  template <int C>
  void panel_of(i64 vectors, i64 panel, i64 first, i64 count) {
    if constexpr (C > 1 && kLanes > 1) {
      if (vectors < C) return panel_of<C - 1>(vectors, panel, first, count);
    }
    const i64 passes = ceil_div(d_, kKc), kc = ceil_div(d_, passes);
    for (i64 p = 0; p < d_; p += kc) tiles<kItemRows<C>, C>({panel, p, gemm_min(kc, d_ - p), first, count}, 0);
  }

  // What a panel of queries and the items of a slab add in dimensions [from, from + depth).
  struct Pass {
    i64 panel, from, depth, first, count;
  };

  template <int R, int C>
  void tiles(const Pass& pass, i64 i) {
    const float* items = items_ + pass.first * d_ + pass.from;
    const float* queries = packed_ + pass.panel * kNr * d_ + pass.from * kNr;
    alignas(64) float tile[R * kScoreRow];
    for (; i + R <= pass.count; i += R) {
      fetch_ahead();
      float* scores = pass.depth == d_ ? tile : sums_ + i * kScoreRow;
      tile_products<R, C>(items + i * d_, d_, queries, pass.depth, pass.from > 0, scores);
      if (pass.from + pass.depth == d_) offer<R, C>(scores, pass.panel * kNr, pass.first + i);
    }
    if constexpr (R > 1) tiles<(R > 4 ? 4 : R / 2), C>(pass, i);
  }

  // Scores of R items from `item` on, rows of kScoreRow, and C vectors of queries.
  template <int R, int C>
  void offer(const float* scores, i64 query, i64 item) {
    bool better = open_ > 0;
    SONOTEXT_UNROLL(8)
    for (int c = 0; c < C; ++c) {
      Vec best = vset(-__builtin_inff());
      SONOTEXT_UNROLL(16)
      for (int r = 0; r < R; ++r) best = vmax(vload(scores + r * kScoreRow + c * kLanes), best);
      better = better || vany(vgt(best, vload(worst_ + query + c * kLanes)));
    }
    if (better) take(scores, R, C, query, item);
  }

  __attribute__((noinline)) void take(const float* scores, int rows, int vectors, i64 query, i64 item) {
    for (int r = 0; r < rows; ++r, scores += kScoreRow)
      for (int c = 0; c < vectors; ++c) {
        const float* own = scores + c * kLanes;
        const i64 at = query + c * kLanes, lanes = gemm_min(kLanes, rows_ - at);
        if (open_ == 0 && !vany(vgt(vload(own), vload(worst_ + at)))) continue;
        for (i64 l = 0; l < lanes; ++l) {
          KeptHeap& heap = heaps_[at + l];
          float& worst = worst_[at + l];
          const bool open = is_open(at + l);
          if (!open && !(own[l] > worst)) continue;
          heap.take({own[l], static_cast<std::int32_t>(item + r)});
          if (heap.size < heap.k) continue;
          if (open) --open_;
          if (heap.at[0].key() > worst) worst = heap.at[0].key();
        }
      }
  }

  void fetch_ahead() {
    const float* last = end_ - ahead_ < step_ ? end_ : ahead_ + step_;
    for (; ahead_ < last; ahead_ += 16) __builtin_prefetch(ahead_, 0, 2);
  }

  const float* const items_;
  const i64 d_, rows_, slab_;
  KeptHeap* const heaps_;
  Floor* const floors_;
  const float* const packed_;
  float* const sums_;           // [slab × kScoreRow] of dimensions before a pass
  float worst_[kMostQueries];   // what a score has to beat, unless a query is open; lanes without a query: ∞
  i64 open_;                    // queries that are
  const float *ahead_ = nullptr, *end_ = nullptr;  // items that will be read next
  i64 step_ = 0;
};

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
