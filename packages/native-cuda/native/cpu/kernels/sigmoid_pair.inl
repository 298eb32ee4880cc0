// The sigmoid loss over slabs of scores: a cell needs nothing but itself, so one pass gives value and gradient.
#include "../../core/ops.hpp"
#include "chunks.inl"
#include "score_slabs.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// ln(1 + eˣ), also for large x. What 1 + e rounds off e is put back by the quotient.
inline Vec vsoftplus(Vec x) {
  const Vec e = vexp(vzero() - vabs(x)), one = vset(1.0f), u = one + e;
  const Vec small = vselect(vne(u, one), vlog(u) * e / (u - one), e);
  return vselect(vne(x, x), x, vmax(x, vzero()) + small);
}

// What the cells of a row add up to.
struct SigmoidSums {
  double loss = 0.0, positive = 0.0, other = 0.0;  // sigmoids of positives and of others
  double gradient = 0.0, products = 0.0;           // Σ d loss / d score, and its products with the cosines
  i64 positives = 0, others = 0;

  void add(const SigmoidSums& more) {
    loss += more.loss, positive += more.positive, other += more.other;
    gradient += more.gradient, products += more.products;
    positives += more.positives, others += more.others;
  }
};

// Overwrites the cosines of row i with d loss / d cosine. `signs` is memory for a row.
inline SigmoidSums sigmoid_row(const PairBatch& pairs, i64 i, float* cells, float inverse, float bias, float* signs) {
  const i64 n = pairs.n;
  pairs.mark(i, cells);
  for_vectors(0, n, [&](i64 j, i64 lanes) {
    const Mask counts = vne(vload_n(cells + j, lanes), vset(kLeftOut));
    vstore_n(signs + j, vselect(counts, vset(1.0f), vzero()), lanes);
  });
  SigmoidSums sums;
  signs[i] = 1.0f;
  pairs.for_positives(i, cells, 0, n, [&](i64 j) { signs[j] = -1.0f, ++sums.positives; });
  const Vec scale = vset(inverse), shift = vset(bias), share = vset(inverse / static_cast<float>(n)), one = vset(1.0f);
  Vec loss = vzero(), positive = vzero(), other = vzero(), gradient = vzero(), products = vzero(), others = vzero();
  for_vectors(0, n, [&](i64 j, i64 lanes) {
    // 0 where there is no candidate, also past the end; -1 turns a positive's score round.
    const Vec sign = vload_n(signs + j, lanes), cosine = vload_n(cells + j, lanes);
    const Mask counts = vne(sign, vzero()), is_other = vgt(sign, vzero()), is_positive = vgt(vzero(), sign);
    const Vec score = vselect(counts, sign * vfma(cosine, scale, shift), vzero());
    const Vec sigmoid = vsigmoid(score), g = sign * sigmoid;
    loss = loss + vselect(counts, vsoftplus(score), vzero());
    other = other + vselect(is_other, sigmoid, vzero());
    // Not 1 - sigmoid, which has no digits left where it is small.
    if (vany(is_positive)) positive = positive + vselect(is_positive, vsigmoid(vzero() - score), vzero());
    others = others + vselect(is_other, one, vzero());
    gradient = gradient + g;
    products = products + vselect(counts, g * cosine, vzero());
    vstore_n(cells + j, g * share, lanes);
  });
  const auto total = [](Vec v) { return static_cast<double>(vsum(v)); };
  sums.loss = total(loss), sums.positive = total(positive), sums.other = total(other);
  sums.gradient = total(gradient), sums.products = total(products), sums.others = static_cast<i64>(vsum(others));
  return sums;
}

inline Status sigmoid_pair(const SigmoidPairArgs& args, Exec& exec) {
  const i64 n = args.n;
  const float inverse = static_cast<float>(__builtin_exp(-static_cast<double>(args.logTemperature[0])));
  const float bias = args.bias[0];
  const PairBatch pairs(args);
  ScoreSlabs slabs(pairs, exec);
  float* signs = static_cast<float*>(exec.scratch(4 * n * exec.threads()));
  auto* sums = static_cast<SigmoidSums*>(exec.scratch(static_cast<i64>(sizeof(SigmoidSums)) * n));
  if (!slabs.take() || !signs || !sums) return {Code::out_of_memory, "scratch memory"};
  SigmoidSums all;
  double diagonal = 0.0;
  for (i64 first = 0; first < n; first += slabs.rows_each()) {
    const i64 rows = slabs.rows(first);
    if (const Status status = slabs.fill(first); !status.ok()) return status;
    for (i64 r = 0; r < rows; ++r) diagonal += static_cast<double>(slabs.row(r)[first + r]);
    slabs.each_row(rows, [&](i64 r, int worker) {
      sums[r] = sigmoid_row(pairs, first + r, slabs.row(r), inverse, bias, signs + worker * n);
    });
    if (exec.cancelled()) return {};  // the counts of rows that were left out are no numbers to add
    for (i64 r = 0; r < rows; ++r) all.add(sums[r]);
    if (const Status status = slabs.multiply(first); !status.ok()) return status;
  }
  const double items = static_cast<double>(n > 0 ? n : 1);
  const auto mean = [](double sum, i64 count) { return static_cast<float>(count > 0 ? sum / static_cast<double>(count) : 0.0); };
  args.stats[0] = static_cast<float>(all.loss / items);
  args.stats[1] = mean(all.positive, all.positives);
  args.stats[2] = mean(all.other, all.others);
  args.stats[3] = static_cast<float>(diagonal / items);
  if (args.gradLogTemperature)
    args.gradLogTemperature[0] = static_cast<float>(-all.products * static_cast<double>(inverse) / items);
  if (args.gradBias) args.gradBias[0] = static_cast<float>(all.gradient / items);
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
