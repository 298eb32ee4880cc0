// THE op table. One row per op; an instruction set or a device fills the entries it has, null means "not mine".
//
// Every op has one name everywhere: here, cpu/kernels/<op>.inl, cuda/<op>.cu, the Backend port of core-ts, the bench
// rows and the tolerance table; tools/ops-agree.mjs checks it. Matrices are row-major and dense, images are
// channels-last. Views marked in/out/inout in visit() tell bindings and fallbacks the direction of the data; a nullable
// view is marked `opt_`. Sizes are checked by core/check.cpp before an op is called: kernels may assume them.
#pragma once

#include "exec.hpp"
#include "status.hpp"
#include "views.hpp"

namespace sonotext {

// ---- features -----------------------------------------------------------------------------------------------------

// out[f, b] = log(Σ_i filter_b[i] · |FFT(window · pcm[f·hop - pad + (0..nFft-1)])[filterStart[b] + i]|^power).
// The spectrum of a clip spans more than float32 resolves: the CPU entries and the reference take the FFT in float64,
// and the window comes with the part that rounding it to float32 cut off (needed for 1e-3 in the log on real clips).
struct LogMelArgs {
  F32In pcm;            // [samples] mono; samples outside are given by padMode
  F32In window;         // [2 × nFft] tap i is window[i] + window[nFft + i]: its float32 value, then the rounding's rest
  I32In filterStart;    // [bands] first FFT bin of each filter
  I32In filterOffset;   // [bands + 1] into filterWeights
  F32In filterWeights;  // ragged, filterWeights[filterOffset[b] + i] belongs to bin filterStart[b] + i
  F32Out out;           // [frames × bands]
  i64 nFft, hop, frames, bands;
  i64 pad;              // samples of padding before the first sample (nFft/2 when centred, else 0)
  i64 padMode;          // 0 zeros, 1 reflect (the edge sample is not repeated; pad < samples)
  i64 power;            // 1 magnitude, 2 power
  i64 logKind;          // 0 none, 1 ln(x + offset), 2 ln(max(x, offset)), 3 10·log10(max(x, offset))
  double offset;

  template <class V>
  constexpr void visit(V& v) {
    v.in("pcm", pcm), v.in("window", window), v.in("filterStart", filterStart), v.in("filterOffset", filterOffset);
    v.in("filterWeights", filterWeights), v.out("out", out);
    v.integer("nFft", nFft), v.integer("hop", hop), v.integer("frames", frames), v.integer("bands", bands);
    v.integer("pad", pad), v.integer("padMode", padMode), v.integer("power", power), v.integer("logKind", logKind);
    v.number("offset", offset);
  }
};

// Polyphase resampling by up/down: out[i] = Σ_{k < width} taps[phase, k] · pcm[⌊i·down/up⌋ - (width/2 - 1) + k] with
// phase = (i·down) mod up; samples outside pcm are 0. Any number of outputs may be asked for.
struct ResampleArgs {
  F32In pcm;   // [samples]
  F32In taps;  // [up × width], phase-major
  F32Out out;  // [outSamples]
  i64 up, down, width;  // width is even: out[i] is centred on input position i·down/up

  template <class V>
  constexpr void visit(V& v) {
    v.in("pcm", pcm), v.in("taps", taps), v.out("out", out);
    v.integer("up", up), v.integer("down", down), v.integer("width", width);
  }
};

// ---- dense --------------------------------------------------------------------------------------------------------

// out[m×n] = act(alpha · op(a)·op(b) + beta · out + bias), op(a) is m×k, op(b) is k×n.
struct GemmArgs {
  F32In a, b;
  F32In bias;   // [n] or null
  F32Out out;   // [m × n], read only when beta != 0
  i64 m, n, k;
  i64 transA, transB;  // 1: a is stored k×m, b is stored n×k
  double alpha, beta;
  double slope;  // leaky ReLU of this slope at the end; 1 = none, 0 = ReLU

