#include "../columns.cuh"
#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kMostLanes = 8;  // a cache line of columns a block: there are few clips

struct MaskedMax {
  using Sum = float;
  const float* x;
  const std::int32_t* lengths;
  float* out;
  i64 t, c;
  template <int kWidth>
  __device__ void gather(i64 clip, int share, int shares, i64 col, float (&own)[kWidth]) const {
    const float* from = x + clip * t * c + col;
    const int length = lengths[clip];
    for (int k = 0; k < kWidth; ++k) own[k] = -INFINITY;
    for (int row = share; row < length; row += shares) {
      const Lanes<kWidth> v = load<kWidth>(from + row * c);
      for (int k = 0; k < kWidth; ++k) own[k] = combine(own[k], v.v[k]);
    }
  }
  // A NaN stays.
  __device__ static float combine(float a, float b) { return a != a || a > b ? a : b; }
  __device__ void put(i64 clip, i64 col, float most) const {
    out[clip * c + col] = lengths[clip] > 0 ? most : 0.0f;
  }
};

// A thread walks the steps of its columns.
struct MaskedMaxBackward {
  const float* x;
  const std::int32_t* lengths;
  const float* out;
  const float* grad_out;
  float* grad_x;
  i64 t, c;
  template <int kWidth>
  __device__ void operator()(i64 clip, i64 col) const {
    const Lanes<kWidth> most = load<kWidth>(out + clip * c + col),
                        g = load<kWidth>(grad_out + clip * c + col);
    bool found[kWidth] = {};
    const int length = lengths[clip];
    for (int row = 0; row < t; ++row) {
      const i64 at = (clip * t + row) * c + col;
      Lanes<kWidth> gradient = zeros<kWidth>();
      if (row < length) {
        const Lanes<kWidth> v = load<kWidth>(x + at);
        for (int k = 0; k < kWidth; ++k) {
          const bool is_most = v.v[k] == most.v[k] || (v.v[k] != v.v[k] && most.v[k] != most.v[k]);
          if (is_most && !found[k]) gradient.v[k] = g.v[k], found[k] = true;
        }
      }
      store(grad_x + at, gradient);
    }
  }
};

}  // namespace

Status masked_max(const MaskedMaxArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const MaskedMax f{args.x.data, exec.constant(args.lengths), args.out.data, args.t, args.c};
  if (f.lengths == nullptr) return out_of_device_memory();
  return reduce_columns(exec, args.n, args.c, in_fours(args.c, f.x), kMostLanes, f);
}

Status masked_max_backward(const MaskedMaxBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const MaskedMaxBackward f{
      args.x.data, exec.constant(args.lengths), args.out.data, args.gradOut.data, args.gradX.data, args.t,
      args.c};
  if (f.lengths == nullptr) return out_of_device_memory();
  return map_rows(exec, args.n, args.c, in_fours(args.c, f.x, f.out, f.grad_out, f.grad_x), f);
}

}  // namespace sonotext::cuda
