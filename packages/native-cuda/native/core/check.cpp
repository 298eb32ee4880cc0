#include "check.hpp"

#include "checker.hpp"

namespace sonotext {
namespace {

constexpr auto kInPlace = Checker::Aliasing::in_place;

}  // namespace

Status check(const LogMelArgs& a) {
  Checker c(a);
  c.extent("nFft", a.nFft, 1).extent("hop", a.hop, 1).extent("frames", a.frames).extent("bands", a.bands);
  c.extent("pad", a.pad).flag("padMode", a.padMode, 1, "0 (zeros) or 1 (reflect)");
  c.that(a.power == 1 || a.power == 2, "1 (magnitude) or 2 (power)", "power", a.power);
  c.flag("logKind", a.logKind, 3, "0, 1, 2 or 3");
  c.that(a.offset >= 0, "a number from 0", "offset");
  c.sized("window", a.window, "2 × nFft values", {2, a.nFft})
      .sized("out", a.out, "frames × bands values", {a.frames, a.bands});
  c.sized("filterStart", a.filterStart, "one first bin per band", {a.bands});
  c.offsets("filterOffset", a.filterOffset, a.bands, a.filterWeights.size);
  for (i64 b = 0; c.ok() && b < a.bands; ++b) {
    const i64 first = a.filterStart[b], width = a.filterOffset[b + 1] - a.filterOffset[b];
    c.that(first >= 0 && first + width <= a.nFft / 2 + 1, "filters inside the nFft/2 + 1 bins", "filterStart",
           first);
  }
  if (c.ok() && a.frames > 0 && a.padMode == 1) {
    const i64 past = (a.frames - 1) * a.hop + a.nFft - a.pad - a.pcm.size;  // samples read past the last
    c.that(a.pad < a.pcm.size, "less padding than samples when it reflects", "pad", a.pad);
    c.that(past < a.pcm.size, "frames that end less than one reflection past the samples", "frames",
           a.frames);
  }
  return c;
}

Status check(const ResampleArgs& a) {
  Checker c(a);
  c.extent("up", a.up, 1).extent("down", a.down, 1).extent("width", a.width, 1);
  c.that(a.width % 2 == 0, "an even number of taps", "width", a.width);
  c.sized("taps", a.taps, "up × width values", {a.up, a.width});
  c.that(a.out.size <= INT64_MAX / (a.down > 0 ? a.down : 1), "fewer samples", "out", a.out.size);
  return c;
}

Status check(const GemmArgs& a) {
  Checker c(a);
  c.extent("m", a.m).extent("n", a.n).extent("k", a.k).flag("transA", a.transA, 1, "0 or 1");
  c.flag("transB", a.transB, 1, "0 or 1");
  c.sized("a", a.a, "m × k values", {a.m, a.k}).sized("b", a.b, "k × n values", {a.k, a.n});
  c.optional("bias", a.bias, "n values", {a.n}).sized("out", a.out, "m × n values", {a.m, a.n});
  return c;
}

Status check(const L2NormalizeArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows).extent("cols", a.cols).that(a.eps >= 0, "a number from 0", "eps");
  c.sized("x", a.x, "rows × cols values", {a.rows, a.cols})
      .sized("out", a.out, "rows × cols values", {a.rows, a.cols});
  c.sized("norms", a.norms, "rows values", {a.rows});
  return c;
}

Status check(const L2NormalizeBackwardArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows).extent("cols", a.cols).that(a.eps >= 0, "a number from 0", "eps");
  c.sized("out", a.out, "rows × cols values", {a.rows, a.cols})
      .sized("norms", a.norms, "rows values", {a.rows});
  c.sized("gradOut", a.gradOut, "rows × cols values", {a.rows, a.cols});
  c.sized("gradX", a.gradX, "rows × cols values", {a.rows, a.cols});
  return c;
}

Status check(const SimilarityArgs& a) {
  Checker c(a);
  c.extent("batch", a.batch).extent("n", a.n).extent("m", a.m).extent("d", a.d);
  c.sized("a", a.a, "batch × n × d values", {a.batch, a.n, a.d});
  c.sized("b", a.b, "batch × m × d values", {a.batch, a.m, a.d});
  c.sized("out", a.out, "batch × n × m values", {a.batch, a.n, a.m});
  return c;
}

