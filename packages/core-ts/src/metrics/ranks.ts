import { SonotextError } from '../base/index.js'

/**
 * Ranks (1-based, ascending) of the relevant items among `scores`: score descending, ties to the lower index. Only the relevant
 * items are ordered; every other item is compared with them once, so nothing of the length of the ranking is sorted.
 * `relevant` holds distinct indices in any order. Throws INVALID_DATA when a score is NaN; `name` is for its message.
 */
export function ranksOfRelevant(
  scores: Float32Array | Float64Array,
  relevant: ArrayLike<number>,
  name = 'the scores',
): Int32Array {
  const r = relevant.length
  if (r === 1) return Int32Array.of(rankOfOne(scores, relevant[0]!, name))
  const order = Int32Array.from(relevant).sort((a, b) => scores[b]! - scores[a]! || a - b)
  const thresholds = Float64Array.from(order, (index) => scores[index]!)
  // outranked[p]: items that come before order[p] and everything after it, but not before order[p-1].
  const outranked = new Int32Array(r + 1)
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!
    if (score !== score) throw nanScore(name, i)
    let low = 0
    let high = r
    while (low < high) {
      const mid = (low + high) >>> 1
      if (score > thresholds[mid]! || (score === thresholds[mid]! && i < order[mid]!)) high = mid
      else low = mid + 1
    }
    outranked[low]!++
  }
  const ranks = new Int32Array(r)
  for (let p = 0, before = 0; p < r; p++) ranks[p] = 1 + (before += outranked[p]!)
  return ranks
}

function rankOfOne(scores: Float32Array | Float64Array, index: number, name: string): number {
  const threshold = scores[index]!
  let rank = 1
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!
    if (score > threshold || (score === threshold && i < index)) rank++
    else if (score !== score) throw nanScore(name, i)
  }
  if (threshold !== threshold) throw nanScore(name, index)
  return rank
}

function nanScore(name: string, item: number): SonotextError {
  return new SonotextError(
    'INVALID_DATA',
    `Expected a number for each score of ${name}, got NaN for item ${item}.`,
    {
      remedy: 'Check the embeddings that were scored for NaN.',
    },
  )
}
