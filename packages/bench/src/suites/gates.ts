import type { Timing } from '../harness/measure.js'

/** A speed that must not be lost: a share of the peak measured in the same process, never a time. */
export interface Gate {
  /** Name of the subject, see subjectName. */
  readonly subject: string
  readonly shareOfPeak: number
}

export interface Baseline {
  /** How much of a gate's share may be missing: the difference between CPUs and what a busy machine takes. */
  readonly tolerance: number
  readonly gates: readonly Gate[]
}

export interface Verdict {
  readonly gate: Gate
  /** Best share of all attempts; null when the subject was not measured. */
  readonly share: number | null
  readonly passed: boolean
}

/** Holds measured shares against the baseline. A gate whose subject this machine cannot run is neither passed nor failed. */
export function judge({ tolerance, gates }: Baseline, timings: readonly Timing[]): Verdict[] {
  return gates.map((gate) => {
    const shares = timings.flatMap(({ name, shareOfPeak }) =>
      name === gate.subject && shareOfPeak !== null ? [shareOfPeak] : [],
    )
    const share = shares.length > 0 ? Math.max(...shares) : null
    return { gate, share, passed: share !== null && share >= gate.shareOfPeak * (1 - tolerance) }
  })
}

/**
 * Measures until every gate has passed or `attempts` are used up: other processes only ever make a kernel slower, so its best
 * attempt counts. `measureSubjects` gets the names that are still to be shown.
 */
export function tryGates(
  baseline: Baseline,
  attempts: number,
  measureSubjects: (names: ReadonlySet<string>) => readonly Timing[],
): Verdict[] {
  const timings: Timing[] = []
  let verdicts = judge(baseline, timings)
  for (let attempt = 0; attempt < attempts; attempt++) {
    const open = verdicts.filter(({ passed }) => !passed).map(({ gate }) => gate.subject)
    if (open.length === 0) break
    timings.push(...measureSubjects(new Set(open)))
    verdicts = judge(baseline, timings)
  }
  return verdicts
}
