// Written by tools/ops.mjs from core/ops.def; not edited by hand.
//
// THE op table. One row per op; an instruction set or a device fills the entries it has, null means "not mine".
// visit() tells bindings and fallbacks name and direction of every argument; a nullable view is marked `opt_`. Sizes and
// ranges are checked by core/check.cpp before an op is called: kernels may assume them.
#pragma once

#include "exec.hpp"
#include "status.hpp"
#include "views.hpp"

namespace sonotext {

// ---- features ----

// out[f, b] = log(Σ_i filter_b[i] · |FFT(window · pcm[f·hop - pad + (0..nFft-1)])[filterStart[b] + i]|^power).
// The spectrum of a clip spans more than float32 resolves: in float64, the window comes with the part that rounding it to
// float32 cut off (needed for 1e-3 in the log on real clips). What most libraries compute is precision float32, which the
// reference does not follow.
struct LogMelArgs {
  F32In pcm;  // [samples] mono; samples outside are given by padMode
  F32In window;  // [2 × nFft] tap i is window[i] + window[nFft + i]: its float32 value, then the rounding's rest
  I32In filterStart;  // [bands] first FFT bin of each filter
  I32In filterOffset;  // [bands + 1], offsets of rows of filterWeights
  F32In filterWeights;  // [weights] ragged, filterWeights[filterOffset[b] + i] belongs to bin filterStart[b] + i
  F32Out out;  // [frames × bands]
  i64 nFft;
  i64 hop;
  i64 frames;
  i64 bands;
  i64 pad;  // samples of padding before the first sample (nFft/2 when centred, else 0)
  i64 padMode;  // 0 zeros, 1 reflect; the edge sample is not repeated
  i64 power;  // 1 magnitude, 2 power
  i64 logKind;  // 0 none, 1 ln(x + offset), 2 ln(max(x, offset)), 3 10·log10(max(x, offset))
  i64 precision;  // 0 float64, 1 float32; of windowed samples and their transform
  double offset;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("pcm", pcm);
    visitor.in("window", window);
    visitor.in("filterStart", filterStart);
    visitor.in("filterOffset", filterOffset);
    visitor.in("filterWeights", filterWeights);
    visitor.out("out", out);
    visitor.integer("nFft", nFft);
    visitor.integer("hop", hop);
    visitor.integer("frames", frames);
    visitor.integer("bands", bands);
    visitor.integer("pad", pad);
    visitor.integer("padMode", padMode);
    visitor.integer("power", power);
    visitor.integer("logKind", logKind);
    visitor.integer("precision", precision);
    visitor.number("offset", offset);
  }
};

// Interleaved samples as a WAV holds them, to float32: out[r, i] is the mean of `count` channels of frame i from channel first + r·count on,
// which is the channel itself for count 1. Integers are divided by 2^(8·width - 1) and rounded to float32; a mean of several is taken of
// these in float64, in the order of the channels, and rounded once more.
struct PcmArgs {
  U8In bytes;  // [frames × channels × width]
  F32Out out;  // [rows × frames]
  i64 frames;
  i64 channels;
  i64 width;  // bytes of a sample
  i64 floats;  // 1: of 32 bits, in place of integers
  i64 bigEndian;
  i64 first;
  i64 rows;
  i64 count;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("bytes", bytes);
    visitor.out("out", out);
    visitor.integer("frames", frames);
    visitor.integer("channels", channels);
    visitor.integer("width", width);
    visitor.integer("floats", floats);
    visitor.integer("bigEndian", bigEndian);
    visitor.integer("first", first);
    visitor.integer("rows", rows);
    visitor.integer("count", count);
  }
};

// Polyphase resampling by up/down: out[i] = Σ_{k < width} taps[phase, k] · pcm[⌊i·down/up⌋ - (width/2 - 1) + k] with
// phase = (i·down) mod up; samples outside pcm are 0. Any number of outputs may be asked for.
struct ResampleArgs {
  F32In pcm;  // [samples]
  F32In taps;  // [up × width] phase-major
  F32Out out;  // [outSamples]
  i64 up;
  i64 down;
  i64 width;  // out[i] is centred on input position i·down/up

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("pcm", pcm);
    visitor.in("taps", taps);
    visitor.out("out", out);
    visitor.integer("up", up);
    visitor.integer("down", down);
    visitor.integer("width", width);
  }
};

// ---- dense ----

// out[m×n] = act(alpha · op(a)·op(b) + beta · out + bias), op(a) is m×k, op(b) is k×n.
struct GemmArgs {
  F32In a;  // [m × k]
  F32In b;  // [k × n]
  F32In bias;  // [n] or null
  F32Out out;  // [m × n] read only when beta != 0
  i64 m;
  i64 n;
  i64 k;
  i64 transA;  // 1: a is stored k×m, b is stored n×k
  i64 transB;  // 1: a is stored k×m, b is stored n×k
  double alpha;
  double beta;
  double slope;  // leaky ReLU of this slope at the end; 1 = none, 0 = ReLU

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("a", a);
    visitor.in("b", b);
    visitor.opt_in("bias", bias);
    visitor.inout("out", out);
    visitor.integer("m", m);
    visitor.integer("n", n);
    visitor.integer("k", k);
    visitor.integer("transA", transA);
    visitor.integer("transB", transB);
    visitor.number("alpha", alpha);
    visitor.number("beta", beta);
    visitor.number("slope", slope);
  }
};

