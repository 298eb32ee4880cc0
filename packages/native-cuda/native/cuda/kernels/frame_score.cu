// Products of frames and words in tiles. The forward op reduces a tile while it is in registers, over the
// rows of 64 frames or over the words of a caption; what is left is small and reduced by a second kernel. The
// backward op makes the matrix of weights that the products have in the gradients, for some clips at a time,
// and multiplies it with the words and the frames.
#include <vector>

#include "../entries.hpp"
#include "../packed.cuh"

namespace sonotext::cuda {
namespace {

constexpr int kBlock = 64;  // frames of one clip, the rows of a warp
constexpr int kMean = 0, kMaxOverFrames = 1, kMaxOverWords = 2;

// Frames first ... first + rows - 1 of a clip, of which the first `true_rows` are not padding.
struct FrameBlock {
  std::int32_t clip, first, rows, true_rows;
};

// Words of one caption that stand in the same 64 columns of the product.
struct Segment {
  std::int32_t first, end;
};

// What the batch is cut into, on the device.
struct Batch {
  const float* frames;  // [clips × max_frames × d]
  const float* words;   // [columns × d]: the true words of all captions
  i64 d, max_frames, columns, captions;
  const FrameBlock* blocks;
  const std::int32_t* first_block;   // [clips + 1]
  const std::int32_t* caption;       // [columns]
  const std::int32_t* first_column;  // [captions + 1]
  const Segment* segments;
  const std::int32_t* first_segment;  // [captions + 1]
  const std::int32_t* group_segment;  // [groups of 64 columns + 1]
  const std::int32_t* frame_lengths;
};

__device__ inline float relu(float x) { return x < 0.0f ? 0.0f : x; }  // keeps NaN
__device__ inline float max_or_nan(float a, float b) { return b > a || b != b ? b : a; }

// Rows of blocks of frames; see tile_product.cuh.
template <int kExtent, int kThreads>
class FrameLoader {
 public:
  static constexpr Layout kLayout = Layout::rows;

  __device__ FrameLoader(const Batch& batch, const FrameBlock* blocks, i64 count, i64 first, bool vectors)
      : base_(batch.frames), stride_(batch.d), vectors_(vectors) {
    const int thread = static_cast<int>(threadIdx.x);
    row_ = thread / kAcross, k_ = thread % kAcross * kChunk;
#pragma unroll
    for (int g = 0; g < kGroups; ++g) {
      const bool exists = first + g < count;
      const FrameBlock block = blocks[exists ? first + g : 0];
      data_[g] = batch.frames + (block.clip * batch.max_frames + block.first + row_) * stride_;
      left_[g] = exists ? block.true_rows - row_ : 0;
    }
  }

  __device__ void load(float* buffer, i64 step, i64 end) const {
#pragma unroll
    for (int l = 0; l < kLoads; ++l) {
      const int group = l * kPass / kBlock, row = l * kPass % kBlock;
      const i64 have = row < left_[group] ? end - step - k_ : 0;
      const float* from = have > 0 ? data_[group] + row * stride_ + step + k_ : base_;
      copy_chunk(buffer + place<kLayout, kExtent>(row_ + l * kPass, k_), from, have, vectors_);
    }
  }

 private:
  static constexpr int kGroups = kExtent / kBlock;
  static constexpr int kAcross = kDepth / kChunk;
  static constexpr int kPass = kThreads / kAcross;
  static constexpr int kLoads = kExtent * kDepth / kChunk / kThreads;

  const float* base_;
  const float* data_[kGroups];
  int left_[kGroups];
  i64 stride_;
  int row_, k_;
  bool vectors_;
};

// The tile of this block: its place, and the sums of products.
template <class TileT>
struct FrameTile {
  i64 block, column;  // the first ones
  const FrameBlock* blocks;
  i64 count;

  __device__ FrameTile(const FrameBlock* blocks, i64 count, TileOrder order) : blocks(blocks), count(count) {
    int row, col;
    order.at(static_cast<int>(blockIdx.x), row, col);
    block = static_cast<i64>(row) * (TileT::kRows / kBlock), column = static_cast<i64>(col) * TileT::kCols;
  }

