// Written by tools/ops.mjs from core/ops.def; not edited by hand.
import type { FloatBuffer } from './buffers.js'

/**
 * out[f, b] = log(Σ_i filter_b[i] · |FFT(window · pcm[f·hop - pad + (0..nFft-1)])[filterStart[b] + i]|^power).
 * The spectrum of a clip spans more than float32 resolves: in float64, the window comes with the part that rounding it to
 * float32 cut off (needed for 1e-3 in the log on real clips). What most libraries compute is precision float32, which the
 * reference does not follow.
 */
export interface LogMelArgs {
  /** [samples] mono; samples outside are given by padMode */
  pcm: FloatBuffer
  /** [2 × nFft] tap i is window[i] + window[nFft + i]: its float32 value, then the rounding's rest */
  window: FloatBuffer
  /** [bands] first FFT bin of each filter */
  filterStart: Int32Array
  /** [bands + 1], offsets of rows of filterWeights */
  filterOffset: Int32Array
  /** [weights] ragged, filterWeights[filterOffset[b] + i] belongs to bin filterStart[b] + i */
  filterWeights: FloatBuffer
  /** [frames × bands] */
  out: FloatBuffer
  nFft: number
  hop: number
  frames: number
  bands: number
  /** samples of padding before the first sample (nFft/2 when centred, else 0) */
  pad: number
  /** 0 zeros, 1 reflect; the edge sample is not repeated */
  padMode: number
  /** 1 magnitude, 2 power */
  power: number
  /** 0 none, 1 ln(x + offset), 2 ln(max(x, offset)), 3 10·log10(max(x, offset)) */
  logKind: number
  /** 0 float64, 1 float32; of windowed samples and their transform */
  precision: number
  offset: number
}

/**
 * Interleaved samples as a WAV holds them, to float32: out[r, i] is the mean of `count` channels of frame i from channel first + r·count on,
 * which is the channel itself for count 1. Integers are divided by 2^(8·width - 1) and rounded to float32; a mean of several is taken of
 * these in float64, in the order of the channels, and rounded once more.
 */
export interface PcmArgs {
  /** [frames × channels × width] */
  bytes: Uint8Array
  /** [rows × frames] */
  out: FloatBuffer
  frames: number
  channels: number
  /** bytes of a sample */
  width: number
  /** 1: of 32 bits, in place of integers */
  floats: number
  bigEndian: number
  first: number
  rows: number
  count: number
}

/**
 * Polyphase resampling by up/down: out[i] = Σ_{k < width} taps[phase, k] · pcm[⌊i·down/up⌋ - (width/2 - 1) + k] with
 * phase = (i·down) mod up; samples outside pcm are 0. Any number of outputs may be asked for.
 */
export interface ResampleArgs {
  /** [samples] */
  pcm: FloatBuffer
  /** [up × width] phase-major */
  taps: FloatBuffer
  /** [outSamples] */
  out: FloatBuffer
  up: number
  down: number
  /** out[i] is centred on input position i·down/up */
  width: number
}

/**
 * out[m×n] = act(alpha · op(a)·op(b) + beta · out + bias), op(a) is m×k, op(b) is k×n.
 */
export interface GemmArgs {
  /** [m × k] */
  a: FloatBuffer
  /** [k × n] */
  b: FloatBuffer
  /** [n] or null */
  bias: FloatBuffer | null
  /** [m × n] read only when beta != 0 */
  out: FloatBuffer
  m: number
  n: number
  k: number
  /** 1: a is stored k×m, b is stored n×k */
  transA: number
  /** 1: a is stored k×m, b is stored n×k */
  transB: number
  alpha: number
  beta: number
  /** leaky ReLU of this slope at the end; 1 = none, 0 = ReLU */
  slope: number
}

/**
 * out[b] [m×n] = alpha · op(a[b])·op(b[b]) for every matrix of the batch, op(a) is m×k, op(b) is k×n.
 */
export interface BatchedGemmArgs {
  /** [batch × m × k] */
  a: FloatBuffer
  /** [batch × k × n] */
  b: FloatBuffer
  /** [batch × m × n] */
  out: FloatBuffer
  batch: number
  m: number
  n: number
  k: number
  /** 1: a is stored k×m, b is stored n×k */
  transA: number
  /** 1: a is stored k×m, b is stored n×k */
  transB: number
  alpha: number
}