// out[b] [m×n] = alpha · op(a[b])·op(b[b]) for every matrix of the batch, op(a) is m×k, op(b) is k×n.
struct BatchedGemmArgs {
  F32In a;  // [batch × m × k]
  F32In b;  // [batch × k × n]
  F32Out out;  // [batch × m × n]
  i64 batch;
  i64 m;
  i64 n;
  i64 k;
  i64 transA;  // 1: a is stored k×m, b is stored n×k
  i64 transB;  // 1: a is stored k×m, b is stored n×k
  double alpha;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("a", a);
    visitor.in("b", b);
    visitor.out("out", out);
    visitor.integer("batch", batch);
    visitor.integer("m", m);
    visitor.integer("n", n);
    visitor.integer("k", k);
    visitor.integer("transA", transA);
    visitor.integer("transB", transB);
    visitor.number("alpha", alpha);
  }
};

// out = x / max(‖x‖₂, eps) per row; norms keeps ‖x‖₂.
struct L2NormalizeArgs {
  F32In x;  // [rows × cols]
  F32Out out;  // [rows × cols]
  F32Out norms;  // [rows]
  i64 rows;
  i64 cols;
  double eps;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.out("out", out);
    visitor.out("norms", norms);
    visitor.integer("rows", rows);
    visitor.integer("cols", cols);
    visitor.number("eps", eps);
  }
};

struct L2NormalizeBackwardArgs {
  F32In out;  // [rows × cols]
  F32In norms;  // [rows]
  F32In gradOut;  // [rows × cols]
  F32Out gradX;  // [rows × cols]
  i64 rows;
  i64 cols;
  double eps;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("out", out);
    visitor.in("norms", norms);
    visitor.in("gradOut", gradOut);
    visitor.out("gradX", gradX);
    visitor.integer("rows", rows);
    visitor.integer("cols", cols);
    visitor.number("eps", eps);
  }
};

// ---- scores ----

// out[b] [n×m] = scale · a[b]·b[b]ᵀ for every matrix of the batch.
struct SimilarityArgs {
  F32In a;  // [batch × n × d]
  F32In b;  // [batch × m × d]
  F32Out out;  // [batch × n × m]
  i64 batch;
  i64 n;
  i64 m;
  i64 d;
  double scale;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("a", a);
    visitor.in("b", b);
    visitor.out("out", out);
    visitor.integer("batch", batch);
    visitor.integer("n", n);
    visitor.integer("m", m);
    visitor.integer("d", d);
    visitor.number("scale", scale);
  }
};

// out[i, j] = reduce_{t < frameLengths[i], w < wordLengths[j]} max(0, frames[i, t] · words[j, w]).
// STSQ is the mean over all entries, MTSQ the maximum over frames, then the mean over words, MQST the maximum over words,
// then the mean over frames. A pair with no frames or no words scores 0.
struct FrameScoreArgs {
  F32In frames;  // [clips × maxFrames × d]
  F32In words;  // [captions × maxWords × d]
  I32In frameLengths;  // [clips], from 0 to maxFrames
  I32In wordLengths;  // [captions], from 0 to maxWords
  F32Out out;  // [clips × captions]
  i64 clips;
  i64 captions;
  i64 maxFrames;
  i64 maxWords;
  i64 d;
  i64 reduction;  // 0 STSQ, 1 MTSQ, 2 MQST

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("frames", frames);
    visitor.in("words", words);
    visitor.in("frameLengths", frameLengths);
    visitor.in("wordLengths", wordLengths);
    visitor.out("out", out);
    visitor.integer("clips", clips);
    visitor.integer("captions", captions);
    visitor.integer("maxFrames", maxFrames);
    visitor.integer("maxWords", maxWords);
    visitor.integer("d", d);
    visitor.integer("reduction", reduction);
  }
};

// Recomputes the products; the sub-gradient of max picks the first maximum, of ReLU at 0 is 0.
struct FrameScoreBackwardArgs {
  F32In frames;  // [clips × maxFrames × d]
  F32In words;  // [captions × maxWords × d]
  I32In frameLengths;  // [clips], from 0 to maxFrames
  I32In wordLengths;  // [captions], from 0 to maxWords
  F32In gradOut;  // [clips × captions]
  F32Out gradFrames;  // [clips × maxFrames × d] or null padding gets 0
  F32Out gradWords;  // [captions × maxWords × d] or null
  i64 clips;
  i64 captions;
  i64 maxFrames;
  i64 maxWords;
  i64 d;
  i64 reduction;  // 0 STSQ, 1 MTSQ, 2 MQST

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("frames", frames);
    visitor.in("words", words);
    visitor.in("frameLengths", frameLengths);
    visitor.in("wordLengths", wordLengths);
    visitor.in("gradOut", gradOut);
    visitor.opt_out("gradFrames", gradFrames);
    visitor.opt_out("gradWords", gradWords);
    visitor.integer("clips", clips);
    visitor.integer("captions", captions);
    visitor.integer("maxFrames", maxFrames);
    visitor.integer("maxWords", maxWords);
    visitor.integer("d", d);
    visitor.integer("reduction", reduction);
  }
};

