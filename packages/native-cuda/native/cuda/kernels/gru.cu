// A block takes some clips through all steps of one direction, so that nothing but the block itself is waited
// for. The recurrent weights lie in its threads' registers and shared memory as far as they fit; what does
// not is read again at every step.
#include "../entries.hpp"
#include "../product.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kGruThreads = 512;

// Columns (by four) of a thread's rows that its registers hold; more clips at a time need more of them for
// sums.
template <int kClips>
constexpr int kHeld = kClips == 1   ? 7
                      : kClips == 2 ? 6
                                    : 4;

// A matrix of 3·groups rows that a block multiplies with a vector at every step. A thread has the three rows
// g, g + groups and g + 2·groups, and one slice of their columns.
struct Weights {
  const float4* packed;  // [directions × slices · each × 3 × groups], four columns of a row
  int groups, slices;
  int each;  // columns of a slice, by four
  int kept;  // of these, in shared memory; those before them are in registers

  __host__ __device__ int fours() const { return slices * each; }
  __host__ __device__ int at_once() const {  // threads that have rows in registers and shared memory
    return groups * slices < kGruThreads ? groups * slices : kGruThreads;
  }
};

Weights cut(i64 rows, i64 columns) {
  Weights w = {};
  w.groups = static_cast<int>((rows + 2) / 3);
  w.slices = w.groups < kGruThreads ? kGruThreads / w.groups : 1;
  const int fours = static_cast<int>((columns + 3) / 4);
  if (w.slices > fours) w.slices = fours;
  w.each = (fours + w.slices - 1) / w.slices;
  w.slices = (fours + w.each - 1) / w.each;
  return w;
}

// Element (row, column) is from[row · row_stride + column · column_stride] of its direction; zeros outside.
__global__ void pack_weights(const float* from, int rows, int columns, i64 row_stride, i64 column_stride,
                             Weights w, float4* packed, int directions) {
  const i64 each = static_cast<i64>(w.fours()) * 3 * w.groups;
  const i64 index = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= each * directions) return;
  const int row = static_cast<int>(index % (3 * w.groups));
  const int column = static_cast<int>(index % each / (3 * w.groups)) * 4;
  const float* source = from + index / each * rows * columns + row * row_stride;
  float four[4];
  for (int c = 0; c < 4; ++c) {
    four[c] = row < rows && column + c < columns ? source[(column + c) * column_stride] : 0.0f;
  }
  packed[index] = make_float4(four[0], four[1], four[2], four[3]);
}

// What a block keeps at hand over all steps.
template <int kClips>
struct Recurrence {
  const Weights& w;
  const float4* packed;           // of this direction
  float4 held[kHeld<kClips>][3];  // of the thread's first slice
  float4* kept;                   // [w.kept × 3 × at_once]
  float4* vectors;                // [kClips × fours]
  float* partial;                 // [kClips × slices × 3·groups]

  static i64 shared_bytes(const Weights& w, int kept) {
    return (static_cast<i64>(kept) * 3 * w.at_once() + kClips * w.fours()) * 16 +
           static_cast<i64>(kClips) * w.slices * 3 * w.groups * 4;
  }

  // Returns the shared memory behind its own.
  __device__ float* begin(float4* shared) {
    kept = shared;
    vectors = kept + w.kept * 3 * w.at_once();
    partial = reinterpret_cast<float*>(vectors + kClips * w.fours());
    const int thread = static_cast<int>(threadIdx.x);
    for (int i = thread; i < kClips * w.fours(); i += kGruThreads) vectors[i] = make_float4(0, 0, 0, 0);
    const float4* own = packed + static_cast<i64>(thread / w.groups) * w.each * 3 * w.groups;
    const bool any = thread < w.at_once();
#pragma unroll
    for (int k = 0; k < kHeld<kClips>; ++k) {
#pragma unroll
      for (int r = 0; r < 3; ++r) {
        held[k][r] =
            any && k < w.each ? own[(k * 3 + r) * w.groups + thread % w.groups] : make_float4(0, 0, 0, 0);
      }
    }
    for (int k = 0; any && k < w.kept; ++k) {
      for (int r = 0; r < 3; ++r) {
        kept[(k * 3 + r) * w.at_once() + thread] =
            own[((kHeld<kClips> + k) * 3 + r) * w.groups + thread % w.groups];
      }
    }
    return partial + kClips * w.slices * 3 * w.groups;
  }

