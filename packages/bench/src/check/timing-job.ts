import type { PairedTimes } from '../harness/pairs.js'

/** What the process that times is asked. */
export interface TimingJob {
  /** Folders of the two builds of `@sonotext/core`. */
  readonly now: string
  readonly before: string
  /** Names of ops, scenarios and own functions, or of single subjects; null takes all. */
  readonly only: readonly string[] | null
  /** Names and by how much this build's are to be slowed. */
  readonly slow: readonly (readonly [string, number])[]
  /** Seconds that it may take: what is undecided is repeated until then, and what had no turn is not judged. */
  readonly budget: number
  /** Opens and prepares the other build first: what depends on the order shows as a difference between two runs. */
  readonly swapped: boolean
  /** Times what is asked in passes that lie seconds apart, whatever they show; else only until something can be said. */
  readonly confirm: boolean
  /** File of a project's own functions, see docs/guide/bench.md. */
  readonly benchFile: string | null
}

/** What it answers for each subject. */
export type TimingAnswer =
  | {
      readonly subject: string
      /** What --only and --slow call it: an op, a scenario or a function. */
      readonly key: string
      readonly times: PairedTimes
      /** Mean number of cores that other processes kept busy meanwhile. */
      readonly others: number
    }
  | {
      readonly subject: string
      readonly key: string
      /** Why there are no times. */
      readonly unjudged: string
      /** For want of time alone. */
      readonly noTurn?: boolean
    }

/** Rounds of one pass over a subject. */
export const firstRounds = 10
export const mostRounds = 80

/** Passes of a confirmation: as many as the seconds allow, each no sooner than the milliseconds after the one before. */
export const confirmation = { fewest: 4, most: 20, seconds: 5, everyMs: 250 } as const
