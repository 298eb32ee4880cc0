// InfoNCE over slabs of rows of the n × n cosines: a slab is one matrix product into a buffer of bounded size, its rows and
// columns are reduced to running log-sum-exps, and the gradient computes the slab again. With n up to 2048 there is one
// slab and nothing is computed twice.
#include "../../core/ops.hpp"
#include "gemm_core.inl"
#include "info_nce_sums.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr i64 kSlabFloats = 4 << 20;  // 16 MiB
constexpr i64 kSlabRows = 64;         // at least, however long the rows are

// Overwrites the cosines of row i with d loss / d cosine. Returns Σ cosine · that, for the temperature. Left-out cells
// become 0 by themselves.
inline double nce_gradient(const NceBatch& batch, i64 i, float* cells, std::int32_t* list) {
  const i64 n = batch.args.n;
  const NceAnchors &rows = batch.rows, &columns = batch.columns;
  const float share = batch.inverse / static_cast<float>(n);
  const auto target = [&](i64 j) { return 1.0f / rows.count[i] + 1.0f / columns.count[j]; };
  i64 listed = 0;
  double onTargets = 0.0;
  batch.positives(i, cells, 0, n, [&](i64 j) {
    list[listed++] = static_cast<std::int32_t>(j);
    onTargets += static_cast<double>(target(j)) * static_cast<double>(cells[j]);
  });
  const Vec inverse = vset(batch.inverse), most = vset(rows.most[i]), scale = vset(rows.sum[i]);
  Vec products = vzero();
  for (i64 j = 0; j < n; j += kLanes) {
    const i64 lanes = n - j;
    const Vec c = vload_n(cells + j, lanes);
    const Vec toText = vexp((c - most) * inverse) * scale;
    const Vec toAudio = vexp((c - vload_n(columns.most + j, lanes)) * inverse) * vload_n(columns.sum + j, lanes);
    const Vec g = toText + toAudio;
    products = vfma(vselect(vgt(c, vset(kLeftOut)), c, vselect(vne(c, c), c, vzero())), g, products);
    vstore_n(cells + j, g * vset(share), lanes);
  }
  for (i64 p = 0; p < listed; ++p) cells[list[p]] -= share * target(list[p]);
  return static_cast<double>(share) * (static_cast<double>(vsum(products)) - onTargets);
}

inline Status info_nce(const InfoNceArgs& args, Exec& exec) {
  const i64 n = args.n, d = args.d;
  NceBatch batch{args, static_cast<float>(__builtin_exp(-static_cast<double>(args.logTemperature[0]))), {}, {}};
  const i64 slabRows = gemm_min(n, gemm_max(kSlabRows, n > 0 ? kSlabFloats / n : 0)), strips = ceil_div(n, kStrip);
  float* slab = static_cast<float*>(exec.scratch(4 * slabRows * n));
  double* sums = static_cast<double*>(exec.scratch(8 * n));
  std::int32_t* lists = static_cast<std::int32_t*>(exec.scratch(4 * n * exec.threads()));
  GemmBuffers buffers;
  if (!gemm_buffers(exec, n, gemm_max(n, d), gemm_max(n, d), &buffers).ok() || !slab || !sums || !lists ||
      !batch.rows.take(exec, n) || !batch.columns.take(exec, n)) {
    return {Code::out_of_memory, "scratch memory"};
  }
  for (i64 j = 0; j < n; ++j) {
    batch.columns.most[j] = kLeftOut, batch.columns.sum[j] = 0.0f, batch.columns.best[j] = -1.0f;
    batch.columns.count[j] = 0.0f, batch.columns.cosines[j] = 0.0;
  }
  const MatIn text{args.text.data, d, 1};
  const auto cosines = [&](i64 first, i64 rows) {
    return gemm_parallel(exec, buffers, {args.audio.data + first * d, d, 1}, {args.text.data, 1, d}, rows, n, d, slab, n,
                         Epilogue{});
  };
  const auto per_row = [&](i64 rows, auto&& f) { gemm_chunks(exec, rows, rows * n * 16, f); };

  double diagonal = 0.0;
  for (i64 first = 0; first < n; first += slabRows) {
    const i64 rows = gemm_min(slabRows, n - first);
    if (const Status status = cosines(first, rows); !status.ok()) return status;
    per_row(rows, [&](i64 r, int) { batch.sum_row(first + r, slab + r * n); });
    gemm_chunks(exec, strips, rows * n * 16, [&](i64 strip, int) {
      batch.sum_columns(slab, first, rows, strip * kStrip, gemm_min(n, (strip + 1) * kStrip));
    });
    for (i64 r = 0; r < rows; ++r) diagonal += static_cast<double>(slab[r * n + first + r]);
  }
  if (exec.cancelled()) return {};  // what follows takes indices from the sums
  double toText = 0.0, toAudio = 0.0;
  const double loss = batch.close(batch.rows, &toText) + batch.close(batch.columns, &toAudio);

  double temperature = 0.0;
  for (i64 first = 0; first < n; first += slabRows) {
    const i64 rows = gemm_min(slabRows, n - first);
    if (slabRows < n) {
      if (const Status status = cosines(first, rows); !status.ok()) return status;
      per_row(rows, [&](i64 r, int) { batch.mark(first + r, slab + r * n); });
    }
    per_row(rows, [&](i64 r, int worker) {
      sums[r] = nce_gradient(batch, first + r, slab + r * n, lists + worker * n);
    });
    for (i64 r = 0; r < rows; ++r) temperature -= sums[r];
    Epilogue add;
    add.beta = first > 0 ? 1.0f : 0.0f;
    Status status = gemm_parallel(exec, buffers, {slab, n, 1}, text, rows, d, n, args.gradAudio.data + first * d, d,
                                  Epilogue{});
    if (status.ok()) {
      status = gemm_parallel(exec, buffers, {slab, 1, n}, {args.audio.data + first * d, d, 1}, n, d, rows,
                             args.gradText.data, d, add);
    }
    if (!status.ok()) return status;
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
