import { type Column, markdownTable } from '../harness/table.js'
import { exitCode, exitCodeOf, type Finding, type Kind, percent, type Verdict } from './finding.js'

export interface ReportContext {
  /** What this build is held against, in words; null where there is nothing. */
  readonly against: string | null
  /** Sentences on what could not be judged as a whole, and on the machine. */
  readonly notes: readonly string[]
  /** The machine in one line. */
  readonly environment: string
  readonly seconds: number
}

const kinds: readonly (readonly [Kind, string])[] = [
  ['counters', 'exact counters'],
  ['instructions', 'instructions'],
  ['memory', 'peak memory'],
  ['time', 'time'],
]

const marks: Readonly<Record<Verdict, string>> = {
  ...{ worse: '❌ worse', better: '✅ better', good: '✅ same', undecided: '❔ undecided' },
  ...{ unjudged: '– not judged', stale: '✏️ write down', accepted: '☑️ accepted' },
}

const order: readonly Verdict[] = ['worse', 'stale', 'undecided', 'accepted', 'better', 'unjudged', 'good']

/** The whole report: Markdown that also reads well in a terminal. */
export function report(findings: readonly Finding[], context: ReportContext): string {
  const sorted = [...findings].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
  const of = (...verdicts: Verdict[]): Finding[] => sorted.filter(({ verdict }) => verdicts.includes(verdict))
  const told = of('worse', 'stale', 'undecided', 'accepted', 'better')
  const unjudged = of('unjudged')
  const same = of('good')
  const parts = [
    `## Speed check: ${headline(findings)}`,
    context.against === null ? 'Beside what is committed.' : `Beside ${context.against}.`,
    summary(findings),
    ...(told.length > 0 ? [table(told)] : []),
    ...(told.length > 0
      ? [told.map(({ what, todo }) => `- ${sentence(what)}${todo === '' ? '' : ` ${todo}`}`).join('\n')]
      : []),
    ...(context.notes.length + unjudged.length > 0
      ? [
          [
            'Not judged, or to be known:',
            '',
            ...[...context.notes, ...whatOf(unjudged)].map((note) => `- ${sentence(note)}`),
          ].join('\n'),
        ]
      : []),
    ...(same.length > 0
      ? [
          `<details><summary>${same.length} without a change that counts</summary>\n\n${table(same)}\n\n</details>`,
        ]
      : []),
    `${context.environment}; ${Math.round(context.seconds)} s`,
  ]
  return `${parts.join('\n\n')}\n`
}

function headline(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length
  const unjudged = count('unjudged') > 0 ? `, ${count('unjudged')} not judged` : ''
  switch (exitCodeOf(findings)) {
    case exitCode.slower:
      return count('worse') > 0 ? `${count('worse')} of ${findings.length} worse` : 'less than is committed'
    case exitCode.undecided:
      return `nothing worse, ${count('undecided')} of ${findings.length} undecided${unjudged}`
    case exitCode.broken:
      return 'nothing could be judged'
    default:
      return `good, ${findings.length - count('unjudged')} judged${unjudged}`
  }
}

function summary(findings: readonly Finding[]): string {
  interface Row {
    readonly title: string
    readonly own: readonly Finding[]
  }
  const rows: Row[] = kinds
    .map(([kind, title]) => ({ title, own: findings.filter((finding) => finding.kind === kind) }))
    .filter(({ own }) => own.length > 0)
  const count = (title: string, ...verdicts: Verdict[]): Column<Row> => ({
    ...{ title, align: 'right' },
    text: ({ own }) => String(own.filter(({ verdict }) => verdicts.includes(verdict)).length),
  })
  return markdownTable<Row>(
    [
      { title: '', align: 'left', text: ({ title }) => title },
      count('same or accepted', 'good', 'accepted'),
      count('better', 'better'),
      count('worse', 'worse', 'stale'),
      count('undecided', 'undecided'),
      count('not judged', 'unjudged'),
      { title: 'smallest change seen', align: 'right', text: ({ own }) => smallest(own) },
    ],
    rows,
  )
}

/** Half of the subjects would show a change of this size, all of them one of the second. */
function smallest(findings: readonly Finding[]): string {
  const sorted = findings.flatMap((finding) => finding.smallest ?? []).sort((a, b) => a - b)
  if (sorted.length === 0) return findings.some(({ kind }) => kind === 'counters') ? 'any' : '–'
  const show = (share: number): string => `${(100 * share).toFixed(0)} %`
  const [median, largest] = [show(sorted[sorted.length >> 1]!), show(sorted.at(-1)!)]
  return median === largest ? median : `${median}, at worst ${largest}`
}

function table(findings: readonly Finding[]): string {
  return markdownTable<Finding>(
    [
      { title: 'what', align: 'left', text: ({ subject }) => subject },
      { title: 'of', align: 'left', text: ({ kind }) => kind },
      { title: 'before', align: 'right', text: ({ before }) => before },
      { title: 'now', align: 'right', text: ({ now }) => now },
      { title: 'change', align: 'right', text: ({ ratio }) => (ratio === null ? '' : percent(ratio)) },
      { title: '', align: 'left', text: ({ verdict }) => marks[verdict] },
    ],
    findings,
  )
}

/** Equal reasons are said once. */
function whatOf(findings: readonly Finding[]): string[] {
  const reasons = new Map<string, Finding[]>()
  for (const finding of findings) {
    const { what, subject } = finding
    const rest = what.replace(subject, '')
    const at = rest.indexOf(': ')
    const reason = at < 0 ? rest.trim() : rest.slice(at + 2)
    reasons.set(reason, [...(reasons.get(reason) ?? []), finding])
  }
  return [...reasons].map(([reason, all]) => {
    if (all.length === 1) return all[0]!.what
    const names = [...new Set(all.map(({ key }) => key))]
    const shown = names.slice(0, 8).join(', ') + (names.length > 8 ? ` and ${names.length - 8} more` : '')
    return `${all.length} times: ${reason} (${shown})`
  })
}

function sentence(text: string): string {
  const trimmed = text.trim()
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}
