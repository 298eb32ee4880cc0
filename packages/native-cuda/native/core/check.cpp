// Written by tools/ops.mjs from core/ops.def; not edited by hand.
#include "check.hpp"

#include "checker.hpp"

namespace sonotext {

Status check(const LogMelArgs& a) {
  Checker c(a);
  c.extent("nFft", a.nFft, 1);
  c.extent("hop", a.hop, 1);
  c.extent("frames", a.frames, 0);
  c.extent("bands", a.bands, 0);
  c.extent("pad", a.pad, 0);
  c.that(a.padMode == 0 || a.padMode == 1, "0 (zeros) or 1 (reflect)", "padMode", a.padMode);
  c.that(a.power == 1 || a.power == 2, "1 (magnitude) or 2 (power)", "power", a.power);
  c.that(a.logKind == 0 || a.logKind == 1 || a.logKind == 2 || a.logKind == 3,
      "0 (none), 1 (ln(x + offset)), 2 (ln(max(x, offset))) or 3 (10·log10(max(x, offset)))", "logKind",
      a.logKind);
  c.that(a.precision == 0 || a.precision == 1, "0 (float64) or 1 (float32)", "precision", a.precision);
  c.that(a.offset >= 0, "a finite number from 0", "offset");
  if (c.ok()) c.that(a.padMode == 0 || a.frames == 0 || a.pad < a.pcm.size,
      "less padding than samples when it reflects", "pad", a.pad);
  if (c.ok()) c.that(a.padMode == 0 || a.frames == 0 ||
      (a.frames - 1) * a.hop + a.nFft - a.pad < 2 * a.pcm.size,
      "frames that end less than one reflection past the samples", "frames", a.frames);
  if (!c.ok()) return c;
  c.sized("window", a.window, "2 × nFft values", {2, a.nFft});
  c.sized("filterStart", a.filterStart, "bands values", {a.bands});
  c.sized("filterOffset", a.filterOffset, "bands + 1 values", {a.bands + 1});
  c.sized("out", a.out, "frames × bands values", {a.frames, a.bands});
  c.offsets("filterOffset", a.filterOffset, a.bands, a.filterWeights.size);
  for (i64 b = 0; c.ok() && b < a.bands; ++b) {
      c.that(i64{a.filterStart[b]} >= 0 &&
      i64{a.filterStart[b]} + i64{a.filterOffset[b + 1]} - i64{a.filterOffset[b]} <= (a.nFft / 2) + 1,
      "filters inside the nFft/2 + 1 bins", "filterStart", a.filterStart[b]);
    }
  return c;
}

Status check(const PcmArgs& a) {
  Checker c(a);
  c.extent("frames", a.frames, 0);
  c.extent("channels", a.channels, 1);
  c.that(a.width == 2 || a.width == 3 || a.width == 4, "2, 3 or 4", "width", a.width);
  c.that(a.floats == 0 || a.floats == 1, "0 or 1", "floats", a.floats);
  c.that(a.bigEndian == 0 || a.bigEndian == 1, "0 or 1", "bigEndian", a.bigEndian);
  c.extent("first", a.first, 0);
  c.extent("rows", a.rows, 0);
  c.extent("count", a.count, 1);
  if (c.ok()) c.that(a.floats == 0 || a.width == 4, "4 bytes for floats", "width", a.width);
  if (c.ok()) c.that(a.first + a.rows * a.count <= a.channels, "no more channels than there are", "rows",
      a.rows);
  if (!c.ok()) return c;
  c.sized("bytes", a.bytes, "frames × channels × width values", {a.frames, a.channels, a.width});
  c.sized("out", a.out, "rows × frames values", {a.rows, a.frames});
  return c;
}

Status check(const ResampleArgs& a) {
  Checker c(a);
  c.extent("up", a.up, 1);
  c.extent("down", a.down, 1);
  c.extent("width", a.width, 1);
  if (c.ok()) c.that(a.width % 2 == 0, "an even number of taps", "width", a.width);
  if (c.ok()) c.that(a.out.size <= (9223372036854775807 / a.down), "fewer samples", "out");
  if (!c.ok()) return c;
  c.sized("taps", a.taps, "up × width values", {a.up, a.width});
  return c;
}

Status check(const GemmArgs& a) {
  Checker c(a);
  c.extent("m", a.m, 0);
  c.extent("n", a.n, 0);
  c.extent("k", a.k, 0);
  c.that(a.transA == 0 || a.transA == 1, "0 or 1", "transA", a.transA);
  c.that(a.transB == 0 || a.transB == 1, "0 or 1", "transB", a.transB);
  if (!c.ok()) return c;
  c.sized("a", a.a, "m × k values", {a.m, a.k});
  c.sized("b", a.b, "k × n values", {a.k, a.n});
  c.optional("bias", a.bias, "n values", {a.n});
  c.sized("out", a.out, "m × n values", {a.m, a.n});
  return c;
}

Status check(const BatchedGemmArgs& a) {
  Checker c(a);
  c.extent("batch", a.batch, 0);
  c.extent("m", a.m, 0);
  c.extent("n", a.n, 0);
  c.extent("k", a.k, 0);
  c.that(a.transA == 0 || a.transA == 1, "0 or 1", "transA", a.transA);
  c.that(a.transB == 0 || a.transB == 1, "0 or 1", "transB", a.transB);
  if (!c.ok()) return c;
  c.sized("a", a.a, "batch × m × k values", {a.batch, a.m, a.k});
  c.sized("b", a.b, "batch × k × n values", {a.batch, a.k, a.n});
  c.sized("out", a.out, "batch × m × n values", {a.batch, a.m, a.n});
  return c;
}

Status check(const L2NormalizeArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows, 0);
  c.extent("cols", a.cols, 0);
  c.that(a.eps >= 0, "a finite number from 0", "eps");
  if (!c.ok()) return c;
  c.sized("x", a.x, "rows × cols values", {a.rows, a.cols});
  c.sized("out", a.out, "rows × cols values", {a.rows, a.cols});
  c.sized("norms", a.norms, "rows values", {a.rows});
  return c;
}