  __device__ void multiply(const Batch& batch, float* shared, bool vectors,
                           typename TileT::Sums& sums) const {
    const Operand<true> words{batch.words, batch.columns, batch.d, 0};
    tile_product<TileT>(FrameLoader<TileT::kRows, TileT::kThreads>(batch, blocks, count, block, vectors),
                        MatrixLoader<true, TileT::kCols, TileT::kThreads>(words, 0, column, vectors), 0,
                        batch.d, shared, sums);
  }

  // Of this warp.
  __device__ i64 own_block() const { return block + TileT::row(0) / kBlock; }
  __device__ i64 own_column() const { return column + TileT::col(0) / 64 * 64; }
};

// Reduces values over the 8 lanes of a warp that have the same columns, half of the values at a time; those
// that become this lane's follow values[0] there and are those from the returned one on before.
template <int kMask, int kHave, int kCount, class Combine>
__device__ int reduce_lanes(float (&values)[kCount], Combine combine) {
  const bool upper = (threadIdx.x & kMask) != 0;
#pragma unroll
  for (int i = 0; i < kHave / 2; ++i) {
    const float kept = upper ? values[i + kHave / 2] : values[i];
    const float sent = upper ? values[i] : values[i + kHave / 2];
    const float other = __shfl_xor_sync(0xffffffffu, sent, kMask);
    values[i] = upper ? combine(other, kept) : combine(kept, other);
  }
  const int own = upper ? kHave / 2 : 0;
  if constexpr (kMask == 4) {
    return own;
  } else {
    return own + reduce_lanes<kMask / 2, kHave / 2>(values, combine);
  }
}

// STSQ and MTSQ: partial[block, column] = the sum or maximum over the block's frames.
template <class TileT, bool kMaximum>
__global__ void __launch_bounds__(TileT::kThreads, TileT::kBlocks)
    reduce_frames(Batch batch, i64 first_block, i64 count, TileOrder order, bool vectors, float* partial) {
  SONOTEXT_DYNAMIC_SHARED(float, shared);
  const FrameTile<TileT> tile(batch.blocks + first_block, count, order);
  typename TileT::Sums sums = {};
  tile.multiply(batch, shared, vectors, sums);
  const i64 block = tile.own_block();
  const int rows = block < count ? tile.blocks[block].true_rows : 0;
  const auto combine = [](float a, float b) { return kMaximum ? max_or_nan(a, b) : a + b; };
  float values[TileT::kOwnCols];
#pragma unroll
  for (int j = 0; j < TileT::kOwnCols; ++j) {
    values[j] = 0.0f;
#pragma unroll
    for (int i = 0; i < TileT::kOwnRows; ++i) {
      const float x = TileT::row(i) % kBlock < rows ? relu(sums[i][j]) : 0.0f;
      values[j] = combine(values[j], x);
    }
  }
  const int own = reduce_lanes<16, TileT::kOwnCols>(values, combine);
  if (block >= count) return;
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    const i64 column = tile.own_column() + (own + j) / 4 * 16 + TileT::lane_col() * 4 + (own + j) % 4;
    if (column < batch.columns) partial[block * batch.columns + column] = values[j];
  }
}

// MQST: partial[segment, block, frame] = the maximum over the segment's words.
template <class TileT>
__global__ void __launch_bounds__(TileT::kThreads, TileT::kBlocks)
    reduce_words(Batch batch, i64 first_block, i64 count, TileOrder order, bool vectors, float* partial) {
  SONOTEXT_DYNAMIC_SHARED(float, shared);
  const FrameTile<TileT> tile(batch.blocks + first_block, count, order);
  typename TileT::Sums sums = {};
  tile.multiply(batch, shared, vectors, sums);
  __syncthreads();
  // The warp's 64 × 64 scores; columns are exchanged within a row, so that the rows of one column lie in
  // different banks.
  float* const scores = shared + TileT::warp() * kBlock * 64;
#pragma unroll
  for (int i = 0; i < TileT::kOwnRows; ++i) {
    const int row = TileT::row(i) % kBlock;
#pragma unroll
    for (int j = 0; j < TileT::kOwnCols; ++j)
      scores[row * 64 + (TileT::col(j) % 64 ^ row % kWarp)] = sums[i][j];
  }
  __syncthreads();
  const i64 block = tile.own_block(), column = tile.own_column();
  if (block >= count || column >= batch.columns) return;
  const i64 group = column / 64;
  for (int s = batch.group_segment[group]; s < batch.group_segment[group + 1]; ++s) {
    const int first = static_cast<int>(batch.segments[s].first - column),
              end = static_cast<int>(batch.segments[s].end - column);
    for (int row = static_cast<int>(threadIdx.x) % kWarp; row < kBlock; row += kWarp) {
      float most = 0.0f;
      for (int c = first; c < end; ++c) most = max_or_nan(most, scores[row * 64 + (c ^ row % kWarp)]);
      partial[(s * count + block) * kBlock + row] = most;
    }
  }
}

__device__ inline float warp_sum(float x) {
  for (int half = kWarp / 2; half > 0; half /= 2) x += __shfl_xor_sync(0xffffffffu, x, half);
  return x;
}

// A warp per pair.
template <int kReduction>
__global__ void __launch_bounds__(128)
    reduce_partial(Batch batch, i64 first_clip, i64 clips, const float* partial, i64 all_clips, bool turned,
                   float* out) {
  const i64 pair = static_cast<i64>(blockIdx.x) * (128 / kWarp) + threadIdx.x / kWarp;
  if (pair >= clips * batch.captions) return;
  const i64 clip = first_clip + pair / batch.captions, caption = pair % batch.captions;
  const int lane = static_cast<int>(threadIdx.x) % kWarp, base = batch.first_block[first_clip];
  const int first = batch.first_block[clip] - base, end = batch.first_block[clip + 1] - base;
  const int words = batch.first_column[caption + 1] - batch.first_column[caption];
  const int frames = batch.frame_lengths[clip];
  float total = 0.0f;
  if constexpr (kReduction == kMaxOverWords) {
    const i64 rows = static_cast<i64>(batch.first_block[first_clip + clips] - base) * kBlock;
    for (int t = lane; t < frames; t += kWarp) {
      float most = 0.0f;
      for (int s = batch.first_segment[caption]; s < batch.first_segment[caption + 1]; ++s) {
        most = max_or_nan(most, partial[s * rows + first * kBlock + t]);
      }
      total += most;
    }
  } else {
    for (int w = lane; w < words; w += kWarp) {
      const float* from = partial + batch.first_column[caption] + w;
      float x = 0.0f;
      for (int b = first; b < end; ++b) {
        const float y = from[b * batch.columns];
        x = kReduction == kMean ? x + y : max_or_nan(x, y);
      }
      total += x;
    }
  }
  total = warp_sum(total);
  const float share = kReduction == kMean ? static_cast<float>(frames) * static_cast<float>(words)
                                          : static_cast<float>(kReduction == kMaxOverFrames ? words : frames);
  const i64 at = turned ? caption * all_clips + clip : clip * batch.captions + caption;
  if (lane == 0) out[at] = frames > 0 && words > 0 ? total / share : 0.0f;
}

// Rows `index` of a matrix, one after the other; or the other way round, zeros for the others (rows of
// `index` -1).
__global__ void take_rows(const float* from, const std::int32_t* index, i64 rows, i64 d, float* to) {
  const i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= rows * d) return;
  const i64 row = index[at / d];
  to[at] = row < 0 ? 0.0f : from[row * d + at % d];
}

