// Gradient of frame_score. The products are computed again, a block of frames against the words of those captions whose
// gradient is not 0, so that a loss that touches few pairs pays for few.
#pragma once
#include "../../core/ops.hpp"
#include "frame_score_block.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kGradFrames = 128;  // frames whose mask is kept at once, a multiple of kNr
constexpr i64 kGradParts = 16;    // partial sums of gradWords, added in order

inline void axpy(float factor, const float* x, i64 n, float* y) {
  const Vec f = vset(factor);
  for (i64 i = 0; i < n; i += kLanes) vstore_n(y + i, vfma(f, vload_n(x + i, n - i), vload_n(y + i, n - i)), n - i);
}

// Scratch of one worker.
struct GradWorker {
  i64 *active = nullptr, *offsets = nullptr;
  float* words = nullptr;      // packed rows: the words of a group
  float* wordsAsB = nullptr;   // packed columns of the same words
  float* frames = nullptr;     // one packed panel of frames
  float* framesAsB = nullptr;  // a packed block of frames
  float* mask = nullptr;       // [words of the group × kGradFrames]
  float* maskAsA = nullptr;    // packed, either way round
  float* sums = nullptr;       // [words of the group × d]
  float *best = nullptr, *bestAt = nullptr;  // [words of the group × kLanes]

  // Bytes of it, laid out from `memory` when that is given.
  i64 layout(const WordPacker& packer, i64 captions, char* memory) {
    i64 used = 0;
    const i64 rows = packer.most_rows(), d = packer.d;
    const auto take = [&](auto*& pointer, i64 count, i64 size) {
      if (memory) pointer = reinterpret_cast<decltype(&*pointer)>(memory + used);
      used += ceil_div(count * size, 64) * 64;
    };
    take(active, captions, 8), take(offsets, packer.offsets_size(), 8);
    take(words, packer.packed_size(), 4), take(wordsAsB, packed_b_size(rows, d), 4);
    take(frames, packed_b_size(d, kNr), 4), take(framesAsB, packed_b_size(kGradFrames, d), 4);
    take(mask, rows * kGradFrames, 4);
    take(maskAsA, gemm_max(packed_a_size(rows, kGradFrames), packed_a_size(kGradFrames, rows)), 4);
    take(sums, rows * d, 4), take(best, rows * kLanes, 4), take(bestAt, rows * kLanes, 4);
    return used;
  }
};

// Words of the group as B: depth is the word, columns are the d dimensions.
inline void pack_words_as_b(const WordPacker& packer, const WordGroup& group, float* dst) {
  const i64 d = packer.d;
  for (i64 c = 0; c < d; c += kNr) {
    float* to = dst + c * group.rows;
    for (i64 j = 0; j < group.captions; ++j)
      for (i64 w = 0; w < group.offsets[j + 1] - group.offsets[j]; ++w, to += kNr) {
        const float* from = packer.word(group.ids[j], w) + c;
        for (i64 v = 0; v < kNr; v += kLanes) vstore(to + v, vload_n(from + v, d - c - v));
      }
  }
}

struct FrameGrad {
  const FrameScoreBackwardArgs& args;
  Exec& exec;
  const WordPacker& packer;
  const i64* rowOf;  // first row of a caption's words in `part`
  float* part;       // this part's gradWords, true words only, or null

  const float* frame(i64 clip, i64 t) const { return args.frames.data + (clip * args.maxFrames + t) * args.d; }
  float* grad_frame(i64 clip, i64 t) const { return args.gradFrames.data + (clip * args.maxFrames + t) * args.d; }
  float* grad_word(i64 caption, i64 w) const { return part + (rowOf[caption] + w) * args.d; }
  float incoming(i64 clip, i64 caption) const { return args.gradOut[clip * args.captions + caption]; }

  void clip(i64 i, const GradWorker& mine) const {
    const i64 d = args.d, frames = args.frameLengths[i];
    if (args.gradFrames) memset(grad_frame(i, 0), 0, static_cast<size_t>(args.maxFrames * d) * sizeof(float));
    i64 count = 0;
    for (i64 j = 0; j < args.captions; ++j) {
      mine.active[count] = j;
      count += incoming(i, j) != 0.0f && args.wordLengths[j] > 0;
    }
    for (i64 from = 0; frames > 0 && from < count && !exec.cancelled();) {
      const WordGroup group = packer.pack(mine.active + from, count - from, mine.offsets, mine.words);
      if (args.reduction == kMean) {
        mean(i, group, mine);
      } else if (args.reduction == kMaxOverFrames) {
        max_over_frames(i, group, mine);
      } else {
        max_over_words(i, group, mine);
      }
      from += group.captions;
    }
  }