// Rows rounded to few bits, for top_k to look through first: x ≈ scale·v per row, where v are signed bytes (bits = 8, |v| <= 127) or
// half-precision numbers (bits = 16, |v| <= 1), four or two to a word, the first in the lowest bits, 0 past the end of a row.
// error bounds ‖x - scale·v‖₂ and what float32 sums of products with a vector of length 1 round. Rows of numbers that are too large, too
// small (beyond 10¹⁰ or all below 10⁻¹⁰) or none have v = 0, scale = 0 and the error ∞, rows of zeros the error 0.
struct QuantizeArgs {
  F32In x;  // [rows × cols]
  U32Out out;  // [rows × ⌊(cols·bits + 31) / 32⌋]
  F32Out scales;  // [rows × 2] scale, error
  i64 rows;
  i64 cols;
  i64 bits;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.out("out", out);
    visitor.out("scales", scales);
    visitor.integer("rows", rows);
    visitor.integer("cols", cols);
    visitor.integer("bits", bits);
  }
};

// The k best items of each query by inner product, score descending, ties to the lower index; no full matrix is kept.
// A score that is not a number ranks with -inf. Rows are filled with index -1 and score -inf past the number of items. What `quantize`
// made of these items (bits = 32: nothing) only saves reading them: few queries meet it first, and those items whose bound reaches the
// k best so far are scored by themselves, so that indices and scores are the same, bit for bit.
struct TopKArgs {
  F32In queries;  // [q × d]
  F32In items;  // [n × d]
  U32In narrow;  // [n × ⌊(d·bits + 31) / 32⌋] or null
  F32In scales;  // [n × 2] or null
  I32Out outIndices;  // [q × k]
  F32Out outScores;  // [q × k]
  i64 q;
  i64 n;
  i64 d;
  i64 k;
  i64 bits;  // 8 undefined, 16 undefined, 32 no narrow items

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("queries", queries);
    visitor.in("items", items);
    visitor.opt_in("narrow", narrow);
    visitor.opt_in("scales", scales);
    visitor.out("outIndices", outIndices);
    visitor.out("outScores", outScores);
    visitor.integer("q", q);
    visitor.integer("n", n);
    visitor.integer("d", d);
    visitor.integer("k", k);
    visitor.integer("bits", bits);
  }
};

// ---- losses ----

// Value, statistics and gradients together. Hinge over picked negatives (CSR lists per anchor, clip × caption scores S):
// L = 1/n Σ_i [ mean_{a ∈ audio(i)} [S_ai - S_ii + margin]₊ + mean_{t ∈ text(i)} [S_it - S_ii + margin]₊ ].
struct TripletArgs {
  F32In scores;  // [n × n]
  I32In audioOffsets;  // [n + 1], offsets of rows of audioIndex
  I32In audioIndex;  // [audioPicks], from 0 to n - 1
  I32In textOffsets;  // [n + 1], offsets of rows of textIndex
  I32In textIndex;  // [textPicks], from 0 to n - 1
  F32Out gradScores;  // [n × n]
  F32Out stats;  // [4] loss, share of active hinges, mean positive score, mean negative score
  i64 n;
  double margin;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("scores", scores);
    visitor.in("audioOffsets", audioOffsets);
    visitor.in("audioIndex", audioIndex);
    visitor.in("textOffsets", textOffsets);
    visitor.in("textIndex", textIndex);
    visitor.out("gradScores", gradScores);
    visitor.out("stats", stats);
    visitor.integer("n", n);
    visitor.number("margin", margin);
  }
};

// S = audio·textᵀ / τ, τ = exp(logTemperature). L = 1/n Σ_i (toText · CE of row i over captions + toAudio · CE of column i
// over clips). Items of the same group are left out of the denominators (positives = 0) or share the positive mass evenly
// (positives = 1). Pair (i, j) is left out in both directions when j is in exclude(i). Soft targets are weights of the
// pairs, all of them or those in target(i): a row's and a column's target puts the mass `hard` on its positives and 1 - hard on
// its weights, in proportion; rows and columns without weights lack that mass. Without text, audio is the matrix of scores
// itself. Streams slabs of rows: memory O(n·d) and at most 16 MB of the n×n scores, and as much of the targets (64 rows of
// them where those are longer).
struct InfoNceArgs {
  F32In audio;  // [n × d]
  F32In text;  // [n × d] or null null: d = n and audio·textᵀ is audio
  I32In groups;  // [n] clip ids
  I32In excludeOffsets;  // [n + 1] or null, offsets of rows of excludeIndex
  I32In excludeIndex;  // [exclusions] or null, from 0 to n - 1
  F32In targets;  // [n × n] or null weights of clips × captions, not negative
  I32In targetOffsets;  // [n + 1] or null, offsets of rows of targetIndex
  I32In targetIndex;  // [targeted] or null, from 0 to n - 1
  F32In targetWeights;  // [targeted] or null not negative; those of one place add up
  F32In logTemperature;  // [1]
  F32Out gradAudio;  // [n × d]
  F32Out gradText;  // [n × d] or null null: as text
  F32Out gradLogTemperature;  // [1] or null
  F32Out stats;  // [4] loss, audio→text top-1 accuracy, text→audio top-1 accuracy, mean positive cosine
  i64 n;
  i64 d;
  i64 positives;  // 0 left out, 1 shared
  double hard;  // 1 without targets
  double toText;
  double toAudio;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("audio", audio);
    visitor.opt_in("text", text);
    visitor.in("groups", groups);
    visitor.opt_in("excludeOffsets", excludeOffsets);
    visitor.opt_in("excludeIndex", excludeIndex);
    visitor.opt_in("targets", targets);
    visitor.opt_in("targetOffsets", targetOffsets);
    visitor.opt_in("targetIndex", targetIndex);
    visitor.opt_in("targetWeights", targetWeights);
    visitor.in("logTemperature", logTemperature);
    visitor.out("gradAudio", gradAudio);
    visitor.opt_out("gradText", gradText);
    visitor.opt_out("gradLogTemperature", gradLogTemperature);
    visitor.out("stats", stats);
    visitor.integer("n", n);
    visitor.integer("d", d);
    visitor.integer("positives", positives);
    visitor.number("hard", hard);
    visitor.number("toText", toText);
    visitor.number("toAudio", toAudio);
  }
};

