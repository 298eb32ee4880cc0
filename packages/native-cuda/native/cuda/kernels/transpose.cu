#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

// Row (outer, j, between, i) of the result is row (outer, i, between, j) of x.
struct Transpose {
  const float* x;
  float* out;
  i64 m, between, n, inner;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    const i64 rest = quotient(row, m), i = row - rest * m;
    const i64 more = quotient(rest, between), b = rest - more * between;
    const i64 outer = quotient(more, n), j = more - outer * n;
    const i64 from = ((outer * m + i) * between + b) * n + j;
    store(out + row * inner + col, load<kWidth>(x + from * inner + col));
  }
};

}  // namespace

Status transpose(const TransposeArgs& args, Exec& exec) {
  const Transpose f{args.x.data, args.out.data, args.m, args.between, args.n, args.inner};
  const i64 rows = args.outer * args.m * args.between * args.n;
  return map_rows(static_cast<CudaExec&>(exec), rows, args.inner, in_fours(args.inner, f.x, f.out), f);
}

}  // namespace sonotext::cuda
