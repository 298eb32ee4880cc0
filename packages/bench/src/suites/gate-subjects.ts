import { measure, type Subject, type Timing } from '../harness/measure.js'
import type { Baseline, Verdict } from './gates.js'
import { tryGates } from './gates.js'
import { kernelRows } from './kernel-rows.js'
import { kernelSubjects, supportedSets } from './kernel-subjects.js'

export interface GateRun {
  /** An op that runs this many times in each repetition: a stand-in for a kernel that became slower, to see a gate fail. */
  readonly slowed?: { readonly op: string; readonly times: number }
  readonly attempts?: number
  readonly rounds?: number
  /** Seconds of each burst. */
  readonly seconds?: number
}

/** Measures the kernels that have a gate on this machine, on one thread, whose own time is what counts. */
export async function runGates(baseline: Baseline, run: GateRun = {}): Promise<Verdict[]> {
  const { slowed, attempts = 4, rounds = 3, seconds = 0.02 } = run
  const subjects = kernelSubjects(await kernelRows(), supportedSets(), [1]).map((subject): Subject => {
    if (subject.row.op !== slowed?.op) return subject
    const repeated = (): void => {
      for (let i = 0; i < slowed.times; i++) subject.run()
    }
    return { ...subject, run: repeated }
  })
  const timed = (names: ReadonlySet<string>): Timing[] =>
    measure(
      subjects.filter(({ name }) => names.has(name)),
      { rounds, seconds },
    )
  return tryGates(baseline, attempts, timed)
}
