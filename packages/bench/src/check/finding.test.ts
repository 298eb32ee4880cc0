import { expect, test } from 'vitest'
import { counterFindings, instructionFindings } from './counter-findings.js'
import type { Counters } from './counters.js'
import {
  accept,
  exitCode,
  exitCodeOf,
  type Finding,
  smallestChange,
  type Verdict,
  verdictOfTime,
} from './finding.js'
import { judgeMemory } from './memory.js'
import { report } from './report.js'

const ratio = (low: number, median: number, high: number) => ({ low, median, high })
const closer = (key: string) => `look ${key}`

test('an interval of ratios gives a verdict, and on a busy machine none that blames', () => {
  const of = (low: number, high: number, busy = false) =>
    verdictOfTime(ratio(low, (low + high) / 2, high), busy)
  expect(of(1.04, 1.2)).toBe('worse')
  expect(of(1.04, 1.2, true)).toBe('undecided')
  expect(of(0.99, 1.01)).toBe('good')
  expect(of(1.01, 1.029)).toBe('good')
  expect(of(0.98, 1.05)).toBe('undecided')
  expect(of(0.8, 0.9)).toBe('better')
  expect(of(0.8, 0.9, true)).toBe('good')
  expect(of(0.8, 1.02)).toBe('good')
  // The ratio that such an interval would just have shown.
  expect(smallestChange(ratio(0.95, 1, 1.05))).toBeCloseTo(1.03 / 0.95 - 1)
})

const finding = (verdict: Verdict, kind: Finding['kind'] = 'time', key = 'gemm'): Finding => {
  return {
    kind,
    subject: `${key} a`,
    key,
    verdict,
    before: '1 ms',
    now: '2 ms',
    ratio: 2,
    what: `${key} a`,
    todo: '',
  }
}

test('what is found decides the exit code', () => {
  const of = (...verdicts: Verdict[]) => exitCodeOf(verdicts.map((verdict) => finding(verdict)))
  expect(of('good', 'unjudged', 'better')).toBe(exitCode.good)
  expect(of('good', 'worse', 'undecided')).toBe(exitCode.slower)
  expect(of('good', 'stale')).toBe(exitCode.slower)
  expect(of('good', 'undecided')).toBe(exitCode.undecided)
  expect(of('unjudged')).toBe(exitCode.broken)
  const late = { ...finding('unjudged'), noTurn: true }
  expect(exitCodeOf([finding('good'), late])).toBe(exitCode.undecided)
  expect(
    report([finding('good'), late], { against: null, notes: [], environment: '', seconds: 1 }),
  ).toContain('nothing worse, 0 of 2 undecided, 1 not judged')
  expect(of()).toBe(exitCode.broken)
})

test('times and memory are accepted by name, counts only by committing them', () => {
  const names = new Set(['gemm'])
  const all = [
    finding('worse'),
    finding('worse', 'memory'),
    finding('worse', 'counters'),
    finding('worse', 'time', 'gru'),
  ]
  expect(accept(all, names).map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted', 'worse', 'worse'])
})

const counters: Counters = {
  ...{ ops: { gemm: 2 }, opBytes: { gemm: 10 }, crossings: { run: 2, download: 1 } },
  ...{ allocations: { Buffer: 1 }, allocatedBytes: { Buffer: 4 }, copiedBytes: {} },
  transferredBytes: { download: 4 },
}

test('counters are to be the same: more is worse, less is to be written down, new ones are said', () => {
  const of = (now: Counters) => counterFindings({ step: counters }, { step: now })[0]!
  expect(of(counters).verdict).toBe('good')
  const more = of({
    ...{ ...counters, ops: { gemm: 2, add: 1 }, opBytes: { gemm: 10, add: 8 } },
    ...{ crossings: { run: 3, download: 1 }, copiedBytes: { 'Float32Array.set': 8 } },
  })
  expect(more.verdict).toBe('worse')
  // What the difference is made of is said, not totals.
  expect(more.what).toContain(
    "1 calls of add instead of 0, 8 bytes in add instead of 0, 3 crossings into the addon's run instead of 2, " +
      '8 bytes copied by Float32Array.set instead of 0',
  )
  expect(more.todo).toContain('--update')
  expect(of({ ...counters, crossings: { run: 2 } })).toMatchObject({ verdict: 'stale' })
  expect(of({ ...counters, crossings: { run: 2 }, opBytes: { gemm: 11 } })).toMatchObject({
    verdict: 'worse',
  })
  expect(counterFindings({}, { step: counters })[0]).toMatchObject({ verdict: 'unjudged' })
})

test('instructions may differ by one in a hundred', () => {
  const of = (now: number) =>
    instructionFindings({ 'gemm 1, avx2': 1000 }, { 'gemm 1, avx2': now }, 'x', closer)[0]!.verdict
  expect([1000, 1010, 1011, 989, 990].map(of)).toEqual(['good', 'good', 'worse', 'better', 'good'])
  expect(instructionFindings({}, { a: 1 }, 'x', closer)[0]!.verdict).toBe('unjudged')
})

test('a tenth more memory is worse, unless attempts of one build differ as much', () => {
  const judged = (now: number[], before = [100, 100, 100]) =>
    judgeMemory({ name: 'a', what: 'a step' }, { now, before }, closer)
  const of = (...now: number[]) => judged(now).verdict
  expect([110, 104, 94, 100].map((now) => of(now, now + 1))).toEqual(['worse', 'good', 'better', 'good'])
  // Seen of a build against itself: 159 MiB or 177 MiB, as garbage was collected.
  const seen = judged([177, 177, 177], [177, 159, 177])
  expect(seen.verdict).toBe('undecided')
  expect(seen.what).toContain('but attempts of one build lie +11.3 % apart')
  expect(judged([159, 177, 177], [177, 177, 177]).verdict).toBe('good')
  expect(of(130, 131, 140)).toBe('worse')
})

test('the report says what is worse first, how to look and to accept, and what was not judged', () => {
  const worse: Finding = {
    ...finding('worse'),
    what: 'gemm a takes 2 times as long',
    todo: 'Look closer: x. Accept: y.',
  }
  const unjudged = [1, 2].map((i) => ({
    ...finding('unjudged'),
    what: `op ${i} could not be timed: no such op`,
  }))
  const text = report([finding('good'), worse, ...unjudged], {
    ...{ against: 'abc', notes: ['no valgrind here'], environment: 'a machine', seconds: 3 },
  })
  expect(text).toMatch(/^## Speed check: 1 of 4 worse\n/)
  expect(text).toContain('Beside abc.')
  expect(text).toContain('- gemm a takes 2 times as long. Look closer: x. Accept: y.')
  expect(text).toContain('- no valgrind here.')
  expect(text).toContain('2 times: no such op')
  expect(text.indexOf('❌')).toBeLessThan(text.indexOf('✅'))
  expect(text).toContain('a machine; 3 s')
})
