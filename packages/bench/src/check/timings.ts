import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Rng } from '@sonotext/core/base'
import { type Ratio, ratioOf } from '../harness/pairs.js'
import { quantile } from '../harness/statistics.js'
import { digits } from '../harness/table.js'
import { busyFrom } from './busy.js'
import { CheckError } from './check-error.js'
import { type Finding, howToAccept, smallestChange, smallestEffect, times, verdictOfTime } from './finding.js'
import { ownAddons, programOf } from './child.js'
import { firstRounds, type TimingAnswer, type TimingJob } from './timing-job.js'

/** What one process says of a subject. */
interface Said {
  readonly answer: Extract<TimingAnswer, { times: unknown }>
  readonly ratio: Ratio
}

/**
 * Processes that must say the same after the first: where memory happens to lie makes one process differ from the next by several per cent,
 * for as long as it lives, and of a hundred subjects a few come out slower by that alone.
 */
const confirmations = 3

/**
 * Times two builds in a process of its own, which stops as soon as it can say something. What it calls slower, which of so many subjects some
 * are by chance, is timed again at length in others, which prepare the builds in the other order in turns: only what is slower every time is a
 * slow-down, and the smallest estimate is the one that is given.
 * @param closer how the reader looks closer at one subject
 * @param timed answers of a process that times
 */
export async function timingFindings(
  job: Omit<TimingJob, 'swapped' | 'confirm'>,
  closer: (key: string) => string,
  timed: (job: TimingJob) => Promise<readonly TimingAnswer[]> = inProcess,
): Promise<Finding[]> {
  const first = await timed({ ...job, swapped: false, confirm: false })
  const rng = new Rng(1, 'bench/timings')
  const said = (answer: TimingAnswer, together: number): Said[] =>
    'times' in answer ? [{ answer, ratio: ratioOf(answer.times, () => rng.uniform(), { together }) }] : []
  const processes = new Map(first.map((answer) => [answer.subject, said(answer, 1)]))
  const blamed = (all: readonly Said[]): boolean =>
    all.length > 0 &&
    all.every(({ answer, ratio }) => verdictOfTime(ratio, answer.others >= busyFrom) === 'worse')
  for (let i = 0; i < confirmations; i++) {
    const only = [...processes].filter(([, all]) => blamed(all)).map(([subject]) => subject)
    if (only.length === 0) break
    const answers = await timed({ ...job, only, swapped: i % 2 === 0, confirm: true })
    const silent = only.find((asked) => !answers.some(({ subject }) => subject === asked))
    if (silent !== undefined) throw new CheckError(`The process that times said nothing of ${silent}.`)
    for (const answer of answers) processes.get(answer.subject)!.push(...said(answer, firstRounds))
  }
  return first.map((answer) => {
    if (!('times' in answer)) return untimed(answer.subject, answer.key, answer.unjudged, answer.noTurn)
    const all = processes.get(answer.subject)!
    if (blamed(all) && all.length <= confirmations)
      return untimed(
        ...([answer.subject, answer.key] as const),
        'it looked slower, and --budget left no time to look again',
        true,
      )
    const least = all.reduce((a, b) => (b.ratio.low < a.ratio.low ? b : a))
    // One process in which others computed too is enough for doubt.
    return timeFinding(least, Math.max(...all.map(({ answer }) => answer.others)), closer)
  })
}

function untimed(subject: string, key: string, why: string, noTurn = false): Finding {
  return {
    ...{ kind: 'time', subject, key, verdict: 'unjudged', before: '', now: '', ratio: null, noTurn },
    ...{ what: `${subject} could not be timed: ${why}`, todo: '' },
  }
}

function timeFinding({ answer, ratio }: Said, others: number, closer: (key: string) => string): Finding {
  const { subject, key, times: measured } = answer
  const verdict = verdictOfTime(ratio, others >= busyFrom)
  const interval = `95 %: ${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}`
  const busy = `while other processes kept ${others.toFixed(1)} cores busy, which is no proof`
  const what = {
    decided: `${subject} takes ${times(ratio.median)} as long as before (${interval})`,
    suspect: `${subject} took ${times(ratio.median)} as long as before (${interval}) ${busy}`,
    open: `${subject} is not shown to be as fast as before, ${interval}`,
  }[verdict !== 'undecided' ? 'decided' : ratio.low > 1 + smallestEffect ? 'suspect' : 'open']
  const todo =
    verdict === 'worse'
      ? `Look closer: ${closer(key)}. Accept: ${howToAccept(key)}.`
      : verdict === 'undecided'
        ? `Look closer, on a quiet machine: ${closer(key)}.`
        : ''
  return {
    ...{ kind: 'time', subject, key, verdict, ratio: ratio.median, what, todo },
    before: time(measured.b),
    now: time(measured.a),
    smallest: smallestChange(ratio),
  }
}

function time(seconds: readonly number[]): string {
  const median = quantile(seconds, 0.5)
  return median < 1e-3 ? `${digits(median * 1e6)} µs` : `${digits(median * 1e3)} ms`
}

/**
 * The answers of the process that times (or of another program): all of them come in one message, so that a subject without an answer is no
 * accident of when the process ended. Throws CheckError when there is no such message.
 */
export async function inProcess(
  job: TimingJob,
  program = programOf('timing-process'),
): Promise<readonly TimingAnswer[]> {
  const child = fork(program, {
    env: ownAddons(),
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  // Comes after every message, which the end of the process need not.
  const disconnected = once(child, 'disconnect')
  let answers: readonly TimingAnswer[] | undefined
  child.once('message', (all) => (answers = all as readonly TimingAnswer[]))
  child.send(job)
  const [[code, signal]] = await Promise.all([ended, disconnected])
  if (code !== 0) throw new CheckError(`The process that times ended with ${signal ?? `exit code ${code}`}.`)
  if (answers === undefined) throw new CheckError('The process that times ended without an answer.')
  return answers
}
