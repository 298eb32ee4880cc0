import { loadAddon } from '@sonotext/native-cuda'
import { quantile, type Summary, summarise } from './statistics.js'

/** One thing to time. */
export interface Subject {
  readonly name: string
  /** Makes this subject the one that runs, for example sets the number of threads. */
  readonly select: () => void
  /** One repetition. */
  readonly run: () => void
  /** Default that of the options. */
  readonly clock?: Clock
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

export interface Clock {
  /** Seconds since some fixed moment. */
  readonly now: () => number
  /**
   * Which repetition stands for a burst, and which burst for a subject. A clock that counts other processes' time too is
   * right when they did nothing: the fastest. One that leaves their time out may leave out too much: the median.
   */
  readonly pick: 'fastest' | 'median'
}

export interface Timing {
  readonly name: string
  /** Of one repetition. */
  readonly seconds: number
  /** Of the rounds. */
  readonly samples: Summary
  /** Work per second. */
  readonly speed: number
  /** The speed as a share of the best peak of the group in the same run; null without a peak. */
  readonly shareOfPeak: number | null
  readonly peak: number | null
}

export interface MeasureOptions {
  /** Every subject is timed once per round, so that a disturbance of the machine hits all of them alike. */
  readonly rounds: number
  /** Repetitions of one subject in one round go on for this long by the wall clock. */
  readonly seconds: number
  /** Default {@link wallClock}. */
  readonly clock?: Clock
  readonly onRound?: (round: number) => void
}

export const wallClock: Clock = { now: () => performance.now() / 1000, pick: 'fastest' }

/**
 * Time this thread has had on a core: what other processes take does not count, so a subject that runs on the calling thread
 * alone is measured well on a busy machine. (process.threadCpuUsage is updated too seldom for that.)
 */
export function threadClock(): Clock {
  const addon = loadAddon()
  return addon.threadSeconds() === null ? wallClock : { now: () => addon.threadSeconds()!, pick: 'median' }
}

/** Times subjects in turns, a short burst of repetitions each; peaks are measured right before each burst. */
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
  return subjects.map(({ name, work, peak, clock: own = clock }, i) => {
    const time = picked(samples[i]!, own)
    const speed = work / time
    const best = peak === null ? null : peaks.get(peak.group)!
    const shareOfPeak = best === null ? null : speed / best
    return { name, seconds: time, samples: summarise(samples[i]!), speed, shareOfPeak, peak: best }
  })
}

function burst(run: () => void, seconds: number, clock: Clock): number {
  const times: number[] = []
  const end = performance.now() / 1000 + seconds
  do {
    const before = clock.now()
    run()
    times.push(clock.now() - before)
  } while (performance.now() / 1000 < end)
  return picked(times, clock)
}

function picked(times: readonly number[], { pick }: Clock): number {
  return pick === 'fastest' ? Math.min(...times) : quantile(times, 0.5)
}
