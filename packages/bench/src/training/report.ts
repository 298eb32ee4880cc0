import type { OpTime, StepTimes } from './step.js'

export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** Median and quartiles. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => {
    const place = share * (sorted.length - 1)
    const below = sorted[Math.floor(place)]!
    return below + (place % 1) * (sorted[Math.ceil(place)]! - below)
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

const ms = (seconds: number): string => (seconds * 1000).toFixed(seconds < 0.01 ? 2 : seconds < 0.1 ? 1 : 0)

/** One line per side: the step and its parts, in milliseconds; `flops` of one step. */
export function stepTable(
  sides: readonly { name: string; steps: readonly StepTimes[] }[],
  flops: number,
): string {
  const lines = [
    '| | step, median (quartiles) ms | fastest | forward | backward | Adam | GFLOP/s |',
    '|---|---|---|---|---|---|---|',
  ]
  for (const { name, steps } of sides) {
    const of = (part: keyof StepTimes): Spread => spread(steps.map((step) => step[part]))
    const whole = of('seconds')
    lines.push(
      `| ${name} | ${ms(whole.median)} (${ms(whole.low)}–${ms(whole.high)}) ` +
        `| ${ms(Math.min(...steps.map(({ seconds }) => seconds)))} ` +
        `| ${ms(of('forward').median)} | ${ms(of('backward').median)} | ${ms(of('optimizer').median)} ` +
        `| ${(flops / whole.median / 1e9).toFixed(0)} |`,
    )
  }
  return lines.join('\n')
}

/** Where a step's time goes: medians over several profiles of the same step, slowest op first. */
export function profileTable(profiles: readonly (readonly OpTime[])[], most: number): string {
  const rows = profiles[0]!.map(({ op, shape }, i) => ({
    op,
    shape,
    seconds: spread(profiles.map((profile) => profile[i]!.seconds)).median,
  }))
  const total = rows.reduce((sum, { seconds }) => sum + seconds, 0)
  rows.sort((a, b) => b.seconds - a.seconds)
  const rest = rows.slice(most).reduce((sum, { seconds }) => sum + seconds, 0)
  const lines = ['| op | shape | ms | share |', '|---|---|---|---|']
  const share = (seconds: number): string => `${((100 * seconds) / total).toFixed(1)} %`
  for (const { op, shape, seconds } of rows.slice(0, most)) {
    lines.push(`| ${op} | ${shape} | ${ms(seconds)} | ${share(seconds)} |`)
  }
  if (rows.length > most) lines.push(`| ${rows.length - most} others | | ${ms(rest)} | ${share(rest)} |`)
  return lines.join('\n')
}
