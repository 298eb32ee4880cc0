#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

// Chunks are summed in double, so that neither their number nor large values cost accuracy, and combined in order.
inline Status grad_norm(const GradNormArgs& args, Exec& exec) {
  const int64_t n = args.x.size;
  const int64_t count = (n + kElementChunk - 1) / kElementChunk;
  double* partial = static_cast<double*>(exec.scratch((count + 1) * static_cast<int64_t>(sizeof(double))));
  if (partial == nullptr) return {Code::out_of_memory, "scratch memory for the partial sums"};
  const float* x = args.x.data;
  for_chunks(exec, n, [&](int64_t begin, int64_t end) {
    double sum = 0.0;
    constexpr int64_t kBlock = 512;  // short float sums lose little; doubles carry the rest
    for (int64_t from = begin; from < end; from += kBlock) {
      const int64_t to = from + kBlock < end ? from + kBlock : end;
      Vec acc = vzero();
      for (int64_t i = from; i < to; i += kLanes) {
        const Vec v = vload_n(x + i, to - i);
        acc = vfma(v, v, acc);
      }
      sum += static_cast<double>(vsum(acc));
    }
    partial[begin / kElementChunk] = sum;
  });
  double total = 0.0;
  for (int64_t i = 0; i < count; i++) total += partial[i];
  args.out[args.slot] = static_cast<float>(total);
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
