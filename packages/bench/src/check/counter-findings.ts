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
      const said = `${counters.crossings} crossings`
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
      todo: `Look closer: npx nx run bench:counters. Accept: ${update}, and commit the file.`,
    }
  })
}

const words: Readonly<Record<string, string>> = {
  bytes: 'bytes in ops',
  crossings: 'crossings into the addon',
  allocations: 'allocations',
  allocatedBytes: 'bytes allocated',
  copiedBytes: 'bytes copied',
  uploads: 'uploads',
  uploadedBytes: 'bytes uploaded',
  downloads: 'downloads',
  downloadedBytes: 'bytes downloaded',
}

function differences(before: Counters, now: Counters): { name: string; from: number; to: number }[] {
  const flat = ({ ops, ...sums }: Counters): Record<string, number> => ({
    ...Object.fromEntries(
      Object.entries(sums).map(([name, value]) => [words[name] ?? name, value as number]),
    ),
    ...Object.fromEntries(Object.entries(ops).map(([op, calls]) => [`calls of ${op}`, calls])),
  })
  const [from, to] = [flat(before), flat(now)]
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .map((name) => ({ name, from: from[name] ?? 0, to: to[name] ?? 0 }))
    .filter((change) => change.from !== change.to)
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
