import type { OpName } from '../backend/port.js'

/**
 * How far a float32 backend may be from the float64 reference on the same float32 inputs. An element may differ by
 * relative·|its value| + absolute·(largest magnitude of that output); infinities and NaN must match.
 */
export interface Tolerance {
  readonly relative: number
  readonly absolute: number
  /** Where the size comes from. A float32 rounding is 6e-8. */
  readonly because: string
}

const exact = (because: string): Tolerance => ({ relative: 0, absolute: 0, because })
const sums = (because: string): Tolerance => ({ relative: 1e-5, absolute: 2e-6, because })
const roundings = (count: number, because: string): Tolerance => ({
  relative: count * 6e-8,
  absolute: 1e-12,
  because,
})

/** How far each op may be from the reference, and why. */
export const tolerance: Readonly<Record<OpName, Tolerance>> = {
  log_mel: { relative: 1e-6, absolute: 1e-6, because: 'float64 FFT; one float32 rounding of the logarithm' },
  pcm: exact('integers are scaled by a power of two; a mean is rounded once, from float64'),
  resample: sums('a float32 sum of up to a few hundred taps'),
  gemm: sums('float32 sums of k products, k up to about 500: √k roundings of partial sums'),
  batched_gemm: sums('float32 sums of k products'),
  l2_normalize: {
    relative: 2e-6,
    absolute: 1e-7,
    because: 'a float32 sum of squares, square root, division',
  },
  l2_normalize_backward: sums('a float32 inner product that may cancel'),
  similarity: sums('float32 sums of d products'),
  frame_score: sums('float32 products and means of many of them'),
  frame_score_backward: sums('float32 products; sums over all clips or captions'),
  quantize: {
    relative: 1e-4,
    absolute: 0,
    because: 'float32 sums of squares under the bound; the scale is one quotient, the words must be equal',
  },
  top_k: {
    relative: 1e-5,
    absolute: 2e-6,
    because: 'scores are float32 sums of d products; indices must be equal',
  },
  triplet: { relative: 1e-5, absolute: 1e-6, because: 'float32 sums over all picked hinges' },
  info_nce: {
    relative: 1e-4,
    absolute: 2e-5,
    because: 'exp(cosine / τ) multiplies the rounding of a cosine by 1/τ, up to 1000 here',
  },
  sigmoid_pair: {
    relative: 1e-4,
    absolute: 2e-5,
    because: 'the same for its sigmoids',
  },
  conv2d: {
    relative: 1e-5,
    absolute: 1e-5,
    because: "float32 sums of kh·kw·cin products; Winograd's transforms round five times as much",
  },
  conv2d_backward: {
    relative: 1e-5,
    absolute: 1e-5,
    because: "sums over all pixels for the weights, over cout for the input; Winograd's transforms as above",
  },
  batch_norm: {
    relative: 2e-5,
    absolute: 1e-5,
    because: 'x - mean cancels when the mean is 100 times the deviation',
  },
  batch_norm_backward: {
    relative: 2e-5,
    absolute: 1e-5,
    because: 'x - mean cancels; sums over all rows; the saved mean is float32',
  },
  layer_norm: {
    relative: 2e-5,
    absolute: 1e-5,
    because: 'x - mean cancels when the mean is 100 times the deviation',
  },
  layer_norm_backward: {
    relative: 2e-5,
    absolute: 1e-5,
    because: 'x - mean cancels; sums over all rows; the saved mean is float32',
  },
  softmax: { relative: 5e-6, absolute: 1e-7, because: 'a polynomial exp, a float32 sum, a quotient' },
  softmax_backward: sums('a float32 inner product that may cancel'),
  leaky_relu: roundings(2, 'one product with a rounded slope'),
  leaky_relu_backward: roundings(2, 'one product with a rounded slope'),
  lp_pool: roundings(30, 'powers, a sum of a window, a root: a few ulp each'),
  lp_pool_backward: roundings(60, 'the power p - 1 multiplies the roundings of x / out'),
  dropout: roundings(2, 'one product with a rounded 1/(1 - rate); the mask must be equal'),
  gru: { relative: 2e-5, absolute: 1e-5, because: 'float32 sums in each step, carried on over the steps' },
  gru_backward: { relative: 5e-5, absolute: 2e-5, because: 'the same backwards; weights sum over all steps' },
  interpolate: { relative: 1e-6, absolute: 1e-6, because: 'weights in float32, two products' },
  interpolate_backward: { relative: 1e-6, absolute: 1e-6, because: 'weights in float32, a few products' },
  embedding: exact('a copy'),
  embedding_backward: sums('a float32 sum over the occurrences of a token'),
  masked_mean: sums('a float32 sum over the steps'),
  masked_mean_backward: roundings(2, 'one division'),
  masked_max: exact('a copy of the largest'),
  masked_max_backward: exact('a copy'),
  transpose: exact('a copy'),
  copy_columns: exact('a copy'),
  gelu: { relative: 5e-6, absolute: 1e-6, because: 'polynomials for exp and for the tail of Φ' },
  gelu_backward: { relative: 5e-6, absolute: 2e-6, because: 'the same; Φ and xφ cancel near -0.75' },
  multiply: roundings(2, 'one product'),
  add: { relative: 2e-7, absolute: 2e-7, because: 'two products and a sum, which may cancel' },
  scale: roundings(2, 'one product with a rounded factor'),
  adam: { relative: 1e-6, absolute: 1e-7, because: 'a short chain of roundings' },
  grad_norm: { relative: 1e-5, absolute: 0, because: 'a sum of squares of up to 100,000 values' },
}