namespace {

template <class Args>
void check_frame_score(Checker& c, const Args& a) {
  c.extent("clips", a.clips).extent("captions", a.captions).extent("maxFrames", a.maxFrames);
  c.extent("maxWords", a.maxWords).extent("d", a.d);
  c.flag("reduction", a.reduction, 2, "0 (STSQ), 1 (MTSQ) or 2 (MQST)");
  c.sized("frames", a.frames, "clips × maxFrames × d values", {a.clips, a.maxFrames, a.d});
  c.sized("words", a.words, "captions × maxWords × d values", {a.captions, a.maxWords, a.d});
  c.lengths("frameLengths", a.frameLengths, a.clips, a.maxFrames, "lengths from 0 to maxFrames");
  c.lengths("wordLengths", a.wordLengths, a.captions, a.maxWords, "lengths from 0 to maxWords");
}

}  // namespace

Status check(const FrameScoreArgs& a) {
  Checker c(a);
  check_frame_score(c, a);
  c.sized("out", a.out, "clips × captions values", {a.clips, a.captions});
  return c;
}

Status check(const FrameScoreBackwardArgs& a) {
  Checker c(a);
  check_frame_score(c, a);
  c.sized("gradOut", a.gradOut, "clips × captions values", {a.clips, a.captions});
  c.optional("gradFrames", a.gradFrames, "clips × maxFrames × d values", {a.clips, a.maxFrames, a.d});
  c.optional("gradWords", a.gradWords, "captions × maxWords × d values", {a.captions, a.maxWords, a.d});
  return c;
}

Status check(const TopKArgs& a) {
  Checker c(a);
  c.extent("q", a.q).extent("n", a.n).extent("d", a.d).extent("k", a.k);
  c.sized("queries", a.queries, "q × d values", {a.q, a.d})
      .sized("items", a.items, "n × d values", {a.n, a.d});
  c.sized("outIndices", a.outIndices, "q × k values", {a.q, a.k});
  c.sized("outScores", a.outScores, "q × k values", {a.q, a.k});
  return c;
}

Status check(const TripletArgs& a) {
  Checker c(a);
  c.extent("n", a.n).sized("scores", a.scores, "n × n values", {a.n, a.n});
  c.offsets("audioOffsets", a.audioOffsets, a.n, a.audioIndex.size);
  c.indices("audioIndex", a.audioIndex, a.n, "indices from 0 to n - 1");
  c.offsets("textOffsets", a.textOffsets, a.n, a.textIndex.size);
  c.indices("textIndex", a.textIndex, a.n, "indices from 0 to n - 1");
  c.sized("gradScores", a.gradScores, "n × n values", {a.n, a.n}).sized("stats", a.stats, "4 values", {4});
  return c;
}

Status check(const InfoNceArgs& a) {
  Checker c(a);
  c.extent("n", a.n).extent("d", a.d).flag("positives", a.positives, 1, "0 (left out) or 1 (shared)");
  c.sized("audio", a.audio, "n × d values", {a.n, a.d}).sized("text", a.text, "n × d values", {a.n, a.d});
  c.sized("groups", a.groups, "n values", {a.n});
  c.that(a.excludeOffsets || !a.excludeIndex, "excludeOffsets whenever excludeIndex is given",
         "excludeOffsets");
  c.that(a.excludeIndex || !a.excludeOffsets, "excludeIndex whenever excludeOffsets is given",
         "excludeIndex");
  if (a.excludeOffsets && a.excludeIndex) {
    c.offsets("excludeOffsets", a.excludeOffsets, a.n, a.excludeIndex.size);
    c.indices("excludeIndex", a.excludeIndex, a.n, "indices from 0 to n - 1");
  }
  c.sized("logTemperature", a.logTemperature, "1 value", {1});
  c.sized("gradAudio", a.gradAudio, "n × d values", {a.n, a.d});
  c.sized("gradText", a.gradText, "n × d values", {a.n, a.d});
  c.optional("gradLogTemperature", a.gradLogTemperature, "1 value", {1})
      .sized("stats", a.stats, "4 values", {4});
  return c;
}

