// Cases of the element-wise ops and of those over rows and columns: what draws seldom meet, above all more
// than one block and sums in parts.
#pragma once

#include "case.hpp"

namespace sonotext::test {

inline Row batch_norm_case(i64 rows, i64 c, i64 training, float offset) {
  return row_of<BatchNormArgs>(
      "batch_norm " + std::to_string(rows) + "×" + std::to_string(c) + (training ? " training" : "") +
          (offset != 0.0f ? " far from 0" : ""),
      // Means nearly cancel, and the CPU sums up in float32; far from 0 a mean in float32 says no more.
      offset != 0.0f ? 1e-3 : 1e-5, &OpTable::batch_norm, [=](Memory& memory) {
        const F32Out x = memory.inout(rows * c), variance = memory.inout(c);
        for (i64 i = 0; i < x.size; ++i) x[i] += offset * static_cast<float>(1 + i % c % 3);
        for (i64 i = 0; i < c; ++i) variance[i] *= variance[i];
        return BatchNormArgs{{x.data, x.size},
                             memory.in(c),
                             memory.in(c),
                             memory.inout(c),
                             variance,
                             memory.out(rows * c),
                             memory.out(c),
                             memory.out(c),
                             rows,
                             c,
                             training,
                             1e-5,
                             0.1};
      });
}

inline Row batch_norm_backward_case(i64 rows, i64 c, i64 training) {
  return row_of<BatchNormBackwardArgs>(
      "batch_norm_backward " + std::to_string(rows) + "×" + std::to_string(c) + (training ? " training" : ""),
      1e-5, &OpTable::batch_norm_backward, [=](Memory& memory) {
        BatchNormBackwardArgs args{};
        args.x = memory.in(rows * c), args.gamma = memory.in(c), args.savedMean = memory.in(c);
        args.savedInvStd = memory.in(c), args.gradOut = memory.in(rows * c);
        args.gradX = memory.out(rows * c), args.gradGamma = memory.out(c), args.gradBeta = memory.out(c);
        args.rows = rows, args.c = c, args.training = training;
        return args;
      });
}

// The backward reads what the forward wrote.
inline Row lp_pool_case(i64 n, i64 h, i64 w, i64 c, i64 kh, i64 kw, i64 p) {
  return {"lp_pool and backward " + std::to_string(n) + "×" + std::to_string(h) + "×" + std::to_string(w) +
              "×" + std::to_string(c) + " by " + std::to_string(kh) + "×" + std::to_string(kw) +
              ", p = " + std::to_string(p),
          1e-5, [=](Device& device, std::vector<Output>& outputs) {
            Memory memory(2);
            const i64 pixels = n * (h / kh) * (w / kw);
            const F32In x = memory.in(n * h * w * c);
            const F32Out out = memory.out(pixels * c);
            const LpPoolArgs forward{x, out, n, h, w, c, kh, kw, p};
            Status status = run_on(device, &OpTable::lp_pool, forward);
            LpPoolBackwardArgs backward{};
            backward.x = x, backward.out = {out.data, out.size}, backward.gradOut = memory.in(out.size);
            backward.gradX = memory.out(x.size);
            backward.n = n, backward.h = h, backward.w = w, backward.c = c, backward.kh = kh,
            backward.kw = kw;
            backward.p = p;
            if (status.ok()) status = run_on(device, &OpTable::lp_pool_backward, backward);
            outputs = outputs_of(forward);
            for (Output& output : outputs_of(backward)) outputs.push_back(std::move(output));
            return status;
          }};
}

inline std::vector<Row> mean_cases(i64 n, i64 t, i64 c) {
  const std::string shape = " " + std::to_string(n) + "×" + std::to_string(t) + "×" + std::to_string(c);
  const auto lengths = [=](Memory& memory) {
    return memory.integers(n, [=](i64 i) { return i == 0 ? 0 : i == 1 ? t : i * 37 % (t + 1); });
  };
  return {row_of<MaskedMeanArgs>("masked_mean" + shape, 1e-6, &OpTable::masked_mean,
                                 [=](Memory& memory) {
                                   return MaskedMeanArgs{
                                       memory.in(n * t * c), lengths(memory), memory.out(n * c), n, t, c};
                                 }),
          row_of<MaskedMeanBackwardArgs>("masked_mean_backward" + shape, 1e-6, &OpTable::masked_mean_backward,
                                         [=](Memory& memory) {
                                           MaskedMeanBackwardArgs args{};
                                           args.lengths = lengths(memory), args.gradOut = memory.in(n * c);
                                           args.gradX = memory.out(n * t * c);
                                           args.n = n, args.t = t, args.c = c;
                                           return args;
                                         })};
}

inline std::vector<Row> interpolate_cases(i64 n, i64 l, i64 t, i64 c) {
  const std::string shape = " " + std::to_string(n) + "×" + std::to_string(l) + " to " + std::to_string(t) +
                            "×" + std::to_string(c);
  return {row_of<InterpolateArgs>("interpolate" + shape, 1e-6, &OpTable::interpolate,
                                  [=](Memory& memory) {
                                    return InterpolateArgs{
                                        memory.in(n * l * c), memory.out(n * t * c), n, l, t, c};
                                  }),
          row_of<InterpolateBackwardArgs>(
              "interpolate_backward" + shape, 1e-6, &OpTable::interpolate_backward, [=](Memory& memory) {
                InterpolateBackwardArgs args{};
                args.gradOut = memory.in(n * t * c), args.gradX = memory.out(n * l * c);
                args.n = n, args.l = l, args.t = t, args.c = c;
                return args;
              })};
}

inline Row resample_case(i64 samples, i64 up, i64 down, i64 width) {
  return row_of<ResampleArgs>(
      "resample " + std::to_string(samples) + " by " + std::to_string(up) + "/" + std::to_string(down) +
          ", " + std::to_string(width) + " taps",
      1e-6, &OpTable::resample, [=](Memory& memory) {
        // Some more than there are inputs for.
        return ResampleArgs{
            memory.in(samples), memory.in(up * width), memory.out(samples * up / down + 5), up, down, width};
      });
}

// Lists with the anchor itself and with picks that come again, and empty ones.
inline Row triplet_case(i64 n, i64 each, double margin) {
  return row_of<TripletArgs>(
      "triplet " + std::to_string(n) + ", up to " + std::to_string(each) + " picks", 1e-6, &OpTable::triplet,
      [=](Memory& memory) {
        std::vector<i64> ends{0};
        for (i64 i = 0; i < n; ++i) ends.push_back(ends.back() + (i % 5 == 3 ? 0 : 1 + i * 7 % each));
        const auto offsets = [&] {
          return memory.integers(n + 1, [&](i64 i) { return ends[static_cast<std::size_t>(i)]; });
        };
        const auto index = [&](i64 stride) {
          return memory.integers(ends.back(), [=](i64 k) { return k * stride % n; });
        };
        TripletArgs args{};
        args.scores = memory.in(n * n), args.gradScores = memory.out(n * n), args.stats = memory.out(4);
        args.audioOffsets = offsets(), args.audioIndex = index(3);
        args.textOffsets = offsets(), args.textIndex = index(0);
        args.n = n, args.margin = margin;
        return args;
      });
}

// Few words, so that each comes many times.
inline Row embedding_backward_case(i64 vocabulary, i64 count, i64 d) {
  return row_of<EmbeddingBackwardArgs>(
      "embedding_backward " + std::to_string(count) + " of " + std::to_string(vocabulary) + "×" +
          std::to_string(d),
      1e-6, &OpTable::embedding_backward, [=](Memory& memory) {
        EmbeddingBackwardArgs args{};
        args.tokens = memory.integers(count, [=](i64 i) { return i * i % 7 % vocabulary; });
        args.gradOut = memory.in(count * d), args.gradTable = memory.out(vocabulary * d);
        args.vocabulary = vocabulary, args.count = count, args.d = d;
        return args;
      });
}

// Rows of all magnitudes that a float has, and a row of zeros.
inline Row normalize_case(i64 rows, i64 cols, double eps) {
  return row_of<L2NormalizeArgs>(
      "l2_normalize " + std::to_string(rows) + "×" + std::to_string(cols) + " of all magnitudes", 1e-6,
      &OpTable::l2_normalize, [=](Memory& memory) {
        const F32Out x = memory.inout(rows * cols);
        for (i64 i = 0; i < x.size; ++i) {
          const i64 row = i / cols;
          x[i] = row == 0 ? 0.0f : std::ldexp(x[i], static_cast<int>(row * 37 % 250) - 130);
        }
        return L2NormalizeArgs{{x.data, x.size}, memory.out(rows * cols), memory.out(rows), rows, cols, eps};
      });
}

inline Row grad_norm_case(i64 count) {
  return row_of<GradNormArgs>("grad_norm " + std::to_string(count) + " into a slot", 1e-6,
                              &OpTable::grad_norm, [=](Memory& memory) {
                                return GradNormArgs{memory.in(count), memory.inout(7), 3};
                              });
}

inline std::vector<Row> layer_cases() {
  std::vector<Row> rows;
  const auto add = [&](std::vector<Row> more) {
    for (Row& row : more) rows.push_back(std::move(row));
  };
  for (const i64 c : {1, 2, 3, 4, 32, 300}) {
    rows.push_back(batch_norm_case(c < 8 ? 9000 : 1100, c, 1, 0.0f));
    rows.push_back(batch_norm_backward_case(c < 8 ? 9000 : 1100, c, 1));
  }
  rows.push_back(batch_norm_case(4003, 1, 1, 0.0f));   // rows that are no fours
  rows.push_back(batch_norm_case(30, 1100, 1, 0.0f));  // more columns than a block has
  rows.push_back(batch_norm_case(2000, 8, 1, 1000.0f));
  rows.push_back(batch_norm_case(1, 5, 1, 0.0f));
  rows.push_back(batch_norm_case(70, 5, 0, 0.0f));
  rows.push_back(batch_norm_backward_case(70, 5, 0));
  rows.push_back(lp_pool_case(2, 7, 9, 8, 2, 4, 4));
  rows.push_back(lp_pool_case(2, 7, 9, 5, 2, 4, 2));
  rows.push_back(lp_pool_case(3, 4, 6, 4, 1, 2, 6));
  rows.push_back(lp_pool_case(1, 3, 2, 3, 4, 1, 4));  // windows larger than the image
  add(mean_cases(5, 300, 20));
  add(mean_cases(3, 70, 70));
  add(mean_cases(2, 9, 3));
  add(interpolate_cases(2, 13, 100, 12));
  add(interpolate_cases(2, 100, 13, 5));
  add(interpolate_cases(1, 1, 9, 4));
  rows.push_back(resample_case(900, 160, 147, 42));
  rows.push_back(resample_case(6000, 160, 441, 62));  // groups of phases
  rows.push_back(resample_case(9000, 1, 3, 20));      // several periods to a tile, several tiles
  rows.push_back(resample_case(5, 3, 2, 16));
  rows.push_back(resample_case(0, 3, 2, 16));
  rows.push_back(triplet_case(70, 90, 0.2));
  rows.push_back(triplet_case(12, 5, 3.0));
  rows.push_back(embedding_backward_case(20, 500, 12));
  rows.push_back(embedding_backward_case(5, 90, 3));
  rows.push_back(normalize_case(40, 300, 1e-12));
  rows.push_back(normalize_case(40, 7, 0.0));
  rows.push_back(grad_norm_case(100000));  // sums in parts
  rows.push_back(grad_norm_case(70001));
  rows.push_back(grad_norm_case(0));
  return rows;
}

}  // namespace sonotext::test
