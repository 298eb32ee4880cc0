#include "../entries.hpp"
#include "../packed.cuh"
#include "../product.cuh"

namespace sonotext::cuda {
namespace {

__global__ void __launch_bounds__(256)
    add_up(const float* parts, i64 count, Result result, i64 size, i64 batch) {
  const i64 index = static_cast<i64>(blockIdx.x) * 256 + threadIdx.x;
  if (index >= size * batch) return;
  const i64 matrix = index / size, cell = index % size;
  const float* from = parts + matrix * count * size + cell;
  float sum = 0.0f;
  for (i64 part = 0; part < count; ++part) sum += from[part * size];
  float* out = result.data + matrix * result.batch_stride + cell;
  *out = result.finished(sum, result.beta != 0.0f ? *out : 0.0f, cell % result.cols);
}

}  // namespace

Status add_parts(CudaExec& exec, const float* parts, i64 count, const Result& result, i64 batch) {
  const i64 size = result.rows * result.cols;
  return launch(exec, add_up, (size * batch + 255) / 256, 256, parts, count, result, size, batch);
}

namespace {

template <class Number, bool kA, bool kB>
Status packed_product_of(CudaExec& exec, const Operand<kA>& a, const Operand<kB>& b, const Result& result,
                         i64 depth, i64 batch) {
  Packed packed_a{}, packed_b{};
  Status status = pack<Number>(exec, a, depth, batch, 1, packed_a);
  if (status.ok()) status = pack<Number>(exec, b, depth, batch, PackedTile::kCols / kBlockRows, packed_b);
  if (status.ok()) status = product_of_packed<Number, false>(exec, packed_a, packed_b, result, batch);
  exec.release(packed_a.data);
  exec.release(packed_b.data);
  return status;
}

template <bool kA, bool kB>
Status any_product(CudaExec& exec, const Operand<kA>& a, const Operand<kB>& b, const Result& result,
                   i64 depth, i64 batch, bool exact) {
  if (result.rows == 0 || result.cols == 0 || batch == 0) return {};
  if (!exact && exec.precision == Precision::bf16)
    return packed_product_of<Bf16>(exec, a, b, result, depth, batch);
  if (!exact && exec.precision == Precision::tf32)
    return packed_product_of<Tf32>(exec, a, b, result, depth, batch);
  return product_of(exec, MakeMatrixLoader<kA>(a), MakeMatrixLoader<kB>(b), result, depth, batch);
}

}  // namespace

// The kernels of all products of matrices in memory are compiled here.
Status product(CudaExec& exec, const Operand<true>& a, const Operand<true>& b, const Result& result,
               i64 depth, i64 batch, bool exact) {
  return any_product(exec, a, b, result, depth, batch, exact);
}
Status product(CudaExec& exec, const Operand<true>& a, const Operand<false>& b, const Result& result,
               i64 depth, i64 batch, bool exact) {
  return any_product(exec, a, b, result, depth, batch, exact);
}
Status product(CudaExec& exec, const Operand<false>& a, const Operand<true>& b, const Result& result,
               i64 depth, i64 batch, bool exact) {
  return any_product(exec, a, b, result, depth, batch, exact);
}
Status product(CudaExec& exec, const Operand<false>& a, const Operand<false>& b, const Result& result,
               i64 depth, i64 batch, bool exact) {
  return any_product(exec, a, b, result, depth, batch, exact);
}

Status gemm(const GemmArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  Result out{args.out.data, args.m, args.n};
  out.alpha = static_cast<float>(args.alpha), out.beta = static_cast<float>(args.beta);
  out.bias = args.bias.data, out.slope = static_cast<float>(args.slope);
  const Operand<true> a{args.a.data, args.m, args.k, 0};
  const Operand<false> a_transposed{args.a.data, args.m, args.m, 0};
  const Operand<false> b{args.b.data, args.n, args.n, 0};
  const Operand<true> b_transposed{args.b.data, args.n, args.k, 0};
  if (args.transA != 0 && args.transB != 0) return product(exec, a_transposed, b_transposed, out, args.k, 1);
  if (args.transA != 0) return product(exec, a_transposed, b, out, args.k, 1);
  if (args.transB != 0) return product(exec, a, b_transposed, out, args.k, 1);
  return product(exec, a, b, out, args.k, 1);
}

}  // namespace sonotext::cuda
