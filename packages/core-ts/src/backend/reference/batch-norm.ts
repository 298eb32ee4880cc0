import type { HostArgs } from './host.js'

/**
 * Training without a row leaves the running statistics as they are and saves mean 0 and variance 0; with one row the
 * unbiased variance, which does not exist, is taken as the biased one: 0.
 */
export function batchNorm(args: HostArgs<'batch_norm'>): void {
  const { x, gamma, beta, runningMean, runningVar, out, savedMean, savedInvStd, rows, c } = args
  const { training, eps, momentum } = args
  for (let j = 0; j < c; j++) {
    let mean = runningMean[j]!
    let variance = runningVar[j]!
    if (training) {
      mean = 0
      for (let r = 0; r < rows; r++) mean += x[r * c + j]! / rows
      variance = 0
      for (let r = 0; r < rows; r++) variance += (x[r * c + j]! - mean) ** 2 / rows
    }
    if (training && rows > 0) {
      const unbiased = rows > 1 ? (variance * rows) / (rows - 1) : variance
      runningMean[j] = (1 - momentum) * runningMean[j]! + momentum * mean
      runningVar[j] = (1 - momentum) * runningVar[j]! + momentum * unbiased
    }
    const invStd = 1 / Math.sqrt(variance + eps)
    savedMean[j] = mean
    savedInvStd[j] = invStd
    for (let r = 0; r < rows; r++) out[r * c + j] = (x[r * c + j]! - mean) * invStd * gamma[j]! + beta[j]!
  }
}

export function batchNormBackward(args: HostArgs<'batch_norm_backward'>): void {
  const { x, gamma, savedMean, savedInvStd, gradOut, gradX, gradGamma, gradBeta, rows, c, training } = args
  for (let j = 0; j < c; j++) {
    const mean = savedMean[j]!
    const invStd = savedInvStd[j]!
    let sum = 0
    let sumNormed = 0
    for (let r = 0; r < rows; r++) {
      const g = gradOut[r * c + j]!
      sum += g
      sumNormed += g * (x[r * c + j]! - mean) * invStd
    }
    gradBeta[j] = sum
    gradGamma[j] = sumNormed
    if (gradX === null) continue
    for (let r = 0; r < rows; r++) {
      const at = r * c + j
      const normed = (x[at]! - mean) * invStd
      const through = training ? (sum + normed * sumNormed) / rows : 0
      gradX[at] = gamma[j]! * invStd * (gradOut[at]! - through)
    }
  }
}