  // partial = the slices' shares of the products with the vectors.
  __device__ void multiply() const {
    const int rows = 3 * w.groups, pairs = w.groups * w.slices;
    for (int pair = static_cast<int>(threadIdx.x); pair < pairs; pair += kGruThreads) {
      const int slice = pair / w.groups, group = pair % w.groups;
      const float4* x = vectors + slice * w.each;
      float sums[kClips][3] = {};
      const auto add = [&](int k, float4 a, float4 b, float4 c) {
#pragma unroll
        for (int q = 0; q < kClips; ++q) {
          const float4 v = x[q * w.fours() + k];
          sums[q][0] = fmaf(a.x, v.x, fmaf(a.y, v.y, fmaf(a.z, v.z, fmaf(a.w, v.w, sums[q][0]))));
          sums[q][1] = fmaf(b.x, v.x, fmaf(b.y, v.y, fmaf(b.z, v.z, fmaf(b.w, v.w, sums[q][1]))));
          sums[q][2] = fmaf(c.x, v.x, fmaf(c.y, v.y, fmaf(c.z, v.z, fmaf(c.w, v.w, sums[q][2]))));
        }
      };
      int k = 0;
      if (pair < kGruThreads) {
#pragma unroll
        for (int h = 0; h < kHeld<kClips>; ++h) {
          if (h < w.each) add(h, held[h][0], held[h][1], held[h][2]);
        }
        const float4* from = kept + pair;
#pragma unroll 2
        for (int i = 0; i < w.kept; ++i, from += 3 * w.at_once()) {
          add(kHeld<kClips> + i, from[0], from[w.at_once()], from[2 * w.at_once()]);
        }
        k = kHeld<kClips> + w.kept;
      }
      const float4* from = packed + (static_cast<i64>(slice) * w.each + k) * rows + group;
#pragma unroll 1
      for (; k < w.each; ++k, from += rows) add(k, from[0], from[w.groups], from[2 * w.groups]);
#pragma unroll
      for (int q = 0; q < kClips; ++q) {
#pragma unroll
        for (int r = 0; r < 3; ++r)
          partial[(q * w.slices + slice) * rows + r * w.groups + group] = sums[q][r];
      }
    }
  }

  __device__ float product(int clip, int row) const {
    const float* from = partial + clip * w.slices * 3 * w.groups + row;
    float sum = 0.0f;
    for (int s = 0; s < w.slices; ++s) sum += from[s * 3 * w.groups];
    return sum;
  }
  __device__ float& vector(int clip, int index) const {
    return reinterpret_cast<float*>(vectors + clip * w.fours())[index];
  }
};

// As many columns in shared memory as it has room for.
template <int kClips>
void keep(const CudaExec& exec, Weights& w, i64 other_bytes) {
  w.kept = 0;
  while (kHeld<kClips> + w.kept < w.each &&
         Recurrence<kClips>::shared_bytes(w, w.kept + 1) + other_bytes <= exec.shared_memory)
    ++w.kept;
}

Status pack(CudaExec& exec, Weights& w, const float* from, i64 rows, i64 columns, i64 row_stride,
            i64 column_stride, i64 directions) {
  const i64 count = directions * w.fours() * 3 * w.groups;
  float4* packed = exec.array<float4>(count);
  if (packed == nullptr) return out_of_device_memory();
  w.packed = packed;
  return launch(exec, pack_weights, (count + 255) / 256, 256, from, rows, columns, row_stride, column_stride,
                w, packed, directions);
}