namespace {

template <class Args>
void check_conv2d(Checker& c, const Args& a) {
  c.extent("n", a.n).extent("h", a.h).extent("w", a.w).extent("cin", a.cin).extent("cout", a.cout);
  c.extent("kh", a.kh, 1).extent("kw", a.kw, 1);
  c.that(a.kh % 2 == 1, "an odd kernel height", "kh", a.kh)
      .that(a.kw % 2 == 1, "an odd kernel width", "kw", a.kw);
  c.that(a.slope >= 0, "a slope from 0", "slope");
  c.sized("x", a.x, "n × h × w × cin values", {a.n, a.h, a.w, a.cin});
  c.sized("weight", a.weight, "kh × kw × cin × cout values", {a.kh, a.kw, a.cin, a.cout});
}

}  // namespace

Status check(const Conv2dArgs& a) {
  Checker c(a);
  check_conv2d(c, a);
  c.sized("out", a.out, "n × h × w × cout values", {a.n, a.h, a.w, a.cout});
  return c;
}

Status check(const Conv2dBackwardArgs& a) {
  Checker c(a);
  check_conv2d(c, a);
  c.that(a.out || a.slope == 1, "the forward result whenever slope is not 1", "out");
  c.optional("out", a.out, "n × h × w × cout values", {a.n, a.h, a.w, a.cout});
  c.sized("gradOut", a.gradOut, "n × h × w × cout values", {a.n, a.h, a.w, a.cout});
  c.optional("gradX", a.gradX, "n × h × w × cin values", {a.n, a.h, a.w, a.cin});
  c.optional("gradWeight", a.gradWeight, "kh × kw × cin × cout values", {a.kh, a.kw, a.cin, a.cout});
  return c;
}

Status check(const BatchNormArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows).extent("c", a.c).flag("training", a.training, 1, "0 or 1");
  c.that(a.eps >= 0, "a number from 0", "eps");
  c.that(a.momentum >= 0 && a.momentum <= 1, "a number from 0 to 1", "momentum");
  c.sized("x", a.x, "rows × c values", {a.rows, a.c}).sized("out", a.out, "rows × c values", {a.rows, a.c});
  c.sized("gamma", a.gamma, "c values", {a.c}).sized("beta", a.beta, "c values", {a.c});
  c.sized("runningMean", a.runningMean, "c values", {a.c})
      .sized("runningVar", a.runningVar, "c values", {a.c});
  c.sized("savedMean", a.savedMean, "c values", {a.c}).sized("savedInvStd", a.savedInvStd, "c values", {a.c});
  return c;
}

Status check(const BatchNormBackwardArgs& a) {
  Checker c(a);
  c.extent("rows", a.rows).extent("c", a.c).flag("training", a.training, 1, "0 or 1");
  c.sized("x", a.x, "rows × c values", {a.rows, a.c})
      .sized("gradOut", a.gradOut, "rows × c values", {a.rows, a.c});
  c.sized("gamma", a.gamma, "c values", {a.c}).sized("savedMean", a.savedMean, "c values", {a.c});
  c.sized("savedInvStd", a.savedInvStd, "c values", {a.c});
  c.optional("gradX", a.gradX, "rows × c values", {a.rows, a.c});
  c.sized("gradGamma", a.gradGamma, "c values", {a.c}).sized("gradBeta", a.gradBeta, "c values", {a.c});
  return c;
}

Status check(const LeakyReluArgs& a) {
  Checker c(a, kInPlace);
  c.that(a.slope >= 0, "a slope from 0", "slope").sized("out", a.out, "as many values as x", {a.x.size});
  return c;
}

Status check(const LeakyReluBackwardArgs& a) {
  Checker c(a, kInPlace);
  c.that(a.slope >= 0, "a slope from 0", "slope")
      .sized("gradOut", a.gradOut, "as many values as out", {a.out.size});
  c.sized("gradX", a.gradX, "as many values as out", {a.out.size});
  return c;
}