Status take(CudaExec& exec, const float* from, const std::int32_t* index, i64 rows, i64 d, float* to) {
  return launch(exec, take_rows, (rows * d + 255) / 256, 256, from, index, rows, d, to);
}

// The lengths of a batch, and the tables made from them.
struct Lengths {
  i64 clips, captions, max_frames, max_words, d;
  const I32In& frames;
  const I32In& words;
};

struct Tables {
  std::vector<FrameBlock> blocks;
  std::vector<std::int32_t> first_block{0}, caption, first_column{0}, first_segment{0}, group_segment{0};
  std::vector<std::int32_t> source;  // where each column's word stands in `words`
  std::vector<Segment> segments;

  // With `padding`, the blocks hold the padded frames too.
  Tables(const Lengths& lengths, bool padding, int block = kBlock) {
    for (i64 i = 0; i < lengths.clips; ++i) {
      const std::int32_t length = lengths.frames[i];
      const auto all = padding ? static_cast<std::int32_t>(lengths.max_frames) : length;
      for (std::int32_t t = 0; t < all; t += block) {
        const auto within = [&](std::int32_t end) {
          return end - t < 0 ? 0 : end - t < block ? end - t : block;
        };
        blocks.push_back({static_cast<std::int32_t>(i), t, within(all), within(length)});
      }
      first_block.push_back(static_cast<std::int32_t>(blocks.size()));
    }
    std::int32_t column = 0;
    for (i64 j = 0; j < lengths.captions; ++j) {
      for (std::int32_t w = 0; w < lengths.words[j]; ++w, ++column) {
        caption.push_back(static_cast<std::int32_t>(j));
        source.push_back(static_cast<std::int32_t>(j * lengths.max_words + w));
        if (w == 0 || column % 64 == 0) segments.push_back({column, column});
        segments.back().end = column + 1;
        if (column % 64 == 0 && column > 0)
          group_segment.push_back(static_cast<std::int32_t>(segments.size()) - 1);
      }
      first_column.push_back(column);
      first_segment.push_back(static_cast<std::int32_t>(segments.size()));
    }
    group_segment.push_back(static_cast<std::int32_t>(segments.size()));
  }