// L = -1/n Σ_ij ln σ(z_ij · (audio_i·text_j / τ + bias)), τ = exp(logTemperature), z = 1 for positives, -1 for others. Items of the
// same group are left out (positives = 0) or positives (positives = 1), pairs in exclude(i) are left out. Without text, audio is the
// matrix of scores itself. Streams as info_nce does.
struct SigmoidPairArgs {
  F32In audio;  // [n × d]
  F32In text;  // [n × d] or null null: d = n and audio·textᵀ is audio
  I32In groups;  // [n] clip ids
  I32In excludeOffsets;  // [n + 1] or null, offsets of rows of excludeIndex
  I32In excludeIndex;  // [exclusions] or null, from 0 to n - 1
  F32In logTemperature;  // [1]
  F32In bias;  // [1]
  F32Out gradAudio;  // [n × d]
  F32Out gradText;  // [n × d] or null null: as text
  F32Out gradLogTemperature;  // [1] or null
  F32Out gradBias;  // [1] or null
  F32Out stats;  // [4] loss, mean σ of positives, mean σ of others, mean positive cosine
  i64 n;
  i64 d;
  i64 positives;  // 0 left out, 1 shared

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("audio", audio);
    visitor.opt_in("text", text);
    visitor.in("groups", groups);
    visitor.opt_in("excludeOffsets", excludeOffsets);
    visitor.opt_in("excludeIndex", excludeIndex);
    visitor.in("logTemperature", logTemperature);
    visitor.in("bias", bias);
    visitor.out("gradAudio", gradAudio);
    visitor.opt_out("gradText", gradText);
    visitor.opt_out("gradLogTemperature", gradLogTemperature);
    visitor.opt_out("gradBias", gradBias);
    visitor.out("stats", stats);
    visitor.integer("n", n);
    visitor.integer("d", d);
    visitor.integer("positives", positives);
  }
};

// ---- network ----

// Stride 1, zero padding (kh-1)/2, (kw-1)/2, no bias: out = leaky_relu(conv(x, w), slope); slope 1 = none.
struct Conv2dArgs {
  F32In x;  // [n × h × w × cin]
  F32In weight;  // [kh × kw × cin × cout]
  F32Out out;  // [n × h × w × cout]
  i64 n;
  i64 h;
  i64 w;
  i64 cin;
  i64 cout;
  i64 kh;
  i64 kw;
  double slope;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("weight", weight);
    visitor.out("out", out);
    visitor.integer("n", n);
    visitor.integer("h", h);
    visitor.integer("w", w);
    visitor.integer("cin", cin);
    visitor.integer("cout", cout);
    visitor.integer("kh", kh);
    visitor.integer("kw", kw);
    visitor.number("slope", slope);
  }
};

struct Conv2dBackwardArgs {
  F32In x;  // [n × h × w × cin]
  F32In weight;  // [kh × kw × cin × cout]
  F32In out;  // [n × h × w × cout] or null its sign gives the activation's mask; null when slope is 1
  F32In gradOut;  // [n × h × w × cout]
  F32Out gradX;  // [n × h × w × cin] or null
  F32Out gradWeight;  // [kh × kw × cin × cout] or null
  i64 n;
  i64 h;
  i64 w;
  i64 cin;
  i64 cout;
  i64 kh;
  i64 kw;
  double slope;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("weight", weight);
    visitor.opt_in("out", out);
    visitor.in("gradOut", gradOut);
    visitor.opt_out("gradX", gradX);
    visitor.opt_out("gradWeight", gradWeight);
    visitor.integer("n", n);
    visitor.integer("h", h);
    visitor.integer("w", w);
    visitor.integer("cin", cin);
    visitor.integer("cout", cout);
    visitor.integer("kh", kh);
    visitor.integer("kw", kw);
    visitor.number("slope", slope);
  }
};