  template <class V>
  constexpr void visit(V& v) {
    v.in("a", a), v.in("b", b), v.opt_in("bias", bias), v.inout("out", out);
    v.integer("m", m), v.integer("n", n), v.integer("k", k), v.integer("transA", transA), v.integer("transB", transB);
    v.number("alpha", alpha), v.number("beta", beta), v.number("slope", slope);
  }
};

// out = x / max(‖x‖₂, eps) per row; norms keeps ‖x‖₂.
struct L2NormalizeArgs {
  F32In x;       // [rows × cols]
  F32Out out;    // [rows × cols]
  F32Out norms;  // [rows]
  i64 rows, cols;
  double eps;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.out("out", out), v.out("norms", norms);
    v.integer("rows", rows), v.integer("cols", cols), v.number("eps", eps);
  }
};

struct L2NormalizeBackwardArgs {
  F32In out, norms, gradOut;
  F32Out gradX;
  i64 rows, cols;
  double eps;

  template <class V>
  constexpr void visit(V& v) {
    v.in("out", out), v.in("norms", norms), v.in("gradOut", gradOut), v.out("gradX", gradX);
    v.integer("rows", rows), v.integer("cols", cols), v.number("eps", eps);
  }
};

// ---- scores -------------------------------------------------------------------------------------------------------

// out[b] [n×m] = scale · a[b]·b[b]ᵀ for every matrix of the batch.
struct SimilarityArgs {
  F32In a;     // [batch × n × d]
  F32In b;     // [batch × m × d]
  F32Out out;  // [batch × n × m]
  i64 batch, n, m, d;
  double scale;

  template <class V>
  constexpr void visit(V& v) {
    v.in("a", a), v.in("b", b), v.out("out", out);
    v.integer("batch", batch), v.integer("n", n), v.integer("m", m), v.integer("d", d), v.number("scale", scale);
  }
};

// out[i, j] = reduce_{t < frameLengths[i], w < wordLengths[j]} max(0, frames[i, t] · words[j, w]).
// reduction: 0 STSQ mean over all entries, 1 MTSQ max over frames then mean over words, 2 MQST max over words then
// mean over frames. A pair with no frames or no words scores 0.
struct FrameScoreArgs {
  F32In frames;        // [clips × maxFrames × d]
  F32In words;         // [captions × maxWords × d]
  I32In frameLengths;  // [clips]
  I32In wordLengths;   // [captions]
  F32Out out;          // [clips × captions]
  i64 clips, captions, maxFrames, maxWords, d;
  i64 reduction;

  template <class V>
  constexpr void visit(V& v) {
    v.in("frames", frames), v.in("words", words), v.in("frameLengths", frameLengths);
    v.in("wordLengths", wordLengths), v.out("out", out);
    v.integer("clips", clips), v.integer("captions", captions), v.integer("maxFrames", maxFrames);
    v.integer("maxWords", maxWords), v.integer("d", d), v.integer("reduction", reduction);
  }
};

// Recomputes the products; the sub-gradient of max picks the first maximum, of ReLU at 0 is 0.
struct FrameScoreBackwardArgs {
  F32In frames, words;
  I32In frameLengths, wordLengths;
  F32In gradOut;      // [clips × captions]
  F32Out gradFrames;  // [clips × maxFrames × d], padding gets 0
  F32Out gradWords;   // [captions × maxWords × d] or null
  i64 clips, captions, maxFrames, maxWords, d;
  i64 reduction;

  template <class V>
  constexpr void visit(V& v) {
    v.in("frames", frames), v.in("words", words), v.in("frameLengths", frameLengths);
    v.in("wordLengths", wordLengths), v.in("gradOut", gradOut), v.opt_out("gradFrames", gradFrames);
    v.opt_out("gradWords", gradWords);
    v.integer("clips", clips), v.integer("captions", captions), v.integer("maxFrames", maxFrames);
    v.integer("maxWords", maxWords), v.integer("d", d), v.integer("reduction", reduction);
  }
};

// The k best items of each query by inner product, score descending, ties to the lower index; no full matrix is kept.
// A score that is not a number ranks with -inf. Rows are filled with index -1 and score -inf past the number of items.
struct TopKArgs {
  F32In queries;     // [q × d]
  F32In items;       // [n × d]
  I32Out outIndices;  // [q × k]
  F32Out outScores;   // [q × k]
  i64 q, n, d, k;

