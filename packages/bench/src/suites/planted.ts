/**
 * nx run bench:planted [--out FILE.md]
 *
 * Is the speed check to be trusted? Runs it on this tree as it is, which must find nothing, and with what makes it slower planted: every op
 * a quarter slower (by the instructions of its kernels), an allocation (of three kinds), a copy and a call into the addon more in every
 * counted scenario, a tenth more memory. Each of them must be found in every subject that it was planted into. Exit code 1 where one was not; all of it can
 * be judged on a busy machine.
 */
import '../direct.js'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CheckError } from '../check/check-error.js'
import { type Finding, percent } from '../check/finding.js'
import { environment, environmentLine } from '../harness/environment.js'
import { type Column, markdownTable } from '../harness/table.js'

const { values } = parseArgs({ options: { out: { type: 'string' } } })
const program = fileURLToPath(new URL('../run-suite.js', import.meta.url))

interface Run {
  readonly planted: string
  readonly options: readonly string[]
  /** Whether every subject is to be worse; else none. */
  readonly found: boolean
}

const planting = (what: string): string[] => ['--plant', what]
const runs: readonly Run[] = [
  { planted: 'nothing', options: ['--parts', 'counters,instructions,memory', '--noise'], found: false },
  {
    planted: 'every op a quarter slower',
    options: ['--parts', 'instructions', '--slow', 'every'],
    found: true,
  },
  { planted: 'an allocation more', options: ['--parts', 'counters', ...planting('allocation')], found: true },
  { planted: 'an ArrayBuffer more', options: ['--parts', 'counters', ...planting('buffer')], found: true },
  { planted: 'a plain array more', options: ['--parts', 'counters', ...planting('list')], found: true },
  { planted: 'a copy more', options: ['--parts', 'counters', ...planting('copy')], found: true },
  {
    planted: 'a call into the addon more',
    options: ['--parts', 'counters', ...planting('crossing')],
    found: true,
  },
  {
    planted: 'a tenth more memory',
    options: ['--parts', 'memory', '--noise', ...planting('memory')],
    found: true,
  },
]

async function check(options: readonly string[]): Promise<Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sonotext-planted-'))
  const file = join(folder, 'findings.json')
  try {
    const child = spawn(process.execPath, [program, 'check', ...options, '--json', file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const code = await new Promise((done) => child.once('close', done))
    if (code === 2) throw new CheckError(`the check could not be made: check ${options.join(' ')}`)
    return (JSON.parse(await readFile(file, 'utf8')) as { findings: Finding[] }).findings
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const judged: (Run & { readonly findings: readonly Finding[]; readonly wrong: readonly Finding[] })[] = []
for (const run of runs) {
  process.stderr.write(`planted: ${run.planted} …\n`)
  const findings = await check(run.options)
  const wrong = findings.filter(({ verdict }) => run.found !== (verdict === 'worse'))
  judged.push({ ...run, findings, wrong })
}

type Judged = (typeof judged)[number]
const right = (title: string, text: (row: Judged) => string): Column<Judged> => ({
  title,
  align: 'right',
  text,
})
const overview = markdownTable<Judged>(
  [
    { title: 'planted', align: 'left', text: ({ planted }) => planted },
    { title: 'check', align: 'left', text: ({ options }) => `\`${options.join(' ')}\`` },
    right('subjects', ({ findings }) => String(findings.length)),
    right('worse', ({ findings }) => String(findings.filter(({ verdict }) => verdict === 'worse').length)),
    right('expected', ({ findings, found }) => (found ? String(findings.length) : '0')),
  ],
  judged,
)
const details = markdownTable<Finding & { readonly planted: string }>(
  [
    { title: 'planted', align: 'left', text: ({ planted }) => planted },
    { title: 'into', align: 'left', text: ({ subject }) => subject },
    { title: 'before', align: 'right', text: ({ before }) => before },
    { title: 'now', align: 'right', text: ({ now }) => now },
    { title: 'change', align: 'right', text: ({ ratio }) => (ratio === null ? '' : percent(ratio)) },
    { title: 'verdict', align: 'left', text: ({ verdict }) => verdict },
  ],
  judged
    .filter(({ found }) => found)
    .flatMap(({ planted, findings }) => findings.map((finding) => ({ ...finding, planted }))),
)
const missed = judged.flatMap(({ planted, wrong }) =>
  wrong.map(({ subject, verdict, kind }) => `- ${planted}: ${subject} (${kind}) is called ${verdict}.`),
)
const text = [
  '# The speed check, tried',
  'What is planted into this tree must be found by `nx run bench:check`, and on the tree as it is nothing must be.',
  overview,
  missed.length === 0 ? 'All as expected.' : missed.join('\n'),
  details,
  `Made by \`npx nx run bench:planted --out docs/results/planted.md\`. ${environmentLine(environment())}. Counts and peaks, no times: the machine need not be quiet.`,
].join('\n\n')
if (values.out !== undefined) await writeFile(values.out, `${text}\n`)
process.stdout.write(`${text}\n`)
process.exitCode = missed.length === 0 ? 0 : 1