// Per channel over rows. training: batch statistics (biased variance), running averages updated with the unbiased one
// (momentum as in PyTorch: new = (1-momentum)·old + momentum·batch); else running statistics.
struct BatchNormArgs {
  F32In x;  // [rows × c]
  F32In gamma;  // [c]
  F32In beta;  // [c]
  F32Out runningMean;  // [c]
  F32Out runningVar;  // [c]
  F32Out out;  // [rows × c]
  F32Out savedMean;  // [c]
  F32Out savedInvStd;  // [c]
  i64 rows;
  i64 c;
  i64 training;  // 0: the statistics are constants
  double eps;
  double momentum;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("gamma", gamma);
    visitor.in("beta", beta);
    visitor.inout("runningMean", runningMean);
    visitor.inout("runningVar", runningVar);
    visitor.out("out", out);
    visitor.out("savedMean", savedMean);
    visitor.out("savedInvStd", savedInvStd);
    visitor.integer("rows", rows);
    visitor.integer("c", c);
    visitor.integer("training", training);
    visitor.number("eps", eps);
    visitor.number("momentum", momentum);
  }
};

struct BatchNormBackwardArgs {
  F32In x;  // [rows × c]
  F32In gamma;  // [c]
  F32In savedMean;  // [c]
  F32In savedInvStd;  // [c]
  F32In gradOut;  // [rows × c]
  F32Out gradX;  // [rows × c] or null
  F32Out gradGamma;  // [c]
  F32Out gradBeta;  // [c]
  i64 rows;
  i64 c;
  i64 training;  // 0: the statistics are constants

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("gamma", gamma);
    visitor.in("savedMean", savedMean);
    visitor.in("savedInvStd", savedInvStd);
    visitor.in("gradOut", gradOut);
    visitor.opt_out("gradX", gradX);
    visitor.out("gradGamma", gradGamma);
    visitor.out("gradBeta", gradBeta);
    visitor.integer("rows", rows);
    visitor.integer("c", c);
    visitor.integer("training", training);
  }
};

// out = gamma · (x - mean) / √(variance + eps) + beta per row, with the biased variance; invStd keeps 1 / √(variance + eps).
struct LayerNormArgs {
  F32In x;  // [rows × cols]
  F32In gamma;  // [cols]
  F32In beta;  // [cols]
  F32Out out;  // [rows × cols]
  F32Out mean;  // [rows]
  F32Out invStd;  // [rows]
  i64 rows;
  i64 cols;
  double eps;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("gamma", gamma);
    visitor.in("beta", beta);
    visitor.out("out", out);
    visitor.out("mean", mean);
    visitor.out("invStd", invStd);
    visitor.integer("rows", rows);
    visitor.integer("cols", cols);
    visitor.number("eps", eps);
  }
};

struct LayerNormBackwardArgs {
  F32In x;  // [rows × cols]
  F32In gamma;  // [cols]
  F32In mean;  // [rows]
  F32In invStd;  // [rows]
  F32In gradOut;  // [rows × cols]
  F32Out gradX;  // [rows × cols] or null
  F32Out gradGamma;  // [cols]
  F32Out gradBeta;  // [cols]
  i64 rows;
  i64 cols;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("gamma", gamma);
    visitor.in("mean", mean);
    visitor.in("invStd", invStd);
    visitor.in("gradOut", gradOut);
    visitor.opt_out("gradX", gradX);
    visitor.out("gradGamma", gradGamma);
    visitor.out("gradBeta", gradBeta);
    visitor.integer("rows", rows);
    visitor.integer("cols", cols);
  }
};

// out = exp(x) / Σ exp(x) over the first lengths[i] columns of every row of matrix i, over all without lengths; 0 in the others.
struct SoftmaxArgs {
  F32In x;  // [n × rows × cols]
  I32In lengths;  // [n] or null, from 0 to cols
  F32Out out;  // [n × rows × cols]
  i64 n;
  i64 rows;
  i64 cols;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.opt_in("lengths", lengths);
    visitor.out("out", out);
    visitor.integer("n", n);
    visitor.integer("rows", rows);
    visitor.integer("cols", cols);
  }
};

struct SoftmaxBackwardArgs {
  I32In lengths;  // [n] or null, from 0 to cols
  F32In out;  // [n × rows × cols]
  F32In gradOut;  // [n × rows × cols]
  F32Out gradX;  // [n × rows × cols] padding gets 0
  i64 n;
  i64 rows;
  i64 cols;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.opt_in("lengths", lengths);
    visitor.in("out", out);
    visitor.in("gradOut", gradOut);
    visitor.out("gradX", gradX);
    visitor.integer("n", n);
    visitor.integer("rows", rows);
    visitor.integer("cols", cols);
  }
};

// out = x > 0 ? x : slope·x. Slope 0 is ReLU.
struct LeakyReluArgs {
  F32In x;  // [count]
  F32Out out;  // [count]
  double slope;

  static constexpr bool kInPlace = true;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.out("out", out);
    visitor.number("slope", slope);
  }
};

// gradX = out > 0 ? gradOut : slope·gradOut: the sign of out is the sign of x.
struct LeakyReluBackwardArgs {
  F32In out;  // [count]
  F32In gradOut;  // [count]
  F32Out gradX;  // [count]
  double slope;

  static constexpr bool kInPlace = true;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("out", out);
    visitor.in("gradOut", gradOut);
    visitor.out("gradX", gradX);
    visitor.number("slope", slope);
  }
};

