import type { Matrix } from '../base/matrix.js'
import type { Rng } from '../base/rng.js'
import { checkQuery, type NegativeQuery, planeOf } from './query.js'
import { fromPicks, type NegativeSet } from './strategy.js'

/** Weight of each candidate of an anchor, given their scores and that of the pair itself; at least one is above 0. */
export type DrawWeights = (scores: Float64Array, positive: number) => Float64Array

/**
 * Draws a clip and, independently, a caption for each anchor by weights made of the clip–caption scores. Per anchor first the clip, then
 * the caption.
 */
export function drawByScore(query: NegativeQuery, rng: Rng, weightsOf: DrawWeights): NegativeSet {
  checkQuery(query)
  const scores = planeOf(query, 'audio-text')
  const n = query.items.length
  const audio = new Int32Array(n)
  const text = new Int32Array(n)
  for (let i = 0; i < n; i++) {
    const [clips, captions] = candidatesOf(query, i)
    audio[i] = draw(scores, i, clips, (j) => j * n + i)
    text[i] = draw(scores, i, captions, (j) => i * n + j)
  }
  return fromPicks(audio, text)

  function draw(
    { data }: Matrix,
    i: number,
    candidates: readonly number[],
    at: (j: number) => number,
  ): number {
    if (candidates.length === 0) return -1
    const weights = weightsOf(
      Float64Array.from(candidates, (j) => data[at(j)]!),
      data[i * n + i]!,
    )
    return candidates[drawIndex(weights, rng)]!
  }
}

/** Clips and captions that are not barred for an anchor, in batch order. */
function candidatesOf({ barred, items }: NegativeQuery, i: number): [clips: number[], captions: number[]] {
  const all = Array.from(items.keys())
  return [all.filter((j) => !barred.has(j, i)), all.filter((j) => !barred.has(i, j))]
}

/** An index, drawn by weight; one draw of the stream. */
export function drawIndex(weights: ArrayLike<number>, rng: Rng): number {
  let total = 0
  for (let k = 0; k < weights.length; k++) total += weights[k]!
  let left = rng.uniform() * total
  let last = 0
  for (let k = 0; k < weights.length; k++) {
    if (!(weights[k]! > 0)) continue
    last = k
    left -= weights[k]!
    if (left < 0) break
  }
  return last
}
