import { type Matrix, matrix } from '../base/matrix.js'
import type { RaggedWeights } from '../base/ragged.js'
import type { GuardQuery, Plane } from '../negatives/index.js'
import { checkTargetWeights } from '../nn/functions/target-weights.js'
import { partOf } from '../registry/index.js'

/**
 * How much each caption of a batch matches each clip, 0 or more: a matrix clips × captions, or for every clip a list of
 * captions with their weights. Only proportions within a row and within a column count; weights that add up to less than 1e-30 are none.
 */
export type TargetWeights = Matrix | RaggedWeights

/**
 * Graded relevance of a batch, for losses that train towards it. A plain value, deterministic in its query: what it needs
 * of files is read when it is made.
 */
export interface Targets {
  readonly name: string
  /** Planes to compute for it. Default: none. */
  readonly needs?: readonly Plane[]
  /** Options that matter when a run is resumed, as JSON. */
  readonly config?: object
  weights(query: GuardQuery): TargetWeights
}

/** For a row in the family, next to its code. */
export const targetsPart = partOf<Targets>()

/** Captions of the clip's group, each as much as the others. */
export function sameClipTargets(): Targets {
  return {
    name: 'same-clip',
    weights: ({ items }) => {
      const n = items.length
      const weights = matrix(n, n)
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) if (items[i]!.group === items[j]!.group) weights.data[i * n + j] = 1
      return weights
    },
  }
}

/** Every pair alike: beside a share of hard targets this is label smoothing. */
export function uniformTargets(): Targets {
  return {
    name: 'uniform',
    weights: ({ items: { length: n } }) => matrix(n, n, new Float32Array(n * n).fill(1)),
  }
}

export const sameClipPart = targetsPart({
  name: 'same-clip',
  description: 'Captions of the clip’s own group, all alike.',
  schema: { properties: {} },
  fromConfig: sameClipTargets,
})

export const uniformPart = targetsPart({
  name: 'uniform',
  description: 'Every pair alike: label smoothing, beside a share of hard targets.',
  schema: { properties: {} },
  fromConfig: uniformTargets,
})

/** Throws INVALID_ARGUMENT when weights do not fit a batch of n pairs, or one is negative or not finite. */
export function checkTargets(weights: TargetWeights, n: number, name: string): void {
  checkTargetWeights(weights, n, `weights of the targets "${name}"`)
}