  template <class V>
  constexpr void visit(V& v) {
    v.in("queries", queries), v.in("items", items), v.out("outIndices", outIndices), v.out("outScores", outScores);
    v.integer("q", q), v.integer("n", n), v.integer("d", d), v.integer("k", k);
  }
};

// ---- losses: value, statistics and gradients together ---------------------------------------------------------------

// Hinge over picked negatives (CSR lists per anchor, clip × caption scores S):
// L = 1/n Σ_i [ mean_{a ∈ audio(i)} [S_ai - S_ii + margin]₊ + mean_{t ∈ text(i)} [S_it - S_ii + margin]₊ ].
struct TripletArgs {
  F32In scores;                  // [n × n]
  I32In audioOffsets, audioIndex;  // [n + 1], [audioOffsets[n]]
  I32In textOffsets, textIndex;    // [n + 1], [textOffsets[n]]
  F32Out gradScores;             // [n × n]
  F32Out stats;  // [4] loss, share of active hinges, mean positive score, mean negative score
  i64 n;
  double margin;

  template <class V>
  constexpr void visit(V& v) {
    v.in("scores", scores), v.in("audioOffsets", audioOffsets), v.in("audioIndex", audioIndex);
    v.in("textOffsets", textOffsets), v.in("textIndex", textIndex);
    v.out("gradScores", gradScores), v.out("stats", stats), v.integer("n", n), v.number("margin", margin);
  }
};

// S = audio·textᵀ / τ, τ = exp(logTemperature). L = 1/n Σ_i (CE over captions of row i + CE over clips of column i).
// Items of the same group are left out of the denominators (positives = 0) or share the positive mass evenly
// (positives = 1). Pair (i, j) is left out in both directions when j is in exclude(i) (CSR, may be null). Streams slabs of
// rows: memory O(n·d) and at most 16 MB of the n×n scores (64 rows of them where those are longer).
struct InfoNceArgs {
  F32In audio, text;       // [n × d]
  I32In groups;            // [n] clip ids
  I32In excludeOffsets, excludeIndex;  // [n + 1], [...] or null
  F32In logTemperature;    // [1]
  F32Out gradAudio, gradText;  // [n × d]
  F32Out gradLogTemperature;   // [1] or null
  F32Out stats;  // [4] loss, audio→text top-1 accuracy, text→audio top-1 accuracy, mean positive cosine (unscaled)
  i64 n, d;
  i64 positives;

  template <class V>
  constexpr void visit(V& v) {
    v.in("audio", audio), v.in("text", text), v.in("groups", groups);
    v.opt_in("excludeOffsets", excludeOffsets), v.opt_in("excludeIndex", excludeIndex);
    v.in("logTemperature", logTemperature), v.out("gradAudio", gradAudio), v.out("gradText", gradText);
    v.opt_out("gradLogTemperature", gradLogTemperature), v.out("stats", stats);
    v.integer("n", n), v.integer("d", d), v.integer("positives", positives);
  }
};

// ---- network --------------------------------------------------------------------------------------------------------

// Stride 1, zero padding (kh-1)/2, (kw-1)/2, no bias: out = leaky_relu(conv(x, w), slope); slope 1 = none.
struct Conv2dArgs {
  F32In x;     // [n × h × w × cin]
  F32In weight;  // [kh × kw × cin × cout]
  F32Out out;  // [n × h × w × cout]
  i64 n, h, w, cin, cout, kh, kw;
  double slope;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.in("weight", weight), v.out("out", out);
    v.integer("n", n), v.integer("h", h), v.integer("w", w), v.integer("cin", cin), v.integer("cout", cout);
    v.integer("kh", kh), v.integer("kw", kw), v.number("slope", slope);
  }
};

struct Conv2dBackwardArgs {
  F32In x, weight;
  F32In out;      // forward result, its sign gives the activation's mask; null when slope is 1
  F32In gradOut;  // [n × h × w × cout]
  F32Out gradX;       // [n × h × w × cin] or null
  F32Out gradWeight;  // [kh × kw × cin × cout] or null
  i64 n, h, w, cin, cout, kh, kw;
  double slope;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.in("weight", weight), v.opt_in("out", out), v.in("gradOut", gradOut);
    v.opt_out("gradX", gradX), v.opt_out("gradWeight", gradWeight);
    v.integer("n", n), v.integer("h", h), v.integer("w", w), v.integer("cin", cin), v.integer("cout", cout);
    v.integer("kh", kh), v.integer("kw", kw), v.number("slope", slope);
  }
};

