#include "../../core/ops.hpp"
#include "chunks.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status scale(const ScaleArgs& args, Exec& exec) {
  const float* x = args.x.data;
  float* out = args.out.data;
  const Vec factor = vset(static_cast<float>(args.factor));
  for_chunks(exec, args.out.size, [&](int64_t begin, int64_t end) {
    map_lanes(out, begin, end, [&](int64_t i, int64_t n) { return factor * vload_n(x + i, n); });
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
