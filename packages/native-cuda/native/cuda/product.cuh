// Tiled matrix products in FP32: the kernel around tile_product(), what it does with the sums, and the choice
// of tiles and of parts of the depth.
#pragma once

#include "tile_product.cuh"

namespace sonotext::cuda {

// data = act(alpha · product + beta · data + bias), row-major; data is not read when beta is 0.
struct Result {
  float* data;  // [rows × cols]
  i64 rows, cols;
  i64 batch_stride = 0;
  float alpha = 1.0f, beta = 0.0f;
  const float* bias = nullptr;  // [cols] or none
  float slope = 1.0f;           // leaky ReLU; 1 = none

  __device__ float finished(float x, float old, i64 col) const {
    x *= alpha;
    if (beta != 0.0f) x = fmaf(beta, old, x);
    if (bias != nullptr) x += bias[col];
    return x > 0.0f ? x : slope * x;
  }
};

// The tiles of a product in an order that keeps those of neighbouring blocks close in both dimensions, so
// that what blocks share of the operands is still in the cache: bands of 16 tiles' height, column by column.
struct TileOrder {
  i64 rows, cols;  // of tiles

  static constexpr int kBand = 16;

  __device__ void at(i64 index, i64& row, i64& col) const {
    const i64 band = index / (kBand * cols), first = band * kBand;
    const i64 height = rows - first < kBand ? rows - first : kBand;
    const i64 within = index - first * cols;
    row = first + within % height, col = within / height;
  }
};

// How a product is cut: into tiles, and its depth into parts whose sums are added up afterwards where there
// are fewer tiles than the GPU has room for.
struct Cut {
  TileOrder tiles;
  i64 batch, parts, depth_each, depth;

  __device__ i64 begin(i64 part) const { return part * depth_each; }
  __device__ i64 end(i64 part) const {
    return part * depth_each + depth_each < depth ? part * depth_each + depth_each : depth;
  }
};

// What becomes of a tile's sums: finish(sums, slice, first row, first column, exchange). Slices are the parts
// of the batch's matrices; `exchange` is kExchangeBytes of shared memory.
//
// Writes them to memory:
template <class TileT>
struct WriteSums {
  static constexpr int kExchangeBytes = 0;
  Result result;
  bool vectors;  // accesses of kVector floats are possible

  explicit WriteSums(const Result& result)
      : result(result), vectors(takes_vectors(result.data, result.cols, result.batch_stride)) {}

  __device__ void operator()(typename TileT::Sums& sums, i64 slice, i64 first_row, i64 first_col,
                             void*) const {
    float* data = result.data + slice * result.batch_stride;
#pragma unroll
    for (int i = 0; i < TileT::kOwnRows; ++i) {
      const i64 row = first_row + TileT::row(i);
      if (row >= result.rows) continue;
#pragma unroll
      for (int j = 0; j < TileT::kOwnCols; j += TileT::kVector) {
        const i64 col = first_col + TileT::col(j);
        float* out = data + row * result.cols + col;
        float x[TileT::kVector];
        if (vectors && col < result.cols) {
          load_vector(out, result.beta != 0.0f, x);
#pragma unroll
          for (int e = 0; e < TileT::kVector; ++e)
            x[e] = result.finished(TileT::at(sums, i, j + e), x[e], col + e);
          store_vector(x, out);
        } else {
#pragma unroll
          for (int e = 0; e < TileT::kVector; ++e) {
            if (col + e >= result.cols) continue;
            out[e] = result.finished(TileT::at(sums, i, j + e), result.beta != 0.0f ? out[e] : 0.0f, col + e);
          }
        }
      }
    }
  }

 private:
  __device__ static void load_vector(const float* from, bool wanted, float (&x)[4]) {
    const float4 four = wanted ? *reinterpret_cast<const float4*>(from) : make_float4(0, 0, 0, 0);
    x[0] = four.x, x[1] = four.y, x[2] = four.z, x[3] = four.w;
  }
  __device__ static void load_vector(const float* from, bool wanted, float (&x)[2]) {
    const float2 two = wanted ? *reinterpret_cast<const float2*>(from) : make_float2(0, 0);
    x[0] = two.x, x[1] = two.y;
  }
  __device__ static void store_vector(const float (&x)[4], float* to) {
    *reinterpret_cast<float4*>(to) = make_float4(x[0], x[1], x[2], x[3]);
  }
  __device__ static void store_vector(const float (&x)[2], float* to) {
    *reinterpret_cast<float2*>(to) = make_float2(x[0], x[1]);
  }
};

// MakeA, MakeB: loaders made from (batch, first row of the tile).
template <class TileT, class MakeA, class MakeB, class Finish>
__global__ void __launch_bounds__(TileT::kThreads, TileT::kBlocks)
    product_kernel(MakeA make_a, MakeB make_b, Cut cut, Finish finish) {
  static_assert(Finish::kExchangeBytes <= TileT::kSharedBytes);
  SONOTEXT_DYNAMIC_SHARED(float, shared);
  const i64 tiles = cut.tiles.rows * cut.tiles.cols;
  const i64 slice = blockIdx.x / tiles, batch = slice / cut.parts, part = slice % cut.parts;
  i64 row, col;
  cut.tiles.at(blockIdx.x % tiles, row, col);
  row *= TileT::kRows, col *= TileT::kCols;
  typename TileT::Sums sums = {};
  tile_product<TileT>(make_a.template at<TileT::kRows, TileT::kThreads>(batch, row),
                      make_b.template at<TileT::kCols, TileT::kThreads>(batch, col), cut.begin(part),
                      cut.end(part), shared, sums);
  if (Finish::kExchangeBytes > 0) __syncthreads();  // the operands were read by all
  finish(sums, slice, row, col, shared);
}

template <class TileT, class MakeA, class MakeB, class Finish>
Status launch_product(CudaExec& exec, const MakeA& a, const MakeB& b, const Cut& cut, const Finish& finish) {
  return launch_with_shared(exec, product_kernel<TileT, MakeA, MakeB, Finish>,
                            cut.tiles.rows * cut.tiles.cols * cut.batch * cut.parts, TileT::kThreads,
                            TileT::kSharedBytes, a, b, cut, finish);
}

// result[i] = Σ of parts[i], in their order, for every matrix of the batch; parts is [batch × count × rows ×
// cols].
Status add_parts(CudaExec& exec, const float* parts, i64 count, const Result& result, i64 batch);

template <bool kDepthContiguous>
struct MakeMatrixLoader {
  Operand<kDepthContiguous> matrix;
  bool vectors;

