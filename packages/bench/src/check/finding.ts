import type { Ratio } from '../harness/pairs.js'

export type Kind = 'counters' | 'instructions' | 'memory' | 'time'

/**
 * `good`: no change that counts. `better`: less than before. `worse`: more than before by more than is allowed. `stale`: less than what is
 * committed, which has to be written down, or it could be lost again unseen. `undecided`: measured, and nothing can be said.
 * `unjudged`: it could not be measured, or there is nothing to hold it against. `accepted`: worse, and somebody said that it may be.
 */
export type Verdict = 'good' | 'better' | 'worse' | 'stale' | 'undecided' | 'unjudged' | 'accepted'

/** What is said of one thing. */
export interface Finding {
  readonly kind: Kind
  readonly subject: string
  /** What --only, --slow and --accept call it: an op, a scenario or a function. */
  readonly key: string
  readonly verdict: Verdict
  readonly before: string
  readonly now: string
  /** Now over before; null where there is no such number. */
  readonly ratio: number | null
  /** What, and by how much; in words, without a full stop. */
  readonly what: string
  /** How to look closer and how to accept; empty where nothing is to be done. */
  readonly todo: string
  /** The smallest change that this measurement would have shown, as a share. */
  readonly smallest?: number
  /** Not judged for want of time alone: with a larger --budget it would be. */
  readonly noTurn?: boolean
}

export const exitCode = { good: 0, slower: 1, broken: 2, undecided: 3 } as const

export function exitCodeOf(findings: readonly Finding[]): number {
  const any = (verdict: Verdict): boolean => findings.some((finding) => finding.verdict === verdict)
  if (any('worse') || any('stale')) return exitCode.slower
  // What had no turn may be slower: a check that left it out has not said that all is good.
  if (any('undecided') || findings.some(({ noTurn }) => noTurn === true)) return exitCode.undecided
  // A check that judged nothing at all has not said that anything is good.
  return any('good') || any('better') || any('accepted') ? exitCode.good : exitCode.broken
}

/** Findings with the slow-downs that somebody accepted by name. Counts are accepted by committing them, not here. */
export function accept(findings: readonly Finding[], names: ReadonlySet<string>): Finding[] {
  return findings.map((finding) => {
    const byName = finding.kind === 'time' || finding.kind === 'memory'
    const accepted = finding.verdict === 'worse' && byName && names.has(finding.key)
    return accepted ? { ...finding, verdict: 'accepted', todo: 'Accepted by name.' } : finding
  })
}

/** In words: "1.25 times", for what is measured with an error. */
export const times = (ratio: number): string => `${ratio.toFixed(ratio < 1.1 && ratio > 0.9 ? 3 : 2)} times`

export const percent = (ratio: number): string => {
  const change = (ratio - 1) * 100
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(1)} %`
}

/** A change of time below this is not looked for. */
export const smallestEffect = 0.03
export const instructionTolerance = 0.01
export const memoryTolerance = 0.05

/** What an interval says of a slow-down; on a busy machine it can be no proof, neither that something is slower nor that it is faster. */
export function verdictOfTime({ low, high }: Ratio, busy: boolean): Verdict {
  if (low > 1 + smallestEffect) return busy ? 'undecided' : 'worse'
  if (high < 1 / (1 + smallestEffect)) return busy ? 'good' : 'better'
  return high <= 1 + smallestEffect ? 'good' : 'undecided'
}

/** The ratio that would just have been called a slow-down, with an interval as wide as this one. */
export function smallestChange({ low, median }: Ratio): number {
  return ((1 + smallestEffect) * median) / low - 1
}

export function howToAccept(key: string): string {
  return `--accept ${key}, in this repository a line "Accept-slower: ${key}" in a commit message`
}