  i64 columns() const { return static_cast<i64>(source.size()); }
};

template <class T>
const T* constant(CudaExec& exec, const std::vector<T>& values) {
  return exec.constant(values.data(), static_cast<i64>(values.size()));
}

bool all_are(const I32In& lengths, i64 value) {
  for (i64 i = 0; i < lengths.size; ++i) {
    if (lengths[i] != value) return false;
  }
  return true;
}

// The batch on the device, the words one behind the other.
Status place(CudaExec& exec, const Lengths& lengths, const Tables& tables, const float* frames,
             const float* words, Batch& batch) {
  batch.frames = frames, batch.words = words;
  batch.d = lengths.d, batch.max_frames = lengths.max_frames;
  batch.columns = tables.columns(), batch.captions = lengths.captions;
  batch.blocks = constant(exec, tables.blocks);
  batch.first_block = constant(exec, tables.first_block);
  batch.caption = constant(exec, tables.caption);
  batch.first_column = constant(exec, tables.first_column);
  batch.segments = constant(exec, tables.segments);
  batch.first_segment = constant(exec, tables.first_segment);
  batch.group_segment = constant(exec, tables.group_segment);
  batch.frame_lengths = exec.constant(lengths.frames);
  if (!batch.blocks || !batch.first_block || !batch.caption || !batch.first_column || !batch.segments ||
      !batch.first_segment || !batch.group_segment || !batch.frame_lengths)
    return out_of_device_memory();
  if (all_are(lengths.words, lengths.max_words)) return {};
  float* packed = exec.array<float>(batch.columns * batch.d);
  const std::int32_t* source = constant(exec, tables.source);
  if (packed == nullptr || source == nullptr) return out_of_device_memory();
  batch.words = packed;
  return take(exec, words, source, batch.columns, batch.d, packed);
}

bool too_many(const Lengths& lengths) {
  return lengths.clips * lengths.max_frames > INT32_MAX || lengths.captions * lengths.max_words > INT32_MAX;
}

// Calls run(tile, order) with the tile that suits so many blocks of frames and columns.
template <class Run>
Status with_tile(const CudaExec& exec, i64 blocks, i64 columns, Run run) {
  const i64 rows = blocks * kBlock;
  const auto cost = [&](i64 tile_rows, i64 tile_cols, double reading) {
    return tile_cost(exec, rows, columns, tile_rows, tile_cols, 1, 0, reading);
  };
  const auto order = [&](auto tile) {
    using TileT = decltype(tile);
    return TileOrder{static_cast<int>((rows + TileT::kRows - 1) / TileT::kRows),
                     static_cast<int>((columns + TileT::kCols - 1) / TileT::kCols)};
  };
  const double large = cost(128, 128, 1.0), flat = cost(128, 64, 1.05), small = cost(64, 64, 1.15);
  if (large <= flat && large <= small) return run(Tile<2, 2>{}, order(Tile<2, 2>{}));
  if (flat <= small) return run(Tile<2, 1>{}, order(Tile<2, 1>{}));
  return run(Tile<1, 1>{}, order(Tile<1, 1>{}));
}

bool takes_vectors(const Batch& batch) {
  return cuda::takes_vectors(batch.frames, batch.d, 0) && cuda::takes_vectors(batch.words, batch.d, 0);
}

// Clips from `first` on whose blocks take at most `bytes`, one at least.
i64 clips_within(const Tables& tables, i64 first, i64 clips, i64 block_bytes, i64 bytes) {
  i64 last = first + 1;
  const auto begin = static_cast<std::size_t>(first);
  while (last < clips &&
         (tables.first_block[static_cast<std::size_t>(last) + 1] - tables.first_block[begin]) * block_bytes <=
             bytes)
    ++last;
  return last - first;
}