/**
 * out = x / max(‖x‖₂, eps) per row; norms keeps ‖x‖₂.
 */
export interface L2NormalizeArgs {
  /** [rows × cols] */
  x: FloatBuffer
  /** [rows × cols] */
  out: FloatBuffer
  /** [rows] */
  norms: FloatBuffer
  rows: number
  cols: number
  eps: number
}

/**
 * Arguments of `l2_normalize_backward`.
 */
export interface L2NormalizeBackwardArgs {
  /** [rows × cols] */
  out: FloatBuffer
  /** [rows] */
  norms: FloatBuffer
  /** [rows × cols] */
  gradOut: FloatBuffer
  /** [rows × cols] */
  gradX: FloatBuffer
  rows: number
  cols: number
  eps: number
}

/**
 * out[b] [n×m] = scale · a[b]·b[b]ᵀ for every matrix of the batch.
 */
export interface SimilarityArgs {
  /** [batch × n × d] */
  a: FloatBuffer
  /** [batch × m × d] */
  b: FloatBuffer
  /** [batch × n × m] */
  out: FloatBuffer
  batch: number
  n: number
  m: number
  d: number
  scale: number
}

/**
 * out[i, j] = reduce_{t < frameLengths[i], w < wordLengths[j]} max(0, frames[i, t] · words[j, w]).
 * STSQ is the mean over all entries, MTSQ the maximum over frames, then the mean over words, MQST the maximum over words,
 * then the mean over frames. A pair with no frames or no words scores 0.
 */
export interface FrameScoreArgs {
  /** [clips × maxFrames × d] */
  frames: FloatBuffer
  /** [captions × maxWords × d] */
  words: FloatBuffer
  /** [clips], from 0 to maxFrames */
  frameLengths: Int32Array
  /** [captions], from 0 to maxWords */
  wordLengths: Int32Array
  /** [clips × captions] */
  out: FloatBuffer
  clips: number
  captions: number
  maxFrames: number
  maxWords: number
  d: number
  /** 0 STSQ, 1 MTSQ, 2 MQST */
  reduction: number
}

/**
 * Recomputes the products; the sub-gradient of max picks the first maximum, of ReLU at 0 is 0.
 */
export interface FrameScoreBackwardArgs {
  /** [clips × maxFrames × d] */
  frames: FloatBuffer
  /** [captions × maxWords × d] */
  words: FloatBuffer
  /** [clips], from 0 to maxFrames */
  frameLengths: Int32Array
  /** [captions], from 0 to maxWords */
  wordLengths: Int32Array
  /** [clips × captions] */
  gradOut: FloatBuffer
  /** [clips × maxFrames × d] or null padding gets 0 */
  gradFrames: FloatBuffer | null
  /** [captions × maxWords × d] or null */
  gradWords: FloatBuffer | null
  clips: number
  captions: number
  maxFrames: number
  maxWords: number
  d: number
  /** 0 STSQ, 1 MTSQ, 2 MQST */
  reduction: number
}

/**
 * Rows rounded to few bits, for top_k to look through first: x ≈ scale·v per row, where v are signed bytes (bits = 8, |v| <= 127) or
 * half-precision numbers (bits = 16, |v| <= 1), four or two to a word, the first in the lowest bits, 0 past the end of a row.
 * error bounds ‖x - scale·v‖₂ and what float32 sums of products with a vector of length 1 round. Rows of numbers that are too large, too
 * small (beyond 10¹⁰ or all below 10⁻¹⁰) or none have v = 0, scale = 0 and the error ∞, rows of zeros the error 0.
 */
export interface QuantizeArgs {
  /** [rows × cols] */
  x: FloatBuffer
  /** [rows × ⌊(cols·bits + 31) / 32⌋] */
  out: Int32Array
  /** [rows × 2] scale, error */
  scales: FloatBuffer
  rows: number
  cols: number
  bits: number
}

/**
 * The k best items of each query by inner product, score descending, ties to the lower index; no full matrix is kept.
 * A score that is not a number ranks with -inf. Rows are filled with index -1 and score -inf past the number of items. What `quantize`
 * made of these items (bits = 32: nothing) only saves reading them: few queries meet it first, and those items whose bound reaches the
 * k best so far are scored by themselves, so that indices and scores are the same, bit for bit.
 */
