import type { Evaluation, MeasureIntervals } from '@sonotext/core/metrics'
import { environmentLine, type Environment } from '../harness/environment.js'
import { mean, meanText, type SeedRow, seedRows, seedTable } from '../harness/seeds.js'
import { type Column, markdownTable } from '../harness/table.js'

/** What one training gave. */
export interface TowerResult {
  /** Which draw of the training clips. */
  readonly draw: number
  readonly seed: number
  /** From the last clip's features to the trained model, by the clock and of processors: the second tells more while other work runs. */
  readonly seconds: number
  readonly processorSeconds: number
  /** Held-out scenes. */
  readonly evaluation: Omit<Evaluation, 'perQuery'>
  /** Single recordings with free-form captions. */
  readonly free: Omit<Evaluation, 'perQuery'>
  /** Share of the extra recordings whose class is found by its name, all and without spoken digits; null where there are none. */
  readonly zeroShot: readonly number[] | null
}

/** Everything that stands in the report. */
export interface TowersReport {
  readonly measures: readonly string[]
  /** Sentences on what was trained on. */
  readonly data: string
  readonly folds: { readonly train: string; readonly test: string }
  readonly recordings: number
  readonly captions: number
  /** Heads over the first draw, one for each seed. */
  readonly heads: readonly TowerResult[]
  /** Heads with the first seed over every draw, the first among them. */
  readonly draws: readonly TowerResult[]
  readonly crnn: readonly TowerResult[]
  readonly crnnEpochs: number
  readonly probe: { readonly evaluation: Omit<Evaluation, 'perQuery'>; readonly accuracy: number }
  readonly oracle: readonly Omit<Evaluation, 'perQuery'>[]
  readonly about: Environment & {
    readonly device: string
    readonly isa: string | null
    readonly threads: number
  }
}

/** The report as Markdown, without its title. */
export function reportText(report: TowersReport): string {
  const { measures, data, folds, heads, draws, crnn, about } = report
  const shares = (at: number) => meanText(heads.map(({ zeroShot }) => zeroShot![at]!))
  const seconds = (key: 'seconds' | 'processorSeconds') =>
    heads.map((result) => result[key].toFixed(1)).join(', ')
  return [
    data,
    'Configuration: examples/configs/towers.yaml.',
    '',
    tableOf(heads, 'evaluation', measures),
    '',
    `Over the held-out clips mAP@10 of the first seed has these 95 % intervals: scenes ${intervals(heads[0]!.evaluation)}; single recordings ${intervals(heads[0]!.free)}.`,
    '',
    ...(crnn.length === 0 ? [] : crnnPart(report)),
    '## Single recordings and free words',
    '',
    `${report.recordings} recordings of fold ${folds.test}, none of them heard in training, with ${report.captions} captions that no grammar made (packages/bench/data/free-captions.tsv), one right recording for each. Probe × sentence: the class by a linear probe over the same vectors (right for ${(100 * report.probe.accuracy).toFixed(1)} %), times the sentence encoder's cosine of caption and class name: no retrieval training. Class oracle: every class known, order within a class drawn (20 draws).`,
    '',
    freeTable(report),
    ...(draws.length < 2 ? [] : ['', ...drawsPart(report)]),
    ...(heads[0]!.zeroShot === null
      ? []
      : [
          '',
          '## Classes never heard, by their names',
          '',
          `"the sound of …" for every class of the other recordings: right for ${shares(0)} of all, ${shares(1)} without the ten spoken digits.`,
        ]),
    '',
    environmentLine(about),
    `Heads trained in ${seconds('seconds')} s by the clock, ${seconds('processorSeconds')} s of processors, on ${about.device} (${about.isa}), ${about.threads} threads.`,
  ].join('\n')
}

type Test = 'evaluation' | 'free'

function rowsOf(results: readonly TowerResult[], test: Test, measures: readonly string[]): SeedRow[] {
  return seedRows(
    results.map((result) => result[test]),
    measures,
  )
}