  void mean(i64 i, const WordGroup& group, const GradWorker& mine) const {
    const i64 d = args.d, frames = args.frameLengths[i], rows = group.rows;
    if (args.gradFrames) pack_words_as_b(packer, group, mine.wordsAsB);
    for (i64 t0 = 0; t0 < frames; t0 += kGradFrames) {
      const i64 block = gemm_min(kGradFrames, frames - t0);
      for (i64 t = t0; t < t0 + block; t += kNr) {
        const i64 count = gemm_min(kNr, t0 + block - t);
        pack_b({frame(i, t), 1, d}, d, count, mine.frames);
        Segments at{group};
        for (i64 r = 0; r < rows; r += kMr) {
          alignas(64) float tile[kMr * kNr];
          frame_tile(group, r, mine.frames, count, d, 0.0f, tile);
          for (i64 w = r; w < gemm_min(rows, r + kMr); ++w) {
            const i64 caption = group.ids[at.caption_of(w)];
            const double cells = static_cast<double>(frames) * args.wordLengths[caption];
            const Vec share = vset(static_cast<float>(incoming(i, caption) / cells));
            for (i64 v = 0; v < kNr; v += kLanes) {
              const Vec x = vload(tile + (w - r) * kNr + v);
              vstore(mine.mask + w * kGradFrames + (t - t0) + v, vselect(vgt(x, vzero()), share, vzero()));
            }
          }
        }
      }
      if (args.gradFrames) {
        pack_a({mine.mask, 1, kGradFrames}, block, rows, mine.maskAsA);
        Epilogue add;
        add.beta = 1.0f;
        gemm_block(mine.maskAsA, mine.wordsAsB, block, d, rows, grad_frame(i, t0), d, add);
      }
      if (part) {
        pack_a({mine.mask, kGradFrames, 1}, rows, block, mine.maskAsA);
        pack_b({frame(i, t0), d, 1}, block, d, mine.framesAsB);
        Epilogue add;
        add.beta = t0 > 0 ? 1.0f : 0.0f;
        gemm_block(mine.maskAsA, mine.framesAsB, rows, d, block, mine.sums, d, add);
      }
    }
    for (i64 c = 0; part && c < group.captions; ++c) {
      const i64 values = (group.offsets[c + 1] - group.offsets[c]) * d;
      axpy(1.0f, mine.sums + group.offsets[c] * d, values, grad_word(group.ids[c], 0));
    }
  }

  void pair(i64 i, i64 t, i64 caption, i64 w, float factor) const {
    if (args.gradFrames) axpy(factor, packer.word(caption, w), args.d, grad_frame(i, t));
    if (part) axpy(factor, frame(i, t), args.d, grad_word(caption, w));
  }

  // The best frame of every word: per lane while the frames go by, over the lanes at the end; the first one wins.
  void max_over_frames(i64 i, const WordGroup& group, const GradWorker& mine) const {
    const i64 d = args.d, frames = args.frameLengths[i];
    for (i64 k = 0; k < group.rows * kLanes; k += kLanes) vstore(mine.best + k, vset(-__builtin_inff()));
    for (i64 t = 0; t < frames; t += kNr) {
      const i64 count = gemm_min(kNr, frames - t);
      pack_b({frame(i, t), 1, d}, d, count, mine.frames);
      for (i64 r = 0; r < group.rows; r += kMr) {
        alignas(64) float tile[kMr * kNr];
        frame_tile(group, r, mine.frames, count, d, -__builtin_inff(), tile);
        for (i64 w = r; w < gemm_min(group.rows, r + kMr); ++w) {
          Vec best = vload(mine.best + w * kLanes), at = vload(mine.bestAt + w * kLanes);
          for (i64 v = 0; v < kNr; v += kLanes) {
            const Vec x = vload(tile + (w - r) * kNr + v);
            const Mask better = vgt(x, best);
            best = vselect(better, x, best), at = vselect(better, vset(static_cast<float>(t + v)), at);
          }
          vstore(mine.best + w * kLanes, best), vstore(mine.bestAt + w * kLanes, at);
        }
      }
    }
    for (i64 c = 0; c < group.captions; ++c) {
      const i64 caption = group.ids[c], words = group.offsets[c + 1] - group.offsets[c];
      for (i64 w = 0; w < words; ++w) {
        const i64 base = (group.offsets[c] + w) * kLanes;
        float best = 0.0f;
        i64 first = -1;
        for (i64 l = 0; l < kLanes; ++l) {
          const float x = mine.best[base + l];
          const i64 t = x > 0.0f ? static_cast<i64>(mine.bestAt[base + l]) + l : -1;
          if (x > best || (x == best && t >= 0 && t < first)) best = x, first = t;
        }
        if (first >= 0) pair(i, first, caption, w, incoming(i, caption) / static_cast<float>(words));
      }
    }
  }