// ---- on tensor cores

constexpr int kSmallBlock = 16;  // frames of one clip, the rows of a warp there

// Frames of blocks of kSmallBlock rows, zeros for those that are not there.
__global__ void take_blocks(Batch batch, const FrameBlock* blocks, i64 count, float* to) {
  const i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= count * kSmallBlock * batch.d) return;
  const i64 row = at / batch.d;
  const FrameBlock block = blocks[row / kSmallBlock];
  const int t = static_cast<int>(row % kSmallBlock);
  to[at] = t < block.true_rows
               ? batch.frames[(block.clip * batch.max_frames + block.first + t) * batch.d + at % batch.d]
               : 0.0f;
}

// What reduce_frames does with a tile.
template <class TileT, bool kMaximum>
struct ReduceRows {
  static constexpr int kExchangeBytes = 0;
  const FrameBlock* blocks;
  i64 count, columns;
  float* partial;

  __device__ void operator()(typename TileT::Sums& sums, i64, i64 first_row, i64 first_col, void*) const {
#pragma unroll
    for (int first = 0; first < TileT::kOwnRows; first += 2) {  // two of the rows are of a block
      const i64 block = (first_row + TileT::row(first)) / kSmallBlock;
      const int rows = block < count ? blocks[block].true_rows : 0;
      const auto combine = [](float a, float b) { return kMaximum ? max_or_nan(a, b) : a + b; };
      float values[TileT::kOwnCols];
#pragma unroll
      for (int j = 0; j < TileT::kOwnCols; ++j) {
        values[j] = 0.0f;
#pragma unroll
        for (int i = first; i < first + 2; ++i) {
          if (TileT::row(i) % kSmallBlock < rows) values[j] = combine(values[j], relu(TileT::at(sums, i, j)));
        }
      }
      const int own = reduce_lanes<16, TileT::kOwnCols>(values, combine);
      if (block >= count) return;
#pragma unroll
      for (int j = 0; j < TileT::kOwnCols / 8; ++j) {
        const i64 column = first_col + TileT::col(own + j);
        if (column < columns) partial[block * columns + column] = values[j];
      }
    }
  }
};

// With rounded operands. The best words are found as the best frames are, words and frames exchanged.
template <class Number>
Status frame_score_packed(const FrameScoreArgs& args, CudaExec& exec) {
  const bool turned = args.reduction == kMaxOverWords, mean = args.reduction == kMean;
  const Lengths straight{args.clips, args.captions,     args.maxFrames,  args.maxWords,
                         args.d,     args.frameLengths, args.wordLengths};
  const Lengths exchanged{args.captions, args.clips,       args.maxWords,    args.maxFrames,
                          args.d,        args.wordLengths, args.frameLengths};
  const Lengths& lengths = turned ? exchanged : straight;
  const Tables tables(lengths, false, kSmallBlock);
  Batch batch{};
  Status status = turned ? place(exec, lengths, tables, args.words.data, args.frames.data, batch)
                         : place(exec, lengths, tables, args.frames.data, args.words.data, batch);
  if (!status.ok()) return status;
  Packed columns{};
  if (batch.columns > 0) {
    status = pack<Number>(exec, Operand<true>{batch.words, batch.columns, batch.d, 0}, batch.d, 1,
                          PackedTile::kCols / kBlockRows, columns);
  }
  for (i64 clip = 0; status.ok() && clip < lengths.clips;) {
    if (exec.cancelled()) return {};
    const i64 clips = clips_within(tables, clip, lengths.clips, batch.columns * 4, exec.workspace);
    const i64 first = tables.first_block[static_cast<std::size_t>(clip)],
              count = tables.first_block[static_cast<std::size_t>(clip + clips)] - first;
    float* partial = exec.array<float>(batch.columns * count);
    float* frames = exec.array<float>(count * kSmallBlock * batch.d);
    if (!partial || !frames) return out_of_device_memory();
    const FrameBlock* blocks = batch.blocks + first;
    if (count > 0 && batch.columns > 0) {
      const i64 rows = count * kSmallBlock;
      status = launch(exec, take_blocks, (rows * batch.d + 255) / 256, 256, batch, blocks, count, frames);
      Packed packed{};
      if (status.ok()) {
        status = pack<Number>(exec, Operand<true>{frames, rows, batch.d, 0}, batch.d, 1, 1, packed);
      }
      const Cut cut((rows + PackedTile::kRows - 1) / PackedTile::kRows,
                    (batch.columns + PackedTile::kCols - 1) / PackedTile::kCols, 1, 1, columns.steps,
                    columns.steps);
      if (status.ok()) {
        status = with_tensor_tile(exec, [&](auto tile) {
          using TileT = decltype(tile);
          const ReduceRows<TileT, false> sum{blocks, count, batch.columns, partial};
          const ReduceRows<TileT, true> maximum{blocks, count, batch.columns, partial};
          return mean ? launch_packed<TileT, Number, false>(exec, packed, columns, cut, sum)
                      : launch_packed<TileT, Number, false>(exec, packed, columns, cut, maximum);
        });
      }
      exec.release(packed.data);
    }
    if (status.ok()) {
      status = launch(exec, mean ? reduce_partial<kMean> : reduce_partial<kMaxOverFrames>,
                      (clips * lengths.captions + 3) / 4, 128, batch, clip, clips, partial, lengths.clips,
                      turned, args.out.data);
    }
    exec.release(partial), exec.release(frames);
    clip += clips;
  }
  return status;
}

