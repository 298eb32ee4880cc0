// The softmax sums of InfoNCE: what one row or one strip of columns of a slab adds to them.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kStrip = 64;  // columns of one unit of parallel work, and of one test for equal groups
constexpr float kLeftOut = -__builtin_inff();

// Per anchor of one direction. A probability is exp(inverse·(cosine - most))·scale: the difference first, so that small
// temperatures cost no accuracy.
struct NceAnchors {
  float* most;      // largest cosine of the candidates
  float* sum;       // Σ exp(inverse·(cosine - most)), later its reciprocal: scale
  float* best;      // index of the first candidate that reaches `most`, as a float
  float* count;     // positives
  double* cosines;  // their sum

  bool take(Exec& exec, i64 n) {
    const auto floats = [&] { return static_cast<float*>(exec.scratch(4 * n)); };
    most = floats(), sum = floats(), best = floats(), count = floats();
    cosines = static_cast<double*>(exec.scratch(8 * n));
    return most && sum && best && count && cosines;
  }
};

struct NceBatch {
  const InfoNceArgs& args;
  float inverse;  // 1 / temperature
  NceAnchors rows, columns;

  // f(j) for every j in [first, last) whose clip is that of item i.
  template <class F>
  void same_group(i64 i, i64 first, i64 last, F&& f) const {
    const std::int32_t* groups = args.groups.data;
    const std::int32_t group = groups[i];
    for (i64 j = first; j < last; j += kStrip) {
      const i64 end = gemm_min(last, j + kStrip);
      std::int32_t hits = 0;
      for (i64 c = j; c < end; ++c) hits |= groups[c] == group;
      for (i64 c = j; hits && c < end; ++c)
        if (groups[c] == group) f(c);
    }
  }

  // Puts kLeftOut where row i has no candidate.
  void mark(i64 i, float* cells) const {
    const float own = cells[i];
    if (!args.positives) same_group(i, 0, args.n, [&](i64 j) { cells[j] = kLeftOut; });
    if (args.excludeOffsets) {
      for (i64 e = args.excludeOffsets[i]; e < args.excludeOffsets[i + 1]; ++e) cells[args.excludeIndex[e]] = kLeftOut;
    }
    cells[i] = own;
  }

  // f(j) for every positive of row i among columns [first, last), after `mark`.
  template <class F>
  void positives(i64 i, const float* cells, i64 first, i64 last, F&& f) const {
    if (!args.positives) {
      if (i >= first && i < last) f(i);
      return;
    }
    same_group(i, first, last, [&](i64 j) {
      if (cells[j] != kLeftOut || j == i) f(j);
    });
  }

  bool is_positive(i64 anchor, float best) const {
    const i64 j = static_cast<i64>(best);
    return j == anchor || (j >= 0 && args.positives && args.groups[j] == args.groups[anchor]);
  }

  // Sums of row i, whose cosines are all there.
  void sum_row(i64 i, float* cells) const {
    const i64 n = args.n;
    mark(i, cells);
    const i64 whole = n / kLanes * kLanes;
    Vec running = vset(cells[i]);
    for (i64 j = 0; j < whole; j += kLanes) running = vmax(vload(cells + j), running);
    float top = vhmax(running);
    for (i64 j = whole; j < n; ++j) top = cells[j] > top ? cells[j] : top;
    const Vec most = vset(top), scale = vset(inverse);
    Vec sum = vzero();
    for (i64 j = 0; j < whole; j += kLanes) sum = sum + vexp((vload(cells + j) - most) * scale);
    if (whole < n) {
      float rest[kLanes];
      for (i64 l = 0; l < kLanes; ++l) rest[l] = whole + l < n ? cells[whole + l] : kLeftOut;
      sum = sum + vexp((vload(rest) - most) * scale);
    }
    i64 best = -1;
    for (i64 j = 0; best < 0 && j < n; j += kStrip) {
      const i64 end = gemm_min(n, j + kStrip);
      std::int32_t hits = 0;
      for (i64 c = j; c < end; ++c) hits |= cells[c] == top;
      for (i64 c = j; hits && best < 0 && c < end; ++c)
        if (cells[c] == top) best = c;
    }
    rows.most[i] = top, rows.sum[i] = vsum(sum), rows.best[i] = static_cast<float>(best);
    float count = 0.0f;
    double cosines = 0.0;
    positives(i, cells, 0, n, [&](i64 j) { count += 1.0f, cosines += static_cast<double>(cells[j]); });
    rows.count[i] = count, rows.cosines[i] = cosines;
  }

  // Adds rows [first, first + count) of a slab to the sums of columns [j0, j1). The rows are marked.
  void sum_columns(const float* slab, i64 first, i64 count, i64 j0, i64 j1) const {
    const i64 n = args.n;
    const Vec scale = vset(inverse);
    for (i64 j = j0; j < j1; j += kLanes) {
      const i64 lanes = j1 - j;
      const Vec before = vload_n(columns.most + j, lanes);
      Vec most = before, best = vload_n(columns.best + j, lanes);
      for (i64 r = 0; r < count; ++r) {
        const Vec x = vload_n(slab + r * n + j, lanes);
        const Mask better = vgt(x, most);
        most = vselect(better, x, most);
        best = vselect(better, vset(static_cast<float>(first + r)), best);
      }
      const Vec base = vselect(vgt(most, vset(kLeftOut)), most, vzero());  // no candidate yet: every term is 0
      Vec sum = vzero();
      for (i64 r = 0; r < count; ++r) sum = sum + vexp((vload_n(slab + r * n + j, lanes) - base) * scale);
      sum = vfma(vload_n(columns.sum + j, lanes), vexp((before - base) * scale), sum);
      vstore_n(columns.most + j, most, lanes), vstore_n(columns.best + j, best, lanes);
      vstore_n(columns.sum + j, sum, lanes);
    }
    for (i64 r = 0; r < count; ++r) {
      const float* cells = slab + r * n;
      positives(first + r, cells, j0, j1, [&](i64 j) {
        columns.count[j] += 1.0f;
        columns.cosines[j] += static_cast<double>(cells[j]);
      });
    }
  }

  // Σ cross-entropies of one direction; `accuracy` gets the share whose best candidate is positive. Turns sums to scales.
  double close(NceAnchors& anchors, double* accuracy) const {
    double loss = 0.0, right = 0.0;
    for (i64 i = 0; i < args.n; ++i) {
      const double mean = anchors.cosines[i] / static_cast<double>(anchors.count[i]);
      loss += (static_cast<double>(anchors.most[i]) - mean) * static_cast<double>(inverse) +
              __builtin_log(static_cast<double>(anchors.sum[i]));
      right += is_positive(i, anchors.best[i]) ? 1.0 : 0.0;
      anchors.sum[i] = 1.0f / anchors.sum[i];
    }
    *accuracy = args.n > 0 ? right / static_cast<double>(args.n) : 0.0;
    return loss;
  }
};

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