// Per channel over rows. training: batch statistics (biased variance), running averages updated with the unbiased one
// (momentum as in PyTorch: new = (1-momentum)·old + momentum·batch); else running statistics.
struct BatchNormArgs {
  F32In x;            // [rows × c]
  F32In gamma, beta;  // [c]
  F32Out runningMean, runningVar;  // [c], in and out
  F32Out out;                      // [rows × c]
  F32Out savedMean, savedInvStd;   // [c]
  i64 rows, c;
  i64 training;
  double eps, momentum;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.in("gamma", gamma), v.in("beta", beta);
    v.inout("runningMean", runningMean), v.inout("runningVar", runningVar);
    v.out("out", out), v.out("savedMean", savedMean), v.out("savedInvStd", savedInvStd);
    v.integer("rows", rows), v.integer("c", c), v.integer("training", training);
    v.number("eps", eps), v.number("momentum", momentum);
  }
};

struct BatchNormBackwardArgs {
  F32In x, gamma, savedMean, savedInvStd, gradOut;
  F32Out gradX;                 // [rows × c] or null
  F32Out gradGamma, gradBeta;   // [c]
  i64 rows, c;
  i64 training;  // 0: the statistics were constants

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.in("gamma", gamma), v.in("savedMean", savedMean), v.in("savedInvStd", savedInvStd);
    v.in("gradOut", gradOut), v.opt_out("gradX", gradX), v.out("gradGamma", gradGamma), v.out("gradBeta", gradBeta);
    v.integer("rows", rows), v.integer("c", c), v.integer("training", training);
  }
};

// out = x > 0 ? x : slope·x. Slope 0 is ReLU.
struct LeakyReluArgs {
  F32In x;
  F32Out out;
  double slope;

  template <class V>
  constexpr void visit(V& v) { v.in("x", x), v.out("out", out), v.number("slope", slope); }
};

// gradX = out > 0 ? gradOut : slope·gradOut (slope >= 0, so the sign of out is the sign of x).
struct LeakyReluBackwardArgs {
  F32In out, gradOut;
  F32Out gradX;
  double slope;

  template <class V>
  constexpr void visit(V& v) { v.in("out", out), v.in("gradOut", gradOut), v.out("gradX", gradX), v.number("slope", slope); }
};

// out = (Σ_window |x|^p)^(1/p), p a positive even integer, window = stride = (kh, kw), floor: the rest is dropped.
struct LpPoolArgs {
  F32In x;     // [n × h × w × c]
  F32Out out;  // [n × ⌊h/kh⌋ × ⌊w/kw⌋ × c]
  i64 n, h, w, c, kh, kw, p;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.out("out", out), v.integer("n", n), v.integer("h", h), v.integer("w", w), v.integer("c", c);
    v.integer("kh", kh), v.integer("kw", kw), v.integer("p", p);
  }
};

// gradX = gradOut · (x/out)^(p-1); 0 where out is 0 and in the dropped rest.
struct LpPoolBackwardArgs {
  F32In x, out, gradOut;
  F32Out gradX;
  i64 n, h, w, c, kh, kw, p;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.in("out", out), v.in("gradOut", gradOut), v.out("gradX", gradX);
    v.integer("n", n), v.integer("h", h), v.integer("w", w), v.integer("c", c);
    v.integer("kh", kh), v.integer("kw", kw), v.integer("p", p);
  }
};

// out[e] = u_e >= rate ? x[e]/(1-rate) : 0. u_e = (word >>> 8)·2⁻²⁴, word e mod 4 of Philox4x32-10 with key
// (seedLow, seedHigh) and counter (⌊e/4⌋ low, ⌊e/4⌋ high, offsetLow, offsetHigh). Its backward is itself on the gradient.
struct DropoutArgs {
  F32In x;
  F32Out out;
  i64 seedLow, seedHigh, offsetLow, offsetHigh;  // unsigned 32-bit values
  double rate;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.out("out", out), v.integer("seedLow", seedLow), v.integer("seedHigh", seedHigh);
    v.integer("offsetLow", offsetLow), v.integer("offsetHigh", offsetHigh), v.number("rate", rate);
  }
};

