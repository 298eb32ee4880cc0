#include "../entries.hpp"
#include "../product.cuh"

namespace sonotext::cuda {

Status similarity(const SimilarityArgs& args, Exec& exec) {
  const Operand<true> a{args.a.data, args.n, args.d, args.n * args.d};
  const Operand<true> b{args.b.data, args.m, args.d, args.m * args.d};
  Result out{args.out.data, args.n, args.m, args.n * args.m};
  out.alpha = static_cast<float>(args.scale);
  return product(static_cast<CudaExec&>(exec), a, b, out, args.d, args.batch);
}

}  // namespace sonotext::cuda