Status check(const L2NormalizeBackwardArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows, 0);
  c.extent("cols", a.cols, 0);
  c.that(a.eps >= 0, "a finite number from 0", "eps");
  if (!c.ok()) return c;
  c.sized("out", a.out, "rows × cols values", {a.rows, a.cols});
  c.sized("norms", a.norms, "rows values", {a.rows});
  c.sized("gradOut", a.gradOut, "rows × cols values", {a.rows, a.cols});
  c.sized("gradX", a.gradX, "rows × cols values", {a.rows, a.cols});
  return c;
}

Status check(const SimilarityArgs& a) {
  Checker c(a);
  c.extent("batch", a.batch, 0);
  c.extent("n", a.n, 0);
  c.extent("m", a.m, 0);
  c.extent("d", a.d, 0);
  if (!c.ok()) return c;
  c.sized("a", a.a, "batch × n × d values", {a.batch, a.n, a.d});
  c.sized("b", a.b, "batch × m × d values", {a.batch, a.m, a.d});
  c.sized("out", a.out, "batch × n × m values", {a.batch, a.n, a.m});
  return c;
}

Status check(const FrameScoreArgs& a) {
  Checker c(a);
  c.extent("clips", a.clips, 0);
  c.extent("captions", a.captions, 0);
  c.extent("maxFrames", a.maxFrames, 0);
  c.extent("maxWords", a.maxWords, 0);
  c.extent("d", a.d, 0);
  c.that(a.reduction == 0 || a.reduction == 1 || a.reduction == 2, "0 (STSQ), 1 (MTSQ) or 2 (MQST)",
      "reduction", a.reduction);
  if (!c.ok()) return c;
  c.sized("frames", a.frames, "clips × maxFrames × d values", {a.clips, a.maxFrames, a.d});
  c.sized("words", a.words, "captions × maxWords × d values", {a.captions, a.maxWords, a.d});
  c.sized("frameLengths", a.frameLengths, "clips values", {a.clips});
  c.sized("wordLengths", a.wordLengths, "captions values", {a.captions});
  c.sized("out", a.out, "clips × captions values", {a.clips, a.captions});
  c.within("frameLengths", a.frameLengths, 0, a.maxFrames, "integers from 0 to maxFrames");
  c.within("wordLengths", a.wordLengths, 0, a.maxWords, "integers from 0 to maxWords");
  return c;
}

Status check(const FrameScoreBackwardArgs& a) {
  Checker c(a);
  c.extent("clips", a.clips, 0);
  c.extent("captions", a.captions, 0);
  c.extent("maxFrames", a.maxFrames, 0);
  c.extent("maxWords", a.maxWords, 0);
  c.extent("d", a.d, 0);
  c.that(a.reduction == 0 || a.reduction == 1 || a.reduction == 2, "0 (STSQ), 1 (MTSQ) or 2 (MQST)",
      "reduction", a.reduction);
  if (!c.ok()) return c;
  c.sized("frames", a.frames, "clips × maxFrames × d values", {a.clips, a.maxFrames, a.d});
  c.sized("words", a.words, "captions × maxWords × d values", {a.captions, a.maxWords, a.d});
  c.sized("frameLengths", a.frameLengths, "clips values", {a.clips});
  c.sized("wordLengths", a.wordLengths, "captions values", {a.captions});
  c.sized("gradOut", a.gradOut, "clips × captions values", {a.clips, a.captions});
  c.optional("gradFrames", a.gradFrames, "clips × maxFrames × d values", {a.clips, a.maxFrames, a.d});
  c.optional("gradWords", a.gradWords, "captions × maxWords × d values", {a.captions, a.maxWords, a.d});
  c.within("frameLengths", a.frameLengths, 0, a.maxFrames, "integers from 0 to maxFrames");
  c.within("wordLengths", a.wordLengths, 0, a.maxWords, "integers from 0 to maxWords");
  return c;
}

