import type { Counters } from './counters.js'
import { type Finding, instructionTolerance, times } from './finding.js'
import type { InstructionCounts } from './instructions.js'

const update = 'npx nx run bench:check --update'

/** The counters of this build beside the committed ones: they are to be the same. */
export function counterFindings(
  committed: Readonly<Record<string, Counters>>,
  now: Readonly<Record<string, Counters>>,
): Finding[] {
  return Object.entries(now).map(([subject, counters]): Finding => {
    const before = committed[subject]
    const base = { kind: 'counters', subject, key: subject.split(',', 1)[0]!, ratio: null } as const
    if (before === undefined) {
      const what = `nothing is committed for ${subject}`
      return { ...base, verdict: 'unjudged', before: '', now: '', what, todo: `Write it down: ${update}.` }
    }
    const changes = differences(before, counters)
    if (changes.length === 0) {
      const crossings = Object.values(counters.crossings).reduce((sum, calls) => sum + calls, 0)
      const said = `${crossings} crossings`
      return {
        ...base,
        verdict: 'good',
        before: said,
        now: said,
        what: `${subject} does what it did`,
        todo: '',
      }
    }
    const grown = changes.some(({ from, to }) => to > from)
    return {
      ...base,
      verdict: grown ? 'worse' : 'stale',
      before: `${number(changes[0]!.from)} ${changes[0]!.name}`,
      now: number(changes[0]!.to) + (changes.length > 1 ? ', …' : ''),
      what: `${subject} ${grown ? 'does more than' : 'does less than'} baselines/counters.json says: ${changes
        .map(({ name, from, to }) => `${number(to)} ${name} instead of ${number(from)}`)
        .join(', ')}`,
      todo: `Accept: ${update}, and commit the file.`,
    }
  })
}

/** A count of something, in words. */
const words: Readonly<Record<keyof Counters, (of: string) => string>> = {
  ops: (op) => `calls of ${op}`,
  opBytes: (op) => `bytes in ${op}`,
  crossings: (name) => `crossings into the addon's ${name}`,
  allocations: (kind) => `allocations of ${kind}`,
  allocatedBytes: (kind) => `bytes of ${kind}`,
  copiedBytes: (how) => `bytes copied by ${how}`,
  transferredBytes: (way) => `bytes by ${way}`,
}

function differences(before: Counters, now: Counters): { name: string; from: number; to: number }[] {
  return (Object.keys(words) as (keyof Counters)[])
    .flatMap((counter) => {
      const [from, to] = [before[counter], now[counter]]
      return [...new Set([...Object.keys(from), ...Object.keys(to)])].map((of) => {
        return { name: words[counter](of), from: from[of] ?? 0, to: to[of] ?? 0 }
      })
    })
    .filter(({ from, to }) => from !== to)
}

const number = (value: number): string => value.toLocaleString('en')

/** Instruction counts beside others of the same compiler, which `origin` names. */
export function instructionFindings(
  before: InstructionCounts,
  now: InstructionCounts,
  origin: string,
  closer: (key: string) => string,
): Finding[] {
  return Object.entries(now).map(([subject, count]): Finding => {
    const known = before[subject]
    const op = subject.split(' ', 1)[0]!
    const base = { kind: 'instructions', subject, key: op, now: number(count) } as const
    if (known === undefined) {
      const what = `${subject} has no count in ${origin}`
      return {
        ...base,
        verdict: 'unjudged',
        before: '',
        ratio: null,
        what,
        todo: `Write it down: ${update}.`,
      }
    }
    const ratio = count / known
    const worse = ratio > 1 + instructionTolerance
    const better = ratio < 1 - instructionTolerance
    return {
      ...base,
      ...{ verdict: worse ? 'worse' : better ? 'better' : 'good', before: number(known), ratio },
      what: `${subject} executes ${times(ratio)} the instructions of ${origin}`,
      todo: worse
        ? `Look closer: ${closer(op)}. Accept: ${update}, and commit the file.`
        : better
          ? `Keep it: ${update}.`
          : '',
      smallest: instructionTolerance,
    }
  })
}