// More clips in a block share its reads of the weights, but keep fewer multiprocessors busy.
int clips_of(const CudaExec& exec, i64 n, i64 hidden, i64 directions) {
  const auto fills = [&](int clips) {
    return clips * hidden <= kGruThreads && directions * (n / clips) >= exec.multiprocessors;
  };
  return fills(4) ? 4 : fills(2) ? 2 : 1;
}

struct Shape {
  i64 n;
  int t, hidden, directions;
};

__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

struct ForwardSteps {
  Shape shape;
  Weights weights;
  const float* input;  // [n × t × directions × 3·hidden], without bias
  const float *bIh, *bHh;
  float* out;
  float* saved;  // [directions × n × t × 4 × hidden]: r, z, n, W_hn·h + b_hn
};

template <int kClips>
__global__ void __launch_bounds__(kGruThreads) forward_steps(ForwardSteps a) {
  SONOTEXT_DYNAMIC_SHARED(float4, shared);
  const int H = a.shape.hidden, D = a.shape.directions, T = a.shape.t;
  const i64 pieces = (a.shape.n + kClips - 1) / kClips;
  const int direction = static_cast<int>(blockIdx.x / pieces);
  const i64 first = blockIdx.x % pieces * kClips;
  const int clips = a.shape.n - first < kClips ? static_cast<int>(a.shape.n - first) : kClips;
  const i64 fours = static_cast<i64>(a.weights.fours()) * 3 * a.weights.groups;
  Recurrence<kClips> recurrence{a.weights, a.weights.packed + direction * fours, {}, nullptr, nullptr,
                                nullptr};
  recurrence.begin(shared);
  __syncthreads();

  const float* bIh = a.bIh + direction * 3 * H;
  const float* bHh = a.bHh + direction * 3 * H;
  const auto row_of = [&](int element, int t) { return (first + element / H) * T + t; };
  const auto input_of = [&](int element, int t) {
    return a.input + (row_of(element, t) * D + direction) * 3 * H + element % H;
  };
  const int own = static_cast<int>(threadIdx.x);
  for (int s = 0; s < T; ++s) {
    const int t = direction == 0 ? s : T - 1 - s;
    float in[3] = {};  // of the thread's first element: on its way during the product
    if (own < clips * H) {
      const float* from = input_of(own, t);
      in[0] = from[0], in[1] = from[H], in[2] = from[2 * H];
    }
    if (s > 0) recurrence.multiply();
    __syncthreads();
#pragma unroll 1
    for (int e = own; e < clips * H; e += kGruThreads) {
      if (e != own) {
        const float* from = input_of(e, t);
        in[0] = from[0], in[1] = from[H], in[2] = from[2 * H];
      }
      const int clip = e / H, j = e % H;
      float through[3] = {};
      for (int g = 0; s > 0 && g < 3; ++g) through[g] = recurrence.product(clip, g * H + j);
      const float r = sigmoid(in[0] + bIh[j] + through[0] + bHh[j]);
      const float z = sigmoid(in[1] + bIh[H + j] + through[1] + bHh[H + j]);
      const float q = through[2] + bHh[2 * H + j];
      const float candidate = tanhf(fmaf(r, q, in[2] + bIh[2 * H + j]));
      float& state = recurrence.vector(clip, j);
      state = fmaf(z, state - candidate, candidate);
      const i64 row = row_of(e, t);
      a.out[(row * D + direction) * H + j] = state;
      float* saved = a.saved + (direction * a.shape.n * T + row) * 4 * H + j;
      saved[0] = r, saved[H] = z, saved[2 * H] = candidate, saved[3 * H] = q;
    }
    __syncthreads();
  }
}

template <int kClips>
Status run_forward(CudaExec& exec, ForwardSteps steps) {
  keep<kClips>(exec, steps.weights, 0);
  return launch_with_shared(exec, forward_steps<kClips>,
                            steps.shape.directions * ((steps.shape.n + kClips - 1) / kClips), kGruThreads,
                            Recurrence<kClips>::shared_bytes(steps.weights, steps.weights.kept), steps);
}