Status check(const QuantizeArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows, 0);
  c.extent("cols", a.cols, 0);
  c.that(a.bits == 8 || a.bits == 16, "8 or 16", "bits", a.bits);
  if (!c.ok()) return c;
  c.sized("x", a.x, "rows × cols values", {a.rows, a.cols});
  c.sized("out", a.out, "rows × ⌊(cols·bits + 31) / 32⌋ values", {a.rows, ((a.cols * a.bits + 31) / 32)});
  c.sized("scales", a.scales, "rows × 2 values", {a.rows, 2});
  return c;
}

Status check(const TopKArgs& a) {
  Checker c(a);
  c.extent("q", a.q, 0);
  c.extent("n", a.n, 0);
  c.extent("d", a.d, 0);
  c.extent("k", a.k, 0);
  c.that(a.bits == 8 || a.bits == 16 || a.bits == 32, "8, 16 or 32 (no narrow items)", "bits", a.bits);
  if (c.ok()) c.that(a.narrow || a.bits == 32, "narrow items whenever bits is not 32", "narrow");
  if (c.ok()) c.that(a.bits < 32 || !(a.narrow), "8 or 16 whenever narrow is given", "bits", a.bits);
  if (c.ok()) c.that(a.scales || !(a.narrow), "scales whenever narrow is given", "scales");
  if (!c.ok()) return c;
  c.sized("queries", a.queries, "q × d values", {a.q, a.d});
  c.sized("items", a.items, "n × d values", {a.n, a.d});
  c.optional("narrow", a.narrow, "n × ⌊(d·bits + 31) / 32⌋ values", {a.n, ((a.d * a.bits + 31) / 32)});
  c.optional("scales", a.scales, "n × 2 values", {a.n, 2});
  c.sized("outIndices", a.outIndices, "q × k values", {a.q, a.k});
  c.sized("outScores", a.outScores, "q × k values", {a.q, a.k});
  return c;
}

Status check(const TripletArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  if (!c.ok()) return c;
  c.sized("scores", a.scores, "n × n values", {a.n, a.n});
  c.sized("audioOffsets", a.audioOffsets, "n + 1 values", {a.n + 1});
  c.sized("textOffsets", a.textOffsets, "n + 1 values", {a.n + 1});
  c.sized("gradScores", a.gradScores, "n × n values", {a.n, a.n});
  c.sized("stats", a.stats, "4 values", {4});
  c.offsets("audioOffsets", a.audioOffsets, a.n, a.audioIndex.size);
  c.within("audioIndex", a.audioIndex, 0, a.n - 1, "integers from 0 to n - 1");
  c.offsets("textOffsets", a.textOffsets, a.n, a.textIndex.size);
  c.within("textIndex", a.textIndex, 0, a.n - 1, "integers from 0 to n - 1");
  return c;
}