// out = (Σ_window |x|^p)^(1/p), p a positive even integer, window = stride = (kh, kw), floor: the rest is dropped.
struct LpPoolArgs {
  F32In x;  // [n × h × w × c]
  F32Out out;  // [n × ⌊h / kh⌋ × ⌊w / kw⌋ × c]
  i64 n;
  i64 h;
  i64 w;
  i64 c;
  i64 kh;
  i64 kw;
  i64 p;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.out("out", out);
    visitor.integer("n", n);
    visitor.integer("h", h);
    visitor.integer("w", w);
    visitor.integer("c", c);
    visitor.integer("kh", kh);
    visitor.integer("kw", kw);
    visitor.integer("p", p);
  }
};

// gradX = gradOut · (x/out)^(p-1); 0 where out is 0 and in the dropped rest.
struct LpPoolBackwardArgs {
  F32In x;  // [n × h × w × c]
  F32In out;  // [n × ⌊h / kh⌋ × ⌊w / kw⌋ × c]
  F32In gradOut;  // [n × ⌊h / kh⌋ × ⌊w / kw⌋ × c]
  F32Out gradX;  // [n × h × w × c]
  i64 n;
  i64 h;
  i64 w;
  i64 c;
  i64 kh;
  i64 kw;
  i64 p;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("out", out);
    visitor.in("gradOut", gradOut);
    visitor.out("gradX", gradX);
    visitor.integer("n", n);
    visitor.integer("h", h);
    visitor.integer("w", w);
    visitor.integer("c", c);
    visitor.integer("kh", kh);
    visitor.integer("kw", kw);
    visitor.integer("p", p);
  }
};

// out[e] = u_e >= rate ? x[e]/(1-rate) : 0. u_e = (word >>> 8)·2⁻²⁴, word e mod 4 of Philox4x32-10 with key
// (seedLow, seedHigh) and counter (⌊e/4⌋ low, ⌊e/4⌋ high, offsetLow, offsetHigh). Its backward is itself on the gradient.
struct DropoutArgs {
  F32In x;  // [count]
  F32Out out;  // [count]
  i64 seedLow;
  i64 seedHigh;
  i64 offsetLow;
  i64 offsetHigh;
  double rate;

  static constexpr bool kInPlace = true;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.out("out", out);
    visitor.integer("seedLow", seedLow);
    visitor.integer("seedHigh", seedHigh);
    visitor.integer("offsetLow", offsetLow);
    visitor.integer("offsetHigh", offsetHigh);
    visitor.number("rate", rate);
  }
};

// One layer, h0 = 0, PyTorch's variant, gate rows r, z, n. directions 2 runs forward and backward and concatenates.
struct GruArgs {
  F32In x;  // [n × t × in]
  F32In wIh;  // [directions × 3·hidden × in]
  F32In wHh;  // [directions × 3·hidden × hidden]
  F32In bIh;  // [directions × 3·hidden]
  F32In bHh;  // [directions × 3·hidden]
  F32Out out;  // [n × t × directions·hidden]
  F32Out saved;  // [directions × n × t × 4·hidden] read by the backward of the same backend
  i64 n;
  i64 t;
  i64 in;
  i64 hidden;
  i64 directions;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("wIh", wIh);
    visitor.in("wHh", wHh);
    visitor.in("bIh", bIh);
    visitor.in("bHh", bHh);
    visitor.out("out", out);
    visitor.out("saved", saved);
    visitor.integer("n", n);
    visitor.integer("t", t);
    visitor.integer("in", in);
    visitor.integer("hidden", hidden);
    visitor.integer("directions", directions);
  }
};

struct GruBackwardArgs {
  F32In x;  // [n × t × in]
  F32In wIh;  // [directions × 3·hidden × in]
  F32In wHh;  // [directions × 3·hidden × hidden]
  F32In bHh;  // [directions × 3·hidden]
  F32In out;  // [n × t × directions·hidden]
  F32In saved;  // [directions × n × t × 4·hidden] read by the backward of the same backend
  F32In gradOut;  // [n × t × directions·hidden]
  F32Out gradX;  // [n × t × in] or null
  F32Out gradWIh;  // [directions × 3·hidden × in]
  F32Out gradWHh;  // [directions × 3·hidden × hidden]
  F32Out gradBIh;  // [directions × 3·hidden]
  F32Out gradBHh;  // [directions × 3·hidden]
  i64 n;
  i64 t;
  i64 in;
  i64 hidden;
  i64 directions;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("wIh", wIh);
    visitor.in("wHh", wHh);
    visitor.in("bHh", bHh);
    visitor.in("out", out);
    visitor.in("saved", saved);
    visitor.in("gradOut", gradOut);
    visitor.opt_out("gradX", gradX);
    visitor.out("gradWIh", gradWIh);
    visitor.out("gradWHh", gradWHh);
    visitor.out("gradBIh", gradBIh);
    visitor.out("gradBHh", gradBHh);
    visitor.integer("n", n);
    visitor.integer("t", t);
    visitor.integer("in", in);
    visitor.integer("hidden", hidden);
    visitor.integer("directions", directions);
  }
};