export interface TopKArgs {
  /** [q × d] */
  queries: FloatBuffer
  /** [n × d] */
  items: FloatBuffer
  /** [n × ⌊(d·bits + 31) / 32⌋] or null */
  narrow: Int32Array | null
  /** [n × 2] or null */
  scales: FloatBuffer | null
  /** [q × k] */
  outIndices: Int32Array
  /** [q × k] */
  outScores: FloatBuffer
  q: number
  n: number
  d: number
  k: number
  /** 8 undefined, 16 undefined, 32 no narrow items */
  bits: number
}

/**
 * Value, statistics and gradients together. Hinge over picked negatives (CSR lists per anchor, clip × caption scores S):
 * L = 1/n Σ_i [ mean_{a ∈ audio(i)} [S_ai - S_ii + margin]₊ + mean_{t ∈ text(i)} [S_it - S_ii + margin]₊ ].
 */
export interface TripletArgs {
  /** [n × n] */
  scores: FloatBuffer
  /** [n + 1], offsets of rows of audioIndex */
  audioOffsets: Int32Array
  /** [audioPicks], from 0 to n - 1 */
  audioIndex: Int32Array
  /** [n + 1], offsets of rows of textIndex */
  textOffsets: Int32Array
  /** [textPicks], from 0 to n - 1 */
  textIndex: Int32Array
  /** [n × n] */
  gradScores: FloatBuffer
  /** [4] loss, share of active hinges, mean positive score, mean negative score */
  stats: FloatBuffer
  n: number
  margin: number
}

/**
 * S = audio·textᵀ / τ, τ = exp(logTemperature). L = 1/n Σ_i (toText · CE of row i over captions + toAudio · CE of column i
 * over clips). Items of the same group are left out of the denominators (positives = 0) or share the positive mass evenly
 * (positives = 1). Pair (i, j) is left out in both directions when j is in exclude(i). Soft targets are weights of the
 * pairs, all of them or those in target(i): a row's and a column's target puts the mass `hard` on its positives and 1 - hard on
 * its weights, in proportion; rows and columns without weights lack that mass. Without text, audio is the matrix of scores
 * itself. Streams slabs of rows: memory O(n·d) and at most 16 MB of the n×n scores, and as much of the targets (64 rows of
 * them where those are longer).
 */
export interface InfoNceArgs {
  /** [n × d] */
  audio: FloatBuffer
  /** [n × d] or null null: d = n and audio·textᵀ is audio */
  text: FloatBuffer | null
  /** [n] clip ids */
  groups: Int32Array
  /** [n + 1] or null, offsets of rows of excludeIndex */
  excludeOffsets: Int32Array | null
  /** [exclusions] or null, from 0 to n - 1 */
  excludeIndex: Int32Array | null
  /** [n × n] or null weights of clips × captions, not negative */
  targets: FloatBuffer | null
  /** [n + 1] or null, offsets of rows of targetIndex */
  targetOffsets: Int32Array | null
  /** [targeted] or null, from 0 to n - 1 */
  targetIndex: Int32Array | null
  /** [targeted] or null not negative; those of one place add up */
  targetWeights: FloatBuffer | null
  /** [1] */
  logTemperature: FloatBuffer
  /** [n × d] */
  gradAudio: FloatBuffer
  /** [n × d] or null null: as text */
  gradText: FloatBuffer | null
  /** [1] or null */
  gradLogTemperature: FloatBuffer | null
  /** [4] loss, audio→text top-1 accuracy, text→audio top-1 accuracy, mean positive cosine */
  stats: FloatBuffer
  n: number
  d: number
  /** 0 left out, 1 shared */
  positives: number
  /** 1 without targets */
  hard: number
  toText: number
  toAudio: number
}

/**
 * L = -1/n Σ_ij ln σ(z_ij · (audio_i·text_j / τ + bias)), τ = exp(logTemperature), z = 1 for positives, -1 for others. Items of the
 * same group are left out (positives = 0) or positives (positives = 1), pairs in exclude(i) are left out. Without text, audio is the
 * matrix of scores itself. Streams as info_nce does.
 */