// ---- backward

// Gradients before the non-linearities, a row per frame. Gates are `pitch` columns apart, zeros behind the
// hidden ones. Direction 0 has the order q, r, z, n, direction 1 n, r, z, q with q the recurrent side of n:
// so the input side of both is one stretch, r, z, n, n, r, z, and so is the recurrent side of each.
struct GateColumns {
  int pitch, directions;
  __host__ __device__ int row() const { return directions * 4 * pitch; }
  __host__ __device__ int input() const { return pitch; }  // [directions · 3 · pitch]
  __host__ __device__ int recurrent(int direction) const { return direction == 0 ? 0 : 5 * pitch; }
  // Where gate 0, 1, 2 (r, z, n) lies in the input stretch and in its direction's recurrent one.
  __host__ __device__ int in_input(int direction, int gate) const {
    return (direction == 0 ? gate : 3 + (gate == 2 ? 0 : gate + 1)) * pitch;
  }
  __host__ __device__ int in_recurrent(int direction, int gate) const {
    return (direction == 0 ? (gate == 2 ? 0 : gate + 1) : gate) * pitch;
  }
};

struct BackwardSteps {
  Shape shape;
  Weights weights;
  GateColumns columns;
  const float* out;
  const float* saved;
  const float* grad_out;
  float* gates;   // [n·t × columns.row()]
  float* before;  // [directions × n·t × pitch]: the state each step began with
  float* biases;  // [directions × n × 4 × hidden]: sums over a clip's steps of the gradients of r, z, n, q
};

template <int kClips>
__global__ void __launch_bounds__(kGruThreads) backward_steps(BackwardSteps a) {
  SONOTEXT_DYNAMIC_SHARED(float4, shared);
  const int H = a.shape.hidden, D = a.shape.directions, T = a.shape.t, pitch = a.columns.pitch;
  const i64 pieces = (a.shape.n + kClips - 1) / kClips;
  const int direction = static_cast<int>(blockIdx.x / pieces);
  const i64 first = blockIdx.x % pieces * kClips;
  const int clips = a.shape.n - first < kClips ? static_cast<int>(a.shape.n - first) : kClips;
  const i64 fours = static_cast<i64>(a.weights.fours()) * 3 * a.weights.groups;
  Recurrence<kClips> recurrence{a.weights, a.weights.packed + direction * fours, {}, nullptr, nullptr,
                                nullptr};
  float* direct = recurrence.begin(shared);  // [kClips × pitch]: gradient of the older state through z
  float* sums = direct + kClips * pitch;     // [4 × kClips × pitch]
  for (int i = static_cast<int>(threadIdx.x); i < 5 * kClips * pitch; i += kGruThreads) direct[i] = 0.0f;
  __syncthreads();

  const i64 rows = a.shape.n * T;
  const auto row_of = [&](int clip, int t) { return (first + clip) * T + t; };
  const int own = static_cast<int>(threadIdx.x);
  const int at_n = direction == 0 ? 3 * pitch : 0, at_q = 3 * pitch - at_n;
  struct Inputs {
    float r, z, candidate, q, incoming, old;
  };
  const auto load = [&](int e, int s) {
    const int t = direction == 0 ? s : T - 1 - s, before = direction == 0 ? t - 1 : t + 1;
    const int clip = e / pitch, j = e % pitch;
    Inputs in = {};
    if (e >= clips * pitch || j >= H || s < 0) return in;
    const i64 row = row_of(clip, t);
    const float* saved = a.saved + (direction * rows + row) * 4 * H + j;
    in.r = saved[0], in.z = saved[H], in.candidate = saved[2 * H], in.q = saved[3 * H];
    in.incoming = a.grad_out[(row * D + direction) * H + j];
    in.old = s > 0 ? a.out[(row_of(clip, before) * D + direction) * H + j] : 0.0f;
    return in;
  };
  Inputs ahead = load(own, T - 1);
  for (int s = T - 1; s >= 0; --s) {
    const int t = direction == 0 ? s : T - 1 - s;
#pragma unroll 1
    for (int e = own; e < clips * pitch; e += kGruThreads) {
      const int clip = e / pitch, j = e % pitch;
      const Inputs in = e == own ? ahead : load(e, s);
      float to_n = 0.0f, to_r = 0.0f, to_z = 0.0f, to_q = 0.0f;
      if (j < H) {
        const float through = s < T - 1 ? recurrence.product(clip, j) : 0.0f;
        const float grad = in.incoming + (direct[e] + through);
        to_n = grad * (1.0f - in.z) * fmaf(-in.candidate, in.candidate, 1.0f);
        to_r = to_n * in.q * in.r * (1.0f - in.r);
        to_z = grad * (in.old - in.candidate) * in.z * (1.0f - in.z);
        to_q = to_n * in.r;
        direct[e] = grad * in.z;
        recurrence.vector(clip, j) = to_r;
        recurrence.vector(clip, H + j) = to_z;
        recurrence.vector(clip, 2 * H + j) = to_q;
        sums[e] += to_r, sums[kClips * pitch + e] += to_z;
        sums[2 * kClips * pitch + e] += to_n, sums[3 * kClips * pitch + e] += to_q;
      }
      const i64 row = row_of(clip, t);
      float* gates = a.gates + row * a.columns.row() + direction * 4 * pitch + j;
      gates[pitch] = to_r, gates[2 * pitch] = to_z, gates[at_n] = to_n, gates[at_q] = to_q;
      a.before[(direction * rows + row) * pitch + j] = in.old;
    }
    __syncthreads();
    ahead = load(own, s - 1);
    if (s > 0) recurrence.multiply();
    __syncthreads();
  }
  for (int e = own; e < clips * pitch; e += kGruThreads) {
    const int clip = e / pitch, j = e % pitch;
    for (int g = 0; j < H && g < 4; ++g) {
      a.biases[((direction * a.shape.n + first + clip) * 4 + g) * H + j] = sums[g * kClips * pitch + e];
    }
  }
}

