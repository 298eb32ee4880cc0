import { Rng } from '@sonotext/core/base'
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
      const relevance = sharedPart(shares[q]!, shares[c]!)
      if (relevance < least) continue
      for (const { id: query } of captions) pairs.push(judged(query, item, q === c ? 1 : relevance))
    }
  }
  return new Relevances(pairs)
}

/**
 * Lists as in a listening test: with every caption its own scene, six of those that share a tenth of it or more, and ten drawn from all,
 * or fewer where there are not so many.
 */
export function sceneLists(clips: readonly Clip[], seed: number): Relevances {
  const shares = clips.map(labelShares)
  const pairs: JudgedPair[] = []
  for (const [q, { id, captions }] of clips.entries()) {
    const relevance = shares.map((other, c) => (q === c ? 1 : sharedPart(shares[q]!, other)))
    for (const { id: query } of captions) {
      const order = [...clips.keys()].filter((c) => c !== q)
      new Rng(seed, `lists/${query}`).shuffle(order)
      const near = order.filter((c) => relevance[c]! >= 0.1).slice(0, 6)
      const chosen = new Set([...near, ...order.filter((c) => !near.includes(c)).slice(0, 10)])
      pairs.push(judged(query, id, 1))
      for (const c of chosen) pairs.push(judged(query, clips[c]!.id, relevance[c]!))
    }
  }
  return new Relevances(pairs)
}

function sharedPart(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let shared = 0
  for (const [label, share] of a) shared += Math.min(share, b.get(label) ?? 0)
  return Math.min(1, Math.round(1e4 * shared) / 1e4)
}

function judged(query: string, item: string, relevance: number): JudgedPair {
  return { query, item, relevance, raters: 0, deviation: null, played: null, group: null }
}

function labelShares({ events = [] }: Clip): Map<string, number> {
  const weights = new Map<string, number>()
  for (const { label, onset, offset, level = 0 } of events)
    weights.set(label, (weights.get(label) ?? 0) + (offset - onset) * 10 ** (level / 20))
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
  return new Map(Array.from(weights, ([label, weight]) => [label, weight / total]))
}
