#include "../../core/ops.hpp"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status similarity(const SimilarityArgs& args, Exec& exec) {
  const i64 n = args.n, m = args.m, d = args.d, work = n * m * d;
  Epilogue e;
  e.alpha = static_cast<float>(args.scale);
  const auto a = [&](i64 i) { return MatIn{args.a.data + i * n * d, d, 1}; };
  const auto b = [&](i64 i) { return MatIn{args.b.data + i * m * d, 1, d}; };  // transposed
  if (work >= kSerialWork || args.batch == 1) {
    GemmBuffers buffers;
    Status status = gemm_buffers(exec, n, m, d, &buffers);
    for (i64 i = 0; status.ok() && i < args.batch; ++i) {
      status = gemm_parallel(exec, buffers, a(i), b(i), n, m, d, args.out.data + i * n * m, m, e);
    }
    return status;
  }
  // Small matrices: one thread each.
  const i64 stride = ceil_div(gemm_serial_scratch(n, m, d), 16) * 16;
  float* scratch = static_cast<float*>(exec.scratch(4 * stride * exec.threads()));
  if (!scratch) return {Code::out_of_memory, "scratch memory for the packed operands"};
  gemm_chunks(exec, args.batch, args.batch * work, [&](i64 i, int worker) {
    gemm_serial(a(i), b(i), n, m, d, args.out.data + i * n * m, m, e, scratch + worker * stride);
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
