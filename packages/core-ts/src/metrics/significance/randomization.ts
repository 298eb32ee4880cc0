import { Rng } from '../../base/index.js'
import { checkReplicates, differenceOf, type ResamplingOptions } from './bootstrap.js'
import { type Clusters, membersByValue } from './clusters.js'
import type { Statistic } from './statistic.js'

/** What a paired randomisation test gives. */
export interface RandomizationTest {
  /** Statistic of a less that of b. */
  readonly difference: number
  /** Two-sided: how often systems that do not differ would differ at least this much. */
  readonly p: number
  /** Whether every exchange was tried; otherwise `p` comes from random ones. */
  readonly exact: boolean
  /** How many exchanges were looked at. */
  readonly exchanges: number
}

/**
 * Paired randomisation test (Fisher 1935; in retrieval Smucker, Allan and Carterette 2007): if two systems do not differ, it is
 * arbitrary which of them a result is ascribed to, so the results of a whole cluster are exchanged between them at random. For
 * a mean this is the sign-flip test of the clusters' sums of differences. Every exchange is tried when there are no more of them than
 * `replicates`; otherwise p = (1 + those as extreme) / (1 + replicates) (Phipson and Smyth 2010), which is never 0.
 */
export function randomizationTest(
  a: Float64Array,
  b: Float64Array,
  clusters: Clusters,
  statistic: Statistic,
  { replicates = 9999, seed = 17 }: ResamplingOptions = {},
): RandomizationTest {
  checkReplicates(replicates)
  // Exchanging equal results changes nothing.
  const members = membersByValue(clusters, a, b).filter((queries) => queries.some((q) => a[q] !== b[q]))
  const n = a.length
  const both = new Float64Array(2 * n)
  both.set(a)
  both.set(b, n)
  const ofBoth = statistic.of(both)
  // Which of the 2n results are ascribed to the first system, and which to the second.
  const first = new Uint8Array(2 * n).fill(1, 0, n)
  const second = new Uint8Array(2 * n).fill(1, n)
  const exchange = (queries: readonly number[]): void => {
    for (const query of queries) {
      for (const side of [first, second]) {
        side[query]! ^= 1
        side[n + query]! ^= 1
      }
    }
  }
  const current = (): number => differenceOf(ofBoth(first), ofBoth(second))
  const difference = current()
  // Sums of the same numbers in another order may differ in the last digits.
  const least = Math.abs(difference) * (1 - 1e-9) - 1e-12
  const isExtreme = (): boolean => Math.abs(current()) >= least

  // Exchanging every cluster gives the same but for the sign, so the last one may stay.
  const half = 2 ** Math.max(0, members.length - 1)
  if (half <= replicates) {
    let extreme = 0
    for (let turn = 1; turn <= half; turn++) {
      if (isExtreme()) extreme++
      // Gray code: from one turn to the next a single cluster is exchanged.
      if (turn < half) exchange(members[31 - Math.clz32(turn & -turn)]!)
    }
    return { difference, p: extreme / half, exact: true, exchanges: half }
  }
  const rng = new Rng(seed, 'randomization')
  let extreme = 0
  for (let turn = 0; turn < replicates; turn++) {
    for (const queries of members) if (rng.uint32() & 1) exchange(queries)
    if (isExtreme()) extreme++
  }
  return { difference, p: (1 + extreme) / (1 + replicates), exact: false, exchanges: replicates }
}