  // The best word of every frame and caption, one lane per frame; the first one wins.
  void max_over_words(i64 i, const WordGroup& group, const GradWorker& mine) const {
    const i64 d = args.d, frames = args.frameLengths[i];
    for (i64 t = 0; t < frames; t += kNr) {
      const i64 count = gemm_min(kNr, frames - t);
      pack_b({frame(i, t), 1, d}, d, count, mine.frames);
      Segments at{group};
      float best[kNr] = {}, bestAt[kNr] = {};
      for (i64 r = 0; r < group.rows; r += kMr) {
        alignas(64) float tile[kMr * kNr];
        frame_tile(group, r, mine.frames, count, d, 0.0f, tile);
        for (i64 w = r; w < gemm_min(group.rows, r + kMr); ++w) {
          const i64 c = at.caption_of(w);
          const Vec word = vset(static_cast<float>(w - group.offsets[c]));
          for (i64 v = 0; v < kNr; v += kLanes) {
            const Vec x = vload(tile + (w - r) * kNr + v);
            const Vec most = at.first_word(w) ? vset(-__builtin_inff()) : vload(best + v);
            const Mask better = vgt(x, most);
            vstore(best + v, vselect(better, x, most));
            vstore(bestAt + v, vselect(better, word, vload(bestAt + v)));
          }
          if (!at.last_word(w)) continue;
          const float factor = incoming(i, group.ids[c]) / static_cast<float>(frames);
          for (i64 f = 0; f < count; ++f) {
            if (best[f] > 0.0f) pair(i, t + f, group.ids[c], static_cast<i64>(bestAt[f]), factor);
          }
        }
      }
    }
  }
};

inline Status frame_score_backward(const FrameScoreBackwardArgs& args, Exec& exec) {
  const i64 d = args.d;
  const WordPacker packer{args.words.data, args.wordLengths, args.maxWords, d, kGradWords};
  i64* rowOf = static_cast<i64*>(exec.scratch(8 * (args.captions + 1)));
  if (!rowOf) return out_of_scratch();
  i64 rows = 0, work = 0;
  for (i64 j = 0; j < args.captions; ++j) {
    rowOf[j] = rows;
    rows += args.wordLengths[j];
    for (i64 i = 0; i < args.clips; ++i) {
      if (args.gradOut[i * args.captions + j] != 0.0f) work += 3 * d * args.wordLengths[j] * args.frameLengths[i];
    }
  }
  // Clips of one part follow each other and share the sums of the words.
  const i64 parts = args.gradWords ? gemm_min(args.clips, kGradParts) : args.clips;
  GradWorker worker;
  const i64 workerSize = worker.layout(packer, args.captions, nullptr);
  char* workers = static_cast<char*>(exec.scratch(workerSize * exec.threads()));
  float* partial = static_cast<float*>(exec.scratch(args.gradWords ? 4 * parts * rows * d : 4));
  if (!workers || !partial) return out_of_scratch();
  gemm_chunks(exec, parts, work, [&](i64 part, int index) {
    GradWorker mine;
    mine.layout(packer, args.captions, workers + index * workerSize);
    float* sums = args.gradWords ? partial + part * rows * d : nullptr;
    if (sums) memset(sums, 0, static_cast<size_t>(rows * d) * sizeof(float));
    const FrameGrad grad{args, exec, packer, rowOf, sums};
    for (i64 i = part * args.clips / parts; i < (part + 1) * args.clips / parts && !exec.cancelled(); ++i) {
      grad.clip(i, mine);
    }
  });
  if (!args.gradWords) return {};
  gemm_chunks(exec, args.captions, parts * rows * d * 4, [&](i64 j, int) {
    const i64 values = args.wordLengths[j] * d;
    float* out = args.gradWords.data + j * args.maxWords * d;
    memset(out, 0, static_cast<size_t>(args.maxWords * d) * sizeof(float));
    for (i64 part = 0; part < parts; ++part) axpy(1.0f, partial + (part * rows + rowOf[j]) * d, values, out);
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
