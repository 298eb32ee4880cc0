import {
  type Evaluation,
  type IntervalBasis,
  type MeasureIntervals,
  measureOf,
  type MeasureValues,
} from '@sonotext/core/metrics'
import { plural } from './plural.js'
import { table } from './table.js'

/** What the table shows: an evaluation needs no values of each query for it. */
export type ShownEvaluation = Omit<Evaluation, 'perQuery'>

/**
 * An evaluation as a table: one row a measure, value with its 95 % interval and chance for each direction evaluated; below it what
 * the intervals are over.
 */
export function evaluationTable(evaluation: ShownEvaluation): string {
  const directions = [
    ['text → audio', 'textToAudio'],
    ['audio → text', 'audioToText'],
  ] as const
  const shown = directions.filter(([, key]) => evaluation[key] !== null)
  const isJudged = evaluation.judgedShare !== undefined
  const header = [
    '',
    ...shown.flatMap(([title]) => [title, '95 %', 'chance', '×', ...(isJudged ? ['judged'] : [])]),
  ]
  const names = Object.keys(evaluation[shown[0]![1]]!)
  const rows = names.map((name) => [
    name,
    ...shown.flatMap(([, key]) => [
      ...cells(name, evaluation[key]!, evaluation.intervals[key]!, evaluation.chance[key]!),
      ...(isJudged ? [judgedCell(evaluation.judgedShare?.[key]?.[name])] : []),
    ]),
  ])
  const about = [
    evaluation.split === null ? '' : `split ${evaluation.split}: `,
    `${plural(evaluation.queries, 'caption')}, ${plural(evaluation.items, 'clip')}`,
  ].join('')
  const bases = shown.map(([title, key]) => [title, evaluation.intervalsOver[key]!] as const)
  const untold = names.filter((name) => shown.some(([, key]) => Number.isNaN(evaluation[key]![name])))
  const note =
    untold.length === 0
      ? ''
      : `\n${untold.join(', ')}: – where no query counts, since nothing is relevant to it or all that is judged is of one grade`
  return `${about}\n${table([header, ...rows])}\n${basisLine(bases)}${note}`
}

function basisLine(bases: readonly (readonly [string, IntervalBasis])[]): string {
  const texts = bases.map(([title, basis]) => [title, basisText(basis)] as const)
  const same = texts.every(([, text]) => text === texts[0]![1])
  return `95 % intervals ${same ? texts[0]![1] : texts.map(([title, text]) => `${title} ${text}`).join(', ')}`
}

function basisText({ method, unit, count }: IntervalBasis): string {
  const by = {
    cluster: `by ${unit}`,
    'cluster-bootstrap': `by ${unit} (bootstrap)`,
    'query-jackknife': 'by query (jackknife)',
  }[method]
  return `${by}: ${plural(count, unit)}`
}

/** Share of the ranks that a measure looks at whose items somebody has judged. */
function judgedCell(share: number | undefined): string {
  return share === undefined ? '–' : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
}

/** A value of a measure: shares with three digits, ranks with one. */
export function measureText(name: string, value: number): string {
  if (Number.isNaN(value)) return '–'
  if (!Number.isFinite(value)) return '∞'
  return value.toFixed((measureOf(name)?.range ?? [0, 1])[1] === 1 ? 3 : 1)
}

function cells(
  name: string,
  values: MeasureValues,
  intervals: MeasureIntervals,
  chance: MeasureValues,
): string[] {
  const value = values[name]!
  const interval = intervals[name]
  const expectedByChance = chance[name]!
  const { better, range: [least, most] = [0, 1] } = measureOf(name) ?? {}
  const isShare = most === 1
  const show = (x: number): string => measureText(name, x)
  // The jackknife by query may reach past what there can be; the mean cannot.
  const within = (x: number): number => (isShare ? Math.min(most, Math.max(least, x)) : x)
  const isTimes = isShare && better !== 'lower'
  const times = isTimes ? (expectedByChance > 0 ? (value / expectedByChance).toFixed(1) : '–') : ''
  return [
    show(value),
    interval ? interval.map((end) => show(within(end))).join('–') : '–',
    isShare && !Number.isNaN(expectedByChance) ? expectedByChance.toFixed(4) : show(expectedByChance),
    times,
  ]
}