Status check(const InfoNceArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("d", a.d, 0);
  c.that(a.positives == 0 || a.positives == 1, "0 (left out) or 1 (shared)", "positives", a.positives);
  c.that(a.hard >= 0 && a.hard <= 1, "a number from 0 to 1", "hard");
  c.that(a.toText >= 0, "a finite number from 0", "toText");
  c.that(a.toAudio >= 0, "a finite number from 0", "toAudio");
  if (c.ok()) c.that(a.excludeOffsets || !(a.excludeIndex), "excludeOffsets whenever excludeIndex is given",
      "excludeOffsets");
  if (c.ok()) c.that(a.excludeIndex || !(a.excludeOffsets), "excludeIndex whenever excludeOffsets is given",
      "excludeIndex");
  if (c.ok()) c.that(a.targetOffsets || !(a.targetIndex), "targetOffsets whenever targetIndex is given",
      "targetOffsets");
  if (c.ok()) c.that(a.targetIndex || !(a.targetOffsets), "targetIndex whenever targetOffsets is given",
      "targetIndex");
  if (c.ok()) c.that(a.targetIndex || !(a.targetWeights), "targetIndex whenever targetWeights is given",
      "targetIndex");
  if (c.ok()) c.that(a.targetWeights || !(a.targetIndex), "targetWeights whenever targetIndex is given",
      "targetWeights");
  if (c.ok()) c.that(!(a.targets) || !(a.targetIndex), "targets or targetIndex, not both", "targets");
  if (c.ok()) c.that(a.text || a.d == a.n, "as many columns as rows of a matrix of scores", "d", a.d);
  if (c.ok()) c.that(a.gradText || !(a.text), "gradText whenever text is given", "gradText");
  if (c.ok()) c.that(a.text || !(a.gradText), "no gradText without text", "gradText");
  if (!c.ok()) return c;
  c.sized("audio", a.audio, "n × d values", {a.n, a.d});
  c.optional("text", a.text, "n × d values", {a.n, a.d});
  c.sized("groups", a.groups, "n values", {a.n});
  c.optional("excludeOffsets", a.excludeOffsets, "n + 1 values", {a.n + 1});
  c.optional("targets", a.targets, "n × n values", {a.n, a.n});
  c.optional("targetOffsets", a.targetOffsets, "n + 1 values", {a.n + 1});
  c.optional("targetWeights", a.targetWeights, "as many values as targetIndex", {a.targetIndex.size});
  c.sized("logTemperature", a.logTemperature, "1 value", {1});
  c.sized("gradAudio", a.gradAudio, "n × d values", {a.n, a.d});
  c.optional("gradText", a.gradText, "n × d values", {a.n, a.d});
  c.optional("gradLogTemperature", a.gradLogTemperature, "1 value", {1});
  c.sized("stats", a.stats, "4 values", {4});
  c.offsets("excludeOffsets", a.excludeOffsets, a.n, a.excludeIndex.size);
  c.within("excludeIndex", a.excludeIndex, 0, a.n - 1, "integers from 0 to n - 1");
  c.offsets("targetOffsets", a.targetOffsets, a.n, a.targetIndex.size);
  c.within("targetIndex", a.targetIndex, 0, a.n - 1, "integers from 0 to n - 1");
  return c;
}

Status check(const SigmoidPairArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("d", a.d, 0);
  c.that(a.positives == 0 || a.positives == 1, "0 (left out) or 1 (shared)", "positives", a.positives);
  if (c.ok()) c.that(a.excludeOffsets || !(a.excludeIndex), "excludeOffsets whenever excludeIndex is given",
      "excludeOffsets");
  if (c.ok()) c.that(a.excludeIndex || !(a.excludeOffsets), "excludeIndex whenever excludeOffsets is given",
      "excludeIndex");
  if (c.ok()) c.that(a.text || a.d == a.n, "as many columns as rows of a matrix of scores", "d", a.d);
  if (c.ok()) c.that(a.gradText || !(a.text), "gradText whenever text is given", "gradText");
  if (c.ok()) c.that(a.text || !(a.gradText), "no gradText without text", "gradText");
  if (!c.ok()) return c;
  c.sized("audio", a.audio, "n × d values", {a.n, a.d});
  c.optional("text", a.text, "n × d values", {a.n, a.d});
  c.sized("groups", a.groups, "n values", {a.n});
  c.optional("excludeOffsets", a.excludeOffsets, "n + 1 values", {a.n + 1});
  c.sized("logTemperature", a.logTemperature, "1 value", {1});
  c.sized("bias", a.bias, "1 value", {1});
  c.sized("gradAudio", a.gradAudio, "n × d values", {a.n, a.d});
  c.optional("gradText", a.gradText, "n × d values", {a.n, a.d});
  c.optional("gradLogTemperature", a.gradLogTemperature, "1 value", {1});
  c.optional("gradBias", a.gradBias, "1 value", {1});
  c.sized("stats", a.stats, "4 values", {4});
  c.offsets("excludeOffsets", a.excludeOffsets, a.n, a.excludeIndex.size);
  c.within("excludeIndex", a.excludeIndex, 0, a.n - 1, "integers from 0 to n - 1");
  return c;
}

Status check(const Conv2dArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("h", a.h, 0);
  c.extent("w", a.w, 0);
  c.extent("cin", a.cin, 0);
  c.extent("cout", a.cout, 0);
  c.extent("kh", a.kh, 1);
  c.extent("kw", a.kw, 1);
  c.that(a.slope >= 0, "a finite number from 0", "slope");
  if (c.ok()) c.that(a.kh % 2 == 1, "an odd kernel height", "kh", a.kh);
  if (c.ok()) c.that(a.kw % 2 == 1, "an odd kernel width", "kw", a.kw);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × h × w × cin values", {a.n, a.h, a.w, a.cin});
  c.sized("weight", a.weight, "kh × kw × cin × cout values", {a.kh, a.kw, a.cin, a.cout});
  c.sized("out", a.out, "n × h × w × cout values", {a.n, a.h, a.w, a.cout});
  return c;
}

