#include "../entries.hpp"
#include "../product.cuh"

namespace sonotext::cuda {

Status batched_gemm(const BatchedGemmArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const i64 m = args.m, n = args.n, k = args.k;
  Result out{args.out.data, m, n, m * n};
  out.alpha = static_cast<float>(args.alpha);
  const Operand<true> a{args.a.data, m, k, m * k};
  const Operand<false> a_transposed{args.a.data, m, m, m * k};
  const Operand<false> b{args.b.data, n, n, k * n};
  const Operand<true> b_transposed{args.b.data, n, k, k * n};
  if (args.transA != 0 && args.transB != 0)
    return product(exec, a_transposed, b_transposed, out, k, args.batch);
  if (args.transA != 0) return product(exec, a_transposed, b, out, k, args.batch);
  if (args.transB != 0) return product(exec, a, b_transposed, out, k, args.batch);
  return product(exec, a, b, out, k, args.batch);
}

}  // namespace sonotext::cuda
