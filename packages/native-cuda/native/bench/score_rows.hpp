// Rows of the recurrent layer, of frame scores and of search, in the shapes of training and of an index of a
// million items.
#pragma once

#include <cmath>

#include "gpu_rows.hpp"

namespace sonotext::timing {

inline void gru_rows(Rows& rows) {
  for (const auto& [n, t, in, hidden] : {std::array<i64, 4>{32, 500, 128, 150},
                                         {32, 500, 300, 150},
                                         {32, 500, 256, 256},
                                         {256, 500, 128, 150}}) {
    constexpr i64 directions = 2;
    const i64 gates = directions * 3 * hidden, frames = n * t, outs = directions * hidden;
    const std::string shape = shape_of(n, t, in) + " to 2×" + std::to_string(hidden);
    const double products = 2.0 * static_cast<double>(frames * gates * (in + hidden));
    rows.add("gru", &OpTable::gru, shape, products, 4.0 * static_cast<double>(frames * (in + 5 * outs)),
             [=, n = n, t = t, in = in, hidden = hidden](Data& data) {
               const double unit = 1.0 / std::sqrt(static_cast<double>(hidden));
               GruArgs args{};
               args.x = data.in(frames * in), args.wIh = data.in(gates * in, unit);
               args.wHh = data.in(gates * hidden, unit), args.bIh = data.in(gates, unit);
               args.bHh = data.in(gates, unit), args.out = data.out(frames * outs);
               args.saved = data.out(frames * outs * 4);
               args.n = n, args.t = t, args.in = in, args.hidden = hidden, args.directions = directions;
               return args;
             });
    rows.add("gru_backward", &OpTable::gru_backward, shape, 2 * products,
             4.0 * static_cast<double>(frames * (2 * in + 6 * outs)),
             [=, n = n, t = t, in = in, hidden = hidden](Data& data) {
               const double unit = 1.0 / std::sqrt(static_cast<double>(hidden));
               GruBackwardArgs args{};
               args.x = data.in(frames * in), args.wIh = data.in(gates * in, unit);
               args.wHh = data.in(gates * hidden, unit), args.bHh = data.in(gates, unit);
               args.out = data.in(frames * outs), args.saved = data.in(frames * outs * 4);
               args.gradOut = data.in(frames * outs), args.gradX = data.out(frames * in);
               args.gradWIh = data.out(gates * in), args.gradWHh = data.out(gates * hidden);
               args.gradBIh = data.out(gates), args.gradBHh = data.out(gates);
               args.n = n, args.t = t, args.in = in, args.hidden = hidden, args.directions = directions;
               return args;
             });
  }
}

inline void frame_rows(Rows& rows) {
  const char* names[] = {"mean", "max over frames", "max over words"};
  for (const i64 words : {20, 500}) {  // captions, or audio against itself
    for (const i64 reduction : {0, 1, 2}) {
      constexpr i64 clips = 32, frames = 500, d = 300;
      const i64 captions = clips;
      // From half of the words on, as captions are.
      const auto length = [=](i64 i) {
        return words == frames ? words : words / 2 + i * words / 2 / captions;
      };
      i64 all_words = 0;
      for (i64 i = 0; i < captions; ++i) all_words += length(i);
      const double product = 2.0 * static_cast<double>(clips * frames * all_words * d);
      const double bytes = 4.0 * static_cast<double>((clips * frames + all_words) * d);
      const std::string shape = shape_of(clips, frames, captions, words, d) + " " + names[reduction];
      rows.add("frame_score", &OpTable::frame_score, shape, product, bytes, [=](Data& data) {
        FrameScoreArgs args{};
        args.frames = data.in(clips * frames * d), args.words = data.in(captions * words * d);
        args.frameLengths = data.integers(clips, [=](i64) { return frames; });
        args.wordLengths = data.integers(captions, length);
        args.out = data.out(clips * captions);
        args.clips = clips, args.captions = captions, args.maxFrames = frames, args.maxWords = words,
        args.d = d, args.reduction = reduction;
        return args;
      });
      rows.add("frame_score_backward", &OpTable::frame_score_backward, shape, 3 * product, 3 * bytes,
               [=](Data& data) {
                 FrameScoreBackwardArgs args{};
                 args.frames = data.in(clips * frames * d), args.words = data.in(captions * words * d);
                 args.frameLengths = data.integers(clips, [=](i64) { return frames; });
                 args.wordLengths = data.integers(captions, length);
                 args.gradOut = data.in(clips * captions), args.gradFrames = data.out(clips * frames * d);
                 args.gradWords = data.out(captions * words * d);
                 args.clips = clips, args.captions = captions, args.maxFrames = frames, args.maxWords = words,
                 args.d = d, args.reduction = reduction;
                 return args;
               });
    }
  }
}

inline void search_rows(Rows& rows) {
  for (const auto& [q, k] :
       {std::array<i64, 2>{1, 10}, {1, 100}, {1, 1000}, {8, 10}, {1000, 10}, {1000, 1000}}) {
    constexpr i64 n = 1000000, d = 512;
    rows.add("top_k", &OpTable::top_k, shape_of(q, n, d) + " best " + std::to_string(k),
             2.0 * static_cast<double>(q * n * d), 4.0 * static_cast<double>((q + n) * d),
             [=, q = q, k = k](Data& data) {
               TopKArgs args{};
               args.queries = data.in(q * d), args.items = data.in(n * d);
               const I32In indices = data.integers(q * k, [](i64) { return 0; });
               args.outIndices = {const_cast<std::int32_t*>(indices.data), indices.size};
               args.outScores = data.out(q * k);
               args.q = q, args.n = n, args.d = d, args.k = k, args.bits = 32;
               return args;
             });
  }
}

inline void score_rows(Rows& rows) {
  gru_rows(rows);
  frame_rows(rows);
  search_rows(rows);
}

}  // namespace sonotext::timing
