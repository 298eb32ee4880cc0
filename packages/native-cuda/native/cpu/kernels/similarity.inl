#include "../../core/ops.hpp"
#include "gemm_batch.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status similarity(const SimilarityArgs& args, Exec& exec) {
  const i64 n = args.n, m = args.m, d = args.d;
  Epilogue e;
  e.alpha = static_cast<float>(args.scale);
  const auto a = [&](i64 i) { return MatIn{args.a.data + i * n * d, d, 1}; };
  const auto b = [&](i64 i) { return MatIn{args.b.data + i * m * d, 1, d}; };  // transposed
  return gemm_batch(exec, args.batch, a, b, n, m, d, args.out.data, e);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