export interface SigmoidPairArgs {
  /** [n × d] */
  audio: FloatBuffer
  /** [n × d] or null null: d = n and audio·textᵀ is audio */
  text: FloatBuffer | null
  /** [n] clip ids */
  groups: Int32Array
  /** [n + 1] or null, offsets of rows of excludeIndex */
  excludeOffsets: Int32Array | null
  /** [exclusions] or null, from 0 to n - 1 */
  excludeIndex: Int32Array | null
  /** [1] */
  logTemperature: FloatBuffer
  /** [1] */
  bias: FloatBuffer
  /** [n × d] */
  gradAudio: FloatBuffer
  /** [n × d] or null null: as text */
  gradText: FloatBuffer | null
  /** [1] or null */
  gradLogTemperature: FloatBuffer | null
  /** [1] or null */
  gradBias: FloatBuffer | null
  /** [4] loss, mean σ of positives, mean σ of others, mean positive cosine */
  stats: FloatBuffer
  n: number
  d: number
  /** 0 left out, 1 shared */
  positives: number
}

/**
 * Stride 1, zero padding (kh-1)/2, (kw-1)/2, no bias: out = leaky_relu(conv(x, w), slope); slope 1 = none.
 */
export interface Conv2dArgs {
  /** [n × h × w × cin] */
  x: FloatBuffer
  /** [kh × kw × cin × cout] */
  weight: FloatBuffer
  /** [n × h × w × cout] */
  out: FloatBuffer
  n: number
  h: number
  w: number
  cin: number
  cout: number
  kh: number
  kw: number
  slope: number
}

/**
 * Arguments of `conv2d_backward`.
 */
export interface Conv2dBackwardArgs {
  /** [n × h × w × cin] */
  x: FloatBuffer
  /** [kh × kw × cin × cout] */
  weight: FloatBuffer
  /** [n × h × w × cout] or null its sign gives the activation's mask; null when slope is 1 */
  out: FloatBuffer | null
  /** [n × h × w × cout] */
  gradOut: FloatBuffer
  /** [n × h × w × cin] or null */
  gradX: FloatBuffer | null
  /** [kh × kw × cin × cout] or null */
  gradWeight: FloatBuffer | null
  n: number
  h: number
  w: number
  cin: number
  cout: number
  kh: number
  kw: number
  slope: number
}

/**
 * Per channel over rows. training: batch statistics (biased variance), running averages updated with the unbiased one
 * (momentum as in PyTorch: new = (1-momentum)·old + momentum·batch); else running statistics.
 */
export interface BatchNormArgs {
  /** [rows × c] */
  x: FloatBuffer
  /** [c] */
  gamma: FloatBuffer
  /** [c] */
  beta: FloatBuffer
  /** [c] */
  runningMean: FloatBuffer
  /** [c] */
  runningVar: FloatBuffer
  /** [rows × c] */
  out: FloatBuffer
  /** [c] */
  savedMean: FloatBuffer
  /** [c] */
  savedInvStd: FloatBuffer
  rows: number
  c: number
  /** 0: the statistics are constants */
  training: number
  eps: number
  momentum: number
}

/**
 * Arguments of `batch_norm_backward`.
 */
export interface BatchNormBackwardArgs {
  /** [rows × c] */
  x: FloatBuffer
  /** [c] */
  gamma: FloatBuffer
  /** [c] */
  savedMean: FloatBuffer
  /** [c] */
  savedInvStd: FloatBuffer
  /** [rows × c] */
  gradOut: FloatBuffer
  /** [rows × c] or null */
  gradX: FloatBuffer | null
  /** [c] */
  gradGamma: FloatBuffer
  /** [c] */
  gradBeta: FloatBuffer
  rows: number
  c: number
  /** 0: the statistics are constants */
  training: number
}

/**
 * out = gamma · (x - mean) / √(variance + eps) + beta per row, with the biased variance; invStd keeps 1 / √(variance + eps).
 */
export interface LayerNormArgs {
  /** [rows × cols] */
  x: FloatBuffer
  /** [cols] */
  gamma: FloatBuffer
  /** [cols] */
  beta: FloatBuffer
  /** [rows × cols] */
  out: FloatBuffer
  /** [rows] */
  mean: FloatBuffer
  /** [rows] */
  invStd: FloatBuffer
  rows: number
  cols: number
  eps: number
}

/**
 * Arguments of `layer_norm_backward`.
 */
export interface LayerNormBackwardArgs {
  /** [rows × cols] */
  x: FloatBuffer
  /** [cols] */
  gamma: FloatBuffer
  /** [rows] */
  mean: FloatBuffer
  /** [rows] */
  invStd: FloatBuffer
  /** [rows × cols] */
  gradOut: FloatBuffer
  /** [rows × cols] or null */
  gradX: FloatBuffer | null
  /** [cols] */
  gradGamma: FloatBuffer
  /** [cols] */
  gradBeta: FloatBuffer
  rows: number
  cols: number
}

