#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Running totals of all hinges.
struct HingeTotals {
  double loss = 0.0, negatives = 0.0;
  int64_t active = 0, picks = 0;
};

// n² at the most, each a subtraction and a comparison: not worth a thread. Sums are double, gradients exact multiples.
inline Status triplet(const TripletArgs& args, Exec&) {
  const int64_t n = args.n;
  const float* scores = args.scores.data;
  float* gradient = args.gradScores.data;
  memset(gradient, 0, static_cast<size_t>(n * n) * sizeof(float));
  HingeTotals totals;
  double positives = 0.0;
  const auto hinges = [&](int64_t anchor, const I32In& offsets, const I32In& index, int64_t row_step, int64_t column_step) {
    const int64_t from = offsets[anchor], to = offsets[anchor + 1];
    if (from == to) return;
    const int64_t positive = anchor * n + anchor;
    const double weight = 1.0 / (static_cast<double>(n) * static_cast<double>(to - from));
    int64_t active = 0;
    for (int64_t k = from; k < to; k++) {
      const int64_t cell = anchor * row_step + index[k] * column_step;
      const double hinge = static_cast<double>(scores[cell]) - static_cast<double>(scores[positive]) + args.margin;
      totals.negatives += static_cast<double>(scores[cell]);
      if (hinge != hinge) totals.loss = hinge;  // a NaN score must be seen
      if (!(hinge > 0.0)) continue;
      active++;
      totals.loss += weight * hinge;
      gradient[cell] += static_cast<float>(weight);
    }
    gradient[positive] -= static_cast<float>(weight * static_cast<double>(active));
    totals.active += active;
    totals.picks += to - from;
  };
  for (int64_t i = 0; i < n; i++) {
    positives += static_cast<double>(scores[i * n + i]);
    hinges(i, args.audioOffsets, args.audioIndex, 1, n);  // S[a][i]
    hinges(i, args.textOffsets, args.textIndex, n, 1);    // S[i][t]
  }
  const double picks = static_cast<double>(totals.picks > 0 ? totals.picks : 1);
  args.stats[0] = static_cast<float>(totals.loss);
  args.stats[1] = static_cast<float>(static_cast<double>(totals.active) / picks);
  args.stats[2] = static_cast<float>(positives / static_cast<double>(n > 0 ? n : 1));
  args.stats[3] = static_cast<float>(totals.negatives / picks);
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
