import type { Evaluation, MeasureIntervals, MeasureValues } from '@sonotext/core/metrics'
import { table } from './table.js'

/** An evaluation as a table: one row a measure, value with its 95 % interval and chance for each direction evaluated. */
export function evaluationTable(evaluation: Evaluation): string {
  const directions = [
    ['text → audio', 'textToAudio'],
    ['audio → text', 'audioToText'],
  ] as const
  const shown = directions.filter(([, key]) => evaluation[key] !== null)
  const header = ['', ...shown.flatMap(([title]) => [title, '95 %', 'chance', '×'])]
  const names = Object.keys(evaluation[shown[0]![1]]!)
  const rows = names.map((name) => [
    name,
    ...shown.flatMap(([, key]) =>
      cells(name, evaluation[key]!, evaluation.intervals[key]!, evaluation.chance[key]!),
    ),
  ])
  const about = [
    evaluation.split === null ? '' : `split ${evaluation.split}: `,
    `${evaluation.queries} captions, ${evaluation.items} clips`,
  ].join('')
  return `${about}\n${table([header, ...rows])}`
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
  const isRank = name === 'medR'
  const show = (x: number): string => (x === Infinity ? '∞' : x.toFixed(isRank ? 1 : 3))
  // The interval of a mean of 0s and 1s may reach past both; the mean cannot.
  const within = (x: number): number => (isRank ? x : Math.min(1, Math.max(0, x)))
  const times = isRank ? '' : expectedByChance > 0 ? (value / expectedByChance).toFixed(1) : '–'
  return [
    show(value),
    interval ? interval.map((end) => show(within(end))).join('–') : '–',
    isRank ? show(expectedByChance) : expectedByChance.toFixed(4),
    times,
  ]
}
