// A first look at narrow items (quantize): bounds that no score of an item can pass, for at most four queries. What is read
// is half or a quarter of the items, and few queries are bound by that.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"
#include "gemm_skinny.inl"
#include "narrow.inl"
#include "rows.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kAhead = 4096;  // bytes that are fetched before they are read: rows lie behind each other

// Products of R queries, rows of `padded` floats, and one narrow row.
template <int R, int Bits>
inline void narrow_dot(const float* queries, i64 padded, const char* row, float (&out)[R]) {
  constexpr int kChains = R == 1 ? 4 : R == 2 ? 2 : 1;
  constexpr i64 kBytes = kLanes * Bits / 8;
  Vec acc[R][kChains];
  SONOTEXT_UNROLL(8)
  for (int i = 0; i < R; ++i)
    SONOTEXT_UNROLL(8)
    for (int c = 0; c < kChains; ++c) acc[i][c] = vzero();
  const auto step = [&](i64 p, int c) {
    const Vec y = load_narrow(row + p * Bits / 8, Bits);
    SONOTEXT_UNROLL(8)
    for (int i = 0; i < R; ++i) acc[i][c] = vfma(vload(queries + i * padded + p), y, acc[i][c]);
  };
  i64 p = 0;
  for (; p + kChains * kLanes <= padded; p += kChains * kLanes) {
    const char* at = row + p * Bits / 8;
    if (kBytes * kChains >= 64 || p * Bits / 8 % 64 == 0) __builtin_prefetch(at + kAhead);
    if (kBytes * kChains > 64) __builtin_prefetch(at + kAhead + 64);
    SONOTEXT_UNROLL(8)
    for (int c = 0; c < kChains; ++c) step(p + c * kLanes, c);
  }
  for (; p < padded; p += kLanes) step(p, 0);
  SONOTEXT_UNROLL(8)
  for (int i = 0; i < R; ++i) {
    Vec sum = acc[i][0];
    SONOTEXT_UNROLL(8)
    for (int c = 1; c < kChains; ++c) sum = sum + acc[i][c];
    out[i] = vsum(sum);
  }
}

class NarrowItems {
 public:
  static constexpr float kLeast = 1e-10f, kMost = 1e10f;  // of a query's length: sums neither overflow nor fade

  // `memory` holds floats(args) values; null: there are none.
  NarrowItems(const TopKArgs& args, float* memory)
      : args_(args), padded_(padded(args)), queries_(memory), usable_(memory != nullptr) {
    if (!usable_) return;
    lengths_ = memory + args.q * padded_;
    last_ = reinterpret_cast<char*>(lengths_ + args.q);
    memset(last_, 0, static_cast<size_t>(4 * padded_));
    for (i64 i = 0; i < args.q; ++i) {
      float* query = memory + i * padded_;
      for (i64 p = 0; p < padded_; ++p) query[p] = p < args.d ? args.queries[i * args.d + p] : 0.0f;
      // Off by half as many roundings as there are dimensions, at most.
      lengths_[i] = row_norm(query, args.d) * (1.0f + 0x1p-23f * static_cast<float>(args.d + 32));
      usable_ = usable_ && lengths_[i] >= kLeast && lengths_[i] <= kMost;
    }
  }

  static i64 floats(const TopKArgs& args) { return (args.q + 1) * (padded(args) + 1); }

  // False: the items have to be read themselves.
  bool usable() const { return usable_; }

  // bounds[i · stride + j] >= the score of query i and item first + j, as float32 sums give it.
  void bounds(i64 first, i64 count, float* bounds, i64 stride) const {
    if (args_.bits == 8) by_queries<8>(first, count, bounds, stride);
    if (args_.bits == 16) by_queries<16>(first, count, bounds, stride);
  }

 private:
  static i64 padded(const TopKArgs& args) { return ceil_div(args.d, kLanes) * kLanes; }

  template <int Bits>
  void by_queries(i64 first, i64 count, float* bounds, i64 stride) const {
    if (args_.q == 1) of_queries<1, Bits>(first, count, bounds, stride);
    if (args_.q == 2) of_queries<2, Bits>(first, count, bounds, stride);
    if (args_.q == 3) of_queries<3, Bits>(first, count, bounds, stride);
    if (args_.q == 4) of_queries<4, Bits>(first, count, bounds, stride);
  }

  template <int R, int Bits>
  void of_queries(i64 first, i64 count, float* bounds, i64 stride) const {
    const i64 rowBytes = 4 * ((args_.d * Bits + 31) / 32), whole = padded_ * Bits / 8;
    const char* all = reinterpret_cast<const char*>(args_.narrow.data);
    for (i64 j = 0; j < count; ++j) {
      const i64 item = first + j, at = item * rowBytes;
      float sums[R];
      // Whole vectors are read, into the next row too, but not past the last one.
      if (at + whole <= args_.n * rowBytes) {
        narrow_dot<R, Bits>(queries_, padded_, all + at, sums);
      } else {
        memcpy(last_, all + at, static_cast<size_t>(rowBytes));
        narrow_dot<R, Bits>(queries_, padded_, last_, sums);
      }
      const float* scale = args_.scales.data + 2 * item;
      for (int i = 0; i < R; ++i) {
        const float bound = sums[i] * scale[0] + lengths_[i] * scale[1];
        bounds[i * stride + j] = bound == bound ? bound : __builtin_inff();
      }
    }
  }

  const TopKArgs& args_;
  const i64 padded_;
  const float* queries_;
  float* lengths_ = nullptr;
  char* last_ = nullptr;  // memory for a row at the end
  bool usable_;
};

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
