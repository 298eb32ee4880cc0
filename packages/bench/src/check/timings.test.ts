import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { busyFrom } from './busy.js'
import { firstRounds, type TimingAnswer, type TimingJob } from './timing-job.js'
import { inProcess, timingFindings } from './timings.js'

const job = { ...{ now: 'now', before: 'before', only: null, slow: [], budget: 1 }, benchFile: null }

interface Said {
  /** What this build takes beside the other. */
  readonly ratio: number
  readonly others?: number
}

/** What is found where each process says this of each subject, and what the processes were asked. */
async function found(...processes: readonly Readonly<Record<string, Said | string>>[]) {
  const asked: TimingJob[] = []
  const timed = async (one: TimingJob): Promise<TimingAnswer[]> => {
    const said = processes[asked.push(one) - 1]!
    return Object.entries(said)
      .filter(([subject]) => one.only === null || one.only.includes(subject))
      .map(([subject, said]) => {
        if (typeof said === 'string') return { subject, key: subject, unjudged: said }
        const { ratio, others = 0 } = said
        const b = Array.from({ length: 10 }, (_, i) => 1 + i / 1000)
        return { subject, key: subject, times: { a: b.map((time) => time * ratio), b }, others }
      })
  }
  const findings = await timingFindings(job, (key) => key, timed)
  return { asked, of: Object.fromEntries(findings.map((finding) => [finding.subject, finding])) }
}

const slower = { ratio: 1.2 }
const same = { ratio: 1 }

test('what is slower in four processes is slower, by the smallest estimate; the builds are prepared in both orders', async () => {
  const { asked, of } = await found(
    { gemm: slower, conv2d: same },
    { gemm: { ratio: 1.1 } },
    { gemm: { ratio: 1.3 } },
    { gemm: slower },
  )
  expect(asked.map(({ swapped }) => swapped)).toEqual([false, true, false, true])
  expect(asked.map(({ confirm }) => confirm)).toEqual([false, true, true, true])
  expect(asked.slice(1).map(({ only }) => only)).toEqual([['gemm'], ['gemm'], ['gemm']])
  expect(of.gemm).toMatchObject({ verdict: 'worse' })
  expect(of.gemm!.ratio).toBeCloseTo(1.1)
  expect(of.conv2d).toMatchObject({ verdict: 'good', ratio: 1 })
})

test.each([1, 2, 3])(
  'one process of four that sees nothing, number %i of those behind the first, clears a build',
  async (n) => {
    const behind = [1, 2, 3].map((i) => ({ gemm: i === n ? same : slower }))
    const { asked, of } = await found({ gemm: slower }, ...behind)
    expect(of.gemm).toMatchObject({ verdict: 'good', ratio: 1 })
    // What is cleared is not timed again.
    expect(asked).toHaveLength(n + 1)
  },
)

test.each([0, 1, 2, 3])('where others computed beside process %i of four, nothing is blamed', async (n) => {
  const processes = [0, 1, 2, 3].map((i) => ({ gemm: { ratio: 1.2, others: i === n ? busyFrom : 0 } }))
  const { of } = await found(...processes)
  expect(of.gemm).toMatchObject({ verdict: 'undecided' })
  expect(of.gemm!.what).toContain('kept 0.3 cores busy')
})

test('what could not be timed again is not blamed, and not passed', async () => {
  const { of } = await found({ gemm: slower }, { gemm: slower }, { gemm: 'no time' }, { gemm: slower })
  expect(of.gemm).toMatchObject({ verdict: 'unjudged' })
  expect(of.gemm!.what).toContain('--budget left no time to look again')
})

test('a process that says nothing of what it was asked is a fault of the check', async () => {
  await expect(found({ gemm: slower }, {})).rejects.toThrow('said nothing of gemm')
})

test('what disturbs whole passes does not pass for many rounds that agree', async () => {
  // Five passes of eight are disturbed in this build's turns: fifty rounds of eighty.
  const a = Array.from({ length: 80 }, (_, i) => (Math.floor(i / firstRounds) % 8 < 5 ? 1.2 : 1))
  const times = { a, b: a.map(() => 1) }
  const asked: boolean[] = []
  const timed = async ({ confirm }: TimingJob): Promise<TimingAnswer[]> => {
    asked.push(confirm)
    return [{ subject: 'gemm', key: 'gemm', times, others: 0 }]
  }
  const [finding] = await timingFindings(job, (key) => key, timed)
  expect(asked).toEqual([false, true])
  expect(finding!.verdict).toBe('undecided')
})

const folder = mkdtempSync(join(tmpdir(), 'sonotext-timings-'))
afterAll(() => rmSync(folder, { recursive: true }))

function program(name: string, code: string): string {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, `process.once('message', () => {${code}})`)
  return file
}

test('all answers of a process come, however soon it ends behind them, or it is said that none came', async () => {
  const asked = { ...job, swapped: false, confirm: false }
  const many =
    'Array.from({ length: 5000 }, (_, i) => ({ subject: `s${i}`, key: "k", unjudged: "x".repeat(500) }))'
  const whole = program('whole', `process.send(${many}, () => process.disconnect())`)
  expect(await inProcess(asked, whole)).toHaveLength(5000)
  await expect(inProcess(asked, program('silent', 'process.disconnect()'))).rejects.toThrow(
    'without an answer',
  )
  await expect(inProcess(asked, program('broken', 'process.exit(2)'))).rejects.toThrow('exit code 2')
})
