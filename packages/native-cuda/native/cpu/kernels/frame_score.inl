// Frame × word scores: max(0, frame · word) reduced per (clip, caption) while the products are still in cache.
//
// Words are the rows of the product and frames its columns, so that a vector holds one word against kLanes frames: sums and
// maxima over words are then element-wise, those over frames wait for one horizontal step at the end of a block.
#include "../../core/ops.hpp"
#include "bfloat16.inl"
#include "frame_score_block.inl"
#include "frame_score_grad.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kPartialFloats = 1 << 18;  // partial results kept at once: 1 MiB

// A set against itself: the mean over all products is the same from either side, so that pairs below the diagonal are
// not computed but copied.
inline bool is_symmetric(const FrameScoreArgs& args) {
  if (args.reduction != kMean || args.frames.data != args.words.data || args.clips != args.captions ||
      args.maxFrames != args.maxWords) {
    return false;
  }
  for (i64 i = 0; i < args.clips; ++i)
    if (args.frameLengths[i] != args.wordLengths[i]) return false;
  return true;
}

// One frame against one word each: the scores are the products themselves, without what is negative.
inline bool is_map(const FrameScoreArgs& args) {
  if (args.maxFrames != 1 || args.maxWords != 1) return false;
  for (i64 i = 0; i < args.clips; ++i)
    if (args.frameLengths[i] != 1) return false;
  for (i64 j = 0; j < args.captions; ++j)
    if (args.wordLengths[j] != 1) return false;
  return true;
}

template <class Words>
inline Status frame_map(const FrameScoreArgs& args, Exec& exec) {
  Epilogue relu;
  relu.slope = 0.0f;
  const MatIn frames{args.frames.data, args.d, 1}, words{args.words.data, 1, args.d};
  return gemm_parallel<Words>(exec, frames, words, args.clips, args.captions, args.d, args.out.data, args.captions, relu);
}

// The first caption of the group that is computed with a clip; all of them where `symmetric` is false.
inline i64 first_caption(const WordGroup& group, i64 clip, bool symmetric) {
  return symmetric ? gemm_min(group.captions, gemm_max(0, clip - group.ids[0])) : 0;
}

// Reduces frames [t0, t1) of one clip to one partial result per caption (MTSQ: per word) of the group, from caption `first`
// on (those before it hold anything).
template <class Words>
inline void frame_block(const FrameScoreArgs& args, const WordGroup& group, i64 clip, i64 t0, i64 t1, i64 first,
                        float* packed, float* running, float* partial) {
  const i64 d = args.d, items = args.reduction == kMaxOverFrames ? group.rows : group.captions;
  for (i64 i = 0; i < items * kLanes; i += kLanes) vstore(running + i, vzero());
  for (i64 t = t0; t < t1; t += kNr) {
    const i64 frames = gemm_min(kNr, t1 - t);
    pack_b({args.frames.data + (clip * args.maxFrames + t) * d, 1, d}, d, frames, packed);
    Segments at{group};
    Vec best[kNv] = {};
    for (i64 r = group.offsets[first] / kMr * kMr; r < group.rows; r += kMr) {
      alignas(64) float tile[kMr * kNr];
      const i64 rows = gemm_min(kMr, group.rows - r);
      frame_tile<Words>(group, r, packed, frames, d, 0.0f, tile);  // no ReLU'd sum or maximum notices a 0
      for (i64 i = 0; i < rows; ++i) {
        const float* row = tile + i * kNr;
        const i64 caption = at.caption_of(r + i);
        if (args.reduction == kMean) {
          Vec sum = vload(running + caption * kLanes);
          for (int v = 0; v < kNv; ++v) sum = sum + relu(vload(row + v * kLanes));
          vstore(running + caption * kLanes, sum);
        } else if (args.reduction == kMaxOverFrames) {
          Vec most = vload(running + (r + i) * kLanes);
          for (int v = 0; v < kNv; ++v) most = max_or_nan(most, vload(row + v * kLanes));
          vstore(running + (r + i) * kLanes, most);
        } else {
          for (int v = 0; v < kNv; ++v) {
            best[v] = at.first_word(r + i) ? relu(vload(row + v * kLanes)) : max_or_nan(best[v], vload(row + v * kLanes));
          }
          if (at.last_word(r + i)) {
            Vec sum = vload(running + caption * kLanes);
            for (int v = 0; v < kNv; ++v) sum = sum + best[v];
            vstore(running + caption * kLanes, sum);
          }
        }
      }
    }
  }
  for (i64 i = 0; i < items; ++i) {
    const Vec v = vload(running + i * kLanes);
    partial[i] = args.reduction != kMaxOverFrames ? vsum(v) : vany(vne(v, v)) ? nanf_value() : vhmax(v);
  }
}

