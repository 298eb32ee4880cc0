import { basename } from 'node:path'
import { evaluateRun, keyValues, openRun, type RunConfig } from '@sonotext/core/runs'
import {
  compareEvaluations,
  compareGroups,
  type Comparison,
  type Evaluation,
  type GroupComparison,
  holm,
} from '@sonotext/core/metrics'
import { writeFileAtomic } from '@sonotext/core/base'
import { comparisonPage } from '@sonotext/core/report'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { measureText } from '../evaluation-table.js'
import { exitCode, UsageError } from '../exit.js'
import type { CommandBody, CommandContext } from '../command.js'
import { measureNames } from '../measure-names.js'
import { refuseForeign } from '../outputs.js'
import { relevanceOptionsOf, type RelevanceFlags, usualMeasures } from '../relevance-option.js'
import { runClipsOf, type RunClipsFlags } from '../run-clips.js'
import { table } from '../table.js'

interface CompareOptions extends BackendOptions, RunClipsFlags, RelevanceFlags {
  group: string[]
  split: string
  measures?: string
  replicates: number
  seed: number
  plot?: string
}

/** A comparison and the folders of the runs it is between; `difference` is a less b. */
export interface RunComparison extends Comparison {
  readonly runA: string
  readonly runB: string
}

/** A comparison and the names of the groups of runs it is between; `difference` is a less b. */
export interface RunGroupComparison extends GroupComparison {
  readonly groupA: string
  readonly groupB: string
}

/** Runs that are several seeds of one system. */
interface RunGroup {
  readonly name: string
  readonly folders: readonly string[]
}

/** Whether runs, or groups of them, differ from the first one on the clips of one manifest. */
const compare: CommandBody<CompareOptions, readonly [readonly string[]]> = async (
  context,
  options,
  folders,
) => {
  const { terminal } = context
  const groups = options.group.map(groupOf)
  checkSystems(folders, groups)
  refuseForeign('--plot', options.plot, 'page')
  const { replicates, seed, plot, split } = options
  const usual = options.relevance === undefined ? 'mAP@10' : usualMeasures.graded
  const measures = measureNames(options.measures ?? usual)
  const grouped = groups.flatMap((group) => group.folders)
  const { evaluations, configs } = await evaluateAll(context, options, [...folders, ...grouped], measures)
  for (const note of groups.flatMap((group) => seedNotes(group, configs))) terminal.warn(note)
  const untold = measures.filter((name) =>
    [evaluations[0]!.textToAudio, evaluations[0]!.audioToText].some((of) => Number.isNaN(of?.[name])),
  )
  if (untold.length > 0)
    terminal.warn(
      `${untold.join(', ')} left out where no query counts: nothing is relevant to it, or all that is judged is of one grade`,
    )
  const tests = { measures, replicates, seed }
  const show = async <T extends AnyComparison>(
    rows: readonly T[],
    names: (row: T) => Names,
  ): Promise<void> => {
    const named = rows.map((row) => ({ ...row, ...names(row) }))
    if (plot !== undefined) {
      const short = shortNames(folders)
      const drawn = named.map((row) => ({ ...row, name: short(row.name) }))
      const about = { base: short(named[0]!.base), split, seeds: groups.length > 0 }
      await writeFileAtomic(plot, await comparisonPage(drawn, about))
    }
    terminal.result(
      rows,
      () => `${comparisonTable(named, evaluations[0]!)}${plot === undefined ? '' : `\n→ ${plot}`}`,
    )
  }
  if (groups.length > 0) {
    const of = ({ folders: own }: RunGroup): Evaluation[] =>
      own.map((folder) => evaluations[grouped.indexOf(folder)]!)
    const [first, ...others] = groups
    const compared = others.flatMap((other) =>
      compareGroups(of(other), of(first!), tests).map((comparison): RunGroupComparison => ({
        ...comparison,
        groupA: other.name,
        groupB: first!.name,
      })),
    )
    await show(asOneFamily(compared), ({ groupA, groupB }) => ({ name: groupA, base: groupB }))
    return exitCode.ok
  }
  const [first, ...others] = evaluations
  const compared = others.flatMap((other, i) =>
    compareEvaluations(other, first!, tests).map((comparison): RunComparison => ({
      ...comparison,
      runA: folders[i + 1]!,
      runB: folders[0]!,
    })),
  )
  await show(asOneFamily(compared), ({ runA, runB }) => ({ name: runA, base: runB }))
  return exitCode.ok
}
export default compare

/** What both kinds of comparison have. */
type AnyComparison = Omit<Comparison, 'exact'>

interface Names {
  readonly name: string
  readonly base: string
}

/** Corrects for all rows together, however many runs there are. */
function asOneFamily<T extends AnyComparison>(rows: readonly T[]): T[] {
  const adjusted = holm(rows.map(({ p }) => p))
  return rows.map((row, i) => ({ ...row, adjusted: adjusted[i]! }))
}

