import type { HostArgs } from './host.js'
import { cosinesOf, LEFT_OUT, POSITIVE, rolesOf, spreadGradient } from './pair-scores.js'

/** Weights that add up to less are none. */
const leastMass = 1e-30

/** What one direction is computed from. */
interface Direction {
  readonly n: number
  readonly cosines: Float64Array
  readonly inverse: number
  readonly roles: Uint8Array
  /** [n × n] weights of soft targets, 0 where a pair is left out; null without. */
  readonly weights: Float64Array | null
  readonly hard: number
  readonly gradScores: Float64Array
}

export function infoNce(args: HostArgs<'info_nce'>): void {
  const { logTemperature, gradLogTemperature, stats, n, hard, toText, toAudio } = args
  const inverse = Math.exp(-logTemperature[0]!)
  const roles = rolesOf(args)
  const cosines = cosinesOf(args)
  const gradScores = new Float64Array(n * n)
  const given = { n, cosines, inverse, roles, weights: weightsOf(args, roles), hard, gradScores }
  const rows = crossEntropy(given, toText, { anchor: n, candidate: 1 })
  const columns = crossEntropy(given, toAudio, { anchor: 1, candidate: n })
  const gradCosines = gradScores.map((g) => g * inverse)
  const products = spreadGradient(args, cosines, gradCosines)
  gradLogTemperature?.fill(-products)
  let positive = 0
  for (let i = 0; i < n; i++) positive += cosines[i * n + i]! / n
  stats.set([rows.loss + columns.loss, rows.accuracy, columns.accuracy, positive])
}

/** Soft targets as a whole matrix. What is below 0 counts as 0. */
function weightsOf(args: HostArgs<'info_nce'>, roles: Uint8Array): Float64Array | null {
  const { targets, targetOffsets, targetIndex, targetWeights, n } = args
  const weights = new Float64Array(n * n)
  const add = (cell: number, weight: number): void => {
    if (roles[cell] !== LEFT_OUT && !(weight < 0)) weights[cell]! += weight
  }
  if (targets !== null) targets.forEach((weight, cell) => add(cell, weight))
  else if (targetOffsets !== null && targetIndex !== null && targetWeights !== null) {
    for (let i = 0; i < n; i++)
      for (let e = targetOffsets[i]!; e < targetOffsets[i + 1]!; e++)
        add(i * n + targetIndex[e]!, targetWeights[e]!)
  } else return null
  return weights
}

/**
 * `factor` times the mean cross-entropy of one direction; adds d loss / d score to `gradScores`. `stride` orients the
 * matrix: anchor i and candidate j meet at i·stride.anchor + j·stride.candidate.
 */
function crossEntropy(
  { n, cosines, inverse, roles, weights, hard, gradScores }: Direction,
  factor: number,
  stride: { anchor: number; candidate: number },
): { loss: number; accuracy: number } {
  let loss = 0
  let accuracy = 0
  for (let i = 0; i < n; i++) {
    const cells: number[] = []
    for (let j = 0; j < n; j++) {
      const cell = i * stride.anchor + j * stride.candidate
      if (roles[cell] !== LEFT_OUT) cells.push(cell)
    }
    let best = cells[0]!
    let positives = 0
    let mass = 0
    for (const cell of cells) {
      if (cosines[cell]! > cosines[best]!) best = cell
      if (roles[cell] === POSITIVE) positives++
      mass += weights?.[cell] ?? 0
    }
    const max = cosines[best]! * inverse
    let sum = 0
    for (const cell of cells) sum += Math.exp(cosines[cell]! * inverse - max)
    const logSum = max + Math.log(sum)
    if (roles[best] === POSITIVE) accuracy += 1 / n
    const soft = mass < leastMass ? 0 : 1 - hard
    for (const cell of cells) {
      const logProbability = cosines[cell]! * inverse - logSum
      const target =
        (roles[cell] === POSITIVE ? hard / positives : 0) + (soft === 0 ? 0 : (soft * weights![cell]!) / mass)
      loss -= (factor * target * logProbability) / n
      gradScores[cell]! += (factor * ((hard + soft) * Math.exp(logProbability) - target)) / n
    }
  }
  return { loss, accuracy }
}
