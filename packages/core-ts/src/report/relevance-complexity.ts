import {
  type ComplexityAnalysis,
  type ComplexityCorrelation,
  type ComplexityRow,
  type ComplexityTarget,
  complexityTargets,
} from '../relevance/index.js'
import { dataTable, section } from './blocks.js'
import type { Block } from './block.js'
import { chart } from './chart.js'
import { intervalSpec } from './interval-chart.js'
import { renderPage } from './page.js'

const three = (x: number | null | undefined): string => (x === null || x === undefined ? '–' : x.toFixed(3))

/** A page about what relevance, as listeners and as a model see it, depends on. */
export function relevanceComplexityPage(
  analysis: ComplexityAnalysis,
  { footer }: { readonly footer?: string } = {},
): Promise<string> {
  const { pairs, queries, targets } = analysis
  return renderPage({
    title: 'What relevance depends on',
    summary: `${pairs} pairs of ${queries} captions and clips: how complex a caption and a clip are, and what listeners and a model make of them.`,
    contents: true,
    blocks: [
      section(
        'Correlations',
        'Pearson’s correlation of each measure of complexity with each of what may depend on it. A line that touches 0 says nothing.',
        correlationChart(analysis),
      ),
      section('What is measured', meaningTable(targets)),
      section(
        'All measures together',
        'How much of the variance a linear regression on all measures explains: on the pairs it was fitted on, and of each pair by a fit on all others. ' +
          'What the second lacks of the first is chance; below 0 the mean does better.',
        fitTable(analysis),
      ),
      ...(targets.includes('difference')
        ? [
            section(
              'Where model and listeners are furthest apart',
              scatter(analysis, strongest(analysis, 'difference')),
              furthestTable(analysis),
            ),
          ]
        : [section('Pairs', scatter(analysis, strongest(analysis, 'rating')))]),
    ],
    ...(footer !== undefined && { footer }),
  })
}

function strongest({ correlations }: ComplexityAnalysis, target: ComplexityTarget): ComplexityCorrelation {
  const size = ({ pearson }: ComplexityCorrelation) => Math.abs(pearson ?? 0)
  const ofTarget = correlations.filter((one) => one.target === target)
  return ofTarget.reduce((best, one) => (size(one) > size(best) ? one : best))
}

function correlationChart({ correlations, measures, targets }: ComplexityAnalysis): Block {
  const points = correlations.flatMap(({ measure, target, pearson, interval }) =>
    pearson === null || interval === null
      ? []
      : [{ row: measure, series: target, value: pearson, low: interval[0], high: interval[1] }],
  )
  const sure = points.filter(({ low, high }) => low > 0 || high < 0)
  return chart({
    title: 'Correlation of measures with ratings and differences',
    alt: `Correlations with 95 % intervals. Away from 0: ${
      sure.length === 0
        ? 'none'
        : sure.map(({ row, series, value }) => `${row} with ${series} ${three(value)}`).join(', ')
    }.`,
    spec: intervalSpec({
      ...{ points, rows: measures, series: targets, title: 'correlation', size: 45 },
      height: Math.max(120, 14 * (targets.length + 1) * measures.length),
    }),
    note: '95 % intervals are percentiles of draws of whole queries.',
    table: {
      caption: 'Correlations',
      columns: [
        { title: 'measure', cell: ({ measure }: ComplexityCorrelation) => measure },
        { title: 'with', align: 'left', cell: ({ target }) => target },
        { title: 'pairs', cell: ({ pairs }) => pairs },
        { title: 'correlation', cell: ({ pearson }) => three(pearson) },
        { title: '95 %', cell: ({ interval }) => interval?.map(three).join(' … ') ?? '–' },
      ],
      rows: correlations,
    },
  })
}

function meaningTable(targets: readonly ComplexityTarget[]): Block {
  return dataTable<ComplexityTarget>({
    caption: 'What may depend on complexity',
    columns: [
      { title: 'name', cell: (target) => target },
      { title: 'meaning', align: 'left', cell: (target) => complexityTargets[target] },
    ],
    rows: targets,
  })
}

function fitTable({ fits, targets, measures }: ComplexityAnalysis): Block {
  type Line = readonly [name: string, of: (target: ComplexityTarget) => string]
  const lines: readonly Line[] = [
    ['pairs', (target) => String(fits[target]?.pairs ?? '–')],
    ['explained', (target) => three(fits[target]?.r2)],
    ['explained, one left out', (target) => three(fits[target]?.leaveOneOut)],
    ...measures.map((name, j): Line => [name, (target) => fits[target]?.coefficients[j]?.toFixed(2) ?? '–']),
  ]
  return dataTable<Line>({
    caption: 'Linear regressions; of each measure the change with one deviation of it, in deviations',
    columns: [
      { title: 'measure', cell: ([name]) => name },
      ...targets.map((target) => ({ title: target, cell: ([, of]: Line) => of(target) })),
    ],
    rows: lines,
  })
}

function scatter({ rows }: ComplexityAnalysis, { measure, target, pearson }: ComplexityCorrelation): Block {
  const points = rows.flatMap(({ query, item, measures, targets }) => {
    const [x, y] = [measures[measure], targets[target]]
    return x === null || x === undefined || y === null || y === undefined ? [] : [{ query, item, x, y }]
  })
  return chart({
    title: `${target} over ${measure}, the measure most correlated with it`,
    alt: `${points.length} pairs; correlation ${three(pearson)}.`,
    spec: {
      height: 260,
      data: { values: points.map(({ x, y }) => ({ x, y })) },
      mark: { type: 'point', size: 18, opacity: 0.5 },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: measure, scale: { zero: false } },
        y: { field: 'y', type: 'quantitative', title: target },
      },
    },
    table: null,
  })
}

function furthestTable({ rows }: ComplexityAnalysis): Block {
  const known = rows.filter(({ targets }) => targets.difference !== null && targets.difference !== undefined)
  const furthest = known.toSorted((a, b) => b.targets.difference! - a.targets.difference!).slice(0, 15)
  return dataTable<ComplexityRow>({
    caption: 'The fifteen pairs that are furthest apart',
    columns: [
      { title: 'caption', cell: ({ text }) => text },
      { title: 'clip', align: 'left', cell: ({ item }) => item },
      { title: 'listeners', cell: ({ targets }) => three(targets.rating) },
      { title: 'model', cell: ({ targets }) => three(targets['machine rating']) },
    ],
    rows: furthest,
  })
}