// One layer, h0 = 0, PyTorch's variant, gate rows r, z, n. directions 2 runs forward and backward and concatenates.
struct GruArgs {
  F32In x;                   // [n × t × in]
  F32In wIh, wHh;            // [directions × 3H × in], [directions × 3H × H]
  F32In bIh, bHh;            // [directions × 3H]
  F32Out out;                // [n × t × directions·H]
  F32Out saved;              // [directions × n × t × 4H], layout private to the backend that wrote it
  i64 n, t, in, hidden, directions;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.in("wIh", wIh), v.in("wHh", wHh), v.in("bIh", bIh), v.in("bHh", bHh);
    v.out("out", out), v.out("saved", saved), v.integer("n", n), v.integer("t", t), v.integer("in", in);
    v.integer("hidden", hidden), v.integer("directions", directions);
  }
};

struct GruBackwardArgs {
  F32In x, wIh, wHh, bHh, out, saved, gradOut;
  F32Out gradX;                      // [n × t × in] or null
  F32Out gradWIh, gradWHh, gradBIh, gradBHh;
  i64 n, t, in, hidden, directions;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.in("wIh", wIh), v.in("wHh", wHh), v.in("bHh", bHh), v.in("out", out), v.in("saved", saved);
    v.in("gradOut", gradOut), v.opt_out("gradX", gradX), v.out("gradWIh", gradWIh), v.out("gradWHh", gradWHh);
    v.out("gradBIh", gradBIh), v.out("gradBHh", gradBHh), v.integer("n", n), v.integer("t", t), v.integer("in", in);
    v.integer("hidden", hidden), v.integer("directions", directions);
  }
};

// Linear over time, align_corners = false: s = max((t+0.5)·l/t_out - 0.5, 0).
struct InterpolateArgs {
  F32In x;     // [n × l × c]
  F32Out out;  // [n × t × c]
  i64 n, l, t, c;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.out("out", out), v.integer("n", n), v.integer("l", l), v.integer("t", t), v.integer("c", c);
  }
};

struct InterpolateBackwardArgs {
  F32In gradOut;  // [n × t × c]
  F32Out gradX;   // [n × l × c]
  i64 n, l, t, c;

  template <class V>
  constexpr void visit(V& v) {
    v.in("gradOut", gradOut), v.out("gradX", gradX);
    v.integer("n", n), v.integer("l", l), v.integer("t", t), v.integer("c", c);
  }
};

// out[i] = table[tokens[i]]; tokens outside [0, vocabulary) are refused by the check.
struct EmbeddingArgs {
  F32In table;    // [vocabulary × d]
  I32In tokens;   // [count]
  F32Out out;     // [count × d]
  i64 vocabulary, count, d;

  template <class V>
  constexpr void visit(V& v) {
    v.in("table", table), v.in("tokens", tokens), v.out("out", out);
    v.integer("vocabulary", vocabulary), v.integer("count", count), v.integer("d", d);
  }
};

// gradTable is set, not added to; rows are summed in token order.
struct EmbeddingBackwardArgs {
  I32In tokens;
  F32In gradOut;
  F32Out gradTable;
  i64 vocabulary, count, d;

  template <class V>
  constexpr void visit(V& v) {
    v.in("tokens", tokens), v.in("gradOut", gradOut), v.out("gradTable", gradTable);
    v.integer("vocabulary", vocabulary), v.integer("count", count), v.integer("d", d);
  }
};

// out[i] = mean_{t < lengths[i]} x[i, t]; 0 for length 0.
struct MaskedMeanArgs {
  F32In x;        // [n × t × c]
  I32In lengths;  // [n]
  F32Out out;     // [n × c]
  i64 n, t, c;

  template <class V>
  constexpr void visit(V& v) {
    v.in("x", x), v.in("lengths", lengths), v.out("out", out);
    v.integer("n", n), v.integer("t", t), v.integer("c", c);
  }
};

