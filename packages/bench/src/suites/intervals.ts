/**
 * How often a 95 % interval holds the true value, by simulation of test sets whose truth is known:
 *
 *     nx run bench:intervals --out docs/results/intervals
 */
import '../direct.js'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CheckError } from '../check/check-error.js'
import { environment, environmentLine } from '../harness/environment.js'
import { type Column, markdownTable } from '../harness/table.js'
import { coverage, type Method, type Setting, targets } from '../intervals/coverage.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '17' },
    out: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
})
const whole = (name: 'rounds' | 'seed', least: number): number => {
  const value = Number(options[name])
  if (!Number.isInteger(value) || value < least)
    throw new CheckError(`Expected a whole number from ${least} for --${name}.`)
  return value
}
const [rounds, seed] = [options.quick ? 200 : whole('rounds', 100), whole('seed', 0)]

const effects = [
  ['none', 0],
  ['moderate', 0.17],
  ['strong', 0.36],
] as const
const sizes = [30, 200, 1000] as const
const systems = [2, 12] as const
const unequal = [1, 3, 5, 7, 9]

interface Row {
  readonly setting: Setting
  readonly effect: string
  readonly measure: string
  readonly truth: number
  readonly covered: Record<Method, number>
}

/** A bootstrap redraws the test set hundreds of times: tried where clips are few, which is hard for it, and in fewer rounds. */
const bootstrapRounds = Math.ceil(rounds / 20)
const settings: Setting[] = [
  ...systems.flatMap((m) => sizes.map((clips) => ({ clips, captions: [5], m, clipEffect: 0 }))),
  ...systems.flatMap((m) => [30, 200].map((clips) => ({ clips, captions: unequal, m, clipEffect: 0 }))),
]
const rows: Row[] = []
for (const setting of settings) {
  for (const [effect, clipEffect] of effects) {
    const own = { ...setting, clipEffect }
    const closed = coverage(own, ['by query', 'by clip'], rounds, seed)
    const drawn =
      setting.clips === 30 && setting.m === 2 ? coverage(own, ['bootstrap'], bootstrapRounds, seed) : null
    for (const { name, truth } of targets) {
      const bootstrap = drawn?.get(name)!.bootstrap ?? Number.NaN
      const covered = { ...closed.get(name)!, bootstrap }
      rows.push({ setting: own, effect, measure: name, truth: truth(setting.m), covered })
    }
    console.error(`${setting.clips} clips, median rank ${setting.m}, ${effect}`)
  }
}

const column = (
  title: string,
  text: (row: Row) => string,
  align: 'left' | 'right' = 'right',
): Column<Row> => ({
  title,
  align,
  text,
})
const shown = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(3))
const table = (measures: (name: string) => boolean): string =>
  markdownTable(
    [
      column('measure', ({ measure }) => measure, 'left'),
      column('true value', ({ measure, truth }) =>
        measure === 'medR' ? truth.toFixed(0) : truth.toFixed(3),
      ),
      column('clips', ({ setting }) => String(setting.clips)),
      column('captions', ({ setting }) =>
        setting.captions.length > 1 ? '1–9' : String(setting.captions[0]),
      ),
      column('clip effect', ({ effect }) => effect, 'left'),
      column('by query (before)', ({ covered }) => shown(covered['by query'])),
      column('by clip', ({ covered }) => shown(covered['by clip'])),
      column('BCa bootstrap by clip', ({ covered }) => shown(covered.bootstrap)),
    ],
    rows
      .filter(({ measure }) => measures(measure))
      .toSorted((a, b) => targetIndex(a.measure) - targetIndex(b.measure) || b.truth - a.truth),
  )
const targetIndex = (name: string): number => targets.findIndex((target) => target.name === name)
const ends = (method: Method): string => {
  const found = rows.filter(({ measure }) => measure !== 'medR').map(({ covered }) => covered[method])
  const known = found.filter((value) => !Number.isNaN(value))
  return `${Math.min(...known).toFixed(3)}–${Math.max(...known).toFixed(3)}`
}

const about = environment()
const error = Math.sqrt((0.95 * 0.05) / rounds)
const text = [
  `Share of simulated test sets whose 95 % interval holds the true value; ${rounds} test sets each (standard error ${error.toFixed(4)}; bootstrap ${bootstrapRounds}, of 399 draws each). It should be 0.95.`,
  '',
  `Means and shares: by query ${ends('by query')}, by clip ${ends('by clip')}, bootstrap ${ends('bootstrap')}.`,
  '',
  'A test set has clips with five captions, or with 1, 3, 5, 7 and 9 in turn. The rank of the right clip has the same distribution for every caption, P(rank ≤ r) = 1 / (1 + (m/r)^1.2) with m = 2 or 12, so that the true mAP@10, R@1, R@10 and medR are known; the values of two captions of one clip correlate by 0 (no clip effect), 0.17 (moderate) or 0.36 (strong). With five captions the variance of a mean is then 1, 1.7 or 2.4 times that of captions drawn one by one.',
  '',
  '`by query` is the jackknife over captions (for medR order statistics), `by clip` what `evaluate` and `metrics` print: the score interval with the effective sample size over clips, for which the larger of the variance of the jackknife and that of the intraclass correlation counts. The bootstrap is slower and no better with few clips.',
  '',
  '## Means and shares',
  '',
  table((name) => name !== 'medR'),
  '',
  '## Median rank',
  '',
  'Ranks are whole numbers, so the interval of a small median holds it more often than 95 times in 100.',
  '',
  table((name) => name === 'medR'),
  '',
  environmentLine(about),
  '',
  'Made by `nx run bench:intervals --out docs/results/intervals`.',
].join('\n')
console.log(text)
if (options.out !== undefined) {
  writeFileSync(`${options.out}.md`, `# Coverage of the intervals\n\n${text}\n`)
  writeFileSync(`${options.out}.json`, `${JSON.stringify({ ...about, rounds, seed, rows }, null, 1)}\n`)
}