// ---- backward

// What the weights are made from.
struct Incoming {
  const float* grad_out;
  const std::int32_t* frame_lengths;
  const std::int32_t* first_column;
  i64 captions;
  int reduction;

  // The weight of a product that counts.
  __device__ float share(i64 clip, i64 caption) const {
    const auto words = static_cast<float>(first_column[caption + 1] - first_column[caption]);
    const auto frames = static_cast<float>(frame_lengths[clip]);
    const float cells = reduction == kMean ? frames * words : reduction == kMaxOverFrames ? words : frames;
    return grad_out[clip * captions + caption] / cells;
  }
};

// weights[frame, column], frames of the clips from that of the first block on: what the product has in the
// gradient of the mean, or the product itself. Zeros for padded frames.
template <class TileT, bool kIsMean>
__global__ void __launch_bounds__(TileT::kThreads, TileT::kBlocks)
    weigh(Batch batch, i64 first_block, i64 count, TileOrder order, bool vectors, Incoming incoming,
          float* weights) {
  SONOTEXT_DYNAMIC_SHARED(float, shared);
  const FrameTile<TileT> tile(batch.blocks + first_block, count, order);
  typename TileT::Sums sums = {};
  tile.multiply(batch, shared, vectors, sums);
  const i64 own = tile.own_block();
  if (own >= count) return;
  const FrameBlock block = tile.blocks[own];
  const i64 base = (block.clip - tile.blocks[0].clip) * batch.max_frames + block.first;
#pragma unroll
  for (int j = 0; j < TileT::kOwnCols; ++j) {
    const i64 column = tile.column + TileT::col(j);
    if (column >= batch.columns) continue;
    const float share = kIsMean ? incoming.share(block.clip, batch.caption[column]) : 0.0f;
#pragma unroll
    for (int i = 0; i < TileT::kOwnRows; ++i) {
      const int row = TileT::row(i) % kBlock;
      if (row >= block.rows) continue;
      const float x = row < block.true_rows ? sums[i][j] : 0.0f;
      weights[(base + row) * batch.columns + column] = kIsMean ? (x > 0.0f ? share : 0.0f) : x;
    }
  }
}

// Of every word in a clip, the first of the frames with its largest product, if that is above 0.
__global__ void __launch_bounds__(128)
    weigh_best_frames(Batch batch, i64 first_clip, i64 clips, Incoming incoming, float* products) {
  const i64 index = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= clips * batch.columns) return;
  const i64 clip = index / batch.columns, column = index % batch.columns;
  float* own = products + clip * batch.max_frames * batch.columns + column;
  float most = 0.0f;
  i64 best = -1;
  for (i64 t = 0; t < batch.max_frames; ++t) {
    const float x = own[t * batch.columns];
    if (x > most) most = x, best = t;
  }
  const float share = best < 0 ? 0.0f : incoming.share(first_clip + clip, batch.caption[column]);
  for (i64 t = 0; t < batch.max_frames; ++t) own[t * batch.columns] = t == best ? share : 0.0f;
}