Status check(const Conv2dBackwardArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("h", a.h, 0);
  c.extent("w", a.w, 0);
  c.extent("cin", a.cin, 0);
  c.extent("cout", a.cout, 0);
  c.extent("kh", a.kh, 1);
  c.extent("kw", a.kw, 1);
  c.that(a.slope >= 0, "a finite number from 0", "slope");
  if (c.ok()) c.that(a.kh % 2 == 1, "an odd kernel height", "kh", a.kh);
  if (c.ok()) c.that(a.kw % 2 == 1, "an odd kernel width", "kw", a.kw);
  if (c.ok()) c.that(a.out || a.slope == 1, "the forward result whenever slope is not 1", "out");
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × h × w × cin values", {a.n, a.h, a.w, a.cin});
  c.sized("weight", a.weight, "kh × kw × cin × cout values", {a.kh, a.kw, a.cin, a.cout});
  c.optional("out", a.out, "n × h × w × cout values", {a.n, a.h, a.w, a.cout});
  c.sized("gradOut", a.gradOut, "n × h × w × cout values", {a.n, a.h, a.w, a.cout});
  c.optional("gradX", a.gradX, "n × h × w × cin values", {a.n, a.h, a.w, a.cin});
  c.optional("gradWeight", a.gradWeight, "kh × kw × cin × cout values", {a.kh, a.kw, a.cin, a.cout});
  return c;
}

Status check(const BatchNormArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows, 0);
  c.extent("c", a.c, 0);
  c.that(a.training == 0 || a.training == 1, "0 or 1", "training", a.training);
  c.that(a.eps >= 0, "a finite number from 0", "eps");
  c.that(a.momentum >= 0 && a.momentum <= 1, "a number from 0 to 1", "momentum");
  if (!c.ok()) return c;
  c.sized("x", a.x, "rows × c values", {a.rows, a.c});
  c.sized("gamma", a.gamma, "c values", {a.c});
  c.sized("beta", a.beta, "c values", {a.c});
  c.sized("runningMean", a.runningMean, "c values", {a.c});
  c.sized("runningVar", a.runningVar, "c values", {a.c});
  c.sized("out", a.out, "rows × c values", {a.rows, a.c});
  c.sized("savedMean", a.savedMean, "c values", {a.c});
  c.sized("savedInvStd", a.savedInvStd, "c values", {a.c});
  return c;
}

Status check(const BatchNormBackwardArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows, 0);
  c.extent("c", a.c, 0);
  c.that(a.training == 0 || a.training == 1, "0 or 1", "training", a.training);
  if (!c.ok()) return c;
  c.sized("x", a.x, "rows × c values", {a.rows, a.c});
  c.sized("gamma", a.gamma, "c values", {a.c});
  c.sized("savedMean", a.savedMean, "c values", {a.c});
  c.sized("savedInvStd", a.savedInvStd, "c values", {a.c});
  c.sized("gradOut", a.gradOut, "rows × c values", {a.rows, a.c});
  c.optional("gradX", a.gradX, "rows × c values", {a.rows, a.c});
  c.sized("gradGamma", a.gradGamma, "c values", {a.c});
  c.sized("gradBeta", a.gradBeta, "c values", {a.c});
  return c;
}

Status check(const LayerNormArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows, 0);
  c.extent("cols", a.cols, 0);
  c.that(a.eps >= 0, "a finite number from 0", "eps");
  if (!c.ok()) return c;
  c.sized("x", a.x, "rows × cols values", {a.rows, a.cols});
  c.sized("gamma", a.gamma, "cols values", {a.cols});
  c.sized("beta", a.beta, "cols values", {a.cols});
  c.sized("out", a.out, "rows × cols values", {a.rows, a.cols});
  c.sized("mean", a.mean, "rows values", {a.rows});
  c.sized("invStd", a.invStd, "rows values", {a.rows});
  return c;
}

Status check(const LayerNormBackwardArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows, 0);
  c.extent("cols", a.cols, 0);
  if (!c.ok()) return c;
  c.sized("x", a.x, "rows × cols values", {a.rows, a.cols});
  c.sized("gamma", a.gamma, "cols values", {a.cols});
  c.sized("mean", a.mean, "rows values", {a.rows});
  c.sized("invStd", a.invStd, "rows values", {a.rows});
  c.sized("gradOut", a.gradOut, "rows × cols values", {a.rows, a.cols});
  c.optional("gradX", a.gradX, "rows × cols values", {a.rows, a.cols});
  c.sized("gradGamma", a.gradGamma, "cols values", {a.cols});
  c.sized("gradBeta", a.gradBeta, "cols values", {a.cols});
  return c;
}