/**
 * out = exp(x) / Σ exp(x) over the first lengths[i] columns of every row of matrix i, over all without lengths; 0 in the others.
 */
export interface SoftmaxArgs {
  /** [n × rows × cols] */
  x: FloatBuffer
  /** [n] or null, from 0 to cols */
  lengths: Int32Array | null
  /** [n × rows × cols] */
  out: FloatBuffer
  n: number
  rows: number
  cols: number
}

/**
 * Arguments of `softmax_backward`.
 */
export interface SoftmaxBackwardArgs {
  /** [n] or null, from 0 to cols */
  lengths: Int32Array | null
  /** [n × rows × cols] */
  out: FloatBuffer
  /** [n × rows × cols] */
  gradOut: FloatBuffer
  /** [n × rows × cols] padding gets 0 */
  gradX: FloatBuffer
  n: number
  rows: number
  cols: number
}

/**
 * out = x > 0 ? x : slope·x. Slope 0 is ReLU.
 */
export interface LeakyReluArgs {
  /** [count] */
  x: FloatBuffer
  /** [count] */
  out: FloatBuffer
  slope: number
}

/**
 * gradX = out > 0 ? gradOut : slope·gradOut: the sign of out is the sign of x.
 */
export interface LeakyReluBackwardArgs {
  /** [count] */
  out: FloatBuffer
  /** [count] */
  gradOut: FloatBuffer
  /** [count] */
  gradX: FloatBuffer
  slope: number
}

/**
 * out = (Σ_window |x|^p)^(1/p), p a positive even integer, window = stride = (kh, kw), floor: the rest is dropped.
 */
export interface LpPoolArgs {
  /** [n × h × w × c] */
  x: FloatBuffer
  /** [n × ⌊h / kh⌋ × ⌊w / kw⌋ × c] */
  out: FloatBuffer
  n: number
  h: number
  w: number
  c: number
  kh: number
  kw: number
  p: number
}

/**
 * gradX = gradOut · (x/out)^(p-1); 0 where out is 0 and in the dropped rest.
 */
export interface LpPoolBackwardArgs {
  /** [n × h × w × c] */
  x: FloatBuffer
  /** [n × ⌊h / kh⌋ × ⌊w / kw⌋ × c] */
  out: FloatBuffer
  /** [n × ⌊h / kh⌋ × ⌊w / kw⌋ × c] */
  gradOut: FloatBuffer
  /** [n × h × w × c] */
  gradX: FloatBuffer
  n: number
  h: number
  w: number
  c: number
  kh: number
  kw: number
  p: number
}

/**
 * out[e] = u_e >= rate ? x[e]/(1-rate) : 0. u_e = (word >>> 8)·2⁻²⁴, word e mod 4 of Philox4x32-10 with key
 * (seedLow, seedHigh) and counter (⌊e/4⌋ low, ⌊e/4⌋ high, offsetLow, offsetHigh). Its backward is itself on the gradient.
 */
export interface DropoutArgs {
  /** [count] */
  x: FloatBuffer
  /** [count] */
  out: FloatBuffer
  seedLow: number
  seedHigh: number
  offsetLow: number
  offsetHigh: number
  rate: number
}

/**
 * One layer, h0 = 0, PyTorch's variant, gate rows r, z, n. directions 2 runs forward and backward and concatenates.
 */
export interface GruArgs {
  /** [n × t × in] */
  x: FloatBuffer
  /** [directions × 3·hidden × in] */
  wIh: FloatBuffer
  /** [directions × 3·hidden × hidden] */
  wHh: FloatBuffer
  /** [directions × 3·hidden] */
  bIh: FloatBuffer
  /** [directions × 3·hidden] */
  bHh: FloatBuffer
  /** [n × t × directions·hidden] */
  out: FloatBuffer
  /** [directions × n × t × 4·hidden] read by the backward of the same backend */
  saved: FloatBuffer
  n: number
  t: number
  in: number
  hidden: number
  directions: number
}

/**
 * Arguments of `gru_backward`.
 */
