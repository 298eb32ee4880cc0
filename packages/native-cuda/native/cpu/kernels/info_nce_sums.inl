// The softmax sums of InfoNCE: what one row or one strip of columns of a slab adds to them.
#pragma once
#include "score_slabs.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr float kLeastMass = 1e-30f;  // of soft targets: weights that add up to less are none

// Per anchor of one direction. A probability is exp(inverse·(cosine - most))·scale: the difference first, so that small
// temperatures cost no accuracy. `close` turns what is summed into the factors that the gradient takes.
struct NceAnchors {
  float* most;       // largest cosine of the candidates
  float* sum;        // Σ exp(inverse·(cosine - most)); later scale: the anchor's mass over that
  float* best;       // index of the first candidate that reaches `most`, as a float
  float* count;      // positives; later the target of each of them
  double* cosines;   // their sum
  float* mass;       // Σ weights of the soft targets; later what a weight is multiplied by
  double* weighted;  // Σ weight · cosine

  bool take(Exec& exec, i64 n, bool soft) {
    const auto floats = [&] { return static_cast<float*>(exec.scratch(4 * n)); };
    const auto doubles = [&] { return static_cast<double*>(exec.scratch(8 * n)); };
    most = floats(), sum = floats(), best = floats(), count = floats(), cosines = doubles();
    mass = soft ? floats() : nullptr, weighted = soft ? doubles() : nullptr;
    return most && sum && best && count && cosines && (!soft || (mass && weighted));
  }
  // Nothing seen yet.
  void clear(i64 n) const {
    for (i64 i = 0; i < n; ++i) {
      most[i] = kLeftOut, sum[i] = 0.0f, best[i] = -1.0f, count[i] = 0.0f, cosines[i] = 0.0;
      if (mass) mass[i] = 0.0f, weighted[i] = 0.0;
    }
  }
};

struct NceBatch {
  const InfoNceArgs& args;
  PairBatch pairs;
  float inverse;  // 1 / temperature
  NceAnchors rows, columns;

  bool is_soft() const { return args.targets || args.targetIndex; }

  // The soft targets of row i, 0 where it has no candidate. Its cells are marked.
  void spread_weights(i64 i, const float* cells, float* weights) const {
    const i64 n = args.n;
    if (args.targets) {
      memcpy(weights, args.targets.data + i * n, static_cast<size_t>(n) * sizeof(float));
    } else {
      memset(weights, 0, static_cast<size_t>(n) * sizeof(float));
      for (i64 e = args.targetOffsets[i]; e < args.targetOffsets[i + 1]; ++e) {
        if (!(args.targetWeights[e] < 0.0f)) weights[args.targetIndex[e]] += args.targetWeights[e];
      }
    }
    for_vectors(0, n, [&](i64 j, i64 lanes) {
      const Vec w = vload_n(weights + j, lanes), c = vload_n(cells + j, lanes);
      const Vec kept = vselect(vgt(vzero(), w), vzero(), w);
      vstore_n(weights + j, vselect(vne(c, vset(kLeftOut)), kept, vzero()), lanes);
    });
  }

  bool is_positive(i64 anchor, float best) const {
    const i64 j = static_cast<i64>(best);
    return j == anchor || (j >= 0 && args.positives && args.groups[j] == args.groups[anchor]);
  }

  // Sums of row i, whose cosines are all there; `weights` are its soft targets or null.
  void sum_row(i64 i, float* cells, float* weights) const {
    const i64 n = args.n;
    pairs.mark(i, cells);
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
    pairs.for_positives(i, cells, 0, n, [&](i64 j) { count += 1.0f, cosines += static_cast<double>(cells[j]); });
    rows.count[i] = count, rows.cosines[i] = cosines;
    if (!weights) return;
    spread_weights(i, cells, weights);
    Vec mass = vzero(), weighted = vzero();
    for_vectors(0, n, [&](i64 j, i64 lanes) {
      const Vec w = vload_n(weights + j, lanes);
      mass = mass + w;
      weighted = vfma(w, finite_or_nan(vload_n(cells + j, lanes)), weighted);
    });
    rows.mass[i] = vsum(mass), rows.weighted[i] = static_cast<double>(vsum(weighted));
  }

  // 0 for cells that are left out.
  static Vec finite_or_nan(Vec cells) {
    return vselect(vgt(cells, vset(kLeftOut)), cells, vselect(vne(cells, cells), cells, vzero()));
  }

  // Adds rows [first, first + count) of a slab to the sums of columns [j0, j1). The rows are marked.
  void sum_columns(const float* slab, const float* weights, i64 first, i64 count, i64 j0, i64 j1) const {
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
      pairs.for_positives(first + r, cells, j0, j1, [&](i64 j) {
        columns.count[j] += 1.0f;
        columns.cosines[j] += static_cast<double>(cells[j]);
      });
    }
    if (!weights) return;
    for (i64 j = j0; j < j1; j += kLanes) {
      const i64 lanes = j1 - j;
      Vec mass = vzero(), weighted = vzero();
      for (i64 r = 0; r < count; ++r) {
        const Vec w = vload_n(weights + r * n + j, lanes);
        mass = mass + w;
        weighted = vfma(w, finite_or_nan(vload_n(slab + r * n + j, lanes)), weighted);
      }
      vstore_n(columns.mass + j, vload_n(columns.mass + j, lanes) + mass, lanes);
      float more[kLanes];
      vstore(more, weighted);
      for (i64 l = 0; l < gemm_min(lanes, kLanes); ++l) columns.weighted[j + l] += static_cast<double>(more[l]);
    }
  }

  // Σ cross-entropies of one direction, times its factor; `accuracy` gets the share whose best candidate is positive.
  double close(NceAnchors& anchors, double factor, double* accuracy) const {
    double loss = 0.0, right = 0.0;
    for (i64 i = 0; i < args.n; ++i) {
      const double most = static_cast<double>(anchors.most[i]), log_sum = __builtin_log(static_cast<double>(anchors.sum[i]));
      const auto entropy = [&](double mean) { return (most - mean) * static_cast<double>(inverse) + log_sum; };
      double mass = args.hard;
      const double count = static_cast<double>(anchors.count[i]);
      if (mass > 0.0) loss += mass * entropy(anchors.cosines[i] / count);
      if (anchors.mass) {
        const double weights = static_cast<double>(anchors.mass[i]);
        const double soft = weights < static_cast<double>(kLeastMass) ? 0.0 : 1.0 - args.hard;
        if (soft != 0.0) loss += soft * entropy(anchors.weighted[i] / weights);
        mass += soft;
        anchors.mass[i] = soft != 0.0 ? static_cast<float>(factor * soft / weights) : 0.0f;
      }
      right += is_positive(i, anchors.best[i]) ? 1.0 : 0.0;
      anchors.sum[i] = static_cast<float>(factor * mass) / anchors.sum[i];
      anchors.count[i] = static_cast<float>(factor * args.hard) / anchors.count[i];
    }
    *accuracy = args.n > 0 ? right / static_cast<double>(args.n) : 0.0;
    return factor * loss;
  }
};

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
