// Compares what a device computes with the CPU's scalar table on the same inputs. Needs no Node, so it runs
// on a bare GPU box. Prints a table; exit code 0 when all agree or when the device is not there, 1 on a
// difference, 2 on bad usage.
//
//   conformance [device [op,…]]      cuda:0 unless another is named; of some ops and their backwards, or all
//
// Every op of the table is called with arguments drawn from what ops.def says of it (small ones, so that the
// emulation can run them too). The cases below it are for what a draw seldom meets: special shapes, and a
// backward that reads what its forward left.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <type_traits>
#include <vector>

#include "case.hpp"
#include "drawn_call.hpp"
#include "layer_cases.hpp"

namespace sonotext {
namespace {

using namespace test;

// Of ‖difference‖ / ‖expected‖, over the ops: rounding, and how much an op amplifies it.
double tolerance_of(const std::string& op) {
  if (op == "lp_pool" || op == "lp_pool_backward" || op == "batch_norm_backward") return 1e-4;
  for (const char* product :
       {"gemm", "batched_gemm", "similarity", "sigmoid_pair", "conv2d", "conv2d_backward", "info_nce",
        "frame_score", "frame_score_backward", "gru", "gru_backward"}) {
    // The steps of a recurrence pass it on.
    const double growth = op.rfind("gru", 0) == 0 ? 3.0 : 1.0;
    if (op == product && rounding_of_operands() > 0.0) return growth * rounding_of_operands();
  }
  return 3e-5;
}

// ---- cases
// ----------------------------------------------------------------------------------------------------------

Row similarity_case(i64 batch, i64 n, i64 m, i64 d) {
  return {"similarity " + std::to_string(batch) + "×" + std::to_string(n) + "×" + std::to_string(m) + "×" +
              std::to_string(d),
          1e-5, [=](Device& device, std::vector<Output>& outputs) {
            Random random(1);
            const Floats a = random.operands(batch * n * d), b = random.operands(batch * m * d);
            Floats result(static_cast<std::size_t>(batch * n * m), NAN);
            const Status status = run_on<SimilarityArgs>(device, &OpTable::similarity,
                                                         {in(a), in(b), out(result), batch, n, m, d, 0.7});
            outputs = {{"out", result}};
            return status;
          }};
}

// All at once: alpha, beta, bias and a leaky end.
Row gemm_case(i64 m, i64 n, i64 k, i64 trans_a, i64 trans_b) {
  return {"gemm " + std::to_string(m) + "×" + std::to_string(n) + "×" + std::to_string(k) +
              (trans_a ? " T" : " N") + (trans_b ? "T" : "N"),
          1e-5, [=](Device& device, std::vector<Output>& outputs) {
            Random random(6);
            const Floats a = random.operands(m * k), b = random.operands(k * n), bias = random.floats(n);
            Floats result = random.floats(m * n);
            const Status status = run_on<GemmArgs>(
                device, &OpTable::gemm,
                {in(a), in(b), in(bias), out(result), m, n, k, trans_a, trans_b, 0.7, -0.3, 0.2});
            outputs = {{"out", result}};
            return status;
          }};
}

Row conv2d_case(i64 n, i64 h, i64 w, i64 cin, i64 cout, i64 kernel, double slope) {
  return {"conv2d and backward " + std::to_string(n) + "×" + std::to_string(h) + "×" + std::to_string(w) +
              ", " + std::to_string(cin) + " to " + std::to_string(cout) + " by " + std::to_string(kernel),
          2e-5, [=](Device& device, std::vector<Output>& outputs) {
            Random random(7);
            const i64 pixels = n * h * w, weights = kernel * kernel * cin * cout;
            const Floats x = random.operands(pixels * cin), weight = random.operands(weights),
                         grad_out = random.operands(pixels * cout);
            const auto empty = [](i64 count) { return Floats(static_cast<std::size_t>(count), NAN); };
            Floats y = empty(pixels * cout), grad_x = empty(pixels * cin), grad_weight = empty(weights);
            Status status =
                run_on<Conv2dArgs>(device, &OpTable::conv2d,
                                   {in(x), in(weight), out(y), n, h, w, cin, cout, kernel, kernel, slope});
            Conv2dBackwardArgs backward{};
            backward.x = in(x), backward.weight = in(weight), backward.out = in(y);
            backward.gradOut = in(grad_out), backward.gradX = out(grad_x);
            backward.gradWeight = out(grad_weight), backward.n = n, backward.h = h, backward.w = w;
            backward.cin = cin, backward.cout = cout, backward.kh = backward.kw = kernel;
            backward.slope = slope;
            // Each device masks by its own result: values near 0 may differ in sign.
            if (status.ok()) status = run_on(device, &OpTable::conv2d_backward, backward);
            outputs = {{"out", y}, {"gradX", grad_x}, {"gradWeight", grad_weight}};
            return status;
          }};
}

struct PairOptions {
  i64 groups;        // number of different groups
  i64 excluded;      // pairs excluded per row
  i64 positives;     // see InfoNceArgs
  bool scores;       // given in place of clips and captions
  const char* soft;  // "", "dense" or "lists" of targets
};

// Clips, captions and what is left out of a batch, for the losses over all of its pairs.
struct PairInputs {
  Floats audio, text, grad_audio, grad_text;
  Floats log_temperature{-1.2f}, grad_temperature = Floats(1, NAN), stats = Floats(4, NAN);
  Ints groups, offsets{0}, index;
  bool scores;