export interface GruBackwardArgs {
  /** [n × t × in] */
  x: FloatBuffer
  /** [directions × 3·hidden × in] */
  wIh: FloatBuffer
  /** [directions × 3·hidden × hidden] */
  wHh: FloatBuffer
  /** [directions × 3·hidden] */
  bHh: FloatBuffer
  /** [n × t × directions·hidden] */
  out: FloatBuffer
  /** [directions × n × t × 4·hidden] read by the backward of the same backend */
  saved: FloatBuffer
  /** [n × t × directions·hidden] */
  gradOut: FloatBuffer
  /** [n × t × in] or null */
  gradX: FloatBuffer | null
  /** [directions × 3·hidden × in] */
  gradWIh: FloatBuffer
  /** [directions × 3·hidden × hidden] */
  gradWHh: FloatBuffer
  /** [directions × 3·hidden] */
  gradBIh: FloatBuffer
  /** [directions × 3·hidden] */
  gradBHh: FloatBuffer
  n: number
  t: number
  in: number
  hidden: number
  directions: number
}

/**
 * Linear over time, align_corners = false: s = max((t+0.5)·l/t_out - 0.5, 0).
 */
export interface InterpolateArgs {
  /** [n × l × c] */
  x: FloatBuffer
  /** [n × t × c] */
  out: FloatBuffer
  n: number
  l: number
  t: number
  c: number
}

/**
 * Arguments of `interpolate_backward`.
 */
export interface InterpolateBackwardArgs {
  /** [n × t × c] */
  gradOut: FloatBuffer
  /** [n × l × c] */
  gradX: FloatBuffer
  n: number
  l: number
  t: number
  c: number
}

/**
 * out[i] = table[tokens[i]].
 */
export interface EmbeddingArgs {
  /** [vocabulary × d] */
  table: FloatBuffer
  /** [count], from 0 to vocabulary - 1 */
  tokens: Int32Array
  /** [count × d] */
  out: FloatBuffer
  vocabulary: number
  count: number
  d: number
}

/**
 * gradTable is set, not added to; rows are summed in token order.
 */
export interface EmbeddingBackwardArgs {
  /** [count], from 0 to vocabulary - 1 */
  tokens: Int32Array
  /** [count × d] */
  gradOut: FloatBuffer
  /** [vocabulary × d] */
  gradTable: FloatBuffer
  vocabulary: number
  count: number
  d: number
}

/**
 * out[i] = mean_{t < lengths[i]} x[i, t]; 0 for length 0.
 */
export interface MaskedMeanArgs {
  /** [n × t × c] */
  x: FloatBuffer
  /** [n], from 0 to t */
  lengths: Int32Array
  /** [n × c] */
  out: FloatBuffer
  n: number
  t: number
  c: number
}

/**
 * Arguments of `masked_mean_backward`.
 */
export interface MaskedMeanBackwardArgs {
  /** [n], from 0 to t */
  lengths: Int32Array
  /** [n × c] */
  gradOut: FloatBuffer
  /** [n × t × c] padding gets 0 */
  gradX: FloatBuffer
  n: number
  t: number
  c: number
}

/**
 * out[i] = max_{t < lengths[i]} x[i, t]; 0 for length 0.
 */
export interface MaskedMaxArgs {
  /** [n × t × c] */
  x: FloatBuffer
  /** [n], from 0 to t */
  lengths: Int32Array
  /** [n × c] */
  out: FloatBuffer
  n: number
  t: number
  c: number
}

/**
 * Arguments of `masked_max_backward`.
 */
export interface MaskedMaxBackwardArgs {
  /** [n × t × c] */
  x: FloatBuffer
  /** [n], from 0 to t */
  lengths: Int32Array
  /** [n × c] */
  out: FloatBuffer
  /** [n × c] */
  gradOut: FloatBuffer
  /** [n × t × c] of the first step that has the maximum; the others and padding get 0 */
  gradX: FloatBuffer
  n: number
  t: number
  c: number
}

/**
 * out[o, j, b, i] = x[o, i, b, j], rows of `inner` values: two axes change places.
 */
export interface TransposeArgs {
  /** [outer × m × between × n × inner] */
  x: FloatBuffer
  /** [outer × n × between × m × inner] */
  out: FloatBuffer
  outer: number
  m: number
  between: number
  n: number
  inner: number
}

/**
 * out[r, to + c] = x[r, from + c] for c < width; the rest of out stays: slices and concatenations along any axis.
 */
