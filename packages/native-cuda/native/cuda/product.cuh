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
  int rows, cols;  // of tiles

  static constexpr int kBand = 16;

  __device__ void at(int index, int& row, int& col) const {
    const int band = index / (kBand * cols), first = band * kBand;
    const int height = rows - first < kBand ? rows - first : kBand;
    const int within = index - first * cols;
    row = first + within % height, col = within / height;
  }
};

// How a product is cut: into tiles, and its depth into parts whose sums are added up afterwards where there
// are fewer tiles than the GPU has room for. A slice is a part of a matrix of the batch.
struct Cut {
  TileOrder tiles;
  int batch, parts;
  i64 depth_each, depth;

  Cut(i64 tile_rows, i64 tile_cols, i64 batch, i64 parts, i64 depth_each, i64 depth)
      : tiles{static_cast<int>(tile_rows), static_cast<int>(tile_cols)},
        batch(static_cast<int>(batch)),
        parts(static_cast<int>(parts)),
        depth_each(depth_each),
        depth(depth) {}

  // Of all slices; as many as a grid has blocks at most.
  __host__ __device__ i64 count() const { return static_cast<i64>(tiles.rows) * tiles.cols * batch * parts; }
  static bool fits(i64 tile_rows, i64 tile_cols, i64 batch, i64 parts) {
    constexpr double kMost = INT32_MAX;
    return static_cast<double>(tile_rows) * static_cast<double>(tile_cols) * static_cast<double>(batch) *
               static_cast<double>(parts) <=
           kMost;
  }

  struct Piece {
    int slice, batch, row, col;  // row and column of the tile
    i64 begin, end;              // of the depth
  };
  __device__ Piece piece(int index) const {
    const int each = tiles.rows * tiles.cols;
    Piece at;
    at.slice = index / each, at.batch = at.slice / parts;
    tiles.at(index - at.slice * each, at.row, at.col);
    at.begin = (at.slice - at.batch * parts) * depth_each;
    at.end = at.begin + depth_each < depth ? at.begin + depth_each : depth;
    return at;
  }
};

inline Status too_many_tiles() { return Status::unsupported("more than 2³¹ tiles of a product"); }

// What becomes of a tile's sums: finish(sums, slice, first row, first column, exchange). Slices are the parts
// of the batch's matrices; `exchange` is kExchangeBytes of shared memory.
//
// Writes them to memory:
template <class TileT>
struct WriteSums {
  static constexpr int kExchangeBytes = TileT::kStagingBytes;
  Result result;
  bool vectors;  // 16-byte accesses are possible

  explicit WriteSums(const Result& result)
      : result(result), vectors(takes_vectors(result.data, result.cols, result.batch_stride)) {}

  __device__ void operator()(typename TileT::Sums& sums, i64 slice, i64 first_row, i64 first_col,
                             void* exchange) const {
    float* const data = result.data + slice * result.batch_stride;
    TileT::visit(sums, exchange, [&](int tile_row, int tile_col, const float4& four) {
      const i64 row = first_row + tile_row, col = first_col + tile_col;
      if (row >= result.rows || col >= result.cols) return;
      float* const out = data + row * result.cols + col;
      if (vectors) {
        float4 old = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        if (result.beta != 0.0f) old = *reinterpret_cast<const float4*>(out);
        *reinterpret_cast<float4*>(out) =
            make_float4(result.finished(four.x, old.x, col), result.finished(four.y, old.y, col + 1),
                        result.finished(four.z, old.z, col + 2), result.finished(four.w, old.w, col + 3));
        return;
      }
      const float x[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        if (col + e < result.cols)
          out[e] = result.finished(x[e], result.beta != 0.0f ? out[e] : 0.0f, col + e);
      }
    });
  }
};

// MakeA, MakeB: loaders made from (batch, first row of the tile).
template <class TileT, class MakeA, class MakeB, class Finish>
__global__ void __launch_bounds__(TileT::kThreads, TileT::kBlocks)
    product_kernel(MakeA make_a, MakeB make_b, Cut cut, Finish finish) {
  static_assert(Finish::kExchangeBytes <= TileT::kSharedBytes);
  SONOTEXT_DYNAMIC_SHARED(float, shared);
  const Cut::Piece at = cut.piece(static_cast<int>(blockIdx.x));
  const i64 row = static_cast<i64>(at.row) * TileT::kRows, col = static_cast<i64>(at.col) * TileT::kCols;
  typename TileT::Sums sums = {};
  tile_product<TileT>(make_a.template at<TileT::kRows, TileT::kThreads>(at.batch, row),
                      make_b.template at<TileT::kCols, TileT::kThreads>(at.batch, col), at.begin, at.end,
                      shared, sums);
  if (Finish::kExchangeBytes > 0) __syncthreads();  // the operands were read by all
  finish(sums, at.slice, row, col, shared);
}

template <class TileT, class MakeA, class MakeB, class Finish>
Status launch_product(CudaExec& exec, const MakeA& a, const MakeB& b, const Cut& cut, const Finish& finish) {
  return launch_with_shared(exec, product_kernel<TileT, MakeA, MakeB, Finish>, cut.count(), TileT::kThreads,
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
  if (!Cut::fits(rows, cols, batch, parts)) return too_many_tiles();
  const Cut cut(rows, cols, batch, depth > 0 ? (depth + depth_each - 1) / depth_each : 1, depth_each, depth);
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

// result[i] = a[i]·b[i]ᵀ of matrices in memory, whichever of their dimensions is contiguous; in FP32 where
// `exact`, in the precision that the device was opened with otherwise.
Status product(CudaExec& exec, const Operand<true>& a, const Operand<true>& b, const Result& result,
               i64 depth, i64 batch, bool exact = false);
Status product(CudaExec& exec, const Operand<true>& a, const Operand<false>& b, const Result& result,
               i64 depth, i64 batch, bool exact = false);
Status product(CudaExec& exec, const Operand<false>& a, const Operand<true>& b, const Result& result,
               i64 depth, i64 batch, bool exact = false);
Status product(CudaExec& exec, const Operand<false>& a, const Operand<false>& b, const Result& result,
               i64 depth, i64 batch, bool exact = false);

}  // namespace sonotext::cuda
