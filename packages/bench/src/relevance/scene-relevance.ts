import type { Clip } from '@sonotext/core/data'
import { type JudgedPair, Relevances } from '@sonotext/core/relevance'

/**
 * How much the captions of one scene fit another: what the scenes have in common of their labels, each weighed by how long and how loud it
 * sounds (seconds times amplitude), as shares of the scene. 1 for the scene itself, 0 where no label is shared.
 */
export function sceneRelevance(clips: readonly Clip[], least: number): Relevances {
  const shares = clips.map(labelShares)
  const pairs: JudgedPair[] = []
  for (const [q, { captions }] of clips.entries()) {
    for (const [c, { id: item }] of clips.entries()) {
      let relevance = 0
      for (const [label, share] of shares[q]!) relevance += Math.min(share, shares[c]!.get(label) ?? 0)
      if (relevance < least) continue
      for (const { id: query } of captions)
        pairs.push({
          ...{ query, item, raters: 0, deviation: null, played: null, group: null },
          relevance: q === c ? 1 : Math.min(1, Math.round(1e4 * relevance) / 1e4),
        })
    }
  }
  return new Relevances(pairs)
}

function labelShares({ events = [] }: Clip): Map<string, number> {
  const weights = new Map<string, number>()
  for (const { label, onset, offset, level = 0 } of events)
    weights.set(label, (weights.get(label) ?? 0) + (offset - onset) * 10 ** (level / 20))
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
  return new Map(Array.from(weights, ([label, weight]) => [label, weight / total]))
}