Status check(const SoftmaxArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("rows", a.rows, 0);
  c.extent("cols", a.cols, 0);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × rows × cols values", {a.n, a.rows, a.cols});
  c.optional("lengths", a.lengths, "n values", {a.n});
  c.sized("out", a.out, "n × rows × cols values", {a.n, a.rows, a.cols});
  c.within("lengths", a.lengths, 0, a.cols, "integers from 0 to cols");
  return c;
}

Status check(const SoftmaxBackwardArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("rows", a.rows, 0);
  c.extent("cols", a.cols, 0);
  if (!c.ok()) return c;
  c.optional("lengths", a.lengths, "n values", {a.n});
  c.sized("out", a.out, "n × rows × cols values", {a.n, a.rows, a.cols});
  c.sized("gradOut", a.gradOut, "n × rows × cols values", {a.n, a.rows, a.cols});
  c.sized("gradX", a.gradX, "n × rows × cols values", {a.n, a.rows, a.cols});
  c.within("lengths", a.lengths, 0, a.cols, "integers from 0 to cols");
  return c;
}

Status check(const LeakyReluArgs& a) {
  Checker c(a);
  c.that(a.slope >= 0, "a finite number from 0", "slope");
  if (!c.ok()) return c;
  c.sized("out", a.out, "as many values as x", {a.x.size});
  return c;
}

Status check(const LeakyReluBackwardArgs& a) {
  Checker c(a);
  c.that(a.slope >= 0, "a finite number from 0", "slope");
  if (!c.ok()) return c;
  c.sized("gradOut", a.gradOut, "as many values as out", {a.out.size});
  c.sized("gradX", a.gradX, "as many values as out", {a.out.size});
  return c;
}

Status check(const LpPoolArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("h", a.h, 0);
  c.extent("w", a.w, 0);
  c.extent("c", a.c, 0);
  c.extent("kh", a.kh, 1);
  c.extent("kw", a.kw, 1);
  c.extent("p", a.p, 2);
  if (c.ok()) c.that(a.p <= 64 && a.p % 2 == 0, "an even exponent from 2 to 64", "p", a.p);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × h × w × c values", {a.n, a.h, a.w, a.c});
  c.sized("out", a.out, "n × ⌊h / kh⌋ × ⌊w / kw⌋ × c values", {a.n, (a.h / a.kh), (a.w / a.kw), a.c});
  return c;
}

Status check(const LpPoolBackwardArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("h", a.h, 0);
  c.extent("w", a.w, 0);
  c.extent("c", a.c, 0);
  c.extent("kh", a.kh, 1);
  c.extent("kw", a.kw, 1);
  c.extent("p", a.p, 2);
  if (c.ok()) c.that(a.p <= 64 && a.p % 2 == 0, "an even exponent from 2 to 64", "p", a.p);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × h × w × c values", {a.n, a.h, a.w, a.c});
  c.sized("out", a.out, "n × ⌊h / kh⌋ × ⌊w / kw⌋ × c values", {a.n, (a.h / a.kh), (a.w / a.kw), a.c});
  c.sized("gradOut", a.gradOut, "n × ⌊h / kh⌋ × ⌊w / kw⌋ × c values", {a.n, (a.h / a.kh), (a.w / a.kw), a.c});
  c.sized("gradX", a.gradX, "n × h × w × c values", {a.n, a.h, a.w, a.c});
  return c;
}

Status check(const DropoutArgs& a) {
  Checker c(a);
  c.word("seedLow", a.seedLow);
  c.word("seedHigh", a.seedHigh);
  c.word("offsetLow", a.offsetLow);
  c.word("offsetHigh", a.offsetHigh);
  c.that(a.rate >= 0 && a.rate < 1, "a number from 0 to below 1", "rate");
  if (!c.ok()) return c;
  c.sized("out", a.out, "as many values as x", {a.x.size});
  return c;
}

Status check(const GruArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("t", a.t, 0);
  c.extent("in", a.in, 0);
  c.extent("hidden", a.hidden, 0);
  c.that(a.directions == 1 || a.directions == 2, "1 or 2", "directions", a.directions);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × t × in values", {a.n, a.t, a.in});
  c.sized("wIh", a.wIh, "directions × 3·hidden × in values", {a.directions, 3 * a.hidden, a.in});
  c.sized("wHh", a.wHh, "directions × 3·hidden × hidden values", {a.directions, 3 * a.hidden, a.hidden});
  c.sized("bIh", a.bIh, "directions × 3·hidden values", {a.directions, 3 * a.hidden});
  c.sized("bHh", a.bHh, "directions × 3·hidden values", {a.directions, 3 * a.hidden});
  c.sized("out", a.out, "n × t × directions·hidden values", {a.n, a.t, a.directions * a.hidden});
  c.sized("saved", a.saved, "directions × n × t × 4·hidden values", {a.directions, a.n, a.t, 4 * a.hidden});
  return c;
}

