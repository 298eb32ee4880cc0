import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { digits } from '../harness/table.js'
import { type Finding, howToAccept, memoryTolerance, percent, times } from './finding.js'
import { ownAddons, programOf } from './child.js'
import { type Scenario, watchedScenarios } from './scenarios.js'

const program = programOf('memory-process')

/** Attempts for each build: two always, four before a difference is told, more while they leave it open. */
const [fewest, enough, most] = [2, 4, 6]

/**
 * Makes the peak a matter of what is computed, not of when: garbage is collected in the thread that makes it, all of a heap at once (else
 * helpers and timers decide how much lies around at the peak) and where the process asks.
 */
const sameGarbage = ['--expose-gc', '--single-threaded', '--no-incremental-marking']

/** glibc: large blocks go back to the system when they are freed, whatever was freed before. */
const sameHeap = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '0',
  MALLOC_TOP_PAD_: '0',
}

/** Peaks of resident memory of the scenarios in two builds. `waste` is a share that this build's are to take more. */
export async function memoryFindings(
  { now, before }: { readonly now: string; readonly before: string },
  closer: (key: string) => string,
  { waste = 0, only }: { waste?: number; only?: (name: string) => boolean } = {},
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const scenario of watchedScenarios.filter(({ name }) => only?.(name) ?? true)) {
    try {
      const peaks = await peaksOf(scenario, now, before, waste)
      findings.push(judgeMemory(scenario, peaks, closer))
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string }
      const why = /^\w*Error[^:]*: (.*)$/m.exec(stderr ?? '')?.[1] ?? message.split('\n', 1)[0]!
      findings.push({
        ...{
          kind: 'memory',
          subject: scenario.name,
          key: scenario.name,
          verdict: 'unjudged',
          before: '',
          now: '',
          ratio: null,
        },
        ...{ what: `the memory of ${scenario.name} could not be compared: ${why}`, todo: '' },
      })
    }
  }
  return findings
}

/** Peaks of every attempt, bytes. */
export interface Peaks {
  readonly now: readonly number[]
  readonly before: readonly number[]
}

/** The smallest attempts count, because nothing makes a process need less than it needs. */
function compared({ now, before }: Peaks): { ratio: number; difference: number; spread: number } {
  const ratio = Math.min(...now) / Math.min(...before)
  const spread = Math.max(...[now, before].map((peaks) => Math.max(...peaks) / Math.min(...peaks) - 1))
  return { ratio, spread, difference: Math.abs(ratio - 1) }
}

/** Whether more attempts could say something else. */
function isOpen(peaks: Peaks): boolean {
  const { difference, spread } = compared(peaks)
  if (difference < memoryTolerance) return spread >= memoryTolerance / 2
  return peaks.now.length < enough || spread >= difference / 2
}

export function judgeMemory(
  { name, what }: Pick<Scenario, 'name' | 'what'>,
  peaks: Peaks,
  closer: (key: string) => string,
): Finding {
  const { ratio, difference, spread } = compared(peaks)
  // Attempts of one build that lie further apart than the builds do are no proof of a difference.
  const shown = difference > spread
  const more = ratio > 1 + memoryTolerance
  const verdict = more
    ? shown
      ? 'worse'
      : 'undecided'
    : shown && ratio < 1 - memoryTolerance
      ? 'better'
      : 'good'
  const mib = (bytes: number): string => `${digits(bytes / 2 ** 20)} MiB`
  const [now, before] = [Math.min(...peaks.now), Math.min(...peaks.before)]
  const apart = `, but attempts of one build lie ${percent(1 + spread)} apart`
  const todo = {
    worse: `Look closer: ${closer(name)}. Accept: ${howToAccept(name)}.`,
    undecided: `Look closer: ${closer(name)}.`,
    ...{ better: '', good: '' },
  }[verdict]
  return {
    ...{ kind: 'memory', subject: name, key: name, verdict, ratio, before: mib(before), now: mib(now), todo },
    what: `${what} needs ${times(ratio)} the memory at its peak, ${mib(now)}${verdict === 'undecided' ? apart : ''}`,
    smallest: Math.max(memoryTolerance, spread),
  }
}

async function peaksOf(scenario: Scenario, now: string, before: string, waste: number): Promise<Peaks> {
  const folder = await mkdtemp(join(tmpdir(), 'sonotext-memory-'))
  const open = async (core: string, share: number): Promise<() => Promise<number>> => {
    // Each build reads what it wrote.
    const own = await mkdtemp(join(folder, 'build-'))
    const start = async (step: 'prepare' | 'run'): Promise<string> => {
      const args = [...sameGarbage, program, core, scenario.name, own, step, String(share)]
      const env = { ...ownAddons(), ...sameHeap }
      return (await promisify(execFile)(process.execPath, args, { env })).stdout
    }
    if (scenario.prepare !== undefined) await start('prepare')
    return async () => (JSON.parse(await start('run')) as { peak: number }).peak
  }
  try {
    const peak = { now: await open(now, waste), before: await open(before, 0) }
    const peaks = { now: [] as number[], before: [] as number[] }
    while (peaks.now.length < fewest || (peaks.now.length < most && isOpen(peaks))) {
      peaks.now.push(await peak.now())
      peaks.before.push(await peak.before())
    }
    return peaks
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
