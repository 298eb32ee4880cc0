import { type Block, chart, dataTable, folded, html, renderPage, section } from '@sonotext/core/report'
import { type Answer, answersOf } from './answers.js'
import { curveChart, histogramChart, meanQuality, qualityChart, ranked, titleOf } from './charts.js'
import type { CostCell } from './cost.js'
import { testNames } from './data.js'
import { baseline, directions, measures, variants } from './plan.js'
import type { SettingSummary, VariantSummary } from './summary.js'

export interface BankReport {
  readonly bank: string
  /** What models hear sounds with. */
  readonly hearing: string
  readonly settings: readonly SettingSummary[]
}

export interface StudyReport {
  readonly banks: readonly BankReport[]
  readonly costs: readonly CostCell[]
  /** How it was made: machine, versions, command. */
  readonly made: string
}

const show = (value: number): string => value.toFixed(3)
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** The study on one page. */
export function studyPage({ banks, costs, made }: StudyReport): Promise<string> {
  const first = banks[0]!
  return renderPage({
    title: 'What the choice of negatives does',
    summary: leadOf(first),
    contents: true,
    blocks: [
      ...banks.flatMap((bank) => bankBlocks(bank, banks.length)),
      ...(costs.length === 0 ? [] : [costSection(costs, first)]),
      terms(),
    ],
    footer: html`${made}`,
  })
}

function leadOf({ settings }: BankReport): string {
  const main = settings.find(({ rows }) => rows.length > 0)
  if (main === undefined) return 'Nothing has been measured yet.'
  const order = ranked(main.rows)
  const random = main.rows.find(({ variant }) => variant === baseline)
  const best = order[0]!
  const hard = main.rows.find(({ variant }) => variant === 'hard')
  return [
    'Models learn to match sounds and sentences by being shown pairs that do not belong together.',
    random === undefined || best.variant === baseline
      ? ''
      : `Which ones decides how well they search: with ${best.variant} negatives held-out scenes are found with mAP@10 ${show(meanQuality(best))}, with random ones ${show(meanQuality(random))}.`,
    hard === undefined
      ? ''
      : `Always the hardest (hard): ${show(meanQuality(hard))}, ${hard.collapse.seeds} of ${hard.seeds} models ended collapsed.`,
  ]
    .filter(Boolean)
    .join(' ')
}

function bankBlocks({ bank, hearing, settings }: BankReport, banks: number): Block[] {
  const main = settings.find(({ setting, rows }) => setting.name === 'main' && rows.length > 0)
  if (main === undefined) return []
  const name = (title: string): string => (banks === 1 ? title : `${title} (${bank} sounds)`)
  const shown = ['random', 'full-batch', 'semi-hard', 'hard', 'schedule', 'info-nce'].filter((variant) =>
    main.rows.some((row) => row.variant === variant),
  )
  const others = settings.filter((summary) => summary !== main && summary.rows.length > 0)
  return [
    section(
      name('Quality'),
      `Scenes mixed from ${bank} sounds that no model was trained on, searched by sentence and the other way round. Models hear with ${hearing}.`,
      qualityChart(main, `${ranked(main.rows)[0]!.variant} negatives do best`),
      valuesTable(main),
      comparisonTable(main),
    ),
    section(name('Answers'), ...answersOf(settings).map(answerBlock)),
    section(
      name('Learning'),
      curveChart(main, {
        title: 'Quality while learning',
        alt: `mAP@10 on validation scenes over epochs for ${shown.join(', ')}.`,
        axis: 'mAP@10',
        variants: shown,
        value: ({ quality }) => quality,
      }),
      curveChart(main, {
        title: 'Crowding: mean cosine of two different clips',
        alt: 'Mean cosine between clips over epochs; 1 would be collapse.',
        axis: 'mean cosine',
        variants: shown,
        note: '1: all clips in one place, which is collapse. Epoch 0 is the untrained model.',
        value: ({ meanCosine }) => meanCosine,
      }),
      whyTable(main),
    ),
    section(
      name('What is chosen'),
      chosenText(),
      chosenTable(main),
      histogramChart(main, ['random', 'semi-hard', 'hard']),
    ),
    ...(others.length === 0
      ? []
      : [
          section(
            name('Other circumstances'),
            ...others.map((summary) =>
              section(
                `${summary.setting.name}: ${summary.setting.question}`,
                settingText(summary),
                qualityChart(summary, `mAP@10, ${summary.setting.name}`),
              ),
            ),
          ),
        ]),
  ]
}

function answerBlock({ question, text }: Answer): Block {
  return section(question, text)
}

