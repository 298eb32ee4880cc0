import { expected } from '../base/errors.js'
import { type Matrix, matrix, row } from '../base/matrix.js'

/** exp(s / temperature), each row divided by its sum: shares of labels, of scores [items × labels]. */
export function softmaxRows(scores: Matrix, temperature: number): Matrix {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw expected('a number above 0', 'temperature', temperature)
  const out = matrix(scores.rows, scores.cols)
  for (let r = 0; r < scores.rows; r++) {
    const values = row(scores, r)
    const peak = values.reduce((a, b) => Math.max(a, b), -Infinity)
    const powers = Float64Array.from(values, (score) => Math.exp((score - peak) / temperature))
    const sum = powers.reduce((a, b) => a + b, 0)
    out.data.set(
      powers.map((power) => power / sum),
      r * scores.cols,
    )
  }
  return out
}

/** A temperature, and how well shares at that temperature tell how often they are right. */
export interface Calibration {
  readonly temperature: number
  /** Mean negative logarithm of the share of the right label, in nats. */
  readonly loss: number
  /** Expected calibration error with ten bins of equal width (Guo et al. 2017): how far shares are from how often they are right. */
  readonly error: number
  /** Share of items whose largest score is that of the right label. */
  readonly accuracy: number
}

/**
 * The temperature with the least loss (Guo et al., On calibration of modern neural networks, 2017), found by golden section over its
 * logarithm: the loss has one minimum in 1 / temperature. Scores [items × labels], larger is more similar; `labels` are columns.
 * @throws SonotextError INVALID_ARGUMENT for labels that are no columns
 */
export function fitTemperature(scores: Matrix, labels: ArrayLike<number>): Calibration {
  if (labels.length !== scores.rows || scores.rows === 0)
    throw expected(`a label for each of the ${scores.rows} items`, 'labels', labels.length)
  for (let i = 0; i < labels.length; i++)
    if (!(Number.isInteger(labels[i]) && labels[i]! >= 0 && labels[i]! < scores.cols))
      throw expected(`a column below ${scores.cols}`, `labels[${i}]`, labels[i])
  const lossAt = (log: number) => calibrationAt(scores, labels, Math.exp(log)).loss
  const ratio = (Math.sqrt(5) - 1) / 2
  let [low, high] = [Math.log(1e-3), Math.log(1e2)]
  let [x1, x2] = [high - ratio * (high - low), low + ratio * (high - low)]
  let [f1, f2] = [lossAt(x1), lossAt(x2)]
  while (high - low > 1e-5) {
    if (f1 < f2) {
      ;[high, x2, f2] = [x2, x1, f1]
      x1 = high - ratio * (high - low)
      f1 = lossAt(x1)
    } else {
      ;[low, x1, f1] = [x1, x2, f2]
      x2 = low + ratio * (high - low)
      f2 = lossAt(x2)
    }
  }
  return calibrationAt(scores, labels, Math.exp((low + high) / 2))
}

/** How well shares at a temperature say how often they are right. */
export function calibrationAt(scores: Matrix, labels: ArrayLike<number>, temperature: number): Calibration {
  const shares = softmaxRows(scores, temperature)
  const bins = Array.from({ length: 10 }, () => ({ count: 0, sure: 0, right: 0 }))
  let loss = 0
  let hits = 0
  for (let r = 0; r < shares.rows; r++) {
    const values = row(shares, r)
    loss -= Math.log(Math.max(values[labels[r]!]!, 1e-30))
    const sure = values.reduce((a, b) => Math.max(a, b), 0)
    const right = values.indexOf(sure) === labels[r] ? 1 : 0
    hits += right
    const bin = bins[Math.min(9, Math.floor(10 * sure))]!
    bin.count++
    bin.sure += sure
    bin.right += right
  }
  const error = bins.reduce((sum, bin) => sum + Math.abs(bin.sure - bin.right), 0) / shares.rows
  return { temperature, loss: loss / shares.rows, error, accuracy: hits / shares.rows }
}