struct MaskedMeanBackwardArgs {
  F32In gradOut;
  I32In lengths;
  F32Out gradX;  // padding gets 0
  i64 n, t, c;

  template <class V>
  constexpr void visit(V& v) {
    v.in("gradOut", gradOut), v.in("lengths", lengths), v.out("gradX", gradX);
    v.integer("n", n), v.integer("t", t), v.integer("c", c);
  }
};

// out = alpha·a + beta·b; out may be a or b.
struct AddArgs {
  F32In a, b;
  F32Out out;
  double alpha, beta;

  template <class V>
  constexpr void visit(V& v) { v.in("a", a), v.in("b", b), v.out("out", out), v.number("alpha", alpha), v.number("beta", beta); }
};

// out = factor·x; out may be x.
struct ScaleArgs {
  F32In x;
  F32Out out;
  double factor;

  template <class V>
  constexpr void visit(V& v) { v.in("x", x), v.out("out", out), v.number("factor", factor); }
};

// ---- optimiser ------------------------------------------------------------------------------------------------------

// PyTorch's Adam; decoupled = 1 is AdamW. step counts from 1.
struct AdamArgs {
  F32Out param, m, v;  // [size], in and out
  F32In grad;
  i64 step, decoupled;
  double lr, beta1, beta2, eps, weightDecay;

  template <class V>
  constexpr void visit(V& visitor) {
    visitor.inout("param", param), visitor.in("grad", grad), visitor.inout("m", m), visitor.inout("v", v);
    visitor.integer("step", step), visitor.integer("decoupled", decoupled), visitor.number("lr", lr);
    visitor.number("beta1", beta1), visitor.number("beta2", beta2), visitor.number("eps", eps);
    visitor.number("weightDecay", weightDecay);
  }
};

// out[0] = Σ x², accumulated so that a NaN or an infinity anywhere shows in it.
struct GradNormArgs {
  F32In x;
  F32Out out;  // [1]

  template <class V>
  constexpr void visit(V& v) { v.in("x", x), v.out("out", out); }
};

// ---- the table ------------------------------------------------------------------------------------------------------

#define SONOTEXT_OPS(X)                              \
  X(log_mel, LogMelArgs)                             \
  X(resample, ResampleArgs)                          \
  X(gemm, GemmArgs)                                  \
  X(l2_normalize, L2NormalizeArgs)                   \
  X(l2_normalize_backward, L2NormalizeBackwardArgs)  \
  X(similarity, SimilarityArgs)                      \
  X(frame_score, FrameScoreArgs)                     \
  X(frame_score_backward, FrameScoreBackwardArgs)    \
  X(top_k, TopKArgs)                                 \
  X(triplet, TripletArgs)                            \
  X(info_nce, InfoNceArgs)                           \
  X(conv2d, Conv2dArgs)                              \
  X(conv2d_backward, Conv2dBackwardArgs)             \
  X(batch_norm, BatchNormArgs)                       \
  X(batch_norm_backward, BatchNormBackwardArgs)      \
  X(leaky_relu, LeakyReluArgs)                       \
  X(leaky_relu_backward, LeakyReluBackwardArgs)      \
  X(lp_pool, LpPoolArgs)                             \
  X(lp_pool_backward, LpPoolBackwardArgs)            \
  X(dropout, DropoutArgs)                            \
  X(gru, GruArgs)                                    \
  X(gru_backward, GruBackwardArgs)                   \
  X(interpolate, InterpolateArgs)                    \
  X(interpolate_backward, InterpolateBackwardArgs)   \
  X(embedding, EmbeddingArgs)                        \
  X(embedding_backward, EmbeddingBackwardArgs)       \
  X(masked_mean, MaskedMeanArgs)                     \
  X(masked_mean_backward, MaskedMeanBackwardArgs)    \
  X(add, AddArgs)                                    \
  X(scale, ScaleArgs)                                \
  X(adam, AdamArgs)                                  \
  X(grad_norm, GradNormArgs)

struct OpTable {
#define SONOTEXT_ENTRY(name, Args) Status (*name)(const Args&, Exec&) = nullptr;
  SONOTEXT_OPS(SONOTEXT_ENTRY)
#undef SONOTEXT_ENTRY
};

}  // namespace sonotext