Status check(const GruBackwardArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("t", a.t, 0);
  c.extent("in", a.in, 0);
  c.extent("hidden", a.hidden, 0);
  c.that(a.directions == 1 || a.directions == 2, "1 or 2", "directions", a.directions);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × t × in values", {a.n, a.t, a.in});
  c.sized("wIh", a.wIh, "directions × 3·hidden × in values", {a.directions, 3 * a.hidden, a.in});
  c.sized("wHh", a.wHh, "directions × 3·hidden × hidden values", {a.directions, 3 * a.hidden, a.hidden});
  c.sized("bHh", a.bHh, "directions × 3·hidden values", {a.directions, 3 * a.hidden});
  c.sized("out", a.out, "n × t × directions·hidden values", {a.n, a.t, a.directions * a.hidden});
  c.sized("saved", a.saved, "directions × n × t × 4·hidden values", {a.directions, a.n, a.t, 4 * a.hidden});
  c.sized("gradOut", a.gradOut, "n × t × directions·hidden values", {a.n, a.t, a.directions * a.hidden});
  c.optional("gradX", a.gradX, "n × t × in values", {a.n, a.t, a.in});
  c.sized("gradWIh", a.gradWIh, "directions × 3·hidden × in values", {a.directions, 3 * a.hidden, a.in});
  c.sized("gradWHh", a.gradWHh, "directions × 3·hidden × hidden values", {a.directions, 3 * a.hidden,
      a.hidden});
  c.sized("gradBIh", a.gradBIh, "directions × 3·hidden values", {a.directions, 3 * a.hidden});
  c.sized("gradBHh", a.gradBHh, "directions × 3·hidden values", {a.directions, 3 * a.hidden});
  return c;
}

Status check(const InterpolateArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("l", a.l, 0);
  c.extent("t", a.t, 0);
  c.extent("c", a.c, 0);
  if (c.ok()) c.that(a.l > 0 || a.t == 0, "at least 1 input step", "l", a.l);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × l × c values", {a.n, a.l, a.c});
  c.sized("out", a.out, "n × t × c values", {a.n, a.t, a.c});
  return c;
}

Status check(const InterpolateBackwardArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("l", a.l, 0);
  c.extent("t", a.t, 0);
  c.extent("c", a.c, 0);
  if (c.ok()) c.that(a.l > 0 || a.t == 0, "at least 1 input step", "l", a.l);
  if (!c.ok()) return c;
  c.sized("gradOut", a.gradOut, "n × t × c values", {a.n, a.t, a.c});
  c.sized("gradX", a.gradX, "n × l × c values", {a.n, a.l, a.c});
  return c;
}

Status check(const EmbeddingArgs& a) {
  Checker c(a);
  c.extent("vocabulary", a.vocabulary, 0);
  c.extent("count", a.count, 0);
  c.extent("d", a.d, 0);
  if (!c.ok()) return c;
  c.sized("table", a.table, "vocabulary × d values", {a.vocabulary, a.d});
  c.sized("tokens", a.tokens, "count values", {a.count});
  c.sized("out", a.out, "count × d values", {a.count, a.d});
  c.within("tokens", a.tokens, 0, a.vocabulary - 1, "integers from 0 to vocabulary - 1");
  return c;
}

Status check(const EmbeddingBackwardArgs& a) {
  Checker c(a);
  c.extent("vocabulary", a.vocabulary, 0);
  c.extent("count", a.count, 0);
  c.extent("d", a.d, 0);
  if (!c.ok()) return c;
  c.sized("tokens", a.tokens, "count values", {a.count});
  c.sized("gradOut", a.gradOut, "count × d values", {a.count, a.d});
  c.sized("gradTable", a.gradTable, "vocabulary × d values", {a.vocabulary, a.d});
  c.within("tokens", a.tokens, 0, a.vocabulary - 1, "integers from 0 to vocabulary - 1");
  return c;
}

Status check(const MaskedMeanArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("t", a.t, 0);
  c.extent("c", a.c, 0);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × t × c values", {a.n, a.t, a.c});
  c.sized("lengths", a.lengths, "n values", {a.n});
  c.sized("out", a.out, "n × c values", {a.n, a.c});
  c.within("lengths", a.lengths, 0, a.t, "integers from 0 to t");
  return c;
}

Status check(const MaskedMeanBackwardArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("t", a.t, 0);
  c.extent("c", a.c, 0);
  if (!c.ok()) return c;
  c.sized("lengths", a.lengths, "n values", {a.n});
  c.sized("gradOut", a.gradOut, "n × c values", {a.n, a.c});
  c.sized("gradX", a.gradX, "n × t × c values", {a.n, a.t, a.c});
  c.within("lengths", a.lengths, 0, a.t, "integers from 0 to t");
  return c;
}

