import { expected, row, SonotextError, throwIfAborted, type Matrix } from '../base/index.js'
import { checkK } from './embedding-index.js'
import type { Hit, SearchOptions } from './hits.js'

/** Scores a block of items against queries, for models whose score is no inner product. */
export interface Scorer<Query> {
  /** Number of items. */
  readonly size: number
  /** Scores of items first ... first + count − 1: queries × count, larger = more similar. */
  score(
    queries: readonly Query[],
    first: number,
    count: number,
    options: { readonly signal?: AbortSignal },
  ): Promise<Matrix>
}

/** Options of {@link searchByScore}. */
export interface ScorerSearchOptions extends SearchOptions {
  /** Names of the items. */
  readonly ids: readonly string[]
  /** Items scored at once; default 64. Memory is queries × block. */
  readonly block?: number
}

/**
 * The best items of every query by any {@link Scorer}, in blocks, without a full score matrix. Score descending, ties to the lower
 * index. Throws INVALID_DATA when a score is NaN, ABORTED.
 */
export async function searchByScore<Query>(
  scorer: Scorer<Query>,
  queries: readonly Query[],
  options: ScorerSearchOptions,
): Promise<Hit[][]> {
  const { ids, k = 10, block = 64, signal } = options
  checkK(k)
  if (!Number.isSafeInteger(block) || block < 1) throw expected('a whole number from 1', 'block', block)
  if (ids.length !== scorer.size) throw expected(`${scorer.size} ids, one for each item`, 'ids', ids)
  const best = queries.map(() => new Best(k))
  for (let first = 0; first < scorer.size && queries.length > 0; first += block) {
    throwIfAborted(signal)
    const count = Math.min(block, scorer.size - first)
    const scores = await scorer.score(queries, first, count, signal === undefined ? {} : { signal })
    if (scores.rows !== queries.length || scores.cols !== count) {
      throw expected(
        `scores of ${queries.length}×${count}`,
        'the result of the scorer',
        `${scores.rows}×${scores.cols}`,
      )
    }
    for (const [q, list] of best.entries()) {
      for (const [c, score] of row(scores, q).entries()) {
        if (Number.isNaN(score)) {
          throw new SonotextError(
            'INVALID_DATA',
            `Expected a number for the score of "${ids[first + c]}", got NaN for query ${q}.`,
            {
              remedy: 'Check the embeddings for NaN.',
            },
          )
        }
        list.offer(first + c, score)
      }
    }
  }
  return best.map(({ items }) =>
    items.map(({ index, score }, r) => ({ id: ids[index]!, index, score, rank: r + 1 })),
  )
}

/** The k best of a sequence whose indices ascend: an item displaces only what it beats, so ties stay with the earlier one. */
class Best {
  readonly items: { index: number; score: number }[] = []
  readonly #k: number

  constructor(k: number) {
    this.#k = k
  }

  offer(index: number, score: number): void {
    const { items } = this
    if (items.length === this.#k && !(score > items[items.length - 1]!.score)) return
    let low = 0
    let high = items.length
    while (low < high) {
      const mid = (low + high) >>> 1
      if (score > items[mid]!.score) high = mid
      else low = mid + 1
    }
    items.splice(low, 0, { index, score })
    if (items.length > this.#k) items.pop()
  }
}
