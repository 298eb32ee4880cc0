#include <vector>

#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

// Where output step t reads: x[low]·(1 - weight) + x[high]·weight.
struct Between {
  std::int32_t low, high;
  float weight;
};

// For every output step; made on the host, in float64 as on the CPU.
std::vector<Between> all_between(i64 l, i64 steps) {
  std::vector<Between> all;
  for (i64 t = 0; t < steps; ++t) {
    double s = (static_cast<double>(t) + 0.5) * static_cast<double>(l) / static_cast<double>(steps) - 0.5;
    if (s < 0.0) s = 0.0;
    i64 low = static_cast<i64>(s);
    if (low > l - 1) low = l - 1;
    all.push_back({static_cast<std::int32_t>(low), static_cast<std::int32_t>(low + 1 < l ? low + 1 : l - 1),
                   static_cast<float>(s - static_cast<double>(low))});
  }
  return all;
}

struct Interpolate {
  const float* x;
  const Between* between;
  float* out;
  i64 l, t, c;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    const i64 i = quotient(row, t);
    const Between at = between[row - i * t];
    const Lanes<kWidth> low = load<kWidth>(x + (i * l + at.low) * c + col);
    const Lanes<kWidth> high = load<kWidth>(x + (i * l + at.high) * c + col);
    Lanes<kWidth> mixed;
    for (int k = 0; k < kWidth; ++k) mixed.v[k] = fmaf(at.weight, high.v[k], (1.0f - at.weight) * low.v[k]);
    store(out + row * c + col, mixed);
  }
};

// Input step s is the lower one of output steps begin[s] ... begin[s + 1] - 1 and the upper one of those of s
// - 1.
struct InterpolateBackward {
  const float* grad_out;
  const Between* between;
  const std::int32_t* begin;  // [l + 1]
  float* grad_x;
  i64 l, t, c;
  template <int kWidth>
  __device__ void operator()(i64 row, i64 col) const {
    const i64 i = quotient(row, l);
    const int s = static_cast<int>(row - i * l);
    Lanes<kWidth> sum = zeros<kWidth>();
    for (int step = begin[s > 0 ? s - 1 : 0]; step < begin[s + 1]; ++step) {
      const Between at = between[step];
      const Lanes<kWidth> g = load<kWidth>(grad_out + (i * t + step) * c + col);
      const float low = at.low == s ? 1.0f - at.weight : 0.0f, high = at.high == s ? at.weight : 0.0f;
      for (int k = 0; k < kWidth; ++k) sum.v[k] = fmaf(low + high, g.v[k], sum.v[k]);
    }
    store(grad_x + row * c + col, sum);
  }
};

Status too_long() { return Status::unsupported("more than 2^31 steps"); }

}  // namespace

Status interpolate(const InterpolateArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.out.size == 0) return {};
  if (args.l > INT32_MAX || args.t > INT32_MAX) return too_long();
  const std::vector<Between> between = all_between(args.l, args.t);
  const Interpolate f{args.x.data, exec.constant(between.data(), args.t), args.out.data, args.l, args.t,
                      args.c};
  if (f.between == nullptr) return out_of_device_memory();
  return map_rows(exec, args.n * args.t, args.c, in_fours(args.c, f.x, f.out), f);
}

Status interpolate_backward(const InterpolateBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.gradX.size == 0) return {};
  if (args.l > INT32_MAX || args.t > INT32_MAX) return too_long();
  const std::vector<Between> between = all_between(args.l, args.t);
  std::vector<std::int32_t> begin(static_cast<std::size_t>(args.l + 1));
  for (std::size_t s = 0, step = 0; s < begin.size(); ++s) {
    while (step < between.size() && between[step].low < static_cast<std::int32_t>(s)) ++step;
    begin[s] = static_cast<std::int32_t>(step);
  }
  const InterpolateBackward f{args.gradOut.data,
                              exec.constant(between.data(), args.t),
                              exec.constant(begin.data(), args.l + 1),
                              args.gradX.data,
                              args.l,
                              args.t,
                              args.c};
  if (f.between == nullptr || f.begin == nullptr) return out_of_device_memory();
  return map_rows(exec, args.n * args.l, args.c, in_fours(args.c, f.grad_out, f.grad_x), f);
}

}  // namespace sonotext::cuda
