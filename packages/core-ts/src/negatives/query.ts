import { expected, SonotextError } from '../base/errors.js'
import type { Matrix } from '../base/matrix.js'
import { type Guard, guardedPairs, sameGroup } from './guards.js'
import type { PairItem, PairMask } from './pairs.js'
import type { Plane, Planes } from './planes.js'

/** A caption that was made from that of item `of` and is not true of its clip. */
export interface WrittenCaption {
  readonly of: number
  readonly caption: PairItem['caption']
}

/** What a strategy sees of one batch of n pairs. */
export interface NegativeQuery {
  readonly items: readonly PairItem[]
  /** Number of the optimiser step, from 1. */
  readonly step: number
  /** Epochs done, with fraction. */
  readonly epoch: number
  /** Those that the strategy declared. */
  readonly planes: Planes
  /** Pairs that must not be negatives: those of one group and what guards bar. */
  readonly barred: PairMask
  /** Captions that are no clip's, behind those of the batch; each is for one anchor alone. Default none. */
  readonly written?: readonly WrittenCaption[]
}

/** Options of {@link negativeQuery}. */
export interface QueryOptions {
  planes?: Planes
  /** Besides {@link sameGroup}, which always holds. */
  guards?: readonly Guard[]
  written?: readonly WrittenCaption[]
  /** Default 1. */
  step?: number
  /** Default 0. */
  epoch?: number
}

/** A query about a batch made by hand; in training the loss makes it. */
export function negativeQuery(items: readonly PairItem[], options: QueryOptions = {}): NegativeQuery {
  const { planes = {}, guards = [], written = [], step = 1, epoch = 0 } = options
  const batch = { items, planes, step, epoch }
  return { ...batch, written, barred: guardedPairs(batch, [sameGroup(), ...guards]) }
}

/**
 * The plane a strategy declared, [n × n] and finite. Throws INVALID_ARGUMENT where it is missing or of another size, NUMERIC naming the pair
 * whose score is not finite.
 */
export function planeOf(query: NegativeQuery, plane: Plane): Matrix {
  const scores = query.planes[plane]
  const n = query.items.length
  if (scores === undefined) throw expected(`scores of the ${plane} plane`, 'query.planes', undefined)
  if (scores.rows !== n || scores.cols !== n) {
    throw expected(`${n}×${n} scores`, `query.planes['${plane}']`, `${scores.rows}×${scores.cols}`)
  }
  const at = scores.data.findIndex((score) => !Number.isFinite(score))
  if (at >= 0) {
    throw new SonotextError(
      'NUMERIC',
      `Expected finite ${plane} scores to choose negatives from, got ${scores.data[at]} for pair (${Math.floor(at / n)}, ${at % n}).`,
      {
        remedy:
          'The model has diverged or a feature is not finite: lower the learning rate or run the data check.',
      },
    )
  }
  return scores
}

/** Throws INVALID_ARGUMENT when the batch description is inconsistent; strategies ask it first. */
export function checkQuery({ items, barred }: NegativeQuery): void {
  if (barred.n !== items.length)
    throw expected(`a mask of ${items.length} pairs`, 'query.barred', `one of ${barred.n}`)
}