// Linear over time, align_corners = false: s = max((t+0.5)·l/t_out - 0.5, 0).
struct InterpolateArgs {
  F32In x;  // [n × l × c]
  F32Out out;  // [n × t × c]
  i64 n;
  i64 l;
  i64 t;
  i64 c;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.out("out", out);
    visitor.integer("n", n);
    visitor.integer("l", l);
    visitor.integer("t", t);
    visitor.integer("c", c);
  }
};

struct InterpolateBackwardArgs {
  F32In gradOut;  // [n × t × c]
  F32Out gradX;  // [n × l × c]
  i64 n;
  i64 l;
  i64 t;
  i64 c;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("gradOut", gradOut);
    visitor.out("gradX", gradX);
    visitor.integer("n", n);
    visitor.integer("l", l);
    visitor.integer("t", t);
    visitor.integer("c", c);
  }
};

// out[i] = table[tokens[i]].
struct EmbeddingArgs {
  F32In table;  // [vocabulary × d]
  I32In tokens;  // [count], from 0 to vocabulary - 1
  F32Out out;  // [count × d]
  i64 vocabulary;
  i64 count;
  i64 d;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("table", table);
    visitor.in("tokens", tokens);
    visitor.out("out", out);
    visitor.integer("vocabulary", vocabulary);
    visitor.integer("count", count);
    visitor.integer("d", d);
  }
};

// gradTable is set, not added to; rows are summed in token order.
struct EmbeddingBackwardArgs {
  I32In tokens;  // [count], from 0 to vocabulary - 1
  F32In gradOut;  // [count × d]
  F32Out gradTable;  // [vocabulary × d]
  i64 vocabulary;
  i64 count;
  i64 d;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("tokens", tokens);
    visitor.in("gradOut", gradOut);
    visitor.out("gradTable", gradTable);
    visitor.integer("vocabulary", vocabulary);
    visitor.integer("count", count);
    visitor.integer("d", d);
  }
};

// out[i] = mean_{t < lengths[i]} x[i, t]; 0 for length 0.
struct MaskedMeanArgs {
  F32In x;  // [n × t × c]
  I32In lengths;  // [n], from 0 to t
  F32Out out;  // [n × c]
  i64 n;
  i64 t;
  i64 c;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("lengths", lengths);
    visitor.out("out", out);
    visitor.integer("n", n);
    visitor.integer("t", t);
    visitor.integer("c", c);
  }
};

struct MaskedMeanBackwardArgs {
  I32In lengths;  // [n], from 0 to t
  F32In gradOut;  // [n × c]
  F32Out gradX;  // [n × t × c] padding gets 0
  i64 n;
  i64 t;
  i64 c;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("lengths", lengths);
    visitor.in("gradOut", gradOut);
    visitor.out("gradX", gradX);
    visitor.integer("n", n);
    visitor.integer("t", t);
    visitor.integer("c", c);
  }
};

// out[i] = max_{t < lengths[i]} x[i, t]; 0 for length 0.
struct MaskedMaxArgs {
  F32In x;  // [n × t × c]
  I32In lengths;  // [n], from 0 to t
  F32Out out;  // [n × c]
  i64 n;
  i64 t;
  i64 c;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("lengths", lengths);
    visitor.out("out", out);
    visitor.integer("n", n);
    visitor.integer("t", t);
    visitor.integer("c", c);
  }
};

struct MaskedMaxBackwardArgs {
  F32In x;  // [n × t × c]
  I32In lengths;  // [n], from 0 to t
  F32In out;  // [n × c]
  F32In gradOut;  // [n × c]
  F32Out gradX;  // [n × t × c] of the first step that has the maximum; the others and padding get 0
  i64 n;
  i64 t;
  i64 c;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("lengths", lengths);
    visitor.in("out", out);
    visitor.in("gradOut", gradOut);
    visitor.out("gradX", gradX);
    visitor.integer("n", n);
    visitor.integer("t", t);
    visitor.integer("c", c);
  }
};

// out[o, j, b, i] = x[o, i, b, j], rows of `inner` values: two axes change places.
struct TransposeArgs {
  F32In x;  // [outer × m × between × n × inner]
  F32Out out;  // [outer × n × between × m × inner]
  i64 outer;
  i64 m;
  i64 between;
  i64 n;
  i64 inner;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.out("out", out);
    visitor.integer("outer", outer);
    visitor.integer("m", m);
    visitor.integer("between", between);
    visitor.integer("n", n);
    visitor.integer("inner", inner);
  }
};

// out[r, to + c] = x[r, from + c] for c < width; the rest of out stays: slices and concatenations along any axis.
struct CopyColumnsArgs {
  F32In x;  // [rows × xCols]
  F32Out out;  // [rows × outCols]
  i64 rows;
  i64 xCols;
  i64 outCols;
  i64 from;
  i64 to;
  i64 width;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.inout("out", out);
    visitor.integer("rows", rows);
    visitor.integer("xCols", xCols);
    visitor.integer("outCols", outCols);
    visitor.integer("from", from);
    visitor.integer("to", to);
    visitor.integer("width", width);
  }
};

// out = x·Φ(x), Φ the distribution function of the standard normal distribution.
struct GeluArgs {
  F32In x;  // [count]
  F32Out out;  // [count]

  static constexpr bool kInPlace = true;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.out("out", out);
  }
};

