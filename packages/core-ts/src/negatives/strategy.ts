import { expected, SonotextError } from '../base/errors.js'
import type { Matrix } from '../base/matrix.js'
import type { RaggedIndices } from '../base/ragged.js'
import type { Rng } from '../base/rng.js'

/** Scores a strategy may ask for; only what it declares in `needs` is computed. */
export type Plane = 'audio-text' | 'text-text' | 'audio-audio'

/** What a strategy sees of one batch of n pairs. */
export interface NegativeQuery {
  readonly n: number
  /** [n] clip id of each pair; pairs of one clip are never each other's negatives. */
  readonly groups: Int32Array
  /** n × n scores, larger = more similar: 'audio-text' has clips as rows and captions as columns. */
  readonly planes: Readonly<Partial<Record<Plane, Matrix>>>
}

/** Both directions for every anchor pair; lists are empty where the whole batch shares the anchor's clip. */
export interface NegativeSet {
  /** Clips set against the anchor's caption. */
  readonly audio: RaggedIndices
  /** Captions set against the anchor's clip. */
  readonly text: RaggedIndices
  /** Anchors with no possible negative: they contribute nothing to a loss. */
  readonly empty: number
}

/** How negatives are chosen inside a batch (Xie, Räsänen, Virtanen, ICASSP 2023, arXiv 2211.04070). */
export interface NegativeStrategy {
  readonly name: string
  readonly needs: readonly Plane[]
  /** Deterministic in the query and the stream. Throws NUMERIC when a score it reads is not finite. */
  select(query: NegativeQuery, rng: Rng): NegativeSet
}

/** The plane a strategy declared, checked: n × n and finite. */
export function planeOf(query: NegativeQuery, plane: Plane): Matrix {
  const scores = query.planes[plane]
  const { n } = query
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

/** Throws INVALID_ARGUMENT when the batch description is inconsistent. */
export function checkQuery({ n, groups }: NegativeQuery): void {
  if (!Number.isInteger(n) || n < 0) throw expected('a non-negative integer', 'query.n', n)
  if (groups.length !== n) throw expected(`${n} group ids`, 'query.groups', groups)
}

/** One pick for each anchor; -1 stands for none. */
export function fromPicks(audio: Int32Array, text: Int32Array): NegativeSet {
  let empty = 0
  for (let i = 0; i < audio.length; i++) if (audio[i]! < 0 && text[i]! < 0) empty++
  return { audio: listsOf(audio), text: listsOf(text), empty }
}

function listsOf(picks: Int32Array): RaggedIndices {
  const offsets = new Int32Array(picks.length + 1)
  for (let i = 0; i < picks.length; i++) offsets[i + 1] = offsets[i]! + (picks[i]! < 0 ? 0 : 1)
  return { offsets, index: picks.filter((pick) => pick >= 0) }
}

/**
 * Refuses lists that a loss could not use: wrong shapes, indices outside the batch, and items of the anchor's own clip.
 * Throws INVALID_ARGUMENT naming the strategy.
 */
export function checkNegatives(set: NegativeSet, { n, groups }: NegativeQuery, strategy: string): void {
  for (const side of ['audio', 'text'] as const) {
    const { offsets, index } = set[side]
    const name = `the ${side} negatives of strategy ${strategy}`
    if (offsets.length !== n + 1 || offsets[0] !== 0 || offsets[n] !== index.length) {
      throw expected(`offsets of ${n} lists over ${index.length} indices`, name, offsets)
    }
    for (let i = 0; i < n; i++) {
      if (offsets[i + 1]! < offsets[i]!)
        throw expected('ascending offsets', name, `${offsets[i + 1]} after ${offsets[i]}`)
      for (let p = offsets[i]!; p < offsets[i + 1]!; p++) {
        const j = index[p]!
        if (j < 0 || j >= n) throw expected(`indices below ${n}`, name, j)
        if (groups[j] === groups[i])
          throw expected(`items of other clips than anchor ${i}`, name, `item ${j} of the same clip`)
      }
    }
  }
}