/** All on the clips of one manifest: unless another is given, that of the first run. */
async function evaluateAll(
  context: CommandContext,
  options: CompareOptions,
  folders: readonly string[],
  measures: string[],
): Promise<{ evaluations: Evaluation[]; configs: Map<string, RunConfig> }> {
  const relevance = await relevanceOptionsOf(context, options)
  const backend = backendOf(options, context.terminal)
  const evaluations: Evaluation[] = []
  const configs = new Map<string, RunConfig>()
  let { manifest } = options
  for (const folder of folders) {
    context.terminal.note(`evaluating ${folder} …`)
    const run = await openRun(folder, { backend })
    configs.set(folder, run.config)
    manifest ??= run.config.data.manifest
    evaluations.push(
      await evaluateRun(run, {
        split: options.split,
        measures,
        ...relevance,
        ...runClipsOf(context, { ...options, manifest }),
      }),
    )
  }
  return { evaluations, configs }
}

function groupOf(text: string): RunGroup {
  const [, name, list] = /^([^=]+)=(.+)$/s.exec(text) ?? []
  const folders = list?.split(',').map((folder) => folder.trim().replace(/(?<=.)[/\\]+$/, '')) ?? []
  if (name === undefined || folders.includes(''))
    throw new UsageError(`Expected --group NAME=RUN,RUN, got ${text}.`)
  if (folders.length < 2)
    throw new UsageError(
      `Expected two or more runs in the group ${name}, seeds of one system, got one. Without --group runs are compared as they are.`,
    )
  return { name, folders }
}

function checkSystems(folders: readonly string[], groups: readonly RunGroup[]): void {
  if (groups.length === 0) {
    if (folders.length < 2) throw new UsageError('Expected two or more runs to compare, got one.')
    return
  }
  if (folders.length > 0)
    throw new UsageError(`Give runs or groups, not both: leave out ${folders.join(' ')}.`)
  if (groups.length < 2) throw new UsageError('Expected two or more groups to compare, got one.')
  for (const names of [groups.map(({ name }) => name), groups.flatMap((group) => group.folders)]) {
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) throw new UsageError(`${twice} is given twice.`)
  }
}

/** What makes runs of a group something other than seeds of one system. */
function seedNotes({ name, folders }: RunGroup, configs: ReadonlyMap<string, RunConfig>): string[] {
  const keys = folders.map((folder) => keyValues(configs.get(folder)!))
  const texts = (key: string): Set<string> => new Set(keys.map((of) => JSON.stringify(of.get(key)) ?? ''))
  const others = [...new Set(keys.flatMap((of) => [...of.keys()]))].filter(
    (key) => key !== 'seed' && texts(key).size > 1,
  )
  return [
    ...(texts('seed').size < folders.length
      ? [`runs of the group ${name} have one seed: they say too little of others`]
      : []),
    ...(others.length > 0
      ? [`runs of the group ${name} differ in more than the seed: ${others.join(', ')}`]
      : []),
  ]
}

const titles = { textToAudio: 'text → audio', audioToText: 'audio → text' }

function comparisonTable(
  rows: readonly (AnyComparison & Names & { readonly seeds?: readonly [number, number] })[],
  { split, intervalsOver }: Evaluation,
): string {
  const header = ['', 'direction', 'measure', 'value', 'first', 'difference', '95 %', 'p', 'p (Holm)']
  const unit = (intervalsOver.textToAudio ?? intervalsOver.audioToText)!.unit
  const [{ base, clusters, seeds }] = rows as [(typeof rows)[number]]
  const of = (name: string, count: number | undefined): string =>
    count === undefined ? name : `${name} (${count} seeds)`
  return [
    `split ${split}; compared with ${of(base, seeds?.[1])}; clusters of queries: by ${unit} (${clusters})`,
    table([
      header,
      ...rows.map((row) => {
        const { name, direction, measure, a, b, difference, interval, p, adjusted } = row
        const show = (x: number): string => measureText(measure, x)
        const signed = (x: number): string => `${x < 0 ? '−' : '+'}${show(Math.abs(x))}`
        return [
          of(name, row.seeds?.[0]),
          titles[direction],
          measure,
          show(a),
          show(b),
          signed(difference),
          interval ? interval.map(signed).join(' … ') : '–',
          probability(p),
          probability(adjusted),
        ]
      }),
    ]),
  ].join('\n')
}

/** Runs by the last part of their paths, where those differ; other names as they are. */
function shortNames(folders: readonly string[]): (folder: string) => string {
  const short = folders.map((folder) => basename(folder))
  const differ = new Set(short).size === new Set(folders).size
  return (name) => (differ && folders.includes(name) ? basename(name) : name)
}

function probability(p: number): string {
  return p < 0.001 ? '<0.001' : p.toFixed(3)
}
