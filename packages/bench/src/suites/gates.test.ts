import { readFileSync } from 'node:fs'
import { machineReport } from '@sonotext/core/backend'
import { describe, expect, test } from 'vitest'
import { type Clock, measure, type Subject, type Timing } from '../harness/measure.js'
import { type Baseline, judge, tryGates } from './gates.js'
import { runGates } from './gate-subjects.js'
import { kernelRows } from './kernel-rows.js'
import { kernelSubjects } from './kernel-subjects.js'

const baseline: Baseline = {
  tolerance: 0.2,
  gates: [
    { subject: 'fast', shareOfPeak: 0.5 },
    { subject: 'elsewhere', shareOfPeak: 0.9 },
  ],
}

/** A kernel that reaches `share` of a peak of 1000 units per second, on a clock of its own. */
function standIn(share: number): { subject: Subject; clock: Clock } {
  let now = 0
  const subject: Subject = {
    name: 'fast',
    work: 1000,
    select: () => undefined,
    run: () => void (now += 1 / share),
    peak: { group: 'all', measure: () => 1000 },
  }
  return { subject, clock: { now: () => now, pick: 'fastest' } }
}

function timingOf(share: number): Timing[] {
  const { subject, clock } = standIn(share)
  return measure([subject], { rounds: 3, seconds: 0, clock })
}

test('a kernel that lost more than the tolerance fails, one that lost less passes', () => {
  const passed = (share: number) => judge(baseline, timingOf(share))[0]!.passed
  expect(passed(0.5)).toBe(true)
  expect(passed(0.41)).toBe(true)
  expect(passed(0.39)).toBe(false)
  expect(passed(0.25)).toBe(false)
})

test('what this machine cannot run is no pass', () => {
  expect(judge(baseline, timingOf(0.5))[1]).toMatchObject({ share: null, passed: false })
})

test('open gates are tried again, the best attempt counts, passed ones rest', () => {
  const asked: string[][] = []
  const shares = [0.2, 0.45, 0.3]
  const verdicts = tryGates(baseline, 3, (names) => {
    asked.push([...names].sort())
    return names.has('fast') ? timingOf(shares[asked.length - 1]!) : []
  })
  expect(asked).toEqual([['elsewhere', 'fast'], ['elsewhere', 'fast'], ['elsewhere']])
  expect(verdicts[0]).toMatchObject({ passed: true })
  expect(verdicts[0]!.share).toBeCloseTo(0.45)
})

const { addonProblem } = machineReport()
if (addonProblem !== null) process.stderr.write('gates: skipped, the native addon is not built\n')

describe.skipIf(addonProblem !== null)('on the real kernels', () => {
  test('every gate of the committed baseline names a row of the table', async () => {
    const file = new URL('../../baselines/kernels.json', import.meta.url)
    const { gates } = JSON.parse(readFileSync(file, 'utf8')) as Baseline
    const sets = ['scalar', 'avx2', 'avx512']
    const rows = await kernelRows()
    const supported = sets.filter((isa) => gates.some(({ subject }) => subject.endsWith(`${isa} ×1`)))
    const names = new Set(rows.flatMap((row) => supported.map((isa) => `${row.op} ${row.shape}, ${isa} ×1`)))
    expect(gates.filter(({ subject }) => !names.has(subject))).toEqual([])
    expect(kernelSubjects(rows, ['scalar'], [1]).map(({ name }) => name)).toEqual(
      [...names].filter((name) => name.endsWith('scalar ×1')),
    )
  })

  test('a kernel that runs five times instead of once fails its gate', async () => {
    // No kernel exceeds its peak, so a fifth of the work per second is below 0.3 whatever the machine does.
    const gate = { subject: 'gemm 512×512×512, scalar ×1', shareOfPeak: 0.3 }
    const run = { attempts: 1, rounds: 1, seconds: 0, slowed: { op: 'gemm', times: 5 } }
    const [verdict] = await runGates({ tolerance: 0, gates: [gate] }, run)
    expect(verdict!.share).not.toBeNull()
    expect(verdict!.passed).toBe(false)
  })
})
