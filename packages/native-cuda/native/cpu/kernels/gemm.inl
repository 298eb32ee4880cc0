#include "../../core/ops.hpp"
#include "gemm_core.inl"
#include "gemm_skinny.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status gemm(const GemmArgs& g, Exec& exec) {
  const MatIn a = g.transA ? MatIn{g.a.data, 1, g.m} : MatIn{g.a.data, g.k, 1};
  const MatIn b = g.transB ? MatIn{g.b.data, 1, g.k} : MatIn{g.b.data, g.n, 1};
  Epilogue e;
  e.alpha = static_cast<float>(g.alpha);
  e.beta = static_cast<float>(g.beta);
  e.bias = g.bias.data;
  e.slope = static_cast<float>(g.slope);
  Status status;
  if (gemm_skinny(exec, a, b, g.m, g.n, g.k, g.out.data, g.n, e, &status)) return status;
  return gemm_parallel(exec, a, b, g.m, g.n, g.k, g.out.data, g.n, e);
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
