#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

struct CopyColumns {
  const float* x;  // the first column of each
  float* out;
  i64 x_cols, out_cols;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    store(out + row * out_cols + col, load<kWidth>(x + row * x_cols + col));
  }
};

}  // namespace

Status copy_columns(const CopyColumnsArgs& args, Exec& exec) {
  const CopyColumns f{args.x.data + args.from, args.out.data + args.to, args.xCols, args.outCols};
  const bool fours = in_fours(args.width, f.x, f.out) && args.xCols % 4 == 0 && args.outCols % 4 == 0;
  return map_rows(static_cast<CudaExec&>(exec), args.rows, args.width, fours, f);
}

}  // namespace sonotext::cuda
