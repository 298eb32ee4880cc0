import { Rng } from '@sonotext/core/base'
import {
  bootstrapInterval,
  type Clusters,
  clustersOf,
  type Interval,
  median,
  type Statistic,
  unitMean,
} from '@sonotext/core/metrics'

/**
 * Retrieval whose truth is known. The rank r of a caption's clip follows F(r) = 1 / (1 + (m/r)^1.2): `m` is the median, and small
 * ranks are as likely as far ones are rare. With probability ρ a caption's rank is drawn once for its clip, otherwise on its own. So each
 * rank has the distribution F whatever ρ is, and any function of two captions of a clip correlates by exactly ρ².
 */
export interface Setting {
  readonly clips: number
  /** Captions of each clip; in turn where there are several numbers. */
  readonly captions: readonly number[]
  /** Median rank of the system. */
  readonly m: number
  /** Correlation ρ² of the values of two captions of a clip. */
  readonly clipEffect: number
}

/** A number that is reported, its true value, and how it comes from ranks. */
export interface Target {
  readonly name: string
  readonly statistic: Statistic
  value(rank: number): number
  truth(m: number): number
}

/** Probability that the rank is at most r. */
const upTo = (r: number, m: number): number => 1 / (1 + (m / r) ** 1.2)

const share = (k: number): Target => ({
  name: `R@${k}`,
  statistic: unitMean,
  value: (rank) => (rank <= k ? 1 : 0),
  truth: (m) => upTo(k, m),
})

export const targets: readonly Target[] = [
  {
    name: 'mAP@10',
    statistic: unitMean,
    value: (rank) => (rank <= 10 ? 1 / rank : 0),
    truth: (m) => {
      let mean = 0
      for (let r = 1; r <= 10; r++) mean += (upTo(r, m) - (r > 1 ? upTo(r - 1, m) : 0)) / r
      return mean
    },
  },
  share(1),
  share(10),
  { name: 'medR', statistic: median, value: (rank) => rank, truth: (m) => Math.ceil(m) },
]

export type Method = 'by query' | 'by clip' | 'bootstrap'

const intervals: Record<
  Method,
  (values: Float64Array, clusters: Clusters, statistic: Statistic, seed: number) => Interval
> = {
  'by query': (values, _, statistic) => statistic.byQuery(values)!,
  'by clip': (values, clusters, statistic) => statistic.byCluster(values, clusters)!,
  bootstrap: (values, clusters, statistic, seed) =>
    bootstrapInterval(values, clusters, statistic, { seed, replicates: 399 })!,
}

/** Share of `rounds` drawn test sets whose interval holds the true value, by target and method. */
export function coverage(
  { clips, captions, m, clipEffect }: Setting,
  methods: readonly Method[],
  rounds: number,
  seed: number,
): Map<string, Record<Method, number>> {
  const rng = new Rng(seed, `coverage ${clips} ${captions.join()} ${m} ${clipEffect}`)
  const clipOf = Array.from({ length: clips }, (_, clip) =>
    Array<number>(captions[clip % captions.length]!).fill(clip),
  ).flat()
  const clusters = clustersOf(clipOf)
  const shared = Math.sqrt(clipEffect)
  const rankOf = (u: number): number => Math.max(1, Math.ceil(m * (u / (1 - u)) ** (1 / 1.2)))
  const ranks = new Float64Array(clipOf.length)
  const found = new Map(
    targets.map(({ name }) => [
      name,
      { 'by query': 0, 'by clip': 0, bootstrap: 0 } as Record<Method, number>,
    ]),
  )
  for (let round = 0; round < rounds; round++) {
    const ofClip = Float64Array.from({ length: clips }, () => rankOf(rng.uniform()))
    clipOf.forEach((clip, query) => {
      // One draw says whether the rank is the clip's and, where it is not, which one it is.
      const u = rng.uniform()
      ranks[query] = u < shared ? ofClip[clip]! : rankOf((u - shared) / (1 - shared))
    })
    for (const { name, statistic, value, truth } of targets) {
      const values = ranks.map(value)
      for (const method of methods) {
        const [low, high] = intervals[method](values, clusters, statistic, round)
        if (low <= truth(m) && truth(m) <= high) found.get(name)![method] += 1 / rounds
      }
    }
  }
  return found
}
