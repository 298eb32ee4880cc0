// What frame_score and its backward share: the words of several captions as one packed operand.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kMean = 0;           // STSQ
constexpr i64 kMaxOverFrames = 1;  // MTSQ
constexpr i64 kMaxOverWords = 2;   // MQST

constexpr i64 kFrameBlock = 256;  // frames of one unit of parallel work
constexpr i64 kGroupWords = 512;  // words packed together: 600 KB at d = 300, which stays in L2
constexpr i64 kGradWords = 256;   // the backward keeps three operands of that size

inline Status out_of_scratch() { return {Code::out_of_memory, "scratch memory"}; }
inline float nanf_value() { return __builtin_nanf(""); }
inline Vec relu(Vec x) { return vmax(vzero(), x); }  // keeps NaN: vmax gives its second operand then

// max(a, b), NaN when either is.
inline Vec max_or_nan(Vec a, Vec b) { return vselect(vne(a, a), a, vmax(a, b)); }

// The true words of captions ids[0..captions), packed as rows of A. offsets[c] is the first row of the c-th of them.
struct WordGroup {
  const i64* ids;
  i64 captions, rows;
  i64* offsets;   // [captions + 1]
  float* packed;  // panels of kMr rows of depth d
};

// Which caption of the group a row belongs to; rows are asked for in ascending order.
struct Segments {
  const WordGroup& group;
  i64 caption = 0;

  i64 caption_of(i64 row) {
    while (row >= group.offsets[caption + 1]) ++caption;
    return caption;
  }
  bool first_word(i64 row) const { return row == group.offsets[caption]; }
  bool last_word(i64 row) const { return row + 1 == group.offsets[caption + 1]; }
};

// Rows gathered from several places into one panel of A.
inline void pack_rows(const float* const* rows, i64 count, i64 k, float* dst) {
  for (i64 p = 0; p < k; p += kLanes) {
    const i64 depth = gemm_min(kLanes, k - p);
    for (i64 j = 0; j < kMr; j += kLanes) {
      Vec t[kLanes];
      for (i64 i = 0; i < kLanes; ++i) t[i] = j + i < count ? vload_n(rows[j + i] + p, depth) : vzero();
      vtranspose(t);
      for (i64 q = 0; q < depth; ++q) vstore_n(dst + (p + q) * kMr + j, t[q], kMr - j);
    }
  }
}

// Words of a batch of captions, packed a group at a time: at most `limit` words, or one longer caption.
struct WordPacker {
  const float* words;
  I32In lengths;
  i64 maxWords, d, limit;

  i64 most_captions() const { return gemm_min(lengths.size, limit); }
  i64 most_rows() const {
    i64 longest = limit, total = 0;
    for (i64 j = 0; j < lengths.size; ++j) longest = gemm_max(longest, lengths[j]), total += lengths[j];
    return gemm_min(longest, total);
  }
  i64 offsets_size() const { return most_captions() + 1; }
  i64 packed_size() const { return ceil_div(packed_a_size(most_rows(), d), 16) * 16; }

  const float* word(i64 caption, i64 w) const { return words + (caption * maxWords + w) * d; }

  // As many of ids[0..count) as fit.
  WordGroup pack(const i64* ids, i64 count, i64* offsets, float* packed) const {
    WordGroup group{ids, 0, 0, offsets, packed};
    const float* panel[kMr + kLanes];
    i64 filled = 0;
    while (group.captions < gemm_min(count, limit)) {
      const i64 caption = ids[group.captions];
      if (group.captions > 0 && group.rows + lengths[caption] > limit) break;
      offsets[group.captions++] = group.rows;
      for (i64 w = 0; w < lengths[caption]; ++w) {
        panel[filled++] = word(caption, w);
        ++group.rows;
        if (filled == kMr) {
          pack_rows(panel, filled, d, packed + (group.rows - filled) * d);
          filled = 0;
        }
      }
    }
    if (filled) pack_rows(panel, filled, d, packed + (group.rows - filled) * d);
    offsets[group.captions] = group.rows;
    return group;
  }
};

// tile[kMr × kNr] = rows [r, r + kMr) of the group times `frames` packed frames; columns past them hold `fill`.
template <class Words = Float32>
inline void frame_tile(const WordGroup& group, i64 r, const float* frames, i64 count, i64 d, float fill, float* tile) {
  const i64 rows = gemm_min(kMr, group.rows - r);
  gemm_block<Words>(group.packed + r * d, frames, rows, count, d, tile, kNr, Epilogue{});
  for (i64 i = 0; count < kNr && i < rows; ++i)
    for (i64 j = count; j < kNr; ++j) tile[i * kNr + j] = fill;
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