// Of every caption at a frame, the first of the words with its largest product, if that is above 0.
__global__ void __launch_bounds__(128)
    weigh_best_words(Batch batch, i64 first_clip, i64 clips, Incoming incoming, float* products) {
  const i64 index = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= clips * batch.max_frames * batch.captions) return;
  const i64 row = index / batch.captions, caption = index % batch.captions;
  float* own = products + row * batch.columns;
  const int first = batch.first_column[caption], end = batch.first_column[caption + 1];
  float most = 0.0f;
  int best = -1;
  for (int c = first; c < end; ++c) {
    if (own[c] > most) most = own[c], best = c;
  }
  const float share = best < 0 ? 0.0f : incoming.share(first_clip + row / batch.max_frames, caption);
  for (int c = first; c < end; ++c) own[c] = c == best ? share : 0.0f;
}

// Frames of some clips with zeros for padding: what stands there may be NaN.
__global__ void take_true_frames(Batch batch, i64 first_clip, i64 clips, float* to) {
  const i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  const i64 clip_size = batch.max_frames * batch.d;
  if (at >= clips * clip_size) return;
  const i64 clip = first_clip + at / clip_size, t = at % clip_size / batch.d;
  to[at] = t < batch.frame_lengths[clip] ? batch.frames[first_clip * clip_size + at] : 0.0f;
}

}  // namespace

Status frame_score(const FrameScoreArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const Lengths lengths{args.clips, args.captions,     args.maxFrames,  args.maxWords,
                        args.d,     args.frameLengths, args.wordLengths};
  if (too_many(lengths)) return Status::unsupported("2³¹ frames or words");
  if (args.d == 0 || args.maxFrames == 0 || args.maxWords == 0) {
    const auto bytes = static_cast<std::size_t>(args.out.size) * sizeof(float);
    return status_of(cudaMemsetAsync(args.out.data, 0, bytes, exec.stream));
  }
  if (exec.precision == Precision::bf16) return frame_score_packed<Bf16>(args, exec);
  if (exec.precision == Precision::tf32) return frame_score_packed<Tf32>(args, exec);
  const Tables tables(lengths, false);
  Batch batch{};
  Status status = place(exec, lengths, tables, args.frames.data, args.words.data, batch);
  const bool vectors = takes_vectors(batch);
  const i64 each = args.reduction == kMaxOverWords ? static_cast<i64>(tables.segments.size()) * kBlock
                                                   : batch.columns;  // partial results of a block
  for (i64 clip = 0; status.ok() && clip < args.clips;) {
    if (exec.cancelled()) return {};
    const i64 clips = clips_within(tables, clip, args.clips, each * 4, exec.workspace);
    const i64 first = tables.first_block[static_cast<std::size_t>(clip)],
              count = tables.first_block[static_cast<std::size_t>(clip + clips)] - first;
    float* partial = exec.array<float>(each * count);
    if (partial == nullptr) return out_of_device_memory();
    status = with_tile(exec, count, batch.columns, [&](auto tile, TileOrder order) {
      using TileT = decltype(tile);
      const auto run = [&](auto kernel) {
        return launch_with_shared(exec, kernel, static_cast<i64>(order.rows) * order.cols, TileT::kThreads,
                                  TileT::kSharedBytes, batch, first, count, order, vectors, partial);
      };
      return args.reduction == kMean            ? run(reduce_frames<TileT, false>)
             : args.reduction == kMaxOverFrames ? run(reduce_frames<TileT, true>)
                                                : run(reduce_words<TileT>);
    });
    if (!status.ok()) break;
    const auto finish = [&](auto kernel) {
      return launch(exec, kernel, (clips * args.captions + 3) / 4, 128, batch, clip, clips, partial,
                    args.clips, false, args.out.data);
    };
    status = args.reduction == kMean            ? finish(reduce_partial<kMean>)
             : args.reduction == kMaxOverFrames ? finish(reduce_partial<kMaxOverFrames>)
                                                : finish(reduce_partial<kMaxOverWords>);
    clip += clips;
  }
  return status;
}

