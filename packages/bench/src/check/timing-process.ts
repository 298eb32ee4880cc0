/** The process that times two builds of the library in turns: started by timings.ts, which sends it one {@link TimingJob}. */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Rng } from '@sonotext/core/base'
import { Pair, ratioOf, type Run } from '../harness/pairs.js'
import { Others } from './busy.js'
import { verdictOfTime } from './finding.js'
import { openSide, type Side } from './side.js'
import {
  kernelSubjects,
  named,
  ownFunctions,
  ownSubjects,
  scenarioSubjects,
  setThreads,
  type TimedSubject,
} from './subjects.js'
import { confirmation, firstRounds, mostRounds, type TimingAnswer, type TimingJob } from './timing-job.js'

/** Seconds of a burst. */
const burst = 0.003

interface Open {
  readonly subject: TimedSubject
  readonly pair: Pair
  readonly close: () => void
  othersSeconds: number
  seconds: number
}

async function work(job: TimingJob): Promise<readonly TimingAnswer[]> {
  const answers: TimingAnswer[] = []
  const sides = await inOrder(job, async (which) => openSide(sideNames[which], job[which]))
  const both = [sides.now, sides.before]
  const own = job.benchFile === null ? [] : ownSubjects(await ownFunctions(job.benchFile))
  const subjects = [
    ...[...own, ...scenarioSubjects()].filter((subject) => named(job.only, subject)),
    ...(await kernelSubjects(both, job.only)),
  ]
  const slow = new Map(job.slow)
  // A subject's own time can be so short that the system's clock of hundredths of a second tells nothing of others in it.
  const whole = new Others()
  const open: Open[] = []
  const end = performance.now() + job.budget * 1000
  for (const subject of subjects) {
    if (performance.now() > end) {
      const unjudged = `the ${job.budget} s of --budget were over before its turn`
      answers.push({ subject: subject.name, key: subject.key, unjudged, noTurn: true })
      continue
    }
    const opened = await prepare(subject, sides, job, slow.get(subject.key) ?? 1)
    if (typeof opened === 'string') {
      answers.push({ subject: subject.name, key: subject.key, unjudged: opened })
      continue
    }
    open.push(opened)
    await measure(opened, sides, firstRounds)
  }
  const again = job.confirm ? repeated : untilDecided
  await again(open, (one) => measure(one, sides, firstRounds), end)
  for (const { subject, pair, close, othersSeconds, seconds } of open) {
    const others = Math.max(othersSeconds / seconds, whole.cores())
    answers.push({ subject: subject.name, key: subject.key, times: pair.times, others })
    close()
  }
  return answers
}

type Measure = (one: Open) => Promise<void>

/** More of what nothing can be said of yet. */
async function untilDecided(open: readonly Open[], measure: Measure, end: number): Promise<void> {
  const rng = new Rng(1, 'bench/undecided')
  for (let rest = [...open]; rest.length > 0 && performance.now() < end;) {
    rest = rest.filter(({ pair }) => {
      const verdict = verdictOfTime(
        ratioOf(pair.times, () => rng.uniform(), { resamples: 200 }),
        false,
      )
      return verdict === 'undecided' && pair.times.a.length < mostRounds
    })
    for (const one of rest) if (performance.now() < end) await measure(one)
  }
}

/** More of everything, at times that lie apart: what disturbs a machine lasts longer than the rounds of one pass. */
async function repeated(open: readonly Open[], measure: Measure, end: number): Promise<void> {
  const { fewest, most, seconds, everyMs } = confirmation
  const enough = performance.now() + 1000 * seconds
  for (let pass = 1; pass < most && performance.now() < end; pass++) {
    if (pass >= fewest && performance.now() > enough) break
    const next = sleep(everyMs)
    for (const one of open) if (performance.now() < end) await measure(one)
    await next
  }
}

type Which = 'now' | 'before'

const sideNames: Readonly<Record<Which, string>> = { now: 'this build', before: 'the other build' }

async function inOrder<T>(
  { swapped }: TimingJob,
  make: (which: Which) => Promise<T>,
): Promise<Record<Which, T>> {
  const made: Partial<Record<Which, T>> = {}
  for (const which of swapped ? (['before', 'now'] as const) : (['now', 'before'] as const)) {
    made[which] = await make(which)
  }
  return made as Record<Which, T>
}

/** The subject in both builds, or why it cannot be judged. */
async function prepare(
  subject: TimedSubject,
  sides: Record<Which, Side>,
  job: TimingJob,
  factor: number,
): Promise<Open | string> {
  try {
    setThreads([sides.now.addon, sides.before.addon], subject.threads)
    const running = await inOrder(job, async (which) => subject.make(sides[which]))
    const now = clockOf(subject, sides.now)
    const run = factor === 1 ? running.now.run : slowed(running.now.run, factor, now)
    const close = (): void => {
      running.now.close?.()
      running.before.close?.()
    }
    return {
      ...{ subject, close, othersSeconds: 0, seconds: 0 },
      pair: new Pair(run, running.before.run, { seconds: burst, now }),
    }
  } catch (error) {
    return error instanceof Error ? error.message.split('\n', 1)[0]! : String(error)
  }
}

async function measure(open: Open, { now, before }: Record<Which, Side>, rounds: number): Promise<void> {
  setThreads([now.addon, before.addon], open.subject.threads)
  const others = new Others()
  const start = performance.now()
  await open.pair.measure(rounds)
  const seconds = (performance.now() - start) / 1000
  open.othersSeconds += others.cores() * seconds
  open.seconds += seconds
}

function clockOf({ clock }: TimedSubject, { addon }: Side): () => number {
  if (clock === 'thread' && addon !== null && addon.threadSeconds() !== null)
    return () => addon.threadSeconds()!
  if (clock !== 'process') return () => performance.now() / 1000
  return () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }
}

/** The same, and then nothing useful until it has taken `factor` times as long. */
function slowed(run: Run, factor: number, now: () => number): Run {
  const waste = (start: number): void => {
    const end = start + (now() - start) * factor
    while (now() < end);
  }
  return () => {
    const start = now()
    const result = run()
    return result instanceof Promise ? result.then(() => waste(start)) : waste(start)
  }
}

process.once('message', (job: TimingJob) => {
  work(job).then(
    (answers) => process.send!(answers, () => process.disconnect()),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(2)
    },
  )
})
