import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, type } from 'node:os'
import { machineReport } from '@sonotext/core/backend'

/** Where numbers were measured: without it they mean nothing. */
export interface Environment {
  readonly cpu: string
  readonly cores: number
  readonly instructionSets: readonly string[]
  readonly system: string
  readonly node: string
  readonly compiler: string | null
  readonly commit: string
  readonly date: string
  /** Processes that wanted to run in the last minute, this one included; far above 1 the machine was not quiet. */
  readonly load: number
}

export function environment(): Environment {
  const report = machineReport()
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: report.physicalCores ?? cpus().length,
    instructionSets: report.instructionSets.filter(({ supported }) => supported).map(({ name }) => name),
    system: `${type()} ${release()}`,
    node: process.version,
    compiler: report.compiler,
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
    load: Math.round(loadavg()[0]! * 10) / 10,
  }
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return (
      git('rev-parse', '--short=12', 'HEAD') +
      (git('status', '--porcelain', '-uno') === '' ? '' : ' + changes')
    )
  } catch {
    return 'unknown'
  }
}

/** The same in one line, for under a table. */
export function environmentLine(e: Environment): string {
  return (
    `${e.cpu}, ${e.cores} cores, ${e.instructionSets.join(' ')}; ${e.system}; Node ${e.node}; ` +
    `${e.compiler ?? 'no addon'}; commit ${e.commit}; ${e.date}; load ${e.load}`
  )
}
