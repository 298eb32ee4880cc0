import { quantile, summarise } from '../harness/statistics.js'
import { type Column, digits, markdownTable } from '../harness/table.js'
import type { OpTime, StepTimes } from './step.js'

/** One side of the comparison and the steps it took. */
export interface Side {
  readonly name: string
  readonly steps: readonly StepTimes[]
}

const ms = (seconds: number): string => digits(seconds * 1e3)
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

/** One line per side: medians of the step and its parts; `flops` of one step. */
export function stepTable(sides: readonly Side[], flops: number): string {
  const of = ({ steps }: Side, part: keyof StepTimes) => summarise(steps.map((step) => step[part]))
  const median = (title: string, part: keyof StepTimes): Column<Side> => ({
    title,
    align: 'right',
    text: (side) => ms(of(side, part).median),
  })
  return markdownTable<Side>(
    [
      { title: '', align: 'left', text: ({ name }) => name },
      median('step, ms', 'seconds'),
      { title: 'quartiles apart', align: 'right', text: (side) => percent(of(side, 'seconds').spread) },
      { title: 'fastest', align: 'right', text: (side) => ms(of(side, 'seconds').smallest) },
      median('forward', 'forward'),
      median('backward', 'backward'),
      median('Adam', 'optimizer'),
      { title: 'GFLOP/s', align: 'right', text: (side) => digits(flops / of(side, 'seconds').median / 1e9) },
    ],
    sides,
  )
}

/** Where a step's time goes: medians over several profiles of the same step, slowest first, calls of one shape together. */
export function profileTable(profiles: readonly (readonly OpTime[])[], most: number): string {
  interface Row {
    readonly op: string
    readonly shape: string
    readonly calls: number
    readonly seconds: number
  }
  const rows = new Map<string, Row>()
  for (const [i, { op, shape }] of profiles[0]!.entries()) {
    const seconds = quantile(
      profiles.map((profile) => profile[i]!.seconds),
      0.5,
    )
    const known = rows.get(`${op} ${shape}`)
    rows.set(`${op} ${shape}`, {
      op,
      shape,
      calls: (known?.calls ?? 0) + 1,
      seconds: (known?.seconds ?? 0) + seconds,
    })
  }
  const sorted = [...rows.values()].sort((a, b) => b.seconds - a.seconds)
  const sum = (some: readonly Row[], part: 'calls' | 'seconds'): number =>
    some.reduce((total, row) => total + row[part], 0)
  const total = sum(sorted, 'seconds')
  const rest = sorted.slice(most)
  const shown = sorted.slice(0, most)
  if (rest.length > 0)
    shown.push({ op: 'others', shape: '', calls: sum(rest, 'calls'), seconds: sum(rest, 'seconds') })
  return markdownTable<Row>(
    [
      { title: 'op', align: 'left', text: ({ op }) => op },
      { title: 'shape', align: 'left', text: ({ shape }) => shape },
      { title: 'calls', align: 'right', text: ({ calls }) => String(calls) },
      { title: 'ms', align: 'right', text: ({ seconds }) => ms(seconds) },
      { title: 'share', align: 'right', text: ({ seconds }) => percent(seconds / total) },
    ],
    shown,
  )
}
