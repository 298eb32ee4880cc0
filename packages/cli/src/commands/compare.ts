import { basename } from 'node:path'
import { evaluateRun, openRun } from '@sonotext/core/runs'
import { compareEvaluations, type Comparison, type Evaluation, holm } from '@sonotext/core/metrics'
import { writeFileAtomic } from '@sonotext/core/base'
import { comparisonPage } from '@sonotext/core/report'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { measureText } from '../evaluation-table.js'
import { exitCode, UsageError } from '../exit.js'
import type { CommandBody } from '../command.js'
import { measureNames } from '../measure-names.js'
import { refuseForeign } from '../outputs.js'
import { relevanceOptionsOf, type RelevanceFlags, usualMeasures } from '../relevance-option.js'
import { runClipsOf, type RunClipsFlags } from '../run-clips.js'
import { table } from '../table.js'

interface CompareOptions extends BackendOptions, RunClipsFlags, RelevanceFlags {
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

/** Whether runs differ from the first one on the clips of one manifest. */
const compare: CommandBody<CompareOptions, readonly [readonly string[]]> = async (
  context,
  options,
  folders,
) => {
  const { terminal } = context
  if (folders.length < 2) throw new UsageError('Expected two or more runs to compare, got one.')
  refuseForeign('--plot', options.plot, 'page')
  const usual = options.relevance === undefined ? 'mAP@10' : usualMeasures.graded
  const measures = measureNames(options.measures ?? usual)
  const relevance = await relevanceOptionsOf(context, options)
  const backend = backendOf(options, terminal)
  const evaluations: Evaluation[] = []
  // All are evaluated on the clips of one manifest: unless another is given, that of the first run.
  let { manifest } = options
  for (const folder of folders) {
    terminal.note(`evaluating ${folder} …`)
    const run = await openRun(folder, { backend })
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
  const { replicates, seed } = options
  const untold = measures.filter((name) =>
    [evaluations[0]!.textToAudio, evaluations[0]!.audioToText].some((of) => Number.isNaN(of?.[name])),
  )
  if (untold.length > 0)
    terminal.warn(
      `${untold.join(', ')} left out where no query counts: nothing is relevant to it, or all that is judged is of one grade`,
    )
  const [first, ...others] = evaluations
  const compared = others.flatMap((other, i) =>
    compareEvaluations(other, first!, { measures, replicates, seed }).map((comparison): RunComparison => ({
      ...comparison,
      runA: folders[i + 1]!,
      runB: folders[0]!,
    })),
  )
  // One family, however many runs there are.
  const adjusted = holm(compared.map(({ p }) => p))
  const result = compared.map((comparison, i) => ({ ...comparison, adjusted: adjusted[i]! }))
  const { plot } = options
  if (plot !== undefined) {
    const name = shortNames(folders)
    const rows = result.map(({ runA, ...comparison }) => ({ ...comparison, name: name(runA) }))
    await writeFileAtomic(plot, await comparisonPage(rows, { base: name(folders[0]!), split: options.split }))
  }
  terminal.result(
    result,
    (rows) => `${comparisonTable(rows, evaluations[0]!)}${plot === undefined ? '' : `\n→ ${plot}`}`,
  )
  return exitCode.ok
}
export default compare

const titles = { textToAudio: 'text → audio', audioToText: 'audio → text' }

function comparisonTable(rows: readonly RunComparison[], { split, intervalsOver }: Evaluation): string {
  const header = ['', 'direction', 'measure', 'value', 'first', 'difference', '95 %', 'p', 'p (Holm)']
  const unit = (intervalsOver.textToAudio ?? intervalsOver.audioToText)!.unit
  return [
    `split ${split}; compared with ${rows[0]!.runB}; clusters of queries: by ${unit} (${rows[0]!.clusters})`,
    table([
      header,
      ...rows.map(({ runA, direction, measure, a, b, difference, interval, p, adjusted }) => {
        const show = (x: number): string => measureText(measure, x)
        const signed = (x: number): string => `${x < 0 ? '−' : '+'}${show(Math.abs(x))}`
        return [
          runA,
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

/** Runs by the last part of their paths, where those differ. */
function shortNames(folders: readonly string[]): (folder: string) => string {
  const short = folders.map((folder) => basename(folder))
  return new Set(short).size === new Set(folders).size ? (folder) => basename(folder) : (folder) => folder
}

function probability(p: number): string {
  return p < 0.001 ? '<0.001' : p.toFixed(3)
}
