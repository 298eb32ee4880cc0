// Rows of the element-wise ops and of those over rows and columns, in the shapes of training. Bytes are what
// an op must read and write once.
#pragma once

#include "gpu_rows.hpp"

namespace sonotext::timing {

inline void elementwise_rows(Rows& rows) {
  for (const i64 count : {1 << 18, 32 * 500 * 64 * 32}) {
    const std::string shape = shape_of(count);
    const double bytes = 4.0 * static_cast<double>(count);
    rows.add("add", &OpTable::add, shape, 0, 3 * bytes, [=](Data& data) {
      return AddArgs{data.in(count), data.in(count), data.out(count), 0.5, 2.0};
    });
    rows.add("scale", &OpTable::scale, shape, 0, 2 * bytes, [=](Data& data) {
      return ScaleArgs{data.in(count), data.out(count), 0.5};
    });
    rows.add("multiply", &OpTable::multiply, shape, 0, 3 * bytes, [=](Data& data) {
      return MultiplyArgs{data.in(count), data.in(count), data.out(count)};
    });
    rows.add("gelu", &OpTable::gelu, shape, 0, 2 * bytes, [=](Data& data) {
      return GeluArgs{data.in(count), data.out(count)};
    });
    rows.add("gelu_backward", &OpTable::gelu_backward, shape, 0, 3 * bytes, [=](Data& data) {
      return GeluBackwardArgs{data.in(count), data.in(count), data.out(count)};
    });
    rows.add("leaky_relu", &OpTable::leaky_relu, shape, 0, 2 * bytes, [=](Data& data) {
      return LeakyReluArgs{data.in(count), data.out(count), 0.1};
    });
    rows.add("leaky_relu_backward", &OpTable::leaky_relu_backward, shape, 0, 3 * bytes, [=](Data& data) {
      return LeakyReluBackwardArgs{data.in(count), data.in(count), data.out(count), 0.1};
    });
    rows.add("dropout", &OpTable::dropout, shape, 0, 2 * bytes,
             [=](Data& data) { return DropoutArgs{data.in(count), data.out(count), 1, 2, 3, 4, 0.3}; });
  }
  for (const i64 count : {300, 732354, 1 << 24}) {
    rows.add("adam", &OpTable::adam, shape_of(count), 0, 28.0 * static_cast<double>(count), [=](Data& data) {
      return AdamArgs{data.inout(count),
                      data.in(count),
                      data.inout(count),
                      data.inout(count, 0.0),
                      7,
                      0,
                      1e-3,
                      0.9,
                      0.999,
                      1e-8,
                      0.0};
    });
    rows.add("grad_norm", &OpTable::grad_norm, shape_of(count), 0, 4.0 * static_cast<double>(count),
             [=](Data& data) {
               return GradNormArgs{data.in(count), data.inout(8), 3};
             });
  }
}

inline void row_rows(Rows& rows) {
  for (const auto& [n, d] : {std::array<i64, 2>{16000, 300}, {32768, 512}}) {
    const double bytes = 4.0 * static_cast<double>(n * d);
    rows.add("l2_normalize", &OpTable::l2_normalize, shape_of(n, d), 0, 2 * bytes, [=](Data& data) {
      return L2NormalizeArgs{data.in(n * d), data.out(n * d), data.out(n), n, d, 1e-12};
    });
    rows.add("l2_normalize_backward", &OpTable::l2_normalize_backward, shape_of(n, d), 0, 3 * bytes,
             [=](Data& data) {
               L2NormalizeBackwardArgs args{};
               args.out = data.in(n * d), args.norms = data.in(n), args.gradOut = data.in(n * d);
               args.gradX = data.out(n * d), args.rows = n, args.cols = d, args.eps = 1e-12;
               return args;
             });
  }
  for (const auto& [n, d] : {std::array<i64, 2>{16000, 300}, {32768, 512}}) {
    const double bytes = 4.0 * static_cast<double>(n * d);
    rows.add("layer_norm", &OpTable::layer_norm, shape_of(n, d), 0, 2 * bytes, [=](Data& data) {
      return LayerNormArgs{
          data.in(n * d), data.in(d), data.in(d), data.out(n * d), data.out(n), data.out(n), n, d, 1e-5};
    });
    rows.add("layer_norm_backward", &OpTable::layer_norm_backward, shape_of(n, d), 0, 3 * bytes,
             [=](Data& data) {
               LayerNormBackwardArgs args{};
               args.x = data.in(n * d), args.gamma = data.in(d), args.mean = data.in(n);
               args.invStd = data.in(n), args.gradOut = data.in(n * d), args.gradX = data.out(n * d);
               args.gradGamma = data.out(d), args.gradBeta = data.out(d), args.rows = n, args.cols = d;
               return args;
             });
    rows.add("softmax", &OpTable::softmax, shape_of(n, d), 0, 2 * bytes,
             [=](Data& data) { return SoftmaxArgs{data.in(n * d), {}, data.out(n * d), 1, n, d}; });
    rows.add("softmax_backward", &OpTable::softmax_backward, shape_of(n, d), 0, 3 * bytes, [=](Data& data) {
      SoftmaxBackwardArgs args{};
      args.out = data.in(n * d), args.gradOut = data.in(n * d), args.gradX = data.out(n * d);
      args.n = 1, args.rows = n, args.cols = d;
      return args;
    });
    rows.add("copy_columns", &OpTable::copy_columns, shape_of(n, d) + " of three times as many", 0, 2 * bytes,
             [=](Data& data) {
               return CopyColumnsArgs{data.in(3 * n * d), data.inout(n * d), n, 3 * d, d, d, 0, d};
             });
  }
  // Heads of 32 clips of 500 steps, and a plain matrix.
  for (const auto& [outer, m, n, inner] : {std::array<i64, 4>{32, 500, 8, 64}, {1, 4096, 4096, 1}}) {
    const i64 size = outer * m * n * inner;
    rows.add("transpose", &OpTable::transpose, shape_of(outer, m, n, inner), 0,
             2 * 4.0 * static_cast<double>(size),
             [=, outer = outer, m = m, n = n, inner = inner](Data& data) {
               return TransposeArgs{data.in(size), data.out(size), outer, m, 1, n, inner};
             });
  }
  for (const auto& [vocabulary, count, d] : {std::array<i64, 3>{5000, 640, 300}, {30000, 61440, 300}}) {
    // A tenth of the words is one word.
    const auto token = [=, v = vocabulary](i64 i) { return i % 10 == 0 ? 0 : i * 7919 % v; };
    const double moved = 4.0 * static_cast<double>(count * d);
    rows.add("embedding", &OpTable::embedding, shape_of(vocabulary, count, d), 0, 2 * moved,
             [=, v = vocabulary, n = count, d = d](Data& data) {
               return EmbeddingArgs{data.in(v * d), data.integers(n, token), data.out(n * d), v, n, d};
             });
    rows.add("embedding_backward", &OpTable::embedding_backward, shape_of(vocabulary, count, d), 0,
             moved + 4.0 * static_cast<double>(vocabulary * d),
             [=, v = vocabulary, n = count, d = d](Data& data) {
               EmbeddingBackwardArgs args{};
               args.tokens = data.integers(n, token), args.gradOut = data.in(n * d),
               args.gradTable = data.out(v * d);
               args.vocabulary = v, args.count = n, args.d = d;
               return args;
             });
  }
  for (const i64 n : {32, 2048}) {
    // All others are picked.
    rows.add(
        "triplet", &OpTable::triplet, shape_of(n), 0, 3 * 4.0 * static_cast<double>(n * n), [=](Data& data) {
          TripletArgs args{};
          args.scores = data.in(n * n), args.gradScores = data.out(n * n), args.stats = data.out(4);
          const auto offset = [=](i64 i) { return i * (n - 1); };
          const auto index = [=](i64 k) { return (k / (n - 1) + 1 + k % (n - 1)) % n; };
          args.audioOffsets = data.integers(n + 1, offset),
          args.audioIndex = data.integers(n * (n - 1), index);
          args.textOffsets = data.integers(n + 1, offset), args.textIndex = data.integers(n * (n - 1), index);
          args.n = n, args.margin = 0.2;
          return args;
        });
  }
}

inline void time_rows(Rows& rows) {
  constexpr i64 n = 32, t = 500, l = 62, c = 300;
  constexpr double bytes = 4.0 * n * t * c;
  const auto whole = [](i64) { return t; };
  rows.add("masked_mean", &OpTable::masked_mean, shape_of(n, t, c), 0, bytes, [=](Data& data) {
    return MaskedMeanArgs{data.in(n * t * c), data.integers(n, whole), data.out(n * c), n, t, c};
  });
  rows.add("masked_mean_backward", &OpTable::masked_mean_backward, shape_of(n, t, c), 0, bytes,
           [=](Data& data) {
             MaskedMeanBackwardArgs args{};
             args.lengths = data.integers(n, whole), args.gradOut = data.in(n * c),
             args.gradX = data.out(n * t * c);
             args.n = n, args.t = t, args.c = c;
             return args;
           });
  rows.add("masked_max", &OpTable::masked_max, shape_of(n, t, c), 0, bytes, [=](Data& data) {
    return MaskedMaxArgs{data.in(n * t * c), data.integers(n, whole), data.out(n * c), n, t, c};
  });
  rows.add("masked_max_backward", &OpTable::masked_max_backward, shape_of(n, t, c), 0, 2 * bytes,
           [=](Data& data) {
             MaskedMaxBackwardArgs args{};
             args.x = data.in(n * t * c), args.lengths = data.integers(n, whole), args.out = data.in(n * c);
             args.gradOut = data.in(n * c), args.gradX = data.out(n * t * c);
             args.n = n, args.t = t, args.c = c;
             return args;
           });
  const double both = 4.0 * n * (l + t) * c;
  rows.add("interpolate", &OpTable::interpolate, shape_of(n, l, t, c), 0, both,
           [=](Data& data) { return InterpolateArgs{data.in(n * l * c), data.out(n * t * c), n, l, t, c}; });
  rows.add("interpolate_backward", &OpTable::interpolate_backward, shape_of(n, l, t, c), 0, both,
           [=](Data& data) {
             InterpolateBackwardArgs args{};
             args.gradOut = data.in(n * t * c), args.gradX = data.out(n * l * c);
             args.n = n, args.l = l, args.t = t, args.c = c;
             return args;
           });
  for (const i64 seconds : {10, 7200}) {
    constexpr i64 up = 160, down = 147, width = 224;
    const i64 samples = 44100 * seconds, outputs = samples * up / down;
    rows.add("resample", &OpTable::resample, std::to_string(seconds) + " s, 160/147, 224 taps",
             2.0 * static_cast<double>(outputs * width), 4.0 * static_cast<double>(samples + outputs),
             [=](Data& data) {
               return ResampleArgs{data.in(samples), data.in(up * width), data.out(outputs), up, down, width};
             });
  }
}

inline void image_rows(Rows& rows) {
  for (const auto& [count, c] :
       {std::array<i64, 2>{32 * 500 * 64, 1}, {32 * 500 * 64, 32}, {32 * 250 * 16, 128}}) {
    const double bytes = 4.0 * static_cast<double>(count * c);
    // The statistics read x, the result reads it again.
    rows.add("batch_norm", &OpTable::batch_norm, shape_of(count, c), 0, 3 * bytes,
             [=, n = count, c = c](Data& data) {
               BatchNormArgs args{};
               args.x = data.in(n * c), args.gamma = data.in(c), args.beta = data.in(c);
               args.runningMean = data.inout(c), args.runningVar = data.inout(c, 0.0),
               args.out = data.out(n * c);
               args.savedMean = data.out(c), args.savedInvStd = data.out(c);
               args.rows = n, args.c = c, args.training = 1, args.eps = 1e-5, args.momentum = 0.1;
               return args;
             });
    rows.add("batch_norm_backward", &OpTable::batch_norm_backward, shape_of(count, c), 0, 5 * bytes,
             [=, n = count, c = c](Data& data) {
               BatchNormBackwardArgs args{};
               args.x = data.in(n * c), args.gamma = data.in(c), args.savedMean = data.in(c);
               args.savedInvStd = data.in(c), args.gradOut = data.in(n * c), args.gradX = data.out(n * c);
               args.gradGamma = data.out(c), args.gradBeta = data.out(c);
               args.rows = n, args.c = c, args.training = 1;
               return args;
             });
  }
  struct Pool {
    i64 n, h, w, c, kh, kw;
  };
  for (const Pool& p : {Pool{32, 500, 64, 32, 2, 4}, Pool{32, 250, 16, 128, 1, 4}}) {
    const i64 ins = p.n * p.h * p.w * p.c, outs = ins / (p.kh * p.kw);
    const std::string shape = shape_of(p.n, p.h, p.w, p.c) + " by " + shape_of(p.kh, p.kw);
    rows.add("lp_pool", &OpTable::lp_pool, shape, 0, 4.0 * static_cast<double>(ins + outs), [=](Data& data) {
      return LpPoolArgs{data.in(ins), data.out(outs), p.n, p.h, p.w, p.c, p.kh, p.kw, 4};
    });
    rows.add("lp_pool_backward", &OpTable::lp_pool_backward, shape, 0, 8.0 * static_cast<double>(ins + outs),
             [=](Data& data) {
               LpPoolBackwardArgs args{};
               args.x = data.in(ins), args.out = data.in(outs), args.gradOut = data.in(outs);
               args.gradX = data.out(ins);
               args.n = p.n, args.h = p.h, args.w = p.w, args.c = p.c, args.kh = p.kh, args.kw = p.kw,
               args.p = 4;
               return args;
             });
  }
}

inline void layer_rows(Rows& rows) {
  elementwise_rows(rows);
  row_rows(rows);
  time_rows(rows);
  image_rows(rows);
}

}  // namespace sonotext::timing
