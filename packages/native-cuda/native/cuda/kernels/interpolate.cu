#include "../entries.hpp"
#include "../map.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kThreads = 256;

// Where output step t reads: x[low]·(1 - weight) + x[high]·weight.
struct Between {
  std::int32_t low, high;
  float weight;
};

__device__ inline Between between_at(i64 t, i64 l, i64 steps) {
  double s = (static_cast<double>(t) + 0.5) * static_cast<double>(l) / static_cast<double>(steps) - 0.5;
  if (s < 0.0) s = 0.0;
  i64 low = static_cast<i64>(s);
  if (low > l - 1) low = l - 1;
  return {static_cast<std::int32_t>(low), static_cast<std::int32_t>(low + 1 < l ? low + 1 : l - 1),
          static_cast<float>(s - static_cast<double>(low))};
}

// Of one pair of lengths, kept on the device. Input step s is the lower one of output steps begin[s] ...
// begin[s + 1] - 1 and the upper one of those of s - 1.
struct Steps {
  Between* between;     // [steps]
  std::int32_t* begin;  // [l + 1]
};

__global__ void __launch_bounds__(kThreads) fill_steps(Steps to, i64 l, i64 steps) {
  const i64 t = static_cast<i64>(blockIdx.x) * kThreads + threadIdx.x;
  if (t > steps) return;
  if (t < steps) to.between[t] = between_at(t, l, steps);
  const i64 before = t > 0 ? between_at(t - 1, l, steps).low : -1;
  const i64 last = t < steps ? between_at(t, l, steps).low : l;
  for (i64 s = before + 1; s <= last; ++s) to.begin[s] = static_cast<std::int32_t>(t);
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

Status steps_of(CudaExec& exec, i64 l, i64 steps, Steps& table) {
  if (l > INT32_MAX || steps > INT32_MAX) return Status::unsupported("more than 2^31 steps");
  const i64 bytes =
      steps * static_cast<i64>(sizeof(Between)) + (l + 1) * static_cast<i64>(sizeof(std::int32_t));
  bool fresh = false;
  table.between = reinterpret_cast<Between*>(exec.table<char>("interpolate", l << 31 | steps, bytes, fresh));
  if (table.between == nullptr) return out_of_device_memory();
  table.begin = reinterpret_cast<std::int32_t*>(table.between + steps);
  return fresh ? launch(exec, fill_steps, steps / kThreads + 1, kThreads, table, l, steps) : Status{};
}

}  // namespace

Status interpolate(const InterpolateArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.out.size == 0) return {};
  Steps steps;
  const Status status = steps_of(exec, args.l, args.t, steps);
  if (!status.ok()) return status;
  const Interpolate f{args.x.data, steps.between, args.out.data, args.l, args.t, args.c};
  return map_rows(exec, args.n * args.t, args.c, in_fours(args.c, f.x, f.out), f);
}

Status interpolate_backward(const InterpolateBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.gradX.size == 0) return {};
  Steps steps;
  const Status status = steps_of(exec, args.l, args.t, steps);
  if (!status.ok()) return status;
  const InterpolateBackward f{
      args.gradOut.data, steps.between, steps.begin, args.gradX.data, args.l, args.t, args.c};
  return map_rows(exec, args.n * args.l, args.c, in_fours(args.c, f.grad_out, f.grad_x), f);
}

}  // namespace sonotext::cuda
