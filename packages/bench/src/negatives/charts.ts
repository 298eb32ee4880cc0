import { chart, type RenderedBlock } from '@sonotext/core/report'
import { directions } from './plan.js'
import { type CurvePoint, meanQuality, ranked, type SettingSummary } from './summary.js'

export const titleOf = { textToAudio: 'text → audio', audioToText: 'audio → text' } as const
const show = (value: number): string => value.toFixed(3)

/** Quality of every strategy with its interval, both ways. */
export function qualityChart({ rows }: SettingSummary, title: string): RenderedBlock {
  const points = ranked(rows).flatMap((row) =>
    directions.map((way) => ({
      strategy: row.variant,
      way: titleOf[way],
      ...row.values.scenes[way]['mAP@10'],
      chance: row.chance[`scenes ${way} mAP@10`]!,
    })),
  )
  const best = points[0]!.strategy
  return chart({
    title,
    alt: `mAP@10 of ${rows.length} strategies with intervals, best first: ${ranked(rows)
      .map((row) => `${row.variant} ${show(meanQuality(row))}`)
      .join(', ')}. ${best} leads.`,
    note: `Points: mean over ${Math.max(...rows.map(({ seeds }) => seeds))} seeds at most; bars: 95 % interval over seeds and clips. Grey ticks: chance.`,
    table: {
      caption: 'mAP@10 on held-out scenes',
      columns: [
        { title: 'strategy', cell: (point) => point.strategy },
        { title: 'direction', align: 'left', cell: (point) => point.way },
        { title: 'mAP@10', cell: (point) => show(point.mean) },
        { title: '95 %', cell: (point) => `${show(point.low)}–${show(point.high)}` },
      ],
      rows: points,
    },
    spec: {
      data: { values: points },
      height: { step: 13, for: 'offset' },
      encoding: {
        y: { field: 'strategy', type: 'nominal', title: null, sort: null },
        yOffset: { field: 'way', type: 'nominal', sort: null },
        color: { field: 'way', type: 'nominal', title: null, sort: null },
      },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: {
            x: { field: 'low', type: 'quantitative', title: 'mAP@10', scale: { zero: true } },
            x2: { field: 'high' },
          },
        },
        {
          mark: { type: 'point', filled: true, opacity: 1, size: 45 },
          encoding: { x: { field: 'mean', type: 'quantitative' } },
        },
        {
          mark: { type: 'tick', color: 'var(--muted)', thickness: 1 },
          encoding: { x: { field: 'chance', type: 'quantitative' }, color: { value: 'var(--muted)' } },
        },
      ],
    },
  })
}

export interface CurveOptions {
  readonly title: string
  readonly alt: string
  readonly axis: string
  readonly variants: readonly string[]
  readonly note?: string
  value(point: CurvePoint): number | null
}

/** A number over the epochs, a line for each strategy. */
export function curveChart({ rows }: SettingSummary, options: CurveOptions): RenderedBlock {
  const { title, alt, axis, variants, value, note } = options
  const points = rows
    .filter(({ variant }) => variants.includes(variant))
    .flatMap(({ variant, curve }) =>
      curve.flatMap((point) => {
        const y = value(point)
        return y === null ? [] : [{ strategy: variant, epoch: point.epoch, y }]
      }),
    )
  return chart({
    title,
    alt,
    ...(note === undefined ? {} : { note }),
    table: {
      caption: `${axis}, mean over seeds`,
      columns: [
        { title: 'strategy', cell: (point) => point.strategy },
        { title: 'epoch', cell: (point) => point.epoch },
        { title: axis, cell: (point) => show(point.y) },
      ],
      rows: points,
    },
    spec: {
      data: { values: points },
      height: 240,
      mark: { type: 'line', point: { size: 20 } },
      encoding: {
        x: { field: 'epoch', type: 'quantitative', axis: { format: 'd', tickMinStep: 1 } },
        y: { field: 'y', type: 'quantitative', title: axis, scale: { zero: false } },
        color: { field: 'strategy', type: 'nominal', title: null, sort: variants },
      },
    },
  })
}

/** Where scores of own pairs, of candidates and of chosen negatives lie. */
export function histogramChart({ rows }: SettingSummary, variants: readonly string[]): RenderedBlock {
  const kinds = [
    ['own pairs', 'positives'],
    ['all candidates', 'candidates'],
    ['chosen', 'chosen'],
  ] as const
  const own = rows.filter(({ variant }) => variants.includes(variant))
  const points = own.flatMap(({ variant, histograms }) =>
    kinds.flatMap(([kind, key]) => {
      const bins = histograms[key]
      const total = bins.reduce((sum, count) => sum + count, 0)
      return bins.map((count, bin) => ({
        strategy: variant,
        kind,
        score: (2 * (bin + 0.5)) / bins.length - 1,
        share: total === 0 ? 0 : count / total,
      }))
    }),
  )
  const used = points.filter(({ share }) => share > 0).map(({ score }) => score)
  const domain = [Math.min(...used) - 0.02, Math.max(...used) + 0.02]
  return chart({
    title: 'Scores after training: own pairs, all candidates, chosen negatives',
    alt: `Histograms of scores for ${variants.join(', ')}: the further own pairs stand from the candidates, the better a model tells them apart.`,
    note: 'Shares in bins of one width, all seeds together, 128 training pairs.',
    table: {
      caption: 'Share of scores in each bin',
      columns: [
        { title: 'strategy', cell: (point) => point.strategy },
        { title: 'scores of', align: 'left', cell: (point) => point.kind },
        { title: 'bin', cell: (point) => point.score.toFixed(3) },
        { title: 'share', cell: (point) => show(point.share) },
      ],
      rows: points.filter(({ share }) => share > 0),
    },
    spec: (width) => ({
      data: { values: points.filter(({ score }) => score >= domain[0]! && score <= domain[1]!) },
      columns: width > 500 ? 3 : 1,
      facet: { field: 'strategy', type: 'nominal', title: null, sort: variants },
      spec: {
        width: width > 500 ? 185 : 250,
        height: 120,
        mark: { type: 'line', interpolate: 'step' },
        encoding: {
          x: { field: 'score', type: 'quantitative', scale: { domain, nice: false } },
          y: { field: 'share', type: 'quantitative', axis: { format: '%' } },
          color: { field: 'kind', type: 'nominal', title: null, sort: kinds.map(([kind]) => kind) },
        },
      },
    }),
  })
}
