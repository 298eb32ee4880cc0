#include "../../core/ops.hpp"
#include "gemm_batch.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status batched_gemm(const BatchedGemmArgs& args, Exec& exec) {
  const i64 m = args.m, n = args.n, k = args.k;
  Epilogue e;
  e.alpha = static_cast<float>(args.alpha);
  const auto a = [&](i64 i) {
    const float* at = args.a.data + i * m * k;
    return args.transA ? MatIn{at, 1, m} : MatIn{at, k, 1};
  };
  const auto b = [&](i64 i) {
    const float* at = args.b.data + i * k * n;
    return args.transB ? MatIn{at, 1, k} : MatIn{at, n, 1};
  };
  return gemm_batch(exec, args.batch, a, b, m, n, k, args.out.data, e);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
