// Slabs of rows of the n × n scores that a loss of clips × captions is computed from: a slab is one matrix product into a
// buffer of bounded size, and what a loss leaves there as its gradient is multiplied on. Where there is one slab, nothing is
// computed twice. Where the scores are given, the one slab is their gradient.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kSlabFloats = 4 << 20;    // 16 MiB
constexpr i64 kWholeFloats = 16 << 20;  // 64 MiB: all scores of up to 4096 pairs, where a loss needs them twice
constexpr i64 kSlabRows = 64;         // at least, however long the rows are
constexpr i64 kStrip = 64;            // columns of one unit of parallel work, and of one test for equal groups
constexpr float kLeftOut = -__builtin_inff();

// The clips and captions of a loss, whichever its op is.
struct PairBatch {
  i64 n, d, positives;
  F32In audio, text;  // text is null where audio are the scores
  I32In groups, excludeOffsets, excludeIndex;
  F32Out gradAudio, gradText;

  template <class Args>
  explicit PairBatch(const Args& a)
      : n(a.n), d(a.d), positives(a.positives), audio(a.audio), text(a.text), groups(a.groups),
        excludeOffsets(a.excludeOffsets), excludeIndex(a.excludeIndex), gradAudio(a.gradAudio), gradText(a.gradText) {}

  // f(j) for every j in [first, last) whose clip is that of item i.
  template <class F>
  void same_group(i64 i, i64 first, i64 last, F&& f) const {
    const std::int32_t* all = groups.data;
    const std::int32_t group = all[i];
    for (i64 j = first; j < last; j += kStrip) {
      const i64 end = gemm_min(last, j + kStrip);
      std::int32_t hits = 0;
      for (i64 c = j; c < end; ++c) hits |= all[c] == group;
      for (i64 c = j; hits && c < end; ++c)
        if (all[c] == group) f(c);
    }
  }

  // Puts kLeftOut where row i has no candidate.
  void mark(i64 i, float* cells) const {
    const float own = cells[i];
    if (!positives) same_group(i, 0, n, [&](i64 j) { cells[j] = kLeftOut; });
    if (excludeOffsets) {
      for (i64 e = excludeOffsets[i]; e < excludeOffsets[i + 1]; ++e) cells[excludeIndex[e]] = kLeftOut;
    }
    cells[i] = own;
  }

  // f(j) for every positive of row i among columns [first, last), after `mark`.
  template <class F>
  void for_positives(i64 i, const float* cells, i64 first, i64 last, F&& f) const {
    if (!positives) {
      if (i >= first && i < last) f(i);
      return;
    }
    same_group(i, first, last, [&](i64 j) {
      if (cells[j] != kLeftOut || j == i) f(j);
    });
  }
};

class ScoreSlabs {
 public:
  ScoreSlabs(const PairBatch& pairs, Exec& exec) : pairs_(pairs), exec_(exec) {}

  // One slab where it has at most `whole` scores. False without memory.
  bool take(i64 whole = kSlabFloats) {
    const i64 n = pairs_.n, d = pairs_.d;
    rows_ = pairs_.text && n * n > whole ? piece() : n;
    if (!pairs_.text) {
      cells_ = pairs_.gradAudio.data;
      return true;
    }
    cells_ = static_cast<float*>(exec_.scratch(4 * rows_ * n));
    return gemm_buffers(exec_, n, gemm_max(n, d), gemm_max(n, d), &buffers_).ok() && cells_;
  }

  i64 rows_each() const { return rows_; }
  // Rows that stay in the caches while they are read several times.
  i64 piece() const { return gemm_max(kSlabRows, kSlabFloats / gemm_max(pairs_.n, 1)); }
  i64 rows(i64 first) const { return gemm_min(rows_, pairs_.n - first); }
  bool is_whole() const { return rows_ >= pairs_.n; }
  float* row(i64 r) const { return cells_ + r * pairs_.n; }

  // Cosines of rows first … of the batch with all captions, or the scores that are given.
  Status fill(i64 first) {
    const i64 n = pairs_.n, d = pairs_.d;
    if (pairs_.text) {
      return gemm_parallel(exec_, buffers_, {pairs_.audio.data + first * d, d, 1}, {pairs_.text.data, 1, d}, rows(first), n,
                           d, cells_, n, Epilogue{});
    }
    each_row(n, [&](i64 r, int) { memcpy(row(r), pairs_.audio.data + r * n, static_cast<size_t>(n) * sizeof(float)); });
    return {};
  }

  // The gradients of clips and captions from those of the scores that the slab holds now.
  Status multiply(i64 first) {
    if (!pairs_.text) return {};
    const i64 n = pairs_.n, d = pairs_.d, count = rows(first);
    const Status status = gemm_parallel(exec_, buffers_, {cells_, n, 1}, {pairs_.text.data, d, 1}, count, d, n,
                                        pairs_.gradAudio.data + first * d, d, Epilogue{});
    if (!status.ok()) return status;
    Epilogue add;
    add.beta = first > 0 ? 1.0f : 0.0f;
    return gemm_parallel(exec_, buffers_, {cells_, 1, n}, {pairs_.audio.data + first * d, d, 1}, n, d, count,
                         pairs_.gradText.data, d, add);
  }

  // f(row of the slab, worker), f(first column, last column).
  template <class F>
  void each_row(i64 count, F&& f) const {
    gemm_chunks(exec_, count, count * pairs_.n * 16, f);
  }
  template <class F>
  void each_strip(i64 count, F&& f) const {
    const i64 n = pairs_.n;
    gemm_chunks(exec_, ceil_div(n, kStrip), count * n * 16,
                [&](i64 strip, int) { f(strip * kStrip, gemm_min(n, (strip + 1) * kStrip)); });
  }

 private:
  const PairBatch& pairs_;
  Exec& exec_;
  GemmBuffers buffers_;
  float* cells_ = nullptr;
  i64 rows_ = 0;
};

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