function settingText({ setting, missing, rows }: SettingSummary): string {
  const { encoder, similarity, padding, batchSize, guarded, epochs } = setting
  const seeds = rows.map((row) => row.seeds)
  const range =
    Math.min(...seeds) === Math.max(...seeds)
      ? `${seeds[0]}`
      : `${Math.min(...seeds)} to ${Math.max(...seeds)}`
  return `${encoder === 'tower' ? 'Frozen tower with trained layers' : 'CRNN from scratch'}, ${similarity} scores (${padding}), batches of ${batchSize}, ${epochs} epochs${guarded ? ', guards against equal and similar captions' : ''}; ${range} seeds.${missing > 0 ? ` ${missing} planned models are missing.` : ''}`
}

function valuesTable(summary: SettingSummary): Block {
  const rows = ranked(summary.rows)
  return folded(
    'All measures, on scenes and on single sounds',
    settingText(summary),
    ...testNames.map((test) =>
      dataTable<VariantSummary>({
        caption: test === 'scenes' ? 'Held-out scenes' : 'Single held-out sounds',
        columns: [
          { title: 'strategy', cell: (row) => row.variant },
          { title: 'seeds', cell: (row) => row.seeds },
          ...directions.flatMap((way) =>
            measures.map((measure) => ({
              title: `${measure} ${titleOf[way]}`,
              cell: (row: VariantSummary) => {
                const { mean, low, high } = row.values[test][way][measure]
                return html`${show(mean)} <small>${show(low)}–${show(high)}</small>`
              },
            })),
          ),
        ],
        rows,
      }),
    ),
  )
}

function comparisonTable({ rows }: SettingSummary): Block {
  const compared = ranked(rows).filter(({ againstRandom }) => againstRandom !== null)
  return dataTable<VariantSummary>({
    caption: 'mAP@10 on held-out scenes less that of random, same seeds and clips',
    columns: [
      { title: 'strategy', cell: (row) => row.variant },
      ...directions.flatMap((way) => [
        {
          title: titleOf[way],
          cell: (row: VariantSummary) => {
            const { mean, low, high, adjusted } = row.againstRandom!.scenes[way]
            const sign = adjusted >= 0.05 ? '' : mean > 0 ? 'good' : 'bad'
            return html`<span class="${sign}">${mean < 0 ? '−' : '+'}${show(Math.abs(mean))}</span> <small>${show(low)} to ${show(high)}</small>`
          },
        },
        {
          title: 'p (Holm)',
          cell: (row: VariantSummary) => {
            const { adjusted } = row.againstRandom!.scenes[way]
            return adjusted < 0.001 ? '<0.001' : show(adjusted)
          },
        },
        {
          title: 'effect',
          cell: (row: VariantSummary) => row.againstRandom!.scenes[way].effect?.toFixed(1) ?? '–',
        },
      ]),
    ],
    rows: compared,
  })
}

function whyTable({ rows }: SettingSummary): Block {
  return dataTable<VariantSummary>({
    caption: 'Where the vectors lie when training has ended, and whether it collapsed',
    columns: [
      { title: 'strategy', cell: (row) => row.variant },
      { title: 'effective rank', cell: (row) => row.curve.at(-1)!.effectiveRank.toFixed(1) },
      { title: 'mean cosine', cell: (row) => show(row.curve.at(-1)!.meanCosine) },
      {
        title: 'most on the way',
        cell: (row) =>
          `${show(row.collapse.crowded.cosine)} (epoch ${row.collapse.crowded.epoch.toFixed(0)})`,
      },
      { title: 'alignment', cell: (row) => show(row.curve.at(-1)!.alignment) },
      { title: 'uniformity', cell: (row) => row.curve.at(-1)!.uniformity.toFixed(2) },
      {
        title: 'collapsed',
        cell: ({ collapse, seeds }) =>
          collapse.seeds === 0
            ? `0 of ${seeds}`
            : `${collapse.seeds} of ${seeds}, from epoch ${collapse.epoch!.toFixed(0)}`,
      },
    ],
    rows: ranked(rows),
  })
}

function chosenText(): string {
  return 'On 128 fixed training pairs, before training and after it. Violating: scored above the own pair less the margin, so that there is something to learn. Percentile: share of the candidates that are easier. Same classes: the negative is made of the very sounds of the anchor, so that it may be none.'
}

function chosenTable({ rows }: SettingSummary): Block {
  const cell = (key: 'violating' | 'percentile' | 'false', at: 0 | -1) => (row: VariantSummary) =>
    percent(row.curve.at(at)!.chosen![key])
  return dataTable<VariantSummary>({
    caption: 'Chosen negatives',
    columns: [
      { title: 'strategy', cell: (row) => row.variant },
      { title: 'violating, before', cell: cell('violating', 0) },
      { title: 'after', cell: cell('violating', -1) },
      { title: 'percentile, before', cell: cell('percentile', 0) },
      { title: 'after', cell: cell('percentile', -1) },
      { title: 'same classes, before', cell: cell('false', 0) },
      { title: 'after', cell: cell('false', -1) },
    ],
    rows: ranked(rows).filter(({ curve }) => curve[0]!.chosen !== null),
  })
}