namespace {

template <class Args>
void check_lp_pool(Checker& c, const Args& a) {
  c.extent("n", a.n)
      .extent("h", a.h)
      .extent("w", a.w)
      .extent("c", a.c)
      .extent("kh", a.kh, 1)
      .extent("kw", a.kw, 1);
  c.that(a.p >= 2 && a.p <= 64 && a.p % 2 == 0, "an even exponent from 2 to 64", "p", a.p);
  c.sized("x", a.x, "n × h × w × c values", {a.n, a.h, a.w, a.c});
  if (c.ok()) c.sized("out", a.out, "n × ⌊h/kh⌋ × ⌊w/kw⌋ × c values", {a.n, a.h / a.kh, a.w / a.kw, a.c});
}

}  // namespace

Status check(const LpPoolArgs& a) {
  Checker c(a);
  check_lp_pool(c, a);
  return c;
}

Status check(const LpPoolBackwardArgs& a) {
  Checker c(a);
  check_lp_pool(c, a);
  c.sized("gradOut", a.gradOut, "as many values as out", {a.out.size});
  c.sized("gradX", a.gradX, "n × h × w × c values", {a.n, a.h, a.w, a.c});
  return c;
}

Status check(const DropoutArgs& a) {
  Checker c(a, kInPlace);
  const char* word = "an integer from 0 to 4294967295";
  c.that(a.seedLow >= 0 && a.seedLow <= UINT32_MAX, word, "seedLow", a.seedLow);
  c.that(a.seedHigh >= 0 && a.seedHigh <= UINT32_MAX, word, "seedHigh", a.seedHigh);
  c.that(a.offsetLow >= 0 && a.offsetLow <= UINT32_MAX, word, "offsetLow", a.offsetLow);
  c.that(a.offsetHigh >= 0 && a.offsetHigh <= UINT32_MAX, word, "offsetHigh", a.offsetHigh);
  c.that(a.rate >= 0 && a.rate < 1, "a number from 0 to below 1", "rate");
  c.sized("out", a.out, "as many values as x", {a.x.size});
  return c;
}

namespace {

template <class Args>
void check_gru(Checker& c, const Args& a) {
  c.extent("n", a.n).extent("t", a.t).extent("in", a.in).extent("hidden", a.hidden);
  c.that(a.directions == 1 || a.directions == 2, "1 or 2", "directions", a.directions);
  c.sized("x", a.x, "n × t × in values", {a.n, a.t, a.in});
  c.sized("wIh", a.wIh, "directions × 3·hidden × in values", {a.directions, 3, a.hidden, a.in});
  c.sized("wHh", a.wHh, "directions × 3·hidden × hidden values", {a.directions, 3, a.hidden, a.hidden});
  c.sized("bHh", a.bHh, "directions × 3·hidden values", {a.directions, 3, a.hidden});
  c.sized("out", a.out, "n × t × directions·hidden values", {a.n, a.t, a.directions, a.hidden});
  c.sized("saved", a.saved, "directions × n × t × 4·hidden values", {a.directions, a.n, a.t, 4, a.hidden});
}

}  // namespace

Status check(const GruArgs& a) {
  Checker c(a);
  check_gru(c, a);
  c.sized("bIh", a.bIh, "directions × 3·hidden values", {a.directions, 3, a.hidden});
  return c;
}

Status check(const GruBackwardArgs& a) {
  Checker c(a);
  check_gru(c, a);
  c.sized("gradOut", a.gradOut, "n × t × directions·hidden values", {a.n, a.t, a.directions, a.hidden});
  c.optional("gradX", a.gradX, "n × t × in values", {a.n, a.t, a.in});
  c.sized("gradWIh", a.gradWIh, "directions × 3·hidden × in values", {a.directions, 3, a.hidden, a.in});
  c.sized("gradWHh", a.gradWHh, "directions × 3·hidden × hidden values",
          {a.directions, 3, a.hidden, a.hidden});
  c.sized("gradBIh", a.gradBIh, "directions × 3·hidden values", {a.directions, 3, a.hidden});
  c.sized("gradBHh", a.gradBHh, "directions × 3·hidden values", {a.directions, 3, a.hidden});
  return c;
}