template <int kClips>
Status run_backward(CudaExec& exec, BackwardSteps steps) {
  const i64 other = 5 * kClips * steps.columns.pitch * static_cast<i64>(sizeof(float));
  keep<kClips>(exec, steps.weights, other);
  return launch_with_shared(
      exec, backward_steps<kClips>, steps.shape.directions * ((steps.shape.n + kClips - 1) / kClips),
      kGruThreads, Recurrence<kClips>::shared_bytes(steps.weights, steps.weights.kept) + other, steps);
}

// gradBIh and gradBHh: the sums over the clips.
__global__ void sum_biases(const float* biases, i64 n, int hidden, int directions, float* grad_b_ih,
                           float* grad_b_hh) {
  const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (index >= directions * 4 * hidden) return;
  const int direction = index / (4 * hidden), row = index % (4 * hidden);
  const float* from = biases + direction * n * 4 * hidden + row;
  float sum = 0.0f;
  for (i64 i = 0; i < n; ++i) sum += from[i * 4 * hidden];
  if (row < 3 * hidden) grad_b_ih[direction * 3 * hidden + row] = sum;
  if (row < 2 * hidden) grad_b_hh[direction * 3 * hidden + row] = sum;
  if (row >= 3 * hidden) grad_b_hh[direction * 3 * hidden + row - hidden] = sum;
}

