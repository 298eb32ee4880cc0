// Written by tools/ops.mjs from core/ops.def; not edited by hand.
//
// How to draw arguments of every op: numbers within their ranges, then buffers of the sizes that follow. What else must
// hold between them is for check() to say.
#pragma once

#include <cmath>

#include "../core/ops.hpp"

namespace sonotext::test {

template <class Draw>
void draw(Draw& d, LogMelArgs& a) {
  d.size(a.nFft, 1);
  d.size(a.hop, 1);
  d.size(a.frames, 0);
  d.size(a.bands, 0);
  d.size(a.pad, 0);
  d.choice(a.padMode, {0, 1});
  d.choice(a.power, {1, 2});
  d.choice(a.logKind, {0, 1, 2, 3});
  d.choice(a.precision, {0, 1});
  d.real(a.offset, 0, INFINITY);
  d.in(a.pcm, d.length());
  d.in(a.window, d.product({2, a.nFft}));
  d.integers(a.filterStart, d.product({a.bands}), 0, 6);
  d.in(a.filterWeights, d.entries(a.bands));
  d.out(a.out, d.product({a.frames, a.bands}));
  d.offsets(a.filterOffset, a.bands, a.filterWeights.size);
}

template <class Draw>
void draw(Draw& d, PcmArgs& a) {
  d.size(a.frames, 0);
  d.size(a.channels, 1);
  d.choice(a.width, {2, 3, 4});
  d.choice(a.floats, {0, 1});
  d.choice(a.bigEndian, {0, 1});
  d.size(a.first, 0);
  d.size(a.rows, 0);
  d.size(a.count, 1);
  d.in(a.bytes, d.product({a.frames, a.channels, a.width}));
  d.out(a.out, d.product({a.rows, a.frames}));
}

template <class Draw>
void draw(Draw& d, ResampleArgs& a) {
  d.size(a.up, 1);
  d.size(a.down, 1);
  d.size(a.width, 1);
  d.in(a.pcm, d.length());
  d.in(a.taps, d.product({a.up, a.width}));
  d.out(a.out, d.length());
}

template <class Draw>
void draw(Draw& d, GemmArgs& a) {
  d.size(a.m, 0);
  d.size(a.n, 0);
  d.size(a.k, 0);
  d.choice(a.transA, {0, 1});
  d.choice(a.transB, {0, 1});
  d.real(a.alpha, -INFINITY, INFINITY);
  d.real(a.beta, -INFINITY, INFINITY);
  d.real(a.slope, -INFINITY, INFINITY);
  d.in(a.a, d.product({a.m, a.k}));
  d.in(a.b, d.product({a.k, a.n}));
  d.opt_in(a.bias, d.product({a.n}));
  d.inout(a.out, d.product({a.m, a.n}));
}

template <class Draw>
void draw(Draw& d, BatchedGemmArgs& a) {
  d.size(a.batch, 0);
  d.size(a.m, 0);
  d.size(a.n, 0);
  d.size(a.k, 0);
  d.choice(a.transA, {0, 1});
  d.choice(a.transB, {0, 1});
  d.real(a.alpha, -INFINITY, INFINITY);
  d.in(a.a, d.product({a.batch, a.m, a.k}));
  d.in(a.b, d.product({a.batch, a.k, a.n}));
  d.out(a.out, d.product({a.batch, a.m, a.n}));
}

template <class Draw>
void draw(Draw& d, L2NormalizeArgs& a) {
  d.size(a.rows, 0);
  d.size(a.cols, 0);
  d.real(a.eps, 0, INFINITY);
  d.in(a.x, d.product({a.rows, a.cols}));
  d.out(a.out, d.product({a.rows, a.cols}));
  d.out(a.norms, d.product({a.rows}));
}

template <class Draw>
void draw(Draw& d, L2NormalizeBackwardArgs& a) {
  d.size(a.rows, 0);
  d.size(a.cols, 0);
  d.real(a.eps, 0, INFINITY);
  d.in(a.out, d.product({a.rows, a.cols}));
  d.in(a.norms, d.product({a.rows}));
  d.in(a.gradOut, d.product({a.rows, a.cols}));
  d.out(a.gradX, d.product({a.rows, a.cols}));
}

template <class Draw>
void draw(Draw& d, SimilarityArgs& a) {
  d.size(a.batch, 0);
  d.size(a.n, 0);
  d.size(a.m, 0);
  d.size(a.d, 0);
  d.real(a.scale, -INFINITY, INFINITY);
  d.in(a.a, d.product({a.batch, a.n, a.d}));
  d.in(a.b, d.product({a.batch, a.m, a.d}));
  d.out(a.out, d.product({a.batch, a.n, a.m}));
}

template <class Draw>
void draw(Draw& d, FrameScoreArgs& a) {
  d.size(a.clips, 0);
  d.size(a.captions, 0);
  d.size(a.maxFrames, 0);
  d.size(a.maxWords, 0);
  d.size(a.d, 0);
  d.choice(a.reduction, {0, 1, 2});
  d.in(a.frames, d.product({a.clips, a.maxFrames, a.d}));
  d.in(a.words, d.product({a.captions, a.maxWords, a.d}));
  d.integers(a.frameLengths, d.product({a.clips}), 0, a.maxFrames);
  d.integers(a.wordLengths, d.product({a.captions}), 0, a.maxWords);
  d.out(a.out, d.product({a.clips, a.captions}));
}

template <class Draw>
void draw(Draw& d, FrameScoreBackwardArgs& a) {
  d.size(a.clips, 0);
  d.size(a.captions, 0);
  d.size(a.maxFrames, 0);
  d.size(a.maxWords, 0);
  d.size(a.d, 0);
  d.choice(a.reduction, {0, 1, 2});
  d.in(a.frames, d.product({a.clips, a.maxFrames, a.d}));
  d.in(a.words, d.product({a.captions, a.maxWords, a.d}));
  d.integers(a.frameLengths, d.product({a.clips}), 0, a.maxFrames);
  d.integers(a.wordLengths, d.product({a.captions}), 0, a.maxWords);
  d.in(a.gradOut, d.product({a.clips, a.captions}));
  d.opt_out(a.gradFrames, d.product({a.clips, a.maxFrames, a.d}));
  d.opt_out(a.gradWords, d.product({a.captions, a.maxWords, a.d}));
}

template <class Draw>
void draw(Draw& d, QuantizeArgs& a) {
  d.size(a.rows, 0);
  d.size(a.cols, 0);
  d.choice(a.bits, {8, 16});
  d.in(a.x, d.product({a.rows, a.cols}));
  d.out(a.out, d.product({a.rows, ((a.cols * a.bits + 31) / 32)}));
  d.out(a.scales, d.product({a.rows, 2}));
}

template <class Draw>
void draw(Draw& d, TopKArgs& a) {
  d.size(a.q, 0);
  d.size(a.n, 0);
  d.size(a.d, 0);
  d.size(a.k, 0);
  d.choice(a.bits, {8, 16, 32});
  d.in(a.queries, d.product({a.q, a.d}));
  d.in(a.items, d.product({a.n, a.d}));
  d.opt_in(a.narrow, d.product({a.n, ((a.d * a.bits + 31) / 32)}));
  d.opt_in(a.scales, d.product({a.n, 2}));
  d.out(a.outIndices, d.product({a.q, a.k}));
  d.out(a.outScores, d.product({a.q, a.k}));
}

template <class Draw>
void draw(Draw& d, TripletArgs& a) {
  d.size(a.n, 0);
  d.real(a.margin, -INFINITY, INFINITY);
  d.in(a.scores, d.product({a.n, a.n}));
  d.integers(a.audioIndex, d.entries(a.n), 0, a.n - 1);
  d.integers(a.textIndex, d.entries(a.n), 0, a.n - 1);
  d.out(a.gradScores, d.product({a.n, a.n}));
  d.out(a.stats, d.product({4}));
  d.offsets(a.audioOffsets, a.n, a.audioIndex.size);
  d.offsets(a.textOffsets, a.n, a.textIndex.size);
}

template <class Draw>
void draw(Draw& d, InfoNceArgs& a) {
  d.size(a.n, 0);
  d.size(a.d, 0);
  d.choice(a.positives, {0, 1});
  d.real(a.hard, 0, 1);
  d.real(a.toText, 0, INFINITY);
  d.real(a.toAudio, 0, INFINITY);
  d.in(a.audio, d.product({a.n, a.d}));
  d.opt_in(a.text, d.product({a.n, a.d}));
  d.integers(a.groups, d.product({a.n}), 0, 6);
  d.opt_integers(a.excludeIndex, d.entries(a.n), 0, a.n - 1);
  d.opt_in(a.targets, d.product({a.n, a.n}));
  d.opt_integers(a.targetIndex, d.entries(a.n), 0, a.n - 1);
  d.opt_in(a.targetWeights, d.product({a.targetIndex.size}));
  d.in(a.logTemperature, d.product({1}));
  d.out(a.gradAudio, d.product({a.n, a.d}));
  d.opt_out(a.gradText, d.product({a.n, a.d}));
  d.opt_out(a.gradLogTemperature, d.product({1}));
  d.out(a.stats, d.product({4}));
  d.opt_offsets(a.excludeOffsets, a.n, a.excludeIndex.size);
  d.opt_offsets(a.targetOffsets, a.n, a.targetIndex.size);
}

template <class Draw>
void draw(Draw& d, SigmoidPairArgs& a) {
  d.size(a.n, 0);
  d.size(a.d, 0);
  d.choice(a.positives, {0, 1});
  d.in(a.audio, d.product({a.n, a.d}));
  d.opt_in(a.text, d.product({a.n, a.d}));
  d.integers(a.groups, d.product({a.n}), 0, 6);
  d.opt_integers(a.excludeIndex, d.entries(a.n), 0, a.n - 1);
  d.in(a.logTemperature, d.product({1}));
  d.in(a.bias, d.product({1}));
  d.out(a.gradAudio, d.product({a.n, a.d}));
  d.opt_out(a.gradText, d.product({a.n, a.d}));
  d.opt_out(a.gradLogTemperature, d.product({1}));
  d.opt_out(a.gradBias, d.product({1}));
  d.out(a.stats, d.product({4}));
  d.opt_offsets(a.excludeOffsets, a.n, a.excludeIndex.size);
}

template <class Draw>
void draw(Draw& d, Conv2dArgs& a) {
  d.size(a.n, 0);
  d.size(a.h, 0);
  d.size(a.w, 0);
  d.size(a.cin, 0);
  d.size(a.cout, 0);
  d.size(a.kh, 1);
  d.size(a.kw, 1);
  d.real(a.slope, 0, INFINITY);
  d.in(a.x, d.product({a.n, a.h, a.w, a.cin}));
  d.in(a.weight, d.product({a.kh, a.kw, a.cin, a.cout}));
  d.out(a.out, d.product({a.n, a.h, a.w, a.cout}));
}

template <class Draw>
void draw(Draw& d, Conv2dBackwardArgs& a) {
  d.size(a.n, 0);
  d.size(a.h, 0);
  d.size(a.w, 0);
  d.size(a.cin, 0);
  d.size(a.cout, 0);
  d.size(a.kh, 1);
  d.size(a.kw, 1);
  d.real(a.slope, 0, INFINITY);
  d.in(a.x, d.product({a.n, a.h, a.w, a.cin}));
  d.in(a.weight, d.product({a.kh, a.kw, a.cin, a.cout}));
  d.opt_in(a.out, d.product({a.n, a.h, a.w, a.cout}));
  d.in(a.gradOut, d.product({a.n, a.h, a.w, a.cout}));
  d.opt_out(a.gradX, d.product({a.n, a.h, a.w, a.cin}));
  d.opt_out(a.gradWeight, d.product({a.kh, a.kw, a.cin, a.cout}));
}

template <class Draw>
void draw(Draw& d, BatchNormArgs& a) {
  d.size(a.rows, 0);
  d.size(a.c, 0);
  d.choice(a.training, {0, 1});
  d.real(a.eps, 0, INFINITY);
  d.real(a.momentum, 0, 1);
  d.in(a.x, d.product({a.rows, a.c}));
  d.in(a.gamma, d.product({a.c}));
  d.in(a.beta, d.product({a.c}));
  d.inout(a.runningMean, d.product({a.c}));
  d.inout(a.runningVar, d.product({a.c}));
  d.out(a.out, d.product({a.rows, a.c}));
  d.out(a.savedMean, d.product({a.c}));
  d.out(a.savedInvStd, d.product({a.c}));
}

template <class Draw>
void draw(Draw& d, BatchNormBackwardArgs& a) {
  d.size(a.rows, 0);
  d.size(a.c, 0);
  d.choice(a.training, {0, 1});
  d.in(a.x, d.product({a.rows, a.c}));
  d.in(a.gamma, d.product({a.c}));
  d.in(a.savedMean, d.product({a.c}));
  d.in(a.savedInvStd, d.product({a.c}));
  d.in(a.gradOut, d.product({a.rows, a.c}));
  d.opt_out(a.gradX, d.product({a.rows, a.c}));
  d.out(a.gradGamma, d.product({a.c}));
  d.out(a.gradBeta, d.product({a.c}));
}

template <class Draw>
void draw(Draw& d, LayerNormArgs& a) {
  d.size(a.rows, 0);
  d.size(a.cols, 0);
  d.real(a.eps, 0, INFINITY);
  d.in(a.x, d.product({a.rows, a.cols}));
  d.in(a.gamma, d.product({a.cols}));
  d.in(a.beta, d.product({a.cols}));
  d.out(a.out, d.product({a.rows, a.cols}));
  d.out(a.mean, d.product({a.rows}));
  d.out(a.invStd, d.product({a.rows}));
}

template <class Draw>
void draw(Draw& d, LayerNormBackwardArgs& a) {
  d.size(a.rows, 0);
  d.size(a.cols, 0);
  d.in(a.x, d.product({a.rows, a.cols}));
  d.in(a.gamma, d.product({a.cols}));
  d.in(a.mean, d.product({a.rows}));
  d.in(a.invStd, d.product({a.rows}));
  d.in(a.gradOut, d.product({a.rows, a.cols}));
  d.opt_out(a.gradX, d.product({a.rows, a.cols}));
  d.out(a.gradGamma, d.product({a.cols}));
  d.out(a.gradBeta, d.product({a.cols}));
}

template <class Draw>
void draw(Draw& d, SoftmaxArgs& a) {
  d.size(a.n, 0);
  d.size(a.rows, 0);
  d.size(a.cols, 0);
  d.in(a.x, d.product({a.n, a.rows, a.cols}));
  d.opt_integers(a.lengths, d.product({a.n}), 0, a.cols);
  d.out(a.out, d.product({a.n, a.rows, a.cols}));
}

template <class Draw>
void draw(Draw& d, SoftmaxBackwardArgs& a) {
  d.size(a.n, 0);
  d.size(a.rows, 0);
  d.size(a.cols, 0);
  d.opt_integers(a.lengths, d.product({a.n}), 0, a.cols);
  d.in(a.out, d.product({a.n, a.rows, a.cols}));
  d.in(a.gradOut, d.product({a.n, a.rows, a.cols}));
  d.out(a.gradX, d.product({a.n, a.rows, a.cols}));
}

template <class Draw>
void draw(Draw& d, LeakyReluArgs& a) {
  d.real(a.slope, 0, INFINITY);
  d.in(a.x, d.length());
  d.out(a.out, d.product({a.x.size}));
}

template <class Draw>
void draw(Draw& d, LeakyReluBackwardArgs& a) {
  d.real(a.slope, 0, INFINITY);
  d.in(a.out, d.length());
  d.in(a.gradOut, d.product({a.out.size}));
  d.out(a.gradX, d.product({a.out.size}));
}

template <class Draw>
void draw(Draw& d, LpPoolArgs& a) {
  d.size(a.n, 0);
  d.size(a.h, 0);
  d.size(a.w, 0);
  d.size(a.c, 0);
  d.size(a.kh, 1);
  d.size(a.kw, 1);
  d.size(a.p, 2);
  d.in(a.x, d.product({a.n, a.h, a.w, a.c}));
  d.out(a.out, d.product({a.n, (a.h / a.kh), (a.w / a.kw), a.c}));
}

template <class Draw>
void draw(Draw& d, LpPoolBackwardArgs& a) {
  d.size(a.n, 0);
  d.size(a.h, 0);
  d.size(a.w, 0);
  d.size(a.c, 0);
  d.size(a.kh, 1);
  d.size(a.kw, 1);
  d.size(a.p, 2);
  d.in(a.x, d.product({a.n, a.h, a.w, a.c}));
  d.in(a.out, d.product({a.n, (a.h / a.kh), (a.w / a.kw), a.c}));
  d.in(a.gradOut, d.product({a.n, (a.h / a.kh), (a.w / a.kw), a.c}));
  d.out(a.gradX, d.product({a.n, a.h, a.w, a.c}));
}

template <class Draw>
void draw(Draw& d, DropoutArgs& a) {
  d.word(a.seedLow);
  d.word(a.seedHigh);
  d.word(a.offsetLow);
  d.word(a.offsetHigh);
  d.real(a.rate, 0, 1);
  d.in(a.x, d.length());
  d.out(a.out, d.product({a.x.size}));
}

template <class Draw>
void draw(Draw& d, GruArgs& a) {
  d.size(a.n, 0);
  d.size(a.t, 0);
  d.size(a.in, 0);
  d.size(a.hidden, 0);
  d.choice(a.directions, {1, 2});
  d.in(a.x, d.product({a.n, a.t, a.in}));
  d.in(a.wIh, d.product({a.directions, 3 * a.hidden, a.in}));
  d.in(a.wHh, d.product({a.directions, 3 * a.hidden, a.hidden}));
  d.in(a.bIh, d.product({a.directions, 3 * a.hidden}));
  d.in(a.bHh, d.product({a.directions, 3 * a.hidden}));
  d.out(a.out, d.product({a.n, a.t, a.directions * a.hidden}));
  d.out(a.saved, d.product({a.directions, a.n, a.t, 4 * a.hidden}));
}

template <class Draw>
void draw(Draw& d, GruBackwardArgs& a) {
  d.size(a.n, 0);
  d.size(a.t, 0);
  d.size(a.in, 0);
  d.size(a.hidden, 0);
  d.choice(a.directions, {1, 2});
  d.in(a.x, d.product({a.n, a.t, a.in}));
  d.in(a.wIh, d.product({a.directions, 3 * a.hidden, a.in}));
  d.in(a.wHh, d.product({a.directions, 3 * a.hidden, a.hidden}));
  d.in(a.bHh, d.product({a.directions, 3 * a.hidden}));
  d.in(a.out, d.product({a.n, a.t, a.directions * a.hidden}));
  d.in(a.saved, d.product({a.directions, a.n, a.t, 4 * a.hidden}));
  d.in(a.gradOut, d.product({a.n, a.t, a.directions * a.hidden}));
  d.opt_out(a.gradX, d.product({a.n, a.t, a.in}));
  d.out(a.gradWIh, d.product({a.directions, 3 * a.hidden, a.in}));
  d.out(a.gradWHh, d.product({a.directions, 3 * a.hidden, a.hidden}));
  d.out(a.gradBIh, d.product({a.directions, 3 * a.hidden}));
  d.out(a.gradBHh, d.product({a.directions, 3 * a.hidden}));
}

template <class Draw>
void draw(Draw& d, InterpolateArgs& a) {
  d.size(a.n, 0);
  d.size(a.l, 0);
  d.size(a.t, 0);
  d.size(a.c, 0);
  d.in(a.x, d.product({a.n, a.l, a.c}));
  d.out(a.out, d.product({a.n, a.t, a.c}));
}

template <class Draw>
void draw(Draw& d, InterpolateBackwardArgs& a) {
  d.size(a.n, 0);
  d.size(a.l, 0);
  d.size(a.t, 0);
  d.size(a.c, 0);
  d.in(a.gradOut, d.product({a.n, a.t, a.c}));
  d.out(a.gradX, d.product({a.n, a.l, a.c}));
}

template <class Draw>
void draw(Draw& d, EmbeddingArgs& a) {
  d.size(a.vocabulary, 0);
  d.size(a.count, 0);
  d.size(a.d, 0);
  d.in(a.table, d.product({a.vocabulary, a.d}));
  d.integers(a.tokens, d.product({a.count}), 0, a.vocabulary - 1);
  d.out(a.out, d.product({a.count, a.d}));
}

template <class Draw>
void draw(Draw& d, EmbeddingBackwardArgs& a) {
  d.size(a.vocabulary, 0);
  d.size(a.count, 0);
  d.size(a.d, 0);
  d.integers(a.tokens, d.product({a.count}), 0, a.vocabulary - 1);
  d.in(a.gradOut, d.product({a.count, a.d}));
  d.out(a.gradTable, d.product({a.vocabulary, a.d}));
}

template <class Draw>
void draw(Draw& d, MaskedMeanArgs& a) {
  d.size(a.n, 0);
  d.size(a.t, 0);
  d.size(a.c, 0);
  d.in(a.x, d.product({a.n, a.t, a.c}));
  d.integers(a.lengths, d.product({a.n}), 0, a.t);
  d.out(a.out, d.product({a.n, a.c}));
}

template <class Draw>
void draw(Draw& d, MaskedMeanBackwardArgs& a) {
  d.size(a.n, 0);
  d.size(a.t, 0);
  d.size(a.c, 0);
  d.integers(a.lengths, d.product({a.n}), 0, a.t);
  d.in(a.gradOut, d.product({a.n, a.c}));
  d.out(a.gradX, d.product({a.n, a.t, a.c}));
}

template <class Draw>
void draw(Draw& d, MaskedMaxArgs& a) {
  d.size(a.n, 0);
  d.size(a.t, 0);
  d.size(a.c, 0);
  d.in(a.x, d.product({a.n, a.t, a.c}));
  d.integers(a.lengths, d.product({a.n}), 0, a.t);
  d.out(a.out, d.product({a.n, a.c}));
}

template <class Draw>
void draw(Draw& d, MaskedMaxBackwardArgs& a) {
  d.size(a.n, 0);
  d.size(a.t, 0);
  d.size(a.c, 0);
  d.in(a.x, d.product({a.n, a.t, a.c}));
  d.integers(a.lengths, d.product({a.n}), 0, a.t);
  d.in(a.out, d.product({a.n, a.c}));
  d.in(a.gradOut, d.product({a.n, a.c}));
  d.out(a.gradX, d.product({a.n, a.t, a.c}));
}

template <class Draw>
void draw(Draw& d, TransposeArgs& a) {
  d.size(a.outer, 0);
  d.size(a.m, 0);
  d.size(a.between, 0);
  d.size(a.n, 0);
  d.size(a.inner, 0);
  d.in(a.x, d.product({a.outer, a.m, a.between, a.n, a.inner}));
  d.out(a.out, d.product({a.outer, a.n, a.between, a.m, a.inner}));
}

template <class Draw>
void draw(Draw& d, CopyColumnsArgs& a) {
  d.size(a.rows, 0);
  d.size(a.xCols, 0);
  d.size(a.outCols, 0);
  d.size(a.from, 0);
  d.size(a.to, 0);
  d.size(a.width, 0);
  d.in(a.x, d.product({a.rows, a.xCols}));
  d.inout(a.out, d.product({a.rows, a.outCols}));
}

template <class Draw>
void draw(Draw& d, GeluArgs& a) {
  d.in(a.x, d.length());
  d.out(a.out, d.product({a.x.size}));
}

template <class Draw>
void draw(Draw& d, GeluBackwardArgs& a) {
  d.in(a.x, d.length());
  d.in(a.gradOut, d.product({a.x.size}));
  d.out(a.gradX, d.product({a.x.size}));
}

template <class Draw>
void draw(Draw& d, MultiplyArgs& a) {
  d.in(a.a, d.length());
  d.in(a.b, d.product({a.a.size}));
  d.out(a.out, d.product({a.a.size}));
}

template <class Draw>
void draw(Draw& d, AddArgs& a) {
  d.real(a.alpha, -INFINITY, INFINITY);
  d.real(a.beta, -INFINITY, INFINITY);
  d.in(a.a, d.length());
  d.in(a.b, d.product({a.a.size}));
  d.out(a.out, d.product({a.a.size}));
}

template <class Draw>
void draw(Draw& d, ScaleArgs& a) {
  d.real(a.factor, -INFINITY, INFINITY);
  d.in(a.x, d.length());
  d.out(a.out, d.product({a.x.size}));
}

template <class Draw>
void draw(Draw& d, AdamArgs& a) {
  d.size(a.step, 1);
  d.choice(a.decoupled, {0, 1});
  d.real(a.lr, -INFINITY, INFINITY);
  d.real(a.beta1, 0, 1);
  d.real(a.beta2, 0, 1);
  d.real(a.eps, 0, INFINITY);
  d.real(a.weightDecay, 0, INFINITY);
  d.inout(a.param, d.length());
  d.in(a.grad, d.product({a.param.size}));
  d.inout(a.m, d.product({a.param.size}));
  d.inout(a.v, d.product({a.param.size}));
}

template <class Draw>
void draw(Draw& d, GradNormArgs& a) {
  d.size(a.slot, 0);
  d.in(a.x, d.length());
  d.inout(a.out, d.length());
}

}  // namespace sonotext::test
