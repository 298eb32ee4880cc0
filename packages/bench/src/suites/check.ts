/**
 * nx run bench:check [--against REV|FOLDER] [options]
 *
 * Says whether this tree is slower than another build: by exact counters and instruction counts, which are committed, by peak memory and
 * by times of both builds taken in turns. Without --against the other build is where the branch left main, on main the commit before.
 *
 *   --against REV|FOLDER  a commit, tag or branch, built once below build/against; or the folder of a clone that is built
 *   --noise               this build against a copy of itself: what change can be seen here and now?
 *   --only NAMES          ops, scenarios: comma-separated
 *   --parts NAMES         of counters, instructions, memory, time (default: all)
 *   --accept NAMES        may be slower; so may names after "Accept-slower:" in a commit message since the other build
 *   --update              writes counters and instruction counts of this tree to baselines/, to be committed
 *   --budget SECONDS      for timing (default 100): what is undecided is repeated, what had no turn is not judged
 *   --markdown FILE       the report, appended to the file; --json FILE: all findings
 *   --slow NAME[:FACTOR]  makes an op or scenario slower (1.25 times), to see it found; every: all ops
 *   --plant WHAT          allocation, buffer, list, copy or crossing in every counted run, or memory (a tenth more): to see it found
 *
 * Exit code 0 good, 1 slower, 2 the check could not be made, 3 nothing is slower but something is undecided or had no turn.
 * Nx makes 1 of each that is not 0: .ci/speed, or node packages/bench/dist/run-suite.js check, gives the code itself.
 * docs/performance.md says how to read the report.
 */