// wIh with its rows where the input stretch of a row of gates has them, for the product that gives gradX.
__global__ void order_weights(const float* w_ih, int in, int hidden, GateColumns columns, float* ordered) {
  const int directions = columns.directions, pitch = columns.pitch;
  const i64 index = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= static_cast<i64>(directions) * 3 * pitch * in) return;
  const int column = static_cast<int>(index % in), j = static_cast<int>(index / in % pitch);
  const int gate = static_cast<int>(index / in / pitch % 3);
  const int direction = static_cast<int>(index / in / pitch / 3);
  const float value =
      j < hidden ? w_ih[(static_cast<i64>(direction * 3 + gate) * hidden + j) * in + column] : 0.0f;
  ordered[static_cast<i64>(columns.in_input(direction, gate) + j) * in + column] = value;
}

// Gradient of a matrix of weights from rows in the order of gate columns.
struct GateRows {
  int r, z, n;
};
__global__ void order_gradient(const float* from, GateRows rows, int hidden, int columns, i64 pitch,
                               float* grad) {
  const i64 index = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= static_cast<i64>(3) * hidden * columns) return;
  const int row = static_cast<int>(index / columns), column = static_cast<int>(index % columns);
  const int gate = row / hidden, first = gate == 0 ? rows.r : gate == 1 ? rows.z : rows.n;
  grad[index] = from[static_cast<i64>(first + row % hidden) * pitch + column];
}

Shape shape_of(i64 n, i64 t, i64 hidden, i64 directions) {
  return {n, static_cast<int>(t), static_cast<int>(hidden), static_cast<int>(directions)};
}

// Sums over the frames of outer products: of gates and inputs, and of gates and the states they began with.
Status weight_gradients(CudaExec& exec, const GruBackwardArgs& args, const BackwardSteps& steps) {
  const GateColumns& columns = steps.columns;
  const i64 frames = args.n * args.t;
  const int H = steps.shape.hidden;
  const i64 input_rows = args.directions * 3 * columns.pitch, recurrent_rows = 3 * columns.pitch;
  float* by_input = exec.array<float>(input_rows * args.in);
  float* by_state = exec.array<float>(recurrent_rows * columns.pitch);
  if (!by_input || !by_state) return out_of_device_memory();
  const auto order = [&](const float* from, GateRows rows, i64 count, i64 pitch, float* grad) {
    return launch(exec, order_gradient, (3 * args.hidden * count + 255) / 256, 256, from, rows, H, count,
                  pitch, grad);
  };
  const Operand<false> inputs{args.x.data, args.in, args.in, 0};
  const Operand<false> gates{steps.gates + columns.input(), input_rows, columns.row(), 0};
  Status status = product(exec, gates, inputs, Result{by_input, input_rows, args.in}, frames, 1);
  for (int d = 0; d < args.directions && status.ok(); ++d) {
    status = order(by_input, {columns.in_input(d, 0), columns.in_input(d, 1), columns.in_input(d, 2)},
                   args.in, args.in, args.gradWIh.data + d * 3 * args.hidden * args.in);
  }
  for (int d = 0; d < args.directions && status.ok(); ++d) {
    const Operand<false> states{steps.before + d * frames * columns.pitch, columns.pitch, columns.pitch, 0};
    const Operand<false> own{steps.gates + columns.recurrent(d), recurrent_rows, columns.row(), 0};
    status = product(exec, own, states, Result{by_state, recurrent_rows, columns.pitch}, frames, 1);
    if (!status.ok()) break;
    status =
        order(by_state, {columns.in_recurrent(d, 0), columns.in_recurrent(d, 1), columns.in_recurrent(d, 2)},
              args.hidden, columns.pitch, args.gradWHh.data + d * 3 * args.hidden * args.hidden);
  }
  if (!status.ok()) return status;
  return launch(exec, sum_biases, (args.directions * 4 * args.hidden + 127) / 128, 128, steps.biases, args.n,
                H, args.directions, args.gradBIh.data, args.gradBHh.data);
}

