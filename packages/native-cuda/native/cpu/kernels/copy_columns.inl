#include "../../core/ops.hpp"
#include "rows.inl"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status copy_columns(const CopyColumnsArgs& args, Exec& exec) {
  for_each_row(exec, args.rows, [&](int64_t r) {
    memcpy(args.out.data + r * args.outCols + args.to, args.x.data + r * args.xCols + args.from,
           static_cast<size_t>(args.width) * sizeof(float));
  });
  return {};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