// Blocks of one clip and one group, combined in order.
inline void frame_finish(const FrameScoreArgs& args, const WordGroup& group, i64 clip, const float* partial, i64 blocks,
                         i64 width, bool symmetric) {
  for (i64 c = first_caption(group, clip, symmetric); c < group.captions; ++c) {
    const i64 caption = group.ids[c], words = args.wordLengths[caption], frames = args.frameLengths[clip];
    double total = 0.0;
    if (args.reduction == kMaxOverFrames) {
      for (i64 w = 0; w < words; ++w) {
        float most = 0.0f;
        for (i64 b = 0; b < blocks; ++b) {
          const float x = partial[b * width + group.offsets[c] + w];
          if (x > most || x != x) most = x;
        }
        total += most;
      }
    } else {
      for (i64 b = 0; b < blocks; ++b) total += partial[b * width + c];
    }
    const i64 share = args.reduction == kMean ? frames * words : args.reduction == kMaxOverFrames ? words : frames;
    const float score = frames > 0 && words > 0 ? static_cast<float>(total / static_cast<double>(share)) : 0.0f;
    args.out[clip * args.captions + caption] = score;
    if (symmetric) args.out[caption * args.captions + clip] = score;
  }
}

template <class Words>
inline Status frame_score_of(const FrameScoreArgs& args, Exec& exec) {
  if (args.d == 0) {  // however many frames and words, every product is 0
    memset(args.out.data, 0, sizeof(float) * static_cast<size_t>(args.out.size));
    return {};
  }
  if (is_map(args)) return frame_map<Words>(args, exec);
  const bool symmetric = is_symmetric(args);
  const i64 d = args.d, blocks = gemm_max(1, ceil_div(args.maxFrames, kFrameBlock));
  const WordPacker packer{args.words.data, args.wordLengths, args.maxWords, d, kGroupWords};
  const i64 width = gemm_max(1, gemm_max(packer.most_rows(), packer.most_captions()));
  const i64 clips = gemm_min(args.clips, gemm_max(1, kPartialFloats / (blocks * width)));  // at a time
  const i64 frameSize = ceil_div(packed_b_size(d, kNr), 16) * 16, workerSize = frameSize + ceil_div(width * kLanes, 16) * 16;
  i64* ids = static_cast<i64*>(exec.scratch(8 * (args.captions + packer.offsets_size())));
  float* packed = static_cast<float*>(exec.scratch(4 * packer.packed_size()));
  float* partial = static_cast<float*>(exec.scratch(4 * clips * blocks * width));
  float* workers = static_cast<float*>(exec.scratch(4 * workerSize * exec.threads()));
  if (!ids || !packed || !partial || !workers) return out_of_scratch();
  for (i64 j = 0; j < args.captions; ++j) ids[j] = j;
  for (i64 first = 0; first < args.captions;) {
    const WordGroup group = packer.pack(ids + first, args.captions - first, ids + args.captions, packed);
    const i64 end = symmetric ? group.ids[group.captions - 1] + 1 : args.clips;
    for (i64 i0 = 0; i0 < end; i0 += clips) {
      if (exec.cancelled()) return {};  // not one group of words after the other for nothing
      const i64 count = gemm_min(clips, end - i0);
      gemm_chunks(exec, count * blocks, count * args.maxFrames * group.rows * d, [&](i64 chunk, int worker) {
        const i64 clip = i0 + chunk / blocks, t0 = chunk % blocks * kFrameBlock;
        const i64 t1 = gemm_min(args.frameLengths[clip], t0 + kFrameBlock);
        float* mine = workers + worker * workerSize;
        const i64 from = first_caption(group, clip, symmetric);
        if (t0 < t1)
          frame_block<Words>(args, group, clip, t0, t1, from, mine, mine + frameSize, partial + chunk * width);
      });
      gemm_chunks(exec, count, count * blocks * width * 4, [&](i64 i, int) {
        const i64 used = ceil_div(args.frameLengths[i0 + i], kFrameBlock);
        frame_finish(args, group, i0 + i, partial + i * blocks * width, used, width, symmetric);
      });
    }
    first += group.captions;
  }
  return {};
}

inline Status frame_score(const FrameScoreArgs& args, Exec& exec) { return frame_score_of<Float32>(args, exec); }

// The true steps of every sequence of d numbers, rounded; what lies in the padding is left as it is.
inline void round_sequences(Exec& exec, const float* x, I32In lengths, i64 most, i64 d, float* words) {
  const i64 depth = rounded_words(d);
  gemm_chunks(exec, lengths.size, lengths.size * most * d, [&](i64 i, int) {
    for (i64 t = i * most; t < i * most + lengths[i]; ++t) round_row(x + t * d, d, words + t * depth);
  });
}

// Products of operands rounded to bfloat16. They are rounded once, before all products, since each meets every vector of the other
// side; from there on they are rows of words, which are packed like any others.
inline Status frame_score_bf16(const FrameScoreArgs& args, Exec& exec) {
  if (args.d == 0) return frame_score_of<Bfloat16>(args, exec);
  const bool symmetric = is_symmetric(args);
  const i64 depth = rounded_words(args.d);
  const i64 frames = args.clips * args.maxFrames * depth;
  const i64 words = symmetric ? 0 : args.captions * args.maxWords * depth;
  float* rounded = static_cast<float*>(exec.scratch(4 * gemm_max(1, frames + words)));
  if (!rounded) return out_of_scratch();
  FrameScoreArgs own = args;
  own.d = depth;
  own.frames = {rounded, frames};
  own.words = symmetric ? own.frames : F32In{rounded + frames, words};
  round_sequences(exec, args.frames.data, args.frameLengths, args.maxFrames, args.d, rounded);
  if (!symmetric)
    round_sequences(exec, args.words.data, args.wordLengths, args.maxWords, args.d, rounded + frames);
  return frame_score_of<Bfloat16>(own, exec);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
