#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status add(const AddArgs& args, Exec& exec) {
  const float* a = args.a.data;
  const float* b = args.b.data;
  float* out = args.out.data;
  const Vec alpha = vset(static_cast<float>(args.alpha));
  const Vec beta = vset(static_cast<float>(args.beta));
  for_chunks(exec, args.out.size, [&](int64_t begin, int64_t end) {
    map_lanes(out, begin, end, [&](int64_t i, int64_t n) {
      return vfma(beta, vload_n(b + i, n), alpha * vload_n(a + i, n));
    });
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