  explicit MakeMatrixLoader(const Operand<kDepthContiguous>& m)
      : matrix(m), vectors(takes_vectors(m.data, m.stride, m.batch_stride)) {}

  template <int kExtent, int kThreads>
  __device__ MatrixLoader<kDepthContiguous, kExtent, kThreads> at(i64 batch, i64 first) const {
    return MatrixLoader<kDepthContiguous, kExtent, kThreads>(matrix, batch, first, vectors);
  }
};

template <class TileT, class MakeA, class MakeB>
Status product_with_tile(CudaExec& exec, const MakeA& a, const MakeB& b, const Result& result, i64 depth,
                         i64 batch) {
  const i64 rows = (result.rows + TileT::kRows - 1) / TileT::kRows,
            cols = (result.cols + TileT::kCols - 1) / TileT::kCols;
  const i64 tiles = rows * cols * batch, room = static_cast<i64>(exec.multiprocessors) * TileT::kBlocks;
  // Parts of at least 256, so that adding them up is little beside making them.
  const i64 steps = (depth + kDepth - 1) / kDepth, most = steps / 8;
  const i64 parts = tiles >= room || most <= 1 ? 1 : room / tiles < most ? room / tiles : most;
  const i64 depth_each = (steps + parts - 1) / parts * kDepth;
  Cut cut{{rows, cols}, batch, depth > 0 ? (depth + depth_each - 1) / depth_each : 1, depth_each, depth};
  Result target = result;
  const i64 size = result.rows * result.cols;
  if (cut.parts > 1) {
    target = Result{exec.array<float>(size * batch * cut.parts), result.rows, result.cols, size};
    if (target.data == nullptr) return out_of_device_memory();
  }
  const Status status = launch_product<TileT>(exec, a, b, cut, WriteSums<TileT>(target));
  if (!status.ok() || cut.parts == 1) return status;
  const Status added = add_parts(exec, target.data, cut.parts, result, batch);
  exec.release(target.data);
  return added;
}

// Time of a product in tiles of rows × cols, in arbitrary units: whole waves of as many tiles as the GPU has
// room for. A smaller tile reads more for the same work.
inline double tile_cost(const CudaExec& exec, i64 rows, i64 cols, i64 tile_rows, i64 tile_cols, i64 batch,
                        i64 depth, double reading) {
  const double tiles = static_cast<double>((rows + tile_rows - 1) / tile_rows) *
                       static_cast<double>((cols + tile_cols - 1) / tile_cols) * static_cast<double>(batch);
  const double warps = static_cast<double>(tile_rows * tile_cols / 4096);
  const double room = static_cast<double>(exec.multiprocessors) * 8.0 / warps;
  // The depth fills the room too.
  const double parts = static_cast<double>(depth) / (8 * kDepth);
  if (tiles * (parts > 1.0 ? parts : 1.0) >= room && tiles < room) return tiles / room * reading;
  return std::ceil(tiles / room) * reading;
}

// result[i] = a[i]·b[i]ᵀ for every matrix of the batch, as Result says. MakeA and MakeB make loaders.
template <class MakeA, class MakeB>
Status product_of(CudaExec& exec, const MakeA& a, const MakeB& b, const Result& result, i64 depth,
                  i64 batch) {
  if (result.rows == 0 || result.cols == 0 || batch == 0) return {};
  const auto cost = [&](i64 rows, i64 cols, double reading) {
    return tile_cost(exec, result.rows, result.cols, rows, cols, batch, depth, reading);
  };
  const double large = cost(128, 128, 1.0), flat = cost(128, 64, 1.05), small = cost(64, 64, 1.15);
  if (large <= flat && large <= small) return product_with_tile<Tile<2, 2>>(exec, a, b, result, depth, batch);
  if (flat <= small) return product_with_tile<Tile<2, 1>>(exec, a, b, result, depth, batch);
  return product_with_tile<Tile<1, 1>>(exec, a, b, result, depth, batch);
}

// result[i] = a[i]·b[i]ᵀ of matrices in memory, whichever of their dimensions is contiguous.
Status product(CudaExec& exec, const Operand<true>& a, const Operand<true>& b, const Result& result,
               i64 depth, i64 batch);
Status product(CudaExec& exec, const Operand<true>& a, const Operand<false>& b, const Result& result,
               i64 depth, i64 batch);
Status product(CudaExec& exec, const Operand<false>& a, const Operand<true>& b, const Result& result,
               i64 depth, i64 batch);
Status product(CudaExec& exec, const Operand<false>& a, const Operand<false>& b, const Result& result,
               i64 depth, i64 batch);

}  // namespace sonotext::cuda
