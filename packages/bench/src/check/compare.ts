import { signatures } from '@sonotext/core/backend'
import { CheckError } from './check-error.js'
import { accept, type Finding } from './finding.js'
import { memoryFindings } from './memory.js'
import { timedScenarios, watchedScenarios } from './scenarios.js'
import { ownFunctions } from './subjects.js'
import { timingFindings } from './timings.js'

export interface CompareOptions {
  /** Folders of `@sonotext/core` of the build that is judged, and of the one it is held against. */
  readonly now: string
  readonly before: string
  /** Names of ops, scenarios and own functions; null takes all. */
  readonly only: readonly string[] | null
  readonly slow: readonly (readonly [string, number])[]
  /** Names that may be slower. */
  readonly accepted: readonly string[]
  /** Seconds that timing may take. */
  readonly budget: number
  /** File of a project's own functions; null has none. */
  readonly benchFile: string | null
  readonly parts: readonly Part[]
  /** A share that this build's memory is made larger by. */
  readonly waste?: number
  /** The command that looks closer at one subject. */
  readonly closer: (key: string) => string
}

export const parts = ['counters', 'instructions', 'memory', 'time'] as const
export type Part = (typeof parts)[number]

/** Peak memory and times of two builds of the library on this machine. */
export async function compareBuilds(options: CompareOptions): Promise<Finding[]> {
  const { now, before, only, parts: wanted, closer, waste = 0, accepted } = options
  await checkNames(options)
  if (only !== null && options.slow.length > 0 && !options.slow.some(([name]) => only.includes(name)))
    throw new CheckError('Expected what is made slower among what is looked at, got other names.')
  const findings: Finding[] = []
  if (wanted.includes('memory')) {
    const watched = (name: string): boolean => only === null || only.includes(name)
    findings.push(...(await memoryFindings({ now, before }, closer, { waste, only: watched })))
  }
  if (wanted.includes('time')) {
    const { slow, budget, benchFile } = options
    findings.push(...(await timingFindings({ now, before, only, slow, budget, benchFile }, closer)))
  }
  return accept(findings, new Set(accepted))
}

/** Refuses names that stand for nothing: a misspelt one would pass a check that looked at nothing. */
export async function checkNames({
  only,
  slow,
  accepted,
  benchFile,
}: Pick<CompareOptions, 'only' | 'slow' | 'accepted' | 'benchFile'>): Promise<void> {
  const own = benchFile === null ? [] : [...(await ownFunctions(benchFile)).keys()]
  const scenarios = [...timedScenarios, ...watchedScenarios].map(({ name }) => name)
  const known = new Set([...Object.keys(signatures), ...scenarios, ...own])
  const asked = [...(only ?? []), ...slow.map(([name]) => name), ...accepted]
  const unknown = asked.find((name) => !known.has(name))
  if (unknown !== undefined) {
    throw new CheckError(
      `There is nothing called ${JSON.stringify(unknown)}. Names: ${[...known].join(', ')}.`,
    )
  }
}

/** `gemm:1.5,conv2d` as names and factors; without a factor a quarter more. `every` stands for every op. */
export function slowOf(text: string): [string, number][] {
  return text.split(',').flatMap((entry) => {
    const [name, factor = '1.25', ...rest] = entry.split(':')
    const value = Number(factor)
    if (name === '' || rest.length > 0 || !(value >= 1) || value > 100) {
      throw new CheckError(
        `Expected NAME or NAME:FACTOR with a factor from 1 to 100, got ${JSON.stringify(entry)}.`,
      )
    }
    const names = name === 'every' ? Object.keys(signatures) : [name!]
    return names.map((one): [string, number] => [one, value])
  })
}
