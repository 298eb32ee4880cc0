// InfoNCE over slabs: their rows and columns are reduced to running log-sum-exps, and the gradient computes the slabs again
// where there are several.
#include "../../core/ops.hpp"
#include "chunks.inl"
#include "info_nce_sums.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Overwrites the cosines of row i with d loss / d cosine. Returns Σ cosine · that, for the temperature. Left-out cells
// become 0 by themselves.
inline double nce_gradient(const NceBatch& batch, i64 i, float* cells, const float* weights, std::int32_t* list) {
  const i64 n = batch.args.n;
  const NceAnchors &rows = batch.rows, &columns = batch.columns;
  const float share = batch.inverse / static_cast<float>(n);
  const auto target = [&](i64 j) { return rows.count[i] + columns.count[j]; };
  i64 listed = 0;
  double onTargets = 0.0;
  batch.pairs.for_positives(i, cells, 0, n, [&](i64 j) {
    list[listed++] = static_cast<std::int32_t>(j);
    onTargets += static_cast<double>(target(j)) * static_cast<double>(cells[j]);
  });
  const Vec inverse = vset(batch.inverse), most = vset(rows.most[i]), scale = vset(rows.sum[i]);
  const Vec ofRow = vset(weights ? rows.mass[i] : 0.0f);
  Vec products = vzero();
  for (i64 j = 0; j < n; j += kLanes) {
    const i64 lanes = n - j;
    const Vec c = vload_n(cells + j, lanes);
    const Vec toText = vexp((c - most) * inverse) * scale;
    const Vec toAudio = vexp((c - vload_n(columns.most + j, lanes)) * inverse) * vload_n(columns.sum + j, lanes);
    Vec g = toText + toAudio;
    if (weights) g = vfnma(vload_n(weights + j, lanes), ofRow + vload_n(columns.mass + j, lanes), g);
    products = vfma(NceBatch::finite_or_nan(c), g, products);
    vstore_n(cells + j, g * vset(share), lanes);
  }
  for (i64 p = 0; p < listed; ++p) cells[list[p]] -= share * target(list[p]);
  return static_cast<double>(share) * (static_cast<double>(vsum(products)) - onTargets);
}

inline Status info_nce(const InfoNceArgs& args, Exec& exec) {
  const i64 n = args.n;
  const float inverse = static_cast<float>(__builtin_exp(-static_cast<double>(args.logTemperature[0])));
  NceBatch batch{args, PairBatch(args), inverse, {}, {}};
  const bool soft = batch.is_soft();
  ScoreSlabs slabs(batch.pairs, exec);
  double* sums = static_cast<double*>(exec.scratch(8 * n));
  std::int32_t* lists = static_cast<std::int32_t*>(exec.scratch(4 * n * exec.threads()));
  // The weights of soft targets take as much again.
  if (!slabs.take(soft ? kSlabFloats : kWholeFloats) || !sums || !lists || !batch.rows.take(exec, n, soft) || !batch.columns.take(exec, n, soft)) {
    return {Code::out_of_memory, "scratch memory"};
  }
  float* weights = soft ? static_cast<float*>(exec.scratch(4 * slabs.rows_each() * n)) : nullptr;
  if (soft && !weights) return {Code::out_of_memory, "scratch memory for the targets"};
  const auto weights_of = [&](i64 r) { return weights ? weights + r * n : nullptr; };
  batch.columns.clear(n);

  double diagonal = 0.0;
  for (i64 first = 0; first < n; first += slabs.rows_each()) {
    const i64 rows = slabs.rows(first);
    if (const Status status = slabs.fill(first); !status.ok()) return status;
    slabs.each_row(rows, [&](i64 r, int) { batch.sum_row(first + r, slabs.row(r), weights_of(r)); });
    slabs.each_strip(rows, [&](i64 j0, i64 j1) {
      for (i64 r = 0; r < rows; r += slabs.piece()) {
        batch.sum_columns(slabs.row(r), weights_of(r), first + r, gemm_min(slabs.piece(), rows - r), j0, j1);
      }
    });
    for (i64 r = 0; r < rows; ++r) diagonal += static_cast<double>(slabs.row(r)[first + r]);
  }
  if (exec.cancelled()) return {};  // what follows takes indices from the sums
  double toText = 0.0, toAudio = 0.0;
  const double loss = batch.close(batch.rows, args.toText, &toText) + batch.close(batch.columns, args.toAudio, &toAudio);

  double temperature = 0.0;
  for (i64 first = 0; first < n; first += slabs.rows_each()) {
    const i64 rows = slabs.rows(first);
    if (!slabs.is_whole()) {
      if (const Status status = slabs.fill(first); !status.ok()) return status;
      slabs.each_row(rows, [&](i64 r, int) {
        batch.pairs.mark(first + r, slabs.row(r));
        if (soft) batch.spread_weights(first + r, slabs.row(r), weights_of(r));
      });
    }
    slabs.each_row(rows, [&](i64 r, int worker) {
      sums[r] = nce_gradient(batch, first + r, slabs.row(r), weights_of(r), lists + worker * n);
    });
    for (i64 r = 0; r < rows; ++r) temperature -= sums[r];
    if (const Status status = slabs.multiply(first); !status.ok()) return status;
  }
  const double items = static_cast<double>(n > 0 ? n : 1);
  args.stats[0] = static_cast<float>(loss / items);
  args.stats[1] = static_cast<float>(toText);
  args.stats[2] = static_cast<float>(toAudio);
  args.stats[3] = static_cast<float>(diagonal / items);
  if (args.gradLogTemperature) args.gradLogTemperature[0] = static_cast<float>(temperature);
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
