import type { Tensor } from '../tensor.js'

/** Parameters and running statistics of a batch normalisation over c channels. */
export interface BatchNormState {
  /** [c] factor of the normalised value. */
  gamma: Tensor
  /** [c] added to it. */
  beta: Tensor
  /** [c] changed by training. */
  runningMean: Tensor
  /** [c] changed by training. */
  runningVar: Tensor
}

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number
  /** Share of the new batch in the running statistics. Default 0.1. */
  momentum?: number
  /** Use and record batch statistics; otherwise the running ones. Default: whether the tape trains. */
  training?: boolean
}