Status check(const InterpolateArgs& a) {
  Checker c(a);
  c.extent("n", a.n).extent("l", a.l).extent("t", a.t).extent("c", a.c);
  c.that(a.l > 0 || a.t == 0, "at least 1 input step", "l", a.l);
  c.sized("x", a.x, "n × l × c values", {a.n, a.l, a.c})
      .sized("out", a.out, "n × t × c values", {a.n, a.t, a.c});
  return c;
}

Status check(const InterpolateBackwardArgs& a) {
  Checker c(a);
  c.extent("n", a.n).extent("l", a.l).extent("t", a.t).extent("c", a.c);
  c.that(a.l > 0 || a.t == 0, "at least 1 input step", "l", a.l);
  c.sized("gradOut", a.gradOut, "n × t × c values", {a.n, a.t, a.c});
  c.sized("gradX", a.gradX, "n × l × c values", {a.n, a.l, a.c});
  return c;
}

namespace {

template <class Args>
void check_embedding(Checker& c, const Args& a) {
  c.extent("vocabulary", a.vocabulary).extent("count", a.count).extent("d", a.d);
  c.sized("tokens", a.tokens, "count values", {a.count});
  c.indices("tokens", a.tokens, a.vocabulary, "tokens from 0 to vocabulary - 1");
}

}  // namespace

Status check(const EmbeddingArgs& a) {
  Checker c(a);
  check_embedding(c, a);
  c.sized("table", a.table, "vocabulary × d values", {a.vocabulary, a.d});
  c.sized("out", a.out, "count × d values", {a.count, a.d});
  return c;
}

Status check(const EmbeddingBackwardArgs& a) {
  Checker c(a);
  check_embedding(c, a);
  c.sized("gradOut", a.gradOut, "count × d values", {a.count, a.d});
  c.sized("gradTable", a.gradTable, "vocabulary × d values", {a.vocabulary, a.d});
  return c;
}

Status check(const MaskedMeanArgs& a) {
  Checker c(a);
  c.extent("n", a.n).extent("t", a.t).extent("c", a.c);
  c.lengths("lengths", a.lengths, a.n, a.t, "lengths from 0 to t");
  c.sized("x", a.x, "n × t × c values", {a.n, a.t, a.c}).sized("out", a.out, "n × c values", {a.n, a.c});
  return c;
}

Status check(const MaskedMeanBackwardArgs& a) {
  Checker c(a);
  c.extent("n", a.n).extent("t", a.t).extent("c", a.c);
  c.lengths("lengths", a.lengths, a.n, a.t, "lengths from 0 to t");
  c.sized("gradOut", a.gradOut, "n × c values", {a.n, a.c})
      .sized("gradX", a.gradX, "n × t × c values", {a.n, a.t, a.c});
  return c;
}

Status check(const AddArgs& a) {
  Checker c(a, kInPlace);
  c.sized("b", a.b, "as many values as a", {a.a.size}).sized("out", a.out, "as many values as a", {a.a.size});
  return c;
}

Status check(const ScaleArgs& a) {
  Checker c(a, kInPlace);
  c.sized("out", a.out, "as many values as x", {a.x.size});
  return c;
}

Status check(const AdamArgs& a) {
  Checker c(a);
  c.extent("step", a.step, 1).flag("decoupled", a.decoupled, 1, "0 or 1");
  c.that(a.beta1 >= 0 && a.beta1 < 1, "a number from 0 to below 1", "beta1");
  c.that(a.beta2 >= 0 && a.beta2 < 1, "a number from 0 to below 1", "beta2");
  c.that(a.eps >= 0, "a number from 0", "eps").that(a.weightDecay >= 0, "a number from 0", "weightDecay");
  c.sized("grad", a.grad, "as many values as param", {a.param.size});
  c.sized("m", a.m, "as many values as param", {a.param.size});
  c.sized("v", a.v, "as many values as param", {a.param.size});
  return c;
}

Status check(const GradNormArgs& a) {
  Checker c(a);
  c.sized("out", a.out, "1 value", {1});
  return c;
}

}  // namespace sonotext