Status check(const MaskedMaxArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("t", a.t, 0);
  c.extent("c", a.c, 0);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × t × c values", {a.n, a.t, a.c});
  c.sized("lengths", a.lengths, "n values", {a.n});
  c.sized("out", a.out, "n × c values", {a.n, a.c});
  c.within("lengths", a.lengths, 0, a.t, "integers from 0 to t");
  return c;
}

Status check(const MaskedMaxBackwardArgs& a) {
  Checker c(a);
  c.extent("n", a.n, 0);
  c.extent("t", a.t, 0);
  c.extent("c", a.c, 0);
  if (!c.ok()) return c;
  c.sized("x", a.x, "n × t × c values", {a.n, a.t, a.c});
  c.sized("lengths", a.lengths, "n values", {a.n});
  c.sized("out", a.out, "n × c values", {a.n, a.c});
  c.sized("gradOut", a.gradOut, "n × c values", {a.n, a.c});
  c.sized("gradX", a.gradX, "n × t × c values", {a.n, a.t, a.c});
  c.within("lengths", a.lengths, 0, a.t, "integers from 0 to t");
  return c;
}

Status check(const TransposeArgs& a) {
  Checker c(a);
  c.extent("outer", a.outer, 0);
  c.extent("m", a.m, 0);
  c.extent("between", a.between, 0);
  c.extent("n", a.n, 0);
  c.extent("inner", a.inner, 0);
  if (!c.ok()) return c;
  c.sized("x", a.x, "outer × m × between × n × inner values", {a.outer, a.m, a.between, a.n, a.inner});
  c.sized("out", a.out, "outer × n × between × m × inner values", {a.outer, a.n, a.between, a.m, a.inner});
  return c;
}

Status check(const CopyColumnsArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows, 0);
  c.extent("xCols", a.xCols, 0);
  c.extent("outCols", a.outCols, 0);
  c.extent("from", a.from, 0);
  c.extent("to", a.to, 0);
  c.extent("width", a.width, 0);
  if (c.ok()) c.that(a.from + a.width <= a.xCols, "columns of x", "from", a.from);
  if (c.ok()) c.that(a.to + a.width <= a.outCols, "columns of out", "to", a.to);
  if (!c.ok()) return c;
  c.sized("x", a.x, "rows × xCols values", {a.rows, a.xCols});
  c.sized("out", a.out, "rows × outCols values", {a.rows, a.outCols});
  return c;
}

Status check(const GeluArgs& a) {
  Checker c(a);
  if (!c.ok()) return c;
  c.sized("out", a.out, "as many values as x", {a.x.size});
  return c;
}

Status check(const GeluBackwardArgs& a) {
  Checker c(a);
  if (!c.ok()) return c;
  c.sized("gradOut", a.gradOut, "as many values as x", {a.x.size});
  c.sized("gradX", a.gradX, "as many values as x", {a.x.size});
  return c;
}

Status check(const MultiplyArgs& a) {
  Checker c(a);
  if (!c.ok()) return c;
  c.sized("b", a.b, "as many values as a", {a.a.size});
  c.sized("out", a.out, "as many values as a", {a.a.size});
  return c;
}

Status check(const AddArgs& a) {
  Checker c(a);
  if (!c.ok()) return c;
  c.sized("b", a.b, "as many values as a", {a.a.size});
  c.sized("out", a.out, "as many values as a", {a.a.size});
  return c;
}

Status check(const ScaleArgs& a) {
  Checker c(a);
  if (!c.ok()) return c;
  c.sized("out", a.out, "as many values as x", {a.x.size});
  return c;
}

Status check(const AdamArgs& a) {
  Checker c(a);
  c.extent("step", a.step, 1);
  c.that(a.decoupled == 0 || a.decoupled == 1, "0 or 1", "decoupled", a.decoupled);
  c.that(a.beta1 >= 0 && a.beta1 < 1, "a number from 0 to below 1", "beta1");
  c.that(a.beta2 >= 0 && a.beta2 < 1, "a number from 0 to below 1", "beta2");
  c.that(a.eps >= 0, "a finite number from 0", "eps");
  c.that(a.weightDecay >= 0, "a finite number from 0", "weightDecay");
  if (!c.ok()) return c;
  c.sized("grad", a.grad, "as many values as param", {a.param.size});
  c.sized("m", a.m, "as many values as param", {a.param.size});
  c.sized("v", a.v, "as many values as param", {a.param.size});
  return c;
}

Status check(const GradNormArgs& a) {
  Checker c(a);
  c.extent("slot", a.slot, 0);
  if (c.ok()) c.that(a.slot < a.out.size, "a slot of out", "slot", a.slot);
  if (!c.ok()) return c;
  return c;
}

}  // namespace sonotext
