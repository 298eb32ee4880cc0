import { expect, test } from 'vitest'
import { type Clock, measure, type Subject } from './measure.js'
import { quantile, summarise } from './statistics.js'
import { digits, markdownTable } from './table.js'

/** Subjects whose repetitions take the given times, on a clock that only they move. */
function machine(pick: Clock['pick'] = 'fastest') {
  let now = 0
  const log: string[] = []
  const subject = (
    name: string,
    work: number,
    times: readonly number[],
    peak: readonly number[],
  ): Subject => {
    let turn = 0
    let peaks = 0
    return {
      name,
      work,
      select: () => void log.push(`select ${name}`),
      run() {
        log.push(`run ${name}`)
        now += times[turn++ % times.length]!
      },
      peak: { group: 'all', measure: () => peak[peaks++ % peak.length]! },
    }
  }
  const clock: Clock = { now: () => now, pick }
  return { subject, clock, log }
}

test('subjects take turns, each warmed up before it is timed', () => {
  const { subject, clock, log } = machine()
  measure([subject('a', 1, [1], [1]), subject('b', 1, [1], [1])], { rounds: 2, seconds: 0, clock })
  const round = ['select a', 'run a', 'run a', 'select b', 'run b', 'run b']
  expect(log).toEqual([...round, ...round])
})

test('a burst goes on for its time', () => {
  const { subject, clock, log } = machine()
  measure([subject('a', 1, [1], [1])], { rounds: 1, seconds: 0.005, clock })
  expect(log.length).toBeGreaterThan(10)
})

test.for([
  ['fastest', 2, 5, 0.25],
  ['median', 4, 2.5, 0.125],
] as const)('rounds are judged by their %s', ([pick, seconds, speed, share]) => {
  const { subject, clock } = machine(pick)
  // One warm-up and one repetition a round.
  const times = [9, 4, 9, 2, 9, 8]
  const [timing] = measure([subject('a', 10, times, [20])], { rounds: 3, seconds: 0, clock })
  expect(timing).toMatchObject({ seconds, speed, peak: 20, shareOfPeak: share })
  expect(timing!.samples).toMatchObject({ smallest: 2, median: 4, largest: 8, samples: 3 })
})

test('subjects of one group share the best peak that any of them saw', () => {
  const { subject, clock } = machine()
  const subjects = [subject('a', 8, [1], [10, 16]), subject('b', 4, [1], [12, 11])]
  const timings = measure(subjects, { rounds: 2, seconds: 0, clock })
  expect(timings.map(({ shareOfPeak }) => shareOfPeak)).toEqual([0.5, 0.25])
})

test('a subject may have no peak and a clock of its own', () => {
  const { subject, clock } = machine()
  const own: Subject = { ...subject('a', 8, [1], [1]), peak: null, clock: { now: clock.now, pick: 'median' } }
  const [timing] = measure([own], { rounds: 1, seconds: 0, clock: { now: () => 0, pick: 'fastest' } })
  expect(timing).toMatchObject({ speed: 8, peak: null, shareOfPeak: null })
})

test('quantiles interpolate', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
  expect(quantile([7], 0.9)).toBe(7)
  expect(quantile([], 0.5)).toBeNaN()
  expect(summarise([2, 4, 6, 8]).spread).toBeCloseTo(3 / 5)
})

test('tables align, numbers keep three digits', () => {
  const rows = [
    { name: 'µ-kernel', value: 1234.5 },
    { name: 'b', value: 0.012345 },
  ]
  const text = markdownTable(
    [
      { title: 'name', align: 'left', text: ({ name }) => name },
      { title: 'ms', align: 'right', text: ({ value }) => digits(value) },
    ],
    rows,
  )
  expect(text.split('\n')).toEqual([
    '| name     |     ms |',
    '| -------- | -----: |',
    '| µ-kernel |   1235 |',
    '| b        | 0.0123 |',
  ])
  expect(digits(Number.NaN)).toBe('–')
})
