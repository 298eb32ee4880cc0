import { type Block, dataTable, folded, html, renderPage, section } from '@sonotext/core/report'
import { type Answer, answersOf, leaderText, pText } from './answers.js'
import { costSections } from './cost-report.js'
import { curveChart, histogramChart, qualityChart, titleOf } from './charts.js'
import { type KeptCost, madeText } from './cells.js'
import { testNames } from './data.js'
import { allVariants, baseline, directions, measures, type Variant } from './plan.js'
import { meanOf } from './intervals.js'
import { meanQuality, ranked, type SettingSummary, type VariantSummary } from './summary.js'
import { terms } from './terms.js'

export interface BankReport {
  readonly bank: string
  /** What models hear sounds with. */
  readonly hearing: string
  readonly settings: readonly SettingSummary[]
}

export interface StudyReport {
  readonly banks: readonly BankReport[]
  readonly costs: readonly KeptCost[]
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
      ...costSections(costs, first),
      termsSection(),
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
      : `With ${best.variant} negatives held-out scenes are found with mAP@10 ${show(meanQuality(best))}, with random ones ${show(meanQuality(random))} (1 would be perfect; guessing gives ${show(chanceOf(best))}): ${leaderText(main)}.`,
    hard === undefined
      ? ''
      : `Always the hardest (hard): ${show(meanQuality(hard))}, ${hard.collapse.seeds} of ${hard.seeds} models ended collapsed.`,
  ]
    .filter(Boolean)
    .join(' ')
}

function chanceOf({ chance }: VariantSummary): number {
  return meanOf(directions.map((way) => chance[`scenes ${way} mAP@10`]!))
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
      `Scenes mixed from ${bank} sounds that no model was trained on, searched by sentence and the other way round. Models hear with ${hearing}. ${madeOf(main)}`,
      qualityChart(main, leaderText(main)),
      folded('What these ways of choosing are', comparedTable(main)),
      valuesTable(main),
      ...comparisonTable(main, 'againstRandom', 'random'),
      ...comparisonTable(main, 'againstBest', `${ranked(main.rows)[0]!.variant}, which has the best mean`),
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

/** By what the models of a setting were made. */
export function madeOf({ made }: Pick<SettingSummary, 'made'>): string {
  const runs = made.map(({ by, models }) => {
    const named = by === null ? 'by a run that did not note its command' : `by ${madeText(by)}`
    return `${models} model${models === 1 ? '' : 's'} ${named}`
  })
  return runs.length === 0 ? '' : `Made: ${runs.join('; ')}.`
}

function settingText(summary: SettingSummary): string {
  const { setting, missing, rows } = summary
  const { encoder, similarity, padding, batchSize, guarded, epochs } = setting
  const seeds = rows.map((row) => row.seeds)
  const range =
    Math.min(...seeds) === Math.max(...seeds)
      ? `${seeds[0]}`
      : `${Math.min(...seeds)} to ${Math.max(...seeds)}`
  return `${encoder === 'tower' ? 'Frozen tower with trained layers' : 'CRNN from scratch'}, ${similarity} scores (${padding}), batches of ${batchSize}, ${epochs} epochs${guarded ? ', guards against equal and similar captions' : ''}; ${range} seeds.${missing > 0 ? ` ${missing} planned models are missing.` : ''} ${madeOf(summary)}`
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

function comparisonTable(
  { rows }: SettingSummary,
  against: 'againstRandom' | 'againstBest',
  reference: string,
): Block[] {
  const compared = ranked(rows).filter((row) => row[against] !== null)
  if (compared.length === 0) return []
  const table = dataTable<VariantSummary>({
    caption: `mAP@10 on held-out scenes less that of ${reference}; same seeds and clips`,
    columns: [
      { title: 'strategy', cell: (row) => row.variant },
      ...directions.flatMap((way) => [
        {
          title: titleOf[way],
          cell: (row: VariantSummary) => {
            const { mean, low, high, adjusted } = row[against]!.scenes[way]
            const sign = adjusted >= 0.05 ? '' : mean > 0 ? 'good' : 'bad'
            return html`<span class="${sign}">${mean < 0 ? '−' : '+'}${show(Math.abs(mean))}</span> <small>${show(low)} to ${show(high)}</small>`
          },
        },
        {
          title: 'p (Holm)',
          cell: (row: VariantSummary) => pText(row[against]!.scenes[way]).replace('= ', ''),
        },
        {
          title: 'effect',
          cell: (row: VariantSummary) => {
            const { effect } = row[against]!.scenes[way]
            return effect === null ? '–' : `${effect < 0 ? '−' : ''}${Math.abs(effect).toFixed(1)}`
          },
        },
      ]),
    ],
    rows: compared,
  })
  return [table]
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
  return 'On 128 fixed training pairs, before training and after it. Violating: scored above the own pair less the margin, so that there is something to learn. Percentile: share of the candidates that are easier. Same classes: the negative is made of the very sounds of the anchor, so that it may be none. In common: how much of what is heard in either clip is heard in both.'
}

function chosenTable({ rows }: SettingSummary): Block {
  const cell = (key: 'violating' | 'percentile' | 'false' | 'overlap', at: 0 | -1) => (row: VariantSummary) =>
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
      { title: 'in common, before', cell: cell('overlap', 0) },
      { title: 'after', cell: cell('overlap', -1) },
    ],
    rows: ranked(rows).filter(({ curve }) => curve[0]!.chosen !== null),
  })
}

function termsSection(): Block {
  return section(
    'Terms',
    html`<dl>${terms.map(([name, meaning]) => html`<dt>${name}</dt><dd>${meaning}</dd>`)}</dl>`,
  )
}

function comparedTable({ rows }: SettingSummary): Block {
  return dataTable<Variant>({
    caption: 'What is compared',
    columns: [
      { title: 'strategy', cell: ({ name }) => name },
      { title: 'how negatives are chosen', align: 'left', cell: ({ about }) => about },
    ],
    rows: allVariants().filter(({ name }) => rows.some(({ variant }) => variant === name)),
  })
}