export interface CopyColumnsArgs {
  /** [rows × xCols] */
  x: FloatBuffer
  /** [rows × outCols] */
  out: FloatBuffer
  rows: number
  xCols: number
  outCols: number
  from: number
  to: number
  width: number
}

/**
 * out = x·Φ(x), Φ the distribution function of the standard normal distribution.
 */
export interface GeluArgs {
  /** [count] */
  x: FloatBuffer
  /** [count] */
  out: FloatBuffer
}

/**
 * Arguments of `gelu_backward`.
 */
export interface GeluBackwardArgs {
  /** [count] */
  x: FloatBuffer
  /** [count] */
  gradOut: FloatBuffer
  /** [count] */
  gradX: FloatBuffer
}

/**
 * out = a·b, element by element.
 */
export interface MultiplyArgs {
  /** [count] */
  a: FloatBuffer
  /** [count] */
  b: FloatBuffer
  /** [count] */
  out: FloatBuffer
}

/**
 * out = alpha·a + beta·b.
 */
export interface AddArgs {
  /** [count] */
  a: FloatBuffer
  /** [count] */
  b: FloatBuffer
  /** [count] */
  out: FloatBuffer
  alpha: number
  beta: number
}

/**
 * out = factor·x.
 */
export interface ScaleArgs {
  /** [count] */
  x: FloatBuffer
  /** [count] */
  out: FloatBuffer
  factor: number
}

/**
 * PyTorch's Adam; decoupled = 1 is AdamW. step counts from 1.
 */
export interface AdamArgs {
  /** [count] */
  param: FloatBuffer
  /** [count] */
  grad: FloatBuffer
  /** [count] */
  m: FloatBuffer
  /** [count] */
  v: FloatBuffer
  step: number
  decoupled: number
  lr: number
  beta1: number
  beta2: number
  eps: number
  weightDecay: number
}

/**
 * out[slot] = Σ x², accumulated so that a NaN or an infinity anywhere shows in it. The other slots are left as they are:
 * the norms of many tensors are one download.
 */
export interface GradNormArgs {
  /** [count] */
  x: FloatBuffer
  /** [slots] */
  out: FloatBuffer
  slot: number
}

/** Every op by its one name, with its arguments. */
export interface OpArgs {
  log_mel: LogMelArgs
  pcm: PcmArgs
  resample: ResampleArgs
  gemm: GemmArgs
  batched_gemm: BatchedGemmArgs
  l2_normalize: L2NormalizeArgs
  l2_normalize_backward: L2NormalizeBackwardArgs
  similarity: SimilarityArgs
  frame_score: FrameScoreArgs
  frame_score_backward: FrameScoreBackwardArgs
  quantize: QuantizeArgs
  top_k: TopKArgs
  triplet: TripletArgs
  info_nce: InfoNceArgs
  sigmoid_pair: SigmoidPairArgs
  conv2d: Conv2dArgs
  conv2d_backward: Conv2dBackwardArgs
  batch_norm: BatchNormArgs
  batch_norm_backward: BatchNormBackwardArgs
  layer_norm: LayerNormArgs
  layer_norm_backward: LayerNormBackwardArgs
  softmax: SoftmaxArgs
  softmax_backward: SoftmaxBackwardArgs
  leaky_relu: LeakyReluArgs
  leaky_relu_backward: LeakyReluBackwardArgs
  lp_pool: LpPoolArgs
  lp_pool_backward: LpPoolBackwardArgs
  dropout: DropoutArgs
  gru: GruArgs
  gru_backward: GruBackwardArgs
  interpolate: InterpolateArgs
  interpolate_backward: InterpolateBackwardArgs
  embedding: EmbeddingArgs
  embedding_backward: EmbeddingBackwardArgs
  masked_mean: MaskedMeanArgs
  masked_mean_backward: MaskedMeanBackwardArgs
  masked_max: MaskedMaxArgs
  masked_max_backward: MaskedMaxBackwardArgs
  transpose: TransposeArgs
  copy_columns: CopyColumnsArgs
  gelu: GeluArgs
  gelu_backward: GeluBackwardArgs
  multiply: MultiplyArgs
  add: AddArgs
  scale: ScaleArgs
  adam: AdamArgs
  grad_norm: GradNormArgs
}

/** Name of an op. */
export type OpName = keyof OpArgs