Status input_gradient(CudaExec& exec, const GruBackwardArgs& args, const BackwardSteps& steps) {
  const GateColumns& columns = steps.columns;
  const i64 depth = args.directions * 3 * columns.pitch, frames = args.n * args.t;
  float* ordered = exec.array<float>(depth * args.in);
  if (ordered == nullptr) return out_of_device_memory();
  const Status status = launch(exec, order_weights, (depth * args.in + 255) / 256, 256, args.wIh.data,
                               args.in, args.hidden, columns, ordered);
  if (!status.ok()) return status;
  const Operand<true> gates{steps.gates + columns.input(), frames, columns.row(), 0};
  const Operand<false> weights{ordered, args.in, args.in, 0};
  return product(exec, gates, weights, Result{args.gradX.data, frames, args.in}, depth, 1);
}

}  // namespace

Status gru(const GruArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.n == 0 || args.t == 0 || args.hidden == 0) return {};
  const i64 gates = args.directions * 3 * args.hidden;
  float* input = exec.array<float>(args.n * args.t * gates);
  if (input == nullptr) return out_of_device_memory();
  const Operand<true> x{args.x.data, args.n * args.t, args.in, 0};
  const Operand<true> w_ih{args.wIh.data, gates, args.in, 0};
  Status status = product(exec, x, w_ih, Result{input, args.n * args.t, gates}, args.in, 1);

  ForwardSteps steps{};
  steps.shape = shape_of(args.n, args.t, args.hidden, args.directions);
  steps.weights = cut(3 * args.hidden, args.hidden);
  steps.input = input, steps.bIh = args.bIh.data, steps.bHh = args.bHh.data;
  steps.out = args.out.data, steps.saved = args.saved.data;
  if (status.ok()) {
    status = pack(exec, steps.weights, args.wHh.data, 3 * args.hidden, args.hidden, args.hidden, 1,
                  args.directions);
  }
  if (!status.ok()) return status;
  const int clips = clips_of(exec, args.n, args.hidden, args.directions);
  return clips == 4   ? run_forward<4>(exec, steps)
         : clips == 2 ? run_forward<2>(exec, steps)
                      : run_forward<1>(exec, steps);
}

Status gru_backward(const GruBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  if (args.n == 0 || args.t == 0 || args.hidden == 0) {  // what there is to write are sums of nothing
    const F32Out all[] = {args.gradX, args.gradWIh, args.gradWHh, args.gradBIh, args.gradBHh};
    for (const F32Out& grad : all) {
      if (!grad || grad.size == 0) continue;
      const auto bytes = static_cast<std::size_t>(grad.size) * sizeof(float);
      const Status status = status_of(cudaMemsetAsync(grad.data, 0, bytes, exec.stream));
      if (!status.ok()) return status;
    }
    return {};
  }
  const i64 frames = args.n * args.t;
  BackwardSteps steps{};
  steps.shape = shape_of(args.n, args.t, args.hidden, args.directions);
  steps.columns = {static_cast<int>((args.hidden + 3) / 4 * 4), static_cast<int>(args.directions)};
  steps.weights = cut(args.hidden, 3 * args.hidden);
  steps.out = args.out.data, steps.saved = args.saved.data, steps.grad_out = args.gradOut.data;
  steps.gates = exec.array<float>(frames * steps.columns.row());
  steps.before = exec.array<float>(args.directions * frames * steps.columns.pitch);
  steps.biases = exec.array<float>(args.directions * args.n * 4 * args.hidden);
  if (!steps.gates || !steps.before || !steps.biases) return out_of_device_memory();
  Status status =
      pack(exec, steps.weights, args.wHh.data, args.hidden, 3 * args.hidden, 1, args.hidden, args.directions);
  if (!status.ok()) return status;
  const int clips = clips_of(exec, args.n, steps.columns.pitch, args.directions);
  status = clips == 4   ? run_backward<4>(exec, steps)
           : clips == 2 ? run_backward<2>(exec, steps)
                        : run_backward<1>(exec, steps);
  if (status.ok()) status = weight_gradients(exec, args, steps);
  if (status.ok() && args.gradX) status = input_gradient(exec, args, steps);
  return status;
}

}  // namespace sonotext::cuda