Status frame_score_backward(const FrameScoreBackwardArgs& args, Exec& base) {
  auto& exec = static_cast<CudaExec&>(base);
  const Lengths lengths{args.clips, args.captions,     args.maxFrames,  args.maxWords,
                        args.d,     args.frameLengths, args.wordLengths};
  if (too_many(lengths)) return Status::unsupported("2³¹ frames or words");
  const Tables tables(lengths, true);
  Batch batch{};
  Status status = place(exec, lengths, tables, args.frames.data, args.words.data, batch);
  const bool vectors = takes_vectors(batch), all_words = batch.words == args.words.data;
  const Incoming incoming{args.gradOut.data, batch.frame_lengths, batch.first_column, args.captions,
                          static_cast<int>(args.reduction)};
  const bool all_frames = all_are(args.frameLengths, args.maxFrames);
  const bool wants_words = args.gradWords && args.gradWords.size > 0;
  float* grad_words =
      all_words && wants_words ? args.gradWords.data : exec.array<float>(batch.columns * args.d);
  if (grad_words == nullptr) return out_of_device_memory();
  if (args.clips * args.maxFrames == 0 && status.ok()) {
    const auto bytes = static_cast<std::size_t>(batch.columns * args.d) * sizeof(float);
    status = status_of(cudaMemsetAsync(grad_words, 0, bytes, exec.stream));
  }
  for (i64 clip = 0; status.ok() && clip < args.clips && args.maxFrames > 0;) {
    if (exec.cancelled()) return {};
    const i64 clips = clips_within(tables, clip, args.clips, kBlock * batch.columns * 4, exec.workspace);
    const i64 first = tables.first_block[static_cast<std::size_t>(clip)],
              count = tables.first_block[static_cast<std::size_t>(clip + clips)] - first;
    const i64 frames = clips * args.maxFrames, begin = clip * args.maxFrames;
    float* weights = exec.array<float>(frames * batch.columns);
    if (weights == nullptr) return out_of_device_memory();
    status = with_tile(exec, count, batch.columns, [&](auto tile, TileOrder order) {
      using TileT = decltype(tile);
      const auto run = [&](auto kernel) {
        return launch_with_shared(exec, kernel, static_cast<i64>(order.rows) * order.cols, TileT::kThreads,
                                  TileT::kSharedBytes, batch, first, count, order, vectors, incoming,
                                  weights);
      };
      return args.reduction == kMean ? run(weigh<TileT, true>) : run(weigh<TileT, false>);
    });
    if (status.ok() && args.reduction == kMaxOverFrames) {
      status = launch(exec, weigh_best_frames, (clips * batch.columns + 127) / 128, 128, batch, clip, clips,
                      incoming, weights);
    }
    if (status.ok() && args.reduction == kMaxOverWords) {
      status = launch(exec, weigh_best_words, (frames * args.captions + 127) / 128, 128, batch, clip, clips,
                      incoming, weights);
    }
    if (status.ok() && args.gradFrames) {
      const Operand<true> by_frame{weights, frames, batch.columns, 0};
      const Operand<false> words{batch.words, args.d, args.d, 0};
      status = product(exec, by_frame, words, Result{args.gradFrames.data + begin * args.d, frames, args.d},
                       batch.columns, 1);
    }
    if (status.ok() && wants_words) {
      const Operand<false> by_word{weights, batch.columns, batch.columns, 0};
      Operand<false> own{args.frames.data + begin * args.d, args.d, args.d, 0};
      if (!all_frames) {
        float* copy = exec.array<float>(frames * args.d);
        if (copy == nullptr) return out_of_device_memory();
        status = launch(exec, take_true_frames, (frames * args.d + 255) / 256, 256, batch, clip, clips, copy);
        if (!status.ok()) break;
        own.data = copy;
      }
      Result sums{grad_words, batch.columns, args.d};
      sums.beta = clip > 0 ? 1.0f : 0.0f;
      status = product(exec, by_word, own, sums, frames, 1);
      if (!all_frames) exec.release(const_cast<float*>(own.data));
    }
    exec.release(weights);
    clip += clips;
  }
  if (!status.ok() || !wants_words || all_words) return status;
  std::vector<std::int32_t> row(static_cast<std::size_t>(args.captions * args.maxWords), -1);
  for (std::size_t c = 0; c < tables.source.size(); ++c) {
    row[static_cast<std::size_t>(tables.source[c])] = static_cast<std::int32_t>(c);
  }
  const std::int32_t* index = constant(exec, row);
  if (index == nullptr) return out_of_device_memory();
  return take(exec, grad_words, index, args.captions * args.maxWords, args.d, args.gradWords.data);
}

}  // namespace sonotext::cuda