function tableOf(results: readonly TowerResult[], test: Test, measures: readonly string[]): string {
  return seedTable(
    results.map(({ seed }) => seed),
    rowsOf(results, test, measures),
  )
}

function intervals({ textToAudio, audioToText, intervals: of }: Omit<Evaluation, 'perQuery'>): string {
  const one = (values: Readonly<Record<string, number>>, bounds: MeasureIntervals) =>
    `${values['mAP@10']!.toFixed(3)} (${bounds['mAP@10']!.map((x) => x.toFixed(3)).join('–')})`
  return `${one(textToAudio!, of.textToAudio!)} text → audio, ${one(audioToText!, of.audioToText!)} audio → text`
}

function crnnPart({ measures, crnn, crnnEpochs }: TowersReport): string[] {
  const each = crnn.map(
    ({ seconds, processorSeconds }) => `${seconds.toFixed(0)} (${processorSeconds.toFixed(0)})`,
  )
  return [
    '## Beside, a CRNN from scratch',
    '',
    `Over log-mel frames with word vectors of the captions, trained on the same clips for ${crnnEpochs} epochs, in ${each.join(', ')} s by the clock (of processors):`,
    '',
    tableOf(crnn, 'evaluation', measures),
    '',
  ]
}

function freeTable({ measures, heads, crnn, probe, oracle }: TowersReport): string {
  const yardstick = seedRows([probe.evaluation], measures)
  const best = seedRows(oracle, measures)
  const beside = crnn.length === 0 ? [] : rowsOf(crnn, 'free', measures)
  type Row = { readonly row: SeedRow; readonly i: number }
  const column = (title: string, text: (row: Row) => string): Column<Row> => ({ title, align: 'right', text })
  return markdownTable<Row>(
    [
      { title: 'direction', align: 'left', text: ({ row }) => row.direction },
      { title: 'measure', align: 'left', text: ({ row }) => row.name },
      column(`heads, ${counted(heads)}`, ({ row }) => meanText(row.values)),
      ...(crnn.length === 0
        ? []
        : [column(`CRNN, ${counted(crnn)}`, ({ i }) => meanText(beside[i]!.values))]),
      column('probe × sentence', ({ i }) => yardstick[i]!.values[0]!.toFixed(3)),
      column('class oracle', ({ i }) => mean(best[i]!.values).toFixed(3)),
      column('chance', ({ row }) => row.chance.toFixed(4)),
    ],
    rowsOf(heads, 'free', measures).map((row, i) => ({ row, i })),
  )
}

/** Seeds change nothing where heads are computed; other training clips do. */
function drawsPart({ draws }: TowersReport): string[] {
  const rows = (['evaluation', 'free'] as const).flatMap((test) =>
    rowsOf(draws, test, ['mAP@10']).map((row) => ({
      ...row,
      test: test === 'evaluation' ? 'scenes' : 'single recordings',
    })),
  )
  type Row = (typeof rows)[number]
  return [
    '## Other draws of the training clips',
    '',
    `The same recipe over ${draws.length} draws of the training clips: other mixtures, other scenes of one thing alone, other captions, of the same recordings. What is held out stays; mAP@10:`,
    '',
    markdownTable<Row>(
      [
        { title: 'test', align: 'left', text: ({ test }) => test },
        { title: 'direction', align: 'left', text: ({ direction }) => direction },
        ...draws.map(({ draw }, i): Column<Row> => ({
          title: `draw ${draw}`,
          align: 'right',
          text: ({ values }) => values[i]!.toFixed(3),
        })),
        { title: 'mean ± 95 %', align: 'right', text: ({ values }) => meanText(values) },
      ],
      rows,
    ),
  ]
}

function counted(results: readonly TowerResult[]): string {
  return results.length === 1 ? '1 seed' : `${results.length} seeds`
}
