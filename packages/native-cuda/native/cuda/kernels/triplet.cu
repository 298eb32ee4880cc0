// A first kernel counts in every cell of the gradient how often it is an active negative; a second turns the
// counts into the gradient in place. Counts are integers, so that the order of the threads does not show.
#include "../entries.hpp"
#include "../map.cuh"
#include "../rows.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kThreads = 256;
// Of one list: a cell counts its text picks in the lower 16 bits, its audio picks in the upper ones.
constexpr std::int32_t kMostPicks = 65535;

// The cells of an anchor's picks are first + step · index.
struct Lists {
  const std::int32_t* offsets;
  const std::int32_t* index;
};

// What one anchor gives to the statistics, and to the gradient: the weight of a hinge in each direction, and
// the share of its own pair.
struct Anchor {
  double loss, negatives;
  int active, picks;
  float audio_weight, text_weight, positive;
};

struct CountHinges {
  const float* scores;
  Lists audio, text;
  std::uint32_t* counts;  // [n × n]
  Anchor* anchors;
  i64 n;
  double margin;

  // One list of anchor i by its warp; the weight of its hinges.
  __device__ float count(i64 i, int lane, const Lists& lists, i64 first, i64 step, std::uint32_t one,
                         Anchor& anchor) const {
    const int from = lists.offsets[i], to = lists.offsets[i + 1];
    if (from == to) return 0.0f;
    const double positive = static_cast<double>(scores[i * n + i]);
    double hinges = 0.0, negatives = 0.0;
    int active = 0;
    for (int k = from + lane; k < to; k += kWarp) {
      const i64 cell = first + lists.index[k] * step;
      const double score = static_cast<double>(scores[cell]), hinge = score - positive + margin;
      negatives += score;
      if (!(hinge <= 0.0)) hinges += hinge;  // a NaN must be seen
      if (hinge > 0.0) ++active, atomicAdd(counts + cell, one);
    }
    active = warp_sum(active);
    const double weight = 1.0 / (static_cast<double>(n) * static_cast<double>(to - from));
    anchor.loss += weight * warp_sum(hinges);
    anchor.negatives += warp_sum(negatives);
    anchor.active += active, anchor.picks += to - from;
    anchor.positive += static_cast<float>(weight * active);
    return static_cast<float>(weight);
  }

  template <int kWidth>
  __device__ void operator()(i64 i, int lane) const {
    Anchor anchor{};
    anchor.audio_weight = count(i, lane, audio, i, n, 1u << 16, anchor);  // S[a][i]
    anchor.text_weight = count(i, lane, text, i * n, 1, 1u, anchor);      // S[i][t]
    if (lane == 0) anchors[i] = anchor;
  }
};

struct Gradients {
  float* gradient;  // the counts, until it is written
  const Anchor* anchors;
  i64 n;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    Lanes<kWidth> v = load<kWidth>(gradient + row * n + col);
    const float text_weight = anchors[row].text_weight;
    for (int k = 0; k < kWidth; ++k) {
      const std::uint32_t count = __float_as_uint(v.v[k]);
      float sum = count == 0 ? 0.0f
                             : static_cast<float>(count & 0xffffu) * text_weight +
                                   static_cast<float>(count >> 16) * anchors[col + k].audio_weight;
      if (row == col + k) sum -= anchors[row].positive;
      v.v[k] = sum;
    }
    store(gradient + row * n + col, v);
  }
};

// One block for the whole batch.
__global__ void __launch_bounds__(kThreads)
    summarise(const float* scores, const Anchor* anchors, i64 n, float* stats) {
  double loss = 0.0, active = 0.0, picks = 0.0, positives = 0.0, negatives = 0.0;
  for (i64 i = threadIdx.x; i < n; i += kThreads) {
    loss += anchors[i].loss, negatives += anchors[i].negatives;
    active += anchors[i].active, picks += anchors[i].picks;
    positives += static_cast<double>(scores[i * n + i]);
  }
  const auto add = [](double a, double b) { return a + b; };
  loss = block_reduce<kThreads>(loss, add);
  active = block_reduce<kThreads>(active, add);
  picks = block_reduce<kThreads>(picks, add);
  positives = block_reduce<kThreads>(positives, add);
  negatives = block_reduce<kThreads>(negatives, add);
  if (threadIdx.x != 0) return;
  if (picks == 0.0) picks = 1.0;
  stats[0] = static_cast<float>(loss);
  stats[1] = static_cast<float>(active / picks);
  stats[2] = static_cast<float>(positives / static_cast<double>(n > 0 ? n : 1));
  stats[3] = static_cast<float>(negatives / picks);
}

bool too_long(const I32In& offsets) {
  for (i64 i = 0; i + 1 < offsets.size; ++i) {
    if (offsets[i + 1] - offsets[i] > kMostPicks) return true;
  }
  return false;
}

}  // namespace

Status triplet(const TripletArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (too_long(args.audioOffsets) || too_long(args.textOffsets))
    return Status::unsupported("more than 65535 negatives of one anchor");
  const CountHinges counts{args.scores.data,
                           {exec.constant(args.audioOffsets), exec.constant(args.audioIndex)},
                           {exec.constant(args.textOffsets), exec.constant(args.textIndex)},
                           reinterpret_cast<std::uint32_t*>(args.gradScores.data),
                           exec.array<Anchor>(args.n),
                           args.n,
                           args.margin};
  if (!counts.audio.offsets || !counts.audio.index || !counts.text.offsets || !counts.text.index ||
      !counts.anchors)
    return out_of_device_memory();
  const i64 bytes = args.gradScores.size * static_cast<i64>(sizeof(float));
  Status status =
      bytes > 0
          ? status_of(cudaMemsetAsync(args.gradScores.data, 0, static_cast<std::size_t>(bytes), exec.stream))
          : Status{};
  if (status.ok()) status = for_rows<1>(exec, args.n, counts);
  if (status.ok()) {
    status = map_rows(exec, args.n, args.n, in_fours(args.n, args.gradScores.data),
                      Gradients{args.gradScores.data, counts.anchors, args.n});
  }
  if (!status.ok()) return status;
  return launch(exec, summarise, 1, kThreads, args.scores.data, counts.anchors, args.n, args.stats.data);
}

}  // namespace sonotext::cuda