struct GeluBackwardArgs {
  F32In x;  // [count]
  F32In gradOut;  // [count]
  F32Out gradX;  // [count]

  static constexpr bool kInPlace = true;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.in("gradOut", gradOut);
    visitor.out("gradX", gradX);
  }
};

// out = a·b, element by element.
struct MultiplyArgs {
  F32In a;  // [count]
  F32In b;  // [count]
  F32Out out;  // [count]

  static constexpr bool kInPlace = true;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("a", a);
    visitor.in("b", b);
    visitor.out("out", out);
  }
};

// out = alpha·a + beta·b.
struct AddArgs {
  F32In a;  // [count]
  F32In b;  // [count]
  F32Out out;  // [count]
  double alpha;
  double beta;

  static constexpr bool kInPlace = true;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("a", a);
    visitor.in("b", b);
    visitor.out("out", out);
    visitor.number("alpha", alpha);
    visitor.number("beta", beta);
  }
};

// out = factor·x.
struct ScaleArgs {
  F32In x;  // [count]
  F32Out out;  // [count]
  double factor;

  static constexpr bool kInPlace = true;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.out("out", out);
    visitor.number("factor", factor);
  }
};

// ---- optimiser ----

// PyTorch's Adam; decoupled = 1 is AdamW. step counts from 1.
struct AdamArgs {
  F32Out param;  // [count]
  F32In grad;  // [count]
  F32Out m;  // [count]
  F32Out v;  // [count]
  i64 step;
  i64 decoupled;
  double lr;
  double beta1;
  double beta2;
  double eps;
  double weightDecay;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.inout("param", param);
    visitor.in("grad", grad);
    visitor.inout("m", m);
    visitor.inout("v", v);
    visitor.integer("step", step);
    visitor.integer("decoupled", decoupled);
    visitor.number("lr", lr);
    visitor.number("beta1", beta1);
    visitor.number("beta2", beta2);
    visitor.number("eps", eps);
    visitor.number("weightDecay", weightDecay);
  }
};

// out[slot] = Σ x², accumulated so that a NaN or an infinity anywhere shows in it. The other slots are left as they are:
// the norms of many tensors are one download.
struct GradNormArgs {
  F32In x;  // [count]
  F32Out out;  // [slots]
  i64 slot;

  static constexpr bool kInPlace = false;

  template <class Visitor>
  constexpr void visit(Visitor& visitor) {
    visitor.in("x", x);
    visitor.inout("out", out);
    visitor.integer("slot", slot);
  }
};

// ---- the table ----

#define SONOTEXT_OPS(X) \
  X(log_mel, LogMelArgs) \
  X(pcm, PcmArgs) \
  X(resample, ResampleArgs) \
  X(gemm, GemmArgs) \
  X(batched_gemm, BatchedGemmArgs) \
  X(l2_normalize, L2NormalizeArgs) \
  X(l2_normalize_backward, L2NormalizeBackwardArgs) \
  X(similarity, SimilarityArgs) \
  X(frame_score, FrameScoreArgs) \
  X(frame_score_backward, FrameScoreBackwardArgs) \
  X(quantize, QuantizeArgs) \
  X(top_k, TopKArgs) \
  X(triplet, TripletArgs) \
  X(info_nce, InfoNceArgs) \
  X(sigmoid_pair, SigmoidPairArgs) \
  X(conv2d, Conv2dArgs) \
  X(conv2d_backward, Conv2dBackwardArgs) \
  X(batch_norm, BatchNormArgs) \
  X(batch_norm_backward, BatchNormBackwardArgs) \
  X(layer_norm, LayerNormArgs) \
  X(layer_norm_backward, LayerNormBackwardArgs) \
  X(softmax, SoftmaxArgs) \
  X(softmax_backward, SoftmaxBackwardArgs) \
  X(leaky_relu, LeakyReluArgs) \
  X(leaky_relu_backward, LeakyReluBackwardArgs) \
  X(lp_pool, LpPoolArgs) \
  X(lp_pool_backward, LpPoolBackwardArgs) \
  X(dropout, DropoutArgs) \
  X(gru, GruArgs) \
  X(gru_backward, GruBackwardArgs) \
  X(interpolate, InterpolateArgs) \
  X(interpolate_backward, InterpolateBackwardArgs) \
  X(embedding, EmbeddingArgs) \
  X(embedding_backward, EmbeddingBackwardArgs) \
  X(masked_mean, MaskedMeanArgs) \
  X(masked_mean_backward, MaskedMeanBackwardArgs) \
  X(masked_max, MaskedMaxArgs) \
  X(masked_max_backward, MaskedMaxBackwardArgs) \
  X(transpose, TransposeArgs) \
  X(copy_columns, CopyColumnsArgs) \
  X(gelu, GeluArgs) \
  X(gelu_backward, GeluBackwardArgs) \
  X(multiply, MultiplyArgs) \
  X(add, AddArgs) \
  X(scale, ScaleArgs) \
  X(adam, AdamArgs) \
  X(grad_norm, GradNormArgs)

struct OpTable {
#define SONOTEXT_ENTRY(name, Args) Status (*name)(const Args&, Exec&) = nullptr;
  SONOTEXT_OPS(SONOTEXT_ENTRY)
#undef SONOTEXT_ENTRY
};

}  // namespace sonotext
