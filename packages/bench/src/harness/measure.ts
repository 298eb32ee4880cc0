import { loadAddon } from '@sonotext/native-cuda'
import { type Summary, summarise } from './statistics.js'

/** One thing to time. */
export interface Subject {
  readonly name: string
  /** Makes this subject the one that runs, for example sets the number of threads. */
  readonly select: () => void
  /** One repetition. */
  readonly run: () => void
  /** Seconds since some fixed moment; default that of the options. */
  readonly clock?: () => number
  /** What its speed is a share of; null where there is no such thing. */
  readonly peak: Peak | null
  /** Units of work of one repetition, in what the peak counts per second (floating-point operations, bytes). */
  readonly work: number
}

export interface Peak {
  /** Subjects of one group have the same peak: the best measured for any of them counts. */
  readonly group: string
  /** Measures it now, in units per second. */
  readonly measure: () => number
}

export interface Timing {
  readonly name: string
  /** Seconds of one repetition. */
  readonly seconds: Summary
  /** Work per second of the best repetition. */
  readonly speed: number
  /** The speed as a share of the best peak of the group in the same run; null without a peak. */
  readonly shareOfPeak: number | null
  readonly peak: number | null
}

export interface MeasureOptions {
  /** Every subject is timed once per round, so that a disturbance of the machine hits all of them alike. */
  readonly rounds: number
  /** Repetitions of one subject in one round go on for this long; the fastest of them is the round's sample. */
  readonly seconds: number
  /** Seconds since some fixed moment. Default {@link wallClock}. */
  readonly clock?: () => number
  readonly onRound?: (round: number) => void
}

export const wallClock = (): number => performance.now() / 1000

/**
 * Time this thread has had on a core: what other processes take does not count, so a subject that runs on the calling thread
 * alone is measured well on a busy machine. (process.threadCpuUsage is updated too seldom for that.)
 */
export function threadClock(): () => number {
  const addon = loadAddon()
  return addon.threadSeconds() === null ? wallClock : () => addon.threadSeconds()!
}

/**
 * Times subjects in turns. Each sample is the fastest repetition (or handful of them, where they are short) of a burst: what another process takes away in
 * between is not the subject's time. Peaks are measured right before each burst.
 */
export function measure(subjects: readonly Subject[], options: MeasureOptions): Timing[] {
  const { rounds, seconds, clock = wallClock, onRound } = options
  const samples = subjects.map((): number[] => [])
  const peaks = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    for (const [i, { select, run, peak, clock: own = clock }] of subjects.entries()) {
      select()
      run() // caches, page faults, scratch memory
      if (peak) peaks.set(peak.group, Math.max(peaks.get(peak.group) ?? 0, peak.measure()))
      samples[i]!.push(burst(run, seconds, own))
    }
    onRound?.(round)
  }
  return subjects.map(({ name, work, peak }, i) => {
    const time = summarise(samples[i]!)
    const speed = work / time.smallest
    const best = peak === null ? null : peaks.get(peak.group)!
    return { name, seconds: time, speed, shareOfPeak: best === null ? null : speed / best, peak: best }
  })
}

/** A thread's own time is kept in steps that a few microseconds do not fill: short repetitions are timed several at once. */
const leastSeconds = 0.001

function burst(run: () => void, seconds: number, clock: () => number): number {
  const timed = (repeats: number): number => {
    const before = clock()
    for (let i = 0; i < repeats; i++) run()
    return (clock() - before) / repeats
  }
  let repeats = 1
  const start = clock()
  let fastest = timed(repeats)
  while (fastest * repeats < leastSeconds) fastest = timed((repeats *= 2))
  while (clock() - start < seconds) fastest = Math.min(fastest, timed(repeats))
  return fastest
}
