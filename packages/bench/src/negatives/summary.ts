import { holm } from '@sonotext/core/metrics'
import type { CellResult, EpochLook } from './cell.js'
import type { FoundCells, KeptCell, Made } from './cells.js'
import { type TestName, testNames } from './data.js'
import { type Difference, difference, type Estimate, estimate, leastP, meanOf } from './intervals.js'
import { baseline, type Direction, directions, type MeasureName, measures, type Setting } from './plan.js'
import type { ChosenNegatives, Histograms } from './probe.js'

export interface SettingSummary {
  readonly setting: Setting
  readonly missing: number
  /** The runs that its models are of, those of most models first; null where the files do not say. */
  readonly made: readonly { readonly by: Made | null; readonly models: number }[]
  readonly rows: readonly VariantSummary[]
}

export interface VariantSummary {
  readonly variant: string
  readonly seeds: number
  readonly values: Readonly<
    Record<TestName, Readonly<Record<Direction, Readonly<Record<MeasureName, Estimate>>>>>
  >
  readonly chance: Readonly<Record<string, number>>
  /** mAP@10 less that of the baseline, over the seeds that both have; null for the baseline, or where it is missing. */
  readonly againstRandom: Comparison | null
  /** mAP@10 less that of the strategy with the best mean, over the seeds that both have; null for that one. */
  readonly againstBest: Comparison | null
  /** Means over seeds. */
  readonly curve: readonly CurvePoint[]
  readonly histograms: Histograms
  readonly collapse: Collapse
}

export type Comparison = Readonly<Record<TestName, Readonly<Record<Direction, AdjustedDifference>>>>

export interface AdjustedDifference extends Difference {
  /** p after Holm's correction over all strategies, tests and directions of the setting. */
  readonly adjusted: number
  /** Whether it is as small as the number of draws lets it be: then it is a bound. */
  readonly isLeast: boolean
}

export interface CurvePoint {
  readonly epoch: number
  readonly quality: number
  readonly meanCosine: number
  readonly effectiveRank: number
  readonly uniformity: number
  readonly alignment: number
  readonly scoreSpread: number
  readonly chosen: ChosenNegatives | null
}

export interface Collapse {
  /** How many seeds ended collapsed. */
  readonly seeds: number
  /** The first epoch that was looked at from which on they were; the mean over those seeds, null where there are none. */
  readonly epoch: number | null
  /** Largest mean cosine after training has begun, the mean over seeds, and where. */
  readonly crowded: { readonly cosine: number; readonly epoch: number }
}

/** All clips in one place, or all scores alike. */
export function isCollapsed({ meanCosine, effectiveRank, scoreSpread }: EpochLook): boolean {
  return meanCosine > 0.99 || effectiveRank < 2 || scoreSpread < 0.001
}

export function summarise(found: FoundCells): SettingSummary {
  const { setting, missing } = found
  const of = (variant: string): CellResult[] =>
    found.results.filter((result) => result.variant === variant).sort((a, b) => a.seed - b.seed)
  const cells = new Map(setting.variants.map((variant) => [variant, of(variant)]))
  const rows = [...cells].flatMap(([variant, own]) => (own.length === 0 ? [] : [rowOf(variant, own)]))
  const best = ranked(rows)[0]?.variant
  const againstRandom = comparisons(cells, baseline)
  const againstBest = best === undefined ? new Map<string, Comparison>() : comparisons(cells, best)
  return {
    setting,
    missing,
    made: madeBy(found.results),
    rows: rows.map((row) => ({
      ...row,
      againstRandom: againstRandom.get(row.variant) ?? null,
      againstBest: againstBest.get(row.variant) ?? null,
    })),
  }
}

/** Strategies by their mean quality, best first. */
export function ranked<Row extends Pick<VariantSummary, 'values'>>(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => meanQuality(b) - meanQuality(a))
}

/** mAP@10 on held-out scenes, the mean of both ways. */
export function meanQuality({ values }: Pick<VariantSummary, 'values'>): number {
  return (values.scenes.textToAudio['mAP@10'].mean + values.scenes.audioToText['mAP@10'].mean) / 2
}