  PairInputs(Random& random, i64 n, i64 d, const PairOptions& options)
      : audio(random.floats(n * d)),
        text(random.floats(n * d)),
        grad_audio(audio.size(), NAN),
        grad_text(text.size(), NAN),
        scores(options.scores) {
    const float length = std::sqrt(static_cast<float>(d) / 3.0f);
    for (float& value : audio) value /= options.scores ? 1.0f : length;
    for (float& value : text) value /= length;
    for (i64 i = 0; i < n; ++i) {
      groups.push_back(static_cast<std::int32_t>(random.below(options.groups)));
      for (i64 e = 0; e < options.excluded; ++e) index.push_back(static_cast<std::int32_t>(random.below(n)));
      offsets.push_back(static_cast<std::int32_t>(index.size()));
    }
  }

  template <class Args>
  void fill(Args& args, i64 n, i64 d, const PairOptions& options) {
    args.audio = in(audio), args.groups = in(groups), args.logTemperature = in(log_temperature);
    if (!scores) args.text = in(text), args.gradText = out(grad_text);
    if (options.excluded > 0) args.excludeOffsets = in(offsets), args.excludeIndex = in(index);
    args.gradAudio = out(grad_audio), args.gradLogTemperature = out(grad_temperature),
    args.stats = out(stats);
    args.n = n, args.d = d, args.positives = options.positives;
  }
  std::vector<Output> outputs() const {
    std::vector<Output> all{
        {"gradAudio", grad_audio}, {"gradLogTemperature", grad_temperature}, {"stats", stats}};
    if (!scores) all.push_back({"gradText", grad_text});
    return all;
  }
};

std::string name_of(const char* op, i64 n, i64 d, const PairOptions& options) {
  return std::string(op) + " " + std::to_string(n) + "×" + std::to_string(d) + " groups " +
         std::to_string(options.groups) + " excluded " + std::to_string(options.excluded) +
         (options.positives ? " shared" : "") + (options.scores ? " scores" : "") +
         (*options.soft ? std::string(" soft ") + options.soft : "");
}

Row info_nce_case(i64 n, i64 d, PairOptions options) {
  return {name_of("info_nce", n, d, options), tolerance_of("info_nce"),
          [=](Device& device, std::vector<Output>& outputs) {
            Random random(2);
            PairInputs inputs(random, n, d, options);
            InfoNceArgs args{};
            inputs.fill(args, n, d, options);
            args.hard = args.toText = args.toAudio = 1.0;
            const bool lists = std::string(options.soft) == "lists";
            Floats weights;
            Ints offsets{0}, index;
            for (i64 i = 0; i < n; ++i) {
              // Every seventh row has none; a list may name a place twice.
              for (i64 e = 0; lists && i % 7 != 6 && e < 3; ++e)
                index.push_back(static_cast<std::int32_t>(random.below(n)));
              offsets.push_back(static_cast<std::int32_t>(index.size()));
            }
            if (*options.soft) {
              weights = random.floats(lists ? static_cast<i64>(index.size()) : n * n);
              for (float& weight : weights) weight = weight < -0.9f ? weight : std::fabs(weight);
              args.hard = 0.25, args.toText = 0.5, args.toAudio = 1.5;
              if (lists) {
                args.targetOffsets = in(offsets), args.targetIndex = in(index),
                args.targetWeights = in(weights);
              } else {
                args.targets = in(weights);
              }
            }
            const Status status = run_on(device, &OpTable::info_nce, args);
            outputs = inputs.outputs();
            return status;
          }};
}

Row sigmoid_pair_case(i64 n, i64 d, PairOptions options) {
  return {name_of("sigmoid_pair", n, d, options), tolerance_of("sigmoid_pair"),
          [=](Device& device, std::vector<Output>& outputs) {
            Random random(3);
            PairInputs inputs(random, n, d, options);
            SigmoidPairArgs args{};
            inputs.fill(args, n, d, options);
            const Floats bias{-1.5f};
            Floats grad_bias(1, NAN);
            args.bias = in(bias), args.gradBias = out(grad_bias);
            const Status status = run_on(device, &OpTable::sigmoid_pair, args);
            outputs = inputs.outputs();
            outputs.push_back({"gradBias", grad_bias});
            return status;
          }};
}

struct MelOptions {
  i64 pad_mode, power, log_kind;
};

Row log_mel_case(i64 samples, i64 n_fft, i64 hop, i64 frames, i64 bands, MelOptions options) {
  return {
      "log_mel " + std::to_string(samples) + " samples, " + std::to_string(n_fft) + "/" +
          std::to_string(hop) + ", " + std::to_string(frames) + "×" + std::to_string(bands) + ", modes " +
          std::to_string(options.pad_mode) + std::to_string(options.power) + std::to_string(options.log_kind),
      1e-5, [=](Device& device, std::vector<Output>& outputs) {
        Random random(3);
        const Floats pcm = random.floats(samples);
        Floats window(static_cast<std::size_t>(2 * n_fft));
        for (i64 i = 0; i < n_fft; ++i) {
          const double tap =
              0.5 - 0.5 * std::cos(2.0 * M_PI * static_cast<double>(i) / static_cast<double>(n_fft));
          window[static_cast<std::size_t>(i)] = static_cast<float>(tap);
          window[static_cast<std::size_t>(n_fft + i)] = static_cast<float>(tap - static_cast<float>(tap));
        }
        const i64 bins = n_fft / 2 + 1;
        Ints starts, offsets{0};
        for (i64 b = 0; b < bands; ++b) {
          const i64 first = random.below(bins), width = random.below(bins - first + 1);
          starts.push_back(static_cast<std::int32_t>(first));
          offsets.push_back(offsets.back() + static_cast<std::int32_t>(width));
        }
        Floats weights = random.floats(offsets.back());
        for (float& weight : weights) weight = std::fabs(weight);
        Floats result(static_cast<std::size_t>(frames * bands), NAN);
        LogMelArgs args{
            in(pcm), in(window), in(starts), in(offsets),      in(weights),   out(result),      n_fft, hop,
            frames,  bands,      n_fft / 2,  options.pad_mode, options.power, options.log_kind, 0,
            1e-10};
        const Status status = run_on(device, &OpTable::log_mel, args);
        outputs = {{"out", result}};
        return status;
      }};
}

// gru_backward reads what gru of the same device saved.
Row gru_case(i64 n, i64 t, i64 in_size, i64 hidden, i64 directions) {
  return {"gru and backward " + std::to_string(n) + "×" + std::to_string(t) + "×" + std::to_string(in_size) +
              " to " + std::to_string(hidden) + ", directions " + std::to_string(directions),
          tolerance_of("gru"), [=](Device& device, std::vector<Output>& outputs) {
            Random random(5);
            const i64 gates = directions * 3 * hidden, width = directions * hidden;
            const Floats x = random.floats(n * t * in_size), w_ih = random.floats(gates * in_size),
                         w_hh = random.floats(gates * hidden), b_ih = random.floats(gates),
                         b_hh = random.floats(gates), grad_out = random.floats(n * t * width);
            const auto empty = [](i64 count) { return Floats(static_cast<std::size_t>(count), NAN); };
            Floats y = empty(n * t * width), saved = empty(width * n * t * 4),
                   grad_x = empty(n * t * in_size), grad_w_ih = empty(gates * in_size),
                   grad_w_hh = empty(gates * hidden), grad_b_ih = empty(gates), grad_b_hh = empty(gates);
            GruArgs forward{};
            forward.x = in(x), forward.wIh = in(w_ih), forward.wHh = in(w_hh);
            forward.bIh = in(b_ih), forward.bHh = in(b_hh), forward.out = out(y), forward.saved = out(saved);
            forward.n = n, forward.t = t, forward.in = in_size, forward.hidden = hidden;
            forward.directions = directions;
            Status status = run_on(device, &OpTable::gru, forward);
            GruBackwardArgs backward{};
            backward.x = in(x), backward.wIh = in(w_ih), backward.wHh = in(w_hh), backward.bHh = in(b_hh);
            backward.out = in(y), backward.saved = in(saved), backward.gradOut = in(grad_out);
            backward.gradX = out(grad_x), backward.gradWIh = out(grad_w_ih),
            backward.gradWHh = out(grad_w_hh);
            backward.gradBIh = out(grad_b_ih), backward.gradBHh = out(grad_b_hh);
            backward.n = n, backward.t = t, backward.in = in_size, backward.hidden = hidden;
            backward.directions = directions;
            if (status.ok()) status = run_on(device, &OpTable::gru_backward, backward);
            outputs = {{"out", y},
                       {"gradX", grad_x},
                       {"gradWIh", grad_w_ih},
                       {"gradWHh", grad_w_hh},
                       {"gradBIh", grad_b_ih},
                       {"gradBHh", grad_b_hh}};
            return status;
          }};
}

// Clips of several blocks of frames, captions that go on in the next tile, and some of nothing.
Row frame_score_case(i64 clips, i64 captions, i64 most_frames, i64 most_words, i64 d, i64 reduction) {
  return {
      "frame_score and backward " + std::to_string(clips) + "×" + std::to_string(most_frames) + " by " +
          std::to_string(captions) + "×" + std::to_string(most_words) + "×" + std::to_string(d) +
          ", reduction " + std::to_string(reduction),
      tolerance_of("frame_score"), [=](Device& device, std::vector<Output>& outputs) {
        Random random(7);
        Floats frames = random.floats(clips * most_frames * d),
               words = random.floats(captions * most_words * d);
        const Floats grad_out = random.floats(clips * captions);
        Ints frame_lengths, word_lengths;
        for (i64 i = 0; i < clips; ++i) {
          frame_lengths.push_back(static_cast<std::int32_t>(i == 1 ? 0 : most_frames - i * 7 % most_frames));
        }
        for (i64 j = 0; j < captions; ++j) {
          word_lengths.push_back(static_cast<std::int32_t>(j == 2 ? 0 : most_words - j * 3 % most_words));
        }
        // Padding may hold anything.
        const auto spoil = [d](Floats& rows, const Ints& lengths, i64 most) {
          for (std::size_t i = 0; i < lengths.size(); ++i) {
            const i64 begin = static_cast<i64>(i) * most * d;
            std::fill(rows.begin() + begin + lengths[i] * d, rows.begin() + begin + most * d, NAN);
          }
        };
        spoil(frames, frame_lengths, most_frames), spoil(words, word_lengths, most_words);
        const auto empty = [](i64 count) { return Floats(static_cast<std::size_t>(count), NAN); };
        Floats scores = empty(clips * captions), grad_frames = empty(clips * most_frames * d),
               grad_words = empty(captions * most_words * d);
        FrameScoreArgs forward{};
        forward.frames = in(frames), forward.words = in(words), forward.out = out(scores);
        forward.frameLengths = in(frame_lengths), forward.wordLengths = in(word_lengths);
        forward.clips = clips, forward.captions = captions, forward.maxFrames = most_frames;
        forward.maxWords = most_words, forward.d = d, forward.reduction = reduction;
        Status status = run_on(device, &OpTable::frame_score, forward);
        FrameScoreBackwardArgs backward{};
        backward.frames = in(frames), backward.words = in(words), backward.gradOut = in(grad_out);
        backward.frameLengths = in(frame_lengths), backward.wordLengths = in(word_lengths);
        backward.gradFrames = out(grad_frames), backward.gradWords = out(grad_words);
        backward.clips = clips, backward.captions = captions, backward.maxFrames = most_frames;
        backward.maxWords = most_words, backward.d = d, backward.reduction = reduction;
        if (status.ok()) status = run_on(device, &OpTable::frame_score_backward, backward);
        outputs = {{"out", scores}, {"gradFrames", grad_frames}, {"gradWords", grad_words}};
        return status;
      }};
}

// Few different scores, so that ties must go to the lower index, and some that are not numbers.
Row top_k_case(i64 q, i64 n, i64 k, bool rising) {
  return {
      "top_k " + std::to_string(k) + " of " + std::to_string(q) + "×" + std::to_string(n) +
          (rising ? ", the best last" : ", ties and NaNs"),
      1e-6, [=](Device& device, std::vector<Output>& outputs) {
        Random random(6);
        const i64 d = 2;
        Floats queries(static_cast<std::size_t>(q * d), 1.0f), items;
        for (i64 i = 0; i < n; ++i) {
          const float value = rising ? static_cast<float>(i) : static_cast<float>(random.below(40)) - 20.0f;
          items.push_back(!rising && random.below(50) == 0 ? NAN
                          : !rising && value == 3.0f       ? -INFINITY
                                                           : value);
          items.push_back(rising ? 0.0f : static_cast<float>(random.below(3)));
        }
        Floats scores(static_cast<std::size_t>(q * k), 7.0f);
        Ints indices(static_cast<std::size_t>(q * k), -7);
        TopKArgs args{};
        args.queries = in(queries), args.items = in(items);
        args.outIndices = {indices.data(), static_cast<i64>(indices.size())}, args.outScores = out(scores);
        args.q = q, args.n = n, args.d = d, args.k = k, args.bits = 32;
        const Status status = run_on(device, &OpTable::top_k, args);
        Floats whole(indices.begin(), indices.end());
        outputs = {{"outIndices", whole}, {"outScores", scores}};
        return status;
      }};
}

std::vector<Row> all_cases() {
  std::vector<Row> rows = layer_cases();
  for (const i64 d : {0, 1, 3, 16, 17, 64, 300}) rows.push_back(similarity_case(1, 33, 65, d));
  for (const i64 n : {0, 1, 5, 64, 130}) rows.push_back(similarity_case(1, n, 7, 20));
  rows.push_back(similarity_case(0, 4, 4, 4));
  rows.push_back(similarity_case(3, 66, 129, 19));
  rows.push_back(similarity_case(2, 300, 400, 32));  // large tiles on a small device

  for (const i64 kind : {0, 1, 2, 3}) {
    rows.push_back(gemm_case(70, 72, 68, kind / 2, kind % 2));    // rows that begin on 16 bytes
    rows.push_back(gemm_case(67, 131, 45, kind / 2, kind % 2));   // rows that do not
    rows.push_back(gemm_case(65, 36, 1100, kind / 2, kind % 2));  // parts of the depth
    rows.push_back(gemm_case(300, 260, 36, kind / 2, kind % 2));  // large tiles on a small device
  }
  rows.push_back(gemm_case(1, 1, 3000, 0, 0));
  rows.push_back(gemm_case(5, 7, 0, 0, 0));

  rows.push_back(conv2d_case(2, 9, 11, 8, 12, 3, 0.25));   // rows that begin on 16 bytes
  rows.push_back(conv2d_case(2, 9, 11, 5, 7, 3, 0.0));    // rows that do not
  rows.push_back(conv2d_case(1, 30, 13, 1, 32, 3, 1.0));  // a first layer
  rows.push_back(conv2d_case(2, 5, 40, 1, 70, 3, 0.25));   // more pixels and channels than a warp has lanes
  rows.push_back(conv2d_case(3, 1, 1, 1, 5, 3, 0.25));
  rows.push_back(conv2d_case(1, 7, 9, 4, 70, 5, 1.0));
  rows.push_back(conv2d_case(3, 40, 12, 8, 4, 1, 1.0));  // parts of the pixels
  rows.push_back(conv2d_case(1, 2, 1, 3, 4, 7, 0.25));    // a window larger than the image
  rows.push_back(conv2d_case(2, 3, 5, 0, 4, 3, 1.0));     // no channels
  rows.push_back(conv2d_case(2, 0, 5, 3, 4, 3, 1.0));     // no pixels

  for (const auto make : {info_nce_case, sigmoid_pair_case}) {
    for (const i64 n : {1, 2, 31, 64, 129}) rows.push_back(make(n, 24, {n, 0, 0, false, ""}));
    rows.push_back(make(0, 0, {1, 0, 0, false, ""}));
    rows.push_back(make(70, 1, {70, 0, 0, false, ""}));
    rows.push_back(make(330, 9, {330, 0, 0, false, ""}));  // several panels on a small device
    rows.push_back(make(330, 9, {100, 3, 1, false, ""}));
    for (const i64 positives : {0, 1}) {
      rows.push_back(make(100, 33, {40, 0, positives, false, ""}));
      rows.push_back(make(100, 33, {1, 0, positives, false, ""}));
      rows.push_back(make(90, 20, {60, 5, positives, false, ""}));
      rows.push_back(make(90, 90, {60, 5, positives, true, ""}));
    }
  }
  for (const char* soft : {"dense", "lists"}) {
    for (const i64 positives : {0, 1}) rows.push_back(info_nce_case(90, 20, {60, 5, positives, false, soft}));
    rows.push_back(info_nce_case(1, 20, {1, 0, 0, false, soft}));
    rows.push_back(info_nce_case(330, 9, {100, 3, 1, false, soft}));
    rows.push_back(info_nce_case(130, 130, {60, 5, 1, true, soft}));
  }

  for (const i64 n_fft : {4, 8, 16, 64, 512, 1024, 2048, 4096}) {
    rows.push_back(log_mel_case(9000, n_fft, n_fft / 2 - 1, 3, 5, {0, 2, 1}));
  }
  // Odd ones, factors without code of their own, and one that no shared memory holds.
  for (const i64 n_fft : {1, 2, 3, 7, 45, 62, 77, 400, 499, 1764, 30030}) {
    rows.push_back(log_mel_case(9000, n_fft, n_fft / 2 + 1, 3, 5, {0, 2, 1}));
  }
  rows.push_back(log_mel_case(9000, 1024, 200, 45, 66, {1, 2, 1}));  // several blocks
  rows.push_back(log_mel_case(9000, 2048, 300, 30, 9, {1, 1, 2}));
  rows.push_back(log_mel_case(3000, 64, 10, 300, 4, {0, 2, 3}));
  for (const i64 kind : {0, 1, 2, 3})
    rows.push_back(log_mel_case(700, 256, 100, 7, 9, {kind % 2, 1 + kind / 2, kind}));
  rows.push_back(log_mel_case(300, 512, 100, 4, 40, {1, 2, 1}));
  rows.push_back(log_mel_case(1, 64, 10, 2, 3, {0, 2, 1}));
  rows.push_back(log_mel_case(0, 64, 10, 2, 3, {0, 2, 2}));
  rows.push_back(log_mel_case(100, 64, 10, 0, 3, {0, 2, 1}));

  rows.push_back(gru_case(3, 7, 5, 9, 2));
  rows.push_back(gru_case(1, 1, 1, 1, 1));
  rows.push_back(gru_case(2, 0, 4, 3, 2));
  rows.push_back(gru_case(5, 4, 33, 40, 2));
  rows.push_back(gru_case(2, 3, 16, 150, 1));
  rows.push_back(gru_case(9, 3, 6, 20, 2));    // two clips to a block on a small device, the last one alone
  rows.push_back(gru_case(19, 40, 8, 13, 2));  // four, and sums over frames in parts
  rows.push_back(gru_case(1, 3, 3, 520, 1));   // more hidden values than threads

  for (const i64 reduction : {0, 1, 2}) {
    rows.push_back(frame_score_case(5, 4, 70, 90, 20, reduction));
    rows.push_back(frame_score_case(2, 9, 130, 11, 33, reduction));
  }
  rows.push_back(top_k_case(1, 9000, 10, false));  // parts and panels
  rows.push_back(top_k_case(1, 9000, 60, true));   // every item displaces one
  rows.push_back(top_k_case(2, 5000, 700, true));
  rows.push_back(top_k_case(20, 3000, 30, false));
  rows.push_back(top_k_case(3, 700, 1000, false));     // more than there are
  rows.push_back(top_k_case(1, 11000, 10500, false));  // lists that no shared memory holds
  rows.push_back(top_k_case(2, 0, 4, false));
  return rows;
}

// ---- drawn calls
// ------------------------------------------------------------------------------------------------------

template <class Args>
void draw_rows(const char* op, Status (*OpTable::*entry)(const Args&, Exec&), std::vector<Row>& rows) {
  constexpr int kCalls = 12, kTries = 4000;
  constexpr double kMostWork = 1e6;
  if (std::string(op) == "gru_backward") return;  // see gru_case
  int found = 0;
  for (int attempt = 0; attempt < kTries && found < kCalls; ++attempt) {
    const auto seed = static_cast<std::uint64_t>(attempt) + 1000;
    const DrawnCall<Args> call(seed);
    // The first calls may be tiny, the others have something to cut.
    if (!call.valid || call.work > kMostWork || (found > 3 && attempt < kTries / 2 && call.work < 2000))
      continue;
    const i64 shift = ++found % 3 == 0 ? 1 : 0;  // some of the calls on memory that begins on no 16 bytes
    rows.push_back({std::string(op) + " drawn " + std::to_string(attempt), tolerance_of(op),
                    [entry, seed, shift](Device& device, std::vector<Output>& outputs) {
                      DrawnCall<Args> own(seed);
                      const Status status = run_on(device, entry, own.args, shift);
                      outputs = outputs_of(own.args);
                      return status;
                    }});
  }
}

std::vector<Row> drawn_rows() {
  std::vector<Row> rows;
#define SONOTEXT_ROWS(op, Args) draw_rows<Args>(#op, &OpTable::op, rows);
  SONOTEXT_OPS(SONOTEXT_ROWS)
#undef SONOTEXT_ROWS
  return rows;
}

// ---- comparison
// -------------------------------------------------------------------------------------------------------

// ‖difference‖ / ‖expected‖; infinite when a value is missing or a NaN or infinity stands on one side only.
double relative_error(const Floats& expected, const Floats& got) {
  double difference = 0.0, norm = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::isfinite(expected[i]) && std::isfinite(got[i])) {
      difference += (static_cast<double>(got[i]) - expected[i]) * (static_cast<double>(got[i]) - expected[i]);
      norm += static_cast<double>(expected[i]) * expected[i];
    } else if (!(expected[i] == got[i]) && !(std::isnan(expected[i]) && std::isnan(got[i]))) {
      return INFINITY;
    }
  }
  return norm > 0.0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

// Buffers are freed by finalisers on the JavaScript thread too: that must not wait for an op that has the
// device.
Status free_while_an_op_runs(Device& device) {
  struct Scene {
    std::promise<void> begun, freed;
  } scene;
  float* data = nullptr;
  if (const Status status = device.alloc(16, &data); !status.ok()) return status;
  const std::atomic<bool> never{false};
  auto op = std::async(std::launch::async, [&] {
    const auto body = [](void* context, Exec&) -> Status {
      Scene& s = *static_cast<Scene*>(context);
      s.begun.set_value();
      const bool freed = s.freed.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready;
      return freed ? Status{} : Status{Code::device_error, "free() waits for a running op"};
    };
    return device.execute(body, &scene, never);
  });
  scene.begun.get_future().wait_for(std::chrono::seconds(10));
  device.free(data);
  scene.freed.set_value();
  return op.get();
}

// Ops without an entry on the device: the caller's chain takes them elsewhere.
int missing_entries(const Device& device) {
  int missing = 0;
#define SONOTEXT_COUNT(op, Args)                                   \
  if (device.table().op == nullptr) {                              \
    std::printf("%-52s has no entry on %s\n", #op, device.name()); \
    ++missing;                                                     \
  }
  SONOTEXT_OPS(SONOTEXT_COUNT)
#undef SONOTEXT_COUNT
  return missing;
}

// Whether the name begins with one of the list's, or the list is empty.
bool is_among(const std::string& name, const std::string& list) {
  if (list.empty()) return true;
  for (std::size_t begin = 0, end; begin < list.size(); begin = end + 1) {
    end = std::min(list.find(',', begin), list.size());
    if (name.compare(0, end - begin, list, begin, end - begin) == 0) return true;
  }
  return false;
}

int compare(Device& reference, Device& device, const std::string& ops) {
  int failed = 0, compared = 0;
  const int missing = missing_entries(device);
  if (device.tensor_cores() != nullptr)
    std::printf("products in %s, tensor cores by %s\n", device.matmul(), device.tensor_cores());
  std::printf("%-52s %-20s %12s %10s\n", "case", "output", "error", "");
  std::vector<Row> rows = drawn_rows();
  for (Row& row : all_cases()) rows.push_back(std::move(row));
  for (const Row& row : rows) {
    if (!is_among(row.name, ops)) continue;
    std::vector<Output> expected, got;
    const Status first = row.run(reference, expected), second = row.run(device, got);
    if (first.ok() && second.code == Code::unsupported) {  // the caller's chain takes the next device
      if (second.what != kNoEntry)
        std::printf("%-52s %-20s left out: %s\n", row.name.c_str(), "", second.what);
      continue;
    }
    if (!first.ok() || !second.ok()) {
      const bool here = !second.ok();
      std::printf("%-52s %-20s FAILED on %s: %s\n", row.name.c_str(), "",
                  here ? device.name() : reference.name(), (here ? second : first).what);
      ++failed;
      continue;
    }
    ++compared;
    for (std::size_t o = 0; o < expected.size(); ++o) {
      const double error = relative_error(expected[o].values, got[o].values);
      const bool agrees = error <= row.tolerance;
      failed += !agrees;
      std::printf("%-52s %-20s %12.3g %10s\n", o == 0 ? row.name.c_str() : "", expected[o].name, error,
                  agrees ? "ok" : "DIFFERS");
    }
  }
  if (const Status status = free_while_an_op_runs(device); !status.ok()) {
    std::printf("FAILED on %s: %s\n", device.name(), status.what);
    ++failed;
  }
  std::printf("%d ops without an entry\n", missing);
  std::printf("%d cases compared, %d differ or failed\n", compared, failed);
  if (compared + failed == 0) std::fprintf(stderr, "There is no case of %s.\n", ops.c_str());
  return failed > 0 ? 1 : compared == 0 ? 2 : 0;
}

}  // namespace
}  // namespace sonotext

int main(int count, char** arguments) {
  using namespace sonotext;
  if (count > 3) {
    std::fprintf(stderr, "Use: conformance [device [op,…]]\n");
    return 2;
  }
  const std::string name = count > 1 ? arguments[1] : "cuda:0";
  std::string reason;
  Device* reference = open_device("cpu", {"scalar", ""}, reason);
  Device* device = reference != nullptr ? open_device(name, {}, reason) : nullptr;
  if (device == nullptr) {
    const bool is_here = reason.find("no device") == std::string::npos && reason.find("no CUDA code") == std::string::npos;
    if (is_here) {
      std::fprintf(stderr, "%s\n", reason.c_str());
      return 2;
    }
    std::printf("%s: skipped: %s\n", name.c_str(), reason.c_str());
    return 0;
  }
  return compare(*reference, *device, count > 2 ? arguments[2] : "");
}
