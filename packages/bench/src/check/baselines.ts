import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { machineReport } from '@sonotext/core/backend'
import { writeFileAtomic } from '@sonotext/core/base'
import { everyOpRows } from '../rows/every-op.js'
import { countScenarios } from './counted-scenarios.js'
import { counterFindings, instructionFindings } from './counter-findings.js'
import type { Counters } from './counters.js'
import type { Finding } from './finding.js'
import {
  cannotCount,
  countedSets,
  countInstructions,
  type InstructionCounts,
  instructionsProgram,
} from './instructions.js'
import { root } from './repository.js'
import type { Scenario } from './scenarios.js'
import type { Core } from './side.js'

const folder = join(root, 'packages', 'bench', 'baselines')
const countersFile = join(folder, 'counters.json')
const instructionsFile = join(folder, 'instructions.json')

async function readJson<T>(file: string): Promise<T | Record<string, never>> {
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as T) : {}
}

const write = (file: string, value: unknown): Promise<void> =>
  writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`)

interface Counted {
  readonly findings: readonly Finding[]
  /** The file that --update wrote. */
  readonly written: string | null
  /** What is to be known besides. */
  readonly notes: readonly string[]
}

/** The exact counters beside those committed. */
export async function countAll(
  core: Core,
  { update = false, plant }: { update?: boolean; plant?: (scenario: Scenario) => Scenario } = {},
): Promise<Counted> {
  const committed = await readJson<Record<string, Counters>>(countersFile)
  const now = await countScenarios(core, plant)
  const findings = counterFindings(committed, now)
  if (update) await write(countersFile, now)
  return { findings, written: update ? countersFile : null, notes: [] }
}

export interface InstructionOptions {
  readonly update?: boolean
  readonly only: readonly string[] | null
  readonly slow: readonly (readonly [string, number])[]
  /** Folder of the other build, for a compiler that nothing is committed for. */
  readonly before: string | null
  readonly closer: (key: string) => string
}

/** Counts of instructions beside those committed for this compiler, or beside those of the other build. */
export async function countKernels({
  update = false,
  only,
  slow,
  before,
  closer,
}: InstructionOptions): Promise<Counted> {
  const nothing = (note: string): Counted => ({ findings: [], written: null, notes: [note] })
  const program = instructionsProgram(root)
  const problem =
    process.arch === 'x64' ? cannotCount(root) : `callgrind is used on x64 only, this is ${process.arch}`
  if (problem !== null) return nothing(`instructions were not counted: ${problem}`)
  const rows = (await everyOpRows('small')).filter(({ op }) => only === null || only.includes(op))
  if (rows.length === 0) return { findings: [], written: null, notes: [] }
  const report = machineReport()
  const sets = countedSets.filter((set) =>
    report.instructionSets.some(({ name, supported }) => name === set && supported),
  )
  const compiler = report.compiler ?? 'unknown compiler'
  const now = await countInstructions(program, rows, sets, new Map(slow))
  const committed = await readJson<Record<string, InstructionCounts>>(instructionsFile)
  const notes = ['instructions of AVX-512 are not counted: valgrind does not know it']
  const missing = countedSets.filter((set) => !sets.includes(set))
  if (missing.length > 0)
    notes.push(`this CPU lacks ${missing.join(', ')}: its instructions were not counted`)
  if (update) {
    await write(instructionsFile, {
      ...committed,
      [compiler]: only === null ? now : { ...committed[compiler], ...now },
    })
    const before = committed[compiler] ?? now
    const findings = instructionFindings(before, now, 'what was committed', closer)
    return { findings, written: instructionsFile, notes }
  }
  const known = committed[compiler]
  if (known !== undefined) {
    return {
      findings: instructionFindings(known, now, 'baselines/instructions.json', closer),
      written: null,
      notes,
    }
  }
  const none = `baselines/instructions.json has nothing for ${compiler}`
  if (before === null) return nothing(`instructions were not judged: ${none}, and there is no other build`)
  const cannot = cannotCount(before)
  if (cannot !== null)
    return nothing(`instructions were not judged: ${none}, and of the other build ${cannot}`)
  const then = await countInstructions(instructionsProgram(before), rows, sets)
  return {
    findings: instructionFindings(then, now, 'the other build', closer),
    written: null,
    notes: [...notes, `${none}: they were counted in the other build too`],
  }
}