/** Every strategy less one of them, over the seeds that both have; Holm's correction is over them all. */
function comparisons(
  cells: ReadonlyMap<string, readonly CellResult[]>,
  reference: string,
): ReadonlyMap<string, Comparison> {
  const base = cells.get(reference) ?? []
  const plain = [...cells].flatMap(([variant, own]) => {
    const shared = own.filter(({ seed }) => base.some((other) => other.seed === seed))
    if (variant === reference || shared.length === 0) return []
    const partners = shared.map(({ seed }) => base.find((other) => other.seed === seed)!)
    const of = (test: TestName, way: Direction) =>
      difference(valuesOf(shared, test, way, 'mAP@10'), valuesOf(partners, test, way, 'mAP@10'))
    return [{ variant, differences: perTest(of) }]
  })
  const tests = plain.flatMap(({ differences }) =>
    testNames.flatMap((test) => directions.map((way) => differences[test][way])),
  )
  const adjusted = holm(tests.map(({ p }) => p))
  const byTest = new Map(tests.map((test, i) => [test, adjusted[i]!]))
  const least = leastP * tests.length
  return new Map(
    plain.map(({ variant, differences }) => {
      const withAdjusted = (test: TestName, way: Direction): AdjustedDifference => {
        const own = differences[test][way]
        const p = byTest.get(own)!
        return { ...own, adjusted: p, isLeast: p < 1 && p <= least * (1 + 1e-9) }
      }
      return [variant, perTest(withAdjusted)]
    }),
  )
}

function valuesOf(some: readonly CellResult[], test: TestName, way: Direction, measure: MeasureName) {
  return some.map((cell) => cell.tests[test][way][measure])
}

function madeBy(results: readonly KeptCell[]): SettingSummary['made'] {
  const runs = Map.groupBy(results, ({ made }) => JSON.stringify(made ?? null))
  return [...runs]
    .map(([by, own]) => ({ by: JSON.parse(by) as Made | null, models: own.length }))
    .sort((a, b) => b.models - a.models)
}

function rowOf(variant: string, cells: readonly CellResult[]) {
  return {
    variant,
    seeds: cells.length,
    values: perTest((test, way) =>
      byName(measures, (measure) => estimate(valuesOf(cells, test, way, measure))),
    ),
    chance: cells[0]!.chance,
    curve: curveOf(cells),
    histograms: summed(cells.map(({ histograms }) => histograms)),
    collapse: collapseOf(cells),
  }
}

function curveOf(cells: readonly CellResult[]): CurvePoint[] {
  return cells[0]!.epochs.map(({ epoch }, i) => {
    const looks = cells.map(({ epochs }) => epochs[i]!)
    const mean = (value: (look: EpochLook) => number): number => meanOf(looks.map(value))
    return {
      epoch,
      quality: mean((look) => look.quality),
      meanCosine: mean((look) => look.meanCosine),
      effectiveRank: mean((look) => look.effectiveRank),
      uniformity: mean((look) => look.uniformity),
      alignment: mean((look) => look.alignment),
      scoreSpread: mean((look) => look.scoreSpread),
      chosen: looks.every(({ chosen }) => chosen === null)
        ? null
        : {
            violating: mean(({ chosen }) => chosen!.violating),
            percentile: mean(({ chosen }) => chosen!.percentile),
            false: mean(({ chosen }) => chosen!.false),
            overlap: mean(({ chosen }) => chosen!.overlap),
          },
    }
  })
}

function collapseOf(cells: readonly CellResult[]): Collapse {
  const from = cells.flatMap(({ epochs }) => {
    const last = epochs.findLastIndex((look) => !isCollapsed(look))
    return last === epochs.length - 1 ? [] : [epochs[last + 1]!.epoch]
  })
  const most = cells.map(({ epochs }) =>
    epochs.slice(1).reduce((a, b) => (b.meanCosine > a.meanCosine ? b : a)),
  )
  return {
    seeds: from.length,
    epoch: from.length === 0 ? null : meanOf(from),
    crowded: {
      cosine: meanOf(most.map((look) => look.meanCosine)),
      epoch: meanOf(most.map((look) => look.epoch)),
    },
  }
}

function summed(all: readonly Histograms[]): Histograms {
  const sum = (key: keyof Histograms): number[] =>
    all[0]![key].map((_, bin) => all.reduce((total, own) => total + own[key][bin]!, 0))
  return { positives: sum('positives'), candidates: sum('candidates'), chosen: sum('chosen') }
}

function perTest<T>(value: (test: TestName, way: Direction) => T) {
  return byName(testNames, (test) => byName(directions, (way) => value(test, way)))
}

function byName<K extends string, T>(names: readonly K[], value: (name: K) => T): Record<K, T> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<K, T>
}