import '../direct.js'
import { existsSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { signatures } from '@sonotext/core/backend'
import { countAll, countKernels } from '../check/baselines.js'
import { CheckError } from '../check/check-error.js'
import { checkNames, compareBuilds, type Part, parts, slowOf } from '../check/compare.js'
import { exitCode, exitCodeOf, type Finding } from '../check/finding.js'
import { plants } from '../check/plant.js'
import { report } from '../check/report.js'
import { acceptedSince, buildAt, defaultBase, root, shortName } from '../check/repository.js'
import { coreFolder, openSide } from '../check/side.js'
import { environment, environmentLine } from '../harness/environment.js'

interface Other {
  /** What it is, in words. */
  readonly name: string
  readonly folder: string
  /** Names whose slow-down its successors accept. */
  readonly accepted: readonly string[]
}

/** The build that this one is held against, or why there is none. */
async function otherBuild({
  against,
  noise,
}: {
  against?: string | undefined
  noise: boolean
}): Promise<Other | string> {
  if (noise) return { name: 'a copy of itself', folder: await buildAt('--this'), accepted: [] }
  if (against !== undefined && existsSync(against)) return { name: against, folder: against, accepted: [] }
  const base = against === undefined ? defaultBase() : { revision: against }
  if ('reason' in base) return base.reason
  const folder = await buildAt(base.revision)
  return { name: shortName(base.revision), folder, accepted: acceptedSince(base.revision) }
}

const list = (text: string | undefined): string[] | null =>
  text?.split(',').filter((name) => name !== '') ?? null

function partsOf(text: string | undefined): readonly Part[] {
  const asked = list(text) ?? parts
  const unknown = asked.find((part) => !(parts as readonly string[]).includes(part))
  if (unknown !== undefined) throw new CheckError(`There is no part ${unknown}. Parts: ${parts.join(', ')}.`)
  return asked as readonly Part[]
}

/** Whether something that is made slower could be found in these parts. */
function showsIn(name: string, wanted: readonly Part[], only: readonly string[] | null): boolean {
  const counted = wanted.includes('instructions') && Object.hasOwn(signatures, name)
  return (counted || wanted.includes('time')) && (only === null || only.includes(name))
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      against: { type: 'string' },
      noise: { type: 'boolean', default: false },
      only: { type: 'string' },
      parts: { type: 'string' },
      accept: { type: 'string' },
      update: { type: 'boolean', default: false },
      budget: { type: 'string', default: '100' },
      markdown: { type: 'string' },
      json: { type: 'string' },
      slow: { type: 'string' },
      plant: { type: 'string' },
    },
  })
  const started = performance.now()
  const wanted = partsOf(values.parts)
  const only = list(values.only)
  const slow = values.slow === undefined ? [] : slowOf(values.slow)
  const plant = values.plant === undefined ? undefined : plants[values.plant]
  const waste = values.plant === 'memory' ? 0.1 : 0
  if (values.plant !== undefined && plant === undefined && waste === 0) {
    throw new CheckError(
      `There is nothing called ${values.plant} to plant: ${Object.keys(plants).join(', ')}, memory.`,
    )
  }
  const budget = Number(values.budget)
  if (!(budget >= 0)) throw new CheckError(`Expected seconds for --budget, got ${values.budget}.`)
  const given = { only, slow, accepted: list(values.accept) ?? [], benchFile: null }
  await checkNames(given)
  if (values.noise && values.against !== undefined)
    throw new CheckError('Expected --noise or --against, got both: --noise is against a copy of this build.')
  if (values.update && (slow.length > 0 || values.plant !== undefined))
    throw new CheckError('Expected no --slow and no --plant with --update: what is planted is no baseline.')
  if (plant !== undefined && !(wanted.includes('counters') && only === null))
    throw new CheckError(
      `--plant ${values.plant} shows in the counters alone: they are not looked at with --only, or with --parts without them.`,
    )
  if (waste > 0 && (values.update || !wanted.includes('memory')))
    throw new CheckError('--plant memory shows in the part memory alone, which is not looked at here.')
  const ops = Object.keys(signatures)
  const every = ops.every((op) => slow.some(([name]) => name === op))
  const hidden = slow.filter(([name]) => !showsIn(name, wanted, only))
  // Of every op those that --only leaves out are no mistake.
  const unseen = every && hidden.length < slow.length ? undefined : hidden[0]
  if (unseen !== undefined)
    throw new CheckError(
      `--slow ${unseen[0]} would show in nothing that is looked at here: ops are timed and their instructions counted, scenarios are timed.`,
    )
  // What cannot be written is said now, not after minutes.
  for (const file of [values.markdown, values.json]) if (file !== undefined) await appendFile(file, '')

  const env = environment()
  const compares = !values.update && (wanted.includes('memory') || wanted.includes('time'))
  const other = compares ? await otherBuild(values) : 'only counters and instructions were asked for'
  const folder = typeof other === 'string' ? null : other.folder
  const notes = typeof other === 'string' ? [`times and memory were not compared: ${other}`] : []
  const closer = (key: string): string =>
    `npx nx run bench:check --only ${key}${values.against === undefined ? '' : ` --against ${values.against}`}`
  const findings: Finding[] = []
  const written: string[] = []
  const take = (part: Awaited<ReturnType<typeof countAll>>): void => {
    findings.push(...part.findings)
    notes.push(...part.notes)
    if (part.written !== null) written.push(part.written)
  }
  if (wanted.includes('counters') && only !== null)
    notes.push('counters were not looked at: they are of whole scenarios, not of what --only names')
  if (wanted.includes('counters') && only === null) {
    const { core } = await openSide('this', coreFolder(root))
    take(await countAll(core, { update: values.update, ...(plant === undefined ? {} : { plant }) }))
  }
  if (wanted.includes('instructions')) {
    take(await countKernels({ update: values.update, only, slow, before: folder, closer }))
  }
  if (typeof other !== 'string') {
    const accepted = [...given.accepted, ...other.accepted]
    const sides = { now: coreFolder(root), before: coreFolder(other.folder) }
    findings.push(
      ...(await compareBuilds({ ...given, ...sides, accepted, budget, parts: wanted, waste, closer })),
    )
  }
  const text = report(findings, {
    against: typeof other === 'string' ? null : other.name,
    notes,
    environment: environmentLine(env),
    seconds: (performance.now() - started) / 1000,
  })
  process.stdout.write(text)
  if (values.markdown !== undefined) await appendFile(values.markdown, text)
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify({ environment: env, notes, findings }, null, 1)}\n`)
  for (const file of written) process.stdout.write(`Written: ${file}\n`)
  return values.update ? exitCode.good : exitCodeOf(findings)
}

process.exitCode = await main()
