// A product for every matrix of a batch: large ones over the pool one after the other, small ones one thread each.
#pragma once
#include "../../core/ops.hpp"
#include "gemm_core.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// out[i] [m×n] = e(a(i)·b(i)); a(i) and b(i) give the operands of matrix i.
template <class A, class B>
inline Status gemm_batch(Exec& exec, i64 batch, A&& a, B&& b, i64 m, i64 n, i64 k, float* out, const Epilogue& e) {
  const i64 work = m * n * k;
  if (work >= kSerialWork || batch == 1) {
    GemmBuffers buffers;
    Status status = gemm_buffers(exec, m, n, k, &buffers);
    for (i64 i = 0; status.ok() && i < batch; ++i) {
      status = gemm_parallel(exec, buffers, a(i), b(i), m, n, k, out + i * m * n, n, e);
    }
    return status;
  }
  const i64 stride = ceil_div(gemm_serial_scratch(m, n, k), 16) * 16;
  float* scratch = static_cast<float*>(exec.scratch(4 * stride * exec.threads()));
  if (!scratch) return {Code::out_of_memory, "scratch memory for the packed operands"};
  gemm_chunks(exec, batch, batch * work, [&](i64 i, int worker) {
    gemm_serial(a(i), b(i), m, n, k, out + i * m * n, n, e, scratch + worker * stride);
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
