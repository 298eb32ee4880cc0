import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { digits } from '../harness/table.js'
import { type Finding, howToAccept, memoryTolerance, times } from './finding.js'
import { ownAddons, programOf } from './child.js'
import { type Scenario, watchedScenarios } from './scenarios.js'

const program = programOf('memory-process')

/** Attempts for each build: the smallest peak counts, because nothing makes a process need less than it needs. */
const most = 4

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

interface Peaks {
  readonly now: number
  readonly before: number
}

export function judgeMemory(
  { name, what }: Pick<Scenario, 'name' | 'what'>,
  { now, before }: Peaks,
  closer: (key: string) => string,
): Finding {
  const ratio = now / before
  const worse = ratio > 1 + memoryTolerance
  const verdict = worse ? 'worse' : ratio < 1 - memoryTolerance ? 'better' : 'good'
  const mib = (bytes: number): string => `${digits(bytes / 2 ** 20)} MiB`
  return {
    ...{ kind: 'memory', subject: name, key: name, verdict, ratio, before: mib(before), now: mib(now) },
    what: `${what} needs ${times(ratio)} the memory at its peak, ${mib(now)}`,
    todo: worse ? `Look closer: ${closer(name)}. Accept: ${howToAccept(name)}.` : '',
    smallest: memoryTolerance,
  }
}

async function peaksOf(scenario: Scenario, now: string, before: string, waste: number): Promise<Peaks> {
  const folder = await mkdtemp(join(tmpdir(), 'sonotext-memory-'))
  const start = async (core: string, step: 'prepare' | 'run', share: number): Promise<string> => {
    const args = [program, core, scenario.name, folder, step, String(share)]
    return (await promisify(execFile)(process.execPath, args, { env: ownAddons() })).stdout
  }
  const peak = async (core: string, share: number): Promise<number> => {
    if (scenario.prepare !== undefined) await start(core, 'prepare', 0)
    return (JSON.parse(await start(core, 'run', share)) as { peak: number }).peak
  }
  try {
    const peaks = { now: Infinity, before: Infinity }
    for (let attempt = 0; attempt < most; attempt++) {
      peaks.now = Math.min(peaks.now, await peak(now, waste))
      peaks.before = Math.min(peaks.before, await peak(before, 0))
      const change = Math.abs(peaks.now / peaks.before - 1)
      // One pair may be equal by chance: when garbage is collected depends on what else the machine does.
      if (attempt >= 2 && change < memoryTolerance / 2) break
    }
    return peaks
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