function costSection(costs: readonly CostCell[], bank: BankReport): Block {
  const base = costs.filter(({ axis }) => axis === 'base')
  const rows = bank.settings.find(({ setting }) => setting.name === 'main')?.rows ?? []
  const points = base.flatMap((cell) => {
    const row = rows.find(({ variant }) => variant === cell.strategy)
    return row === undefined ? [] : [{ strategy: cell.strategy, ms: cell.total, quality: meanQuality(row) }]
  })
  const ms = (value: number): string => (value < 1 ? value.toFixed(2) : value.toFixed(0))
  return section(
    'Cost',
    'A training step at the size of the thesis (32 clips of 10 s, vectors of 300), in milliseconds, and what changes when one number of it does. Extrapolated cells (*) were not run: more than 4 GiB, or 20 s a step.',
    ...(points.length === 0
      ? []
      : [
          chart({
            title: 'Cost against quality',
            alt: 'Milliseconds of a whole step against mAP@10 for each strategy.',
            table: null,
            spec: {
              data: { values: points },
              height: 260,
              encoding: {
                x: { field: 'ms', type: 'quantitative', title: 'whole step, ms', scale: { type: 'log' } },
                y: { field: 'quality', type: 'quantitative', title: 'mAP@10', scale: { zero: false } },
              },
              layer: [
                { mark: { type: 'point', filled: true, opacity: 1 } },
                {
                  mark: { type: 'text', align: 'left', dx: 7, fontSize: 11 },
                  encoding: { text: { field: 'strategy' } },
                },
              ],
            },
          }),
        ]),
    dataTable<CostCell>({
      caption: 'Milliseconds of a step at the base size',
      columns: [
        { title: 'strategy', cell: (cell) => cell.strategy },
        { title: 'scores', cell: (cell) => ms(cell.scores) },
        { title: 'planes', cell: (cell) => ms(cell.planes) },
        { title: 'choosing', cell: (cell) => ms(cell.choosing) },
        { title: 'loss, backward', cell: (cell) => ms(cell.lossAndBackward) },
        { title: 'encoder', cell: (cell) => ms(cell.encoder) },
        { title: 'whole step', cell: (cell) => ms(cell.total) },
        { title: 'MiB', cell: (cell) => (cell.bytes / 2 ** 20).toFixed(0) },
      ],
      rows: base,
    }),
    folded(
      'One number changed at a time',
      dataTable<CostCell>({
        caption: 'Milliseconds of a step',
        columns: [
          { title: 'strategy', cell: (cell) => cell.strategy },
          { title: 'pairs', cell: (cell) => cell.batch },
          { title: 'seconds', cell: (cell) => cell.seconds },
          { title: 'vector', cell: (cell) => cell.dim },
          { title: 'without encoder', cell: (cell) => ms(cell.total - cell.encoder) },
          { title: 'whole step', cell: (cell) => `${ms(cell.total)}${cell.extrapolated ? ' *' : ''}` },
        ],
        rows: costs.filter(({ axis }) => axis !== 'base'),
      }),
    ),
  )
}

function terms(): Block {
  const entry = (name: string, meaning: string) => html`<dt>${name}</dt><dd>${meaning}</dd>`
  return section(
    'Terms',
    html`<dl>${[
      entry(
        'mAP@10, R@k',
        'Mean average precision of the first ten hits; share of what is right among the first k. 1 is perfect; chance is what random order gives.',
      ),
      entry(
        '95 % interval',
        'Bootstrap in two levels: seeds and, independently, clips are drawn with replacement, 1,999 times (9,999 for differences).',
      ),
      entry(
        'p (Holm)',
        'Two-sided p of a difference to random from the same draws, adjusted for all strategies, directions and tests of the setting.',
      ),
      entry('effect', 'Mean difference over its standard deviation from seed to seed.'),
      entry(
        'effective rank',
        'exp of the entropy of the singular values’ shares (Roy, Vetterli 2007): about how many directions clips differ in.',
      ),
      entry(
        'alignment, uniformity',
        'Mean squared distance of matching vectors; logarithm of the mean Gaussian potential of different ones (Wang, Isola 2020). Both the lower, the better.',
      ),
      entry(
        'collapsed',
        'At the end and for all looks back to an epoch: mean cosine above 0.99, effective rank below 2, or scores that differ by less than 0.001.',
      ),
    ]}</dl>`,
    dataTable<(typeof variants)[number]>({
      caption: 'What is compared',
      columns: [
        { title: 'strategy', cell: ({ name }) => name },
        { title: 'how negatives are chosen', align: 'left', cell: ({ about }) => about },
      ],
      rows: variants,
    }),
  )
}
