import { baseline, type Direction, directions } from './plan.js'
import {
  type AdjustedDifference,
  meanQuality,
  ranked,
  type SettingSummary,
  type VariantSummary,
} from './summary.js'

/** A question of the study with what the data say, or that they say nothing. */
export interface Answer {
  readonly question: string
  readonly text: string
}

const show = (value: number): string => value.toFixed(3)
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${show(Math.abs(value))}`

/** An adjusted p: `= 0.031`, or `≤ 0.012` where no fewer draws could have contradicted the difference. */
export function pText({ adjusted, isLeast }: AdjustedDifference): string {
  return adjusted < 0.001 ? '< 0.001' : `${isLeast ? '≤' : '='} ${adjusted.toFixed(3)}`
}

/** The directions in which held-out scenes tell a strategy from random: for the better, for the worse. */
function toldApart({ againstRandom }: VariantSummary): { better: Direction[]; worse: Direction[] } {
  const told = directions.filter((way) => againstRandom !== null && againstRandom.scenes[way].adjusted < 0.05)
  const isBetter = (way: Direction): boolean => againstRandom!.scenes[way].mean > 0
  return { better: told.filter(isBetter), worse: told.filter((way) => !isBetter(way)) }
}

/** Who leads a setting, worded by the tests: a best mean alone is no winner. */
export function leaderText({ rows }: SettingSummary): string {
  const best = ranked(rows)[0]!
  const seeds = `${best.seeds} seed${best.seeds === 1 ? '' : 's'}`
  const mean = `${best.variant} has the best mean`
  const rivals = rows.filter(
    ({ againstBest }) =>
      againstBest !== null && directions.every((way) => againstBest.scenes[way].adjusted >= 0.05),
  )
  const open =
    rivals.length === 0
      ? ''
      : `; not told apart from it: ${
          rivals.length > 5
            ? `${rivals.length} of ${rows.length - 1} others`
            : rivals.map(({ variant }) => variant).join(', ')
        }`
  if (best.variant === baseline) return `${mean} (${seeds})${open}`
  if (best.againstRandom === null) return `${mean} (${seeds}); random has not been measured beside it`
  const { better } = toldApart(best)
  if (better.length === 0) return `${mean}, but is not told apart from random with ${seeds}`
  const where = better.length === directions.length ? 'both ways' : `${ways[better[0]!]} only`
  return `${mean}, better than random ${where} with ${seeds}${open}`
}
const ways = { textToAudio: 'text → audio', audioToText: 'audio → text' } as const

/** In words, every sentence with its numbers; the same data give the same words. */
export function answersOf(settings: readonly SettingSummary[]): Answer[] {
  const named = (name: string) =>
    settings.find(({ setting, rows }) => setting.name === name && rows.length > 0)
  const main = named('main')
  if (main === undefined) return []
  return [
    { question: 'Does cross-modal semi-hard beat random both ways?', text: against(main, 'semi-hard') },
    { question: 'Which strategies beat random, which fall behind it?', text: winners(main) },
    { question: 'Which is best, and which are not told apart from it?', text: besideBest(main) },
    { question: 'Does cross-modal hard collapse, when, and what saves it?', text: collapse(main, settings) },
    { question: 'Does padded-compat change the ranking?', text: orders(main, named('padded-compat')) },
    {
      question: 'Does the best strategy depend on batch size?',
      text: [orders(main, named('batch 8')), orders(main, named('batch 128'))].join(' '),
    },
    { question: 'Does it depend on the similarity?', text: orders(main, named('pooled')) },
    {
      question: 'Does it depend on the encoder?',
      text:
        named('crnn') === undefined
          ? 'The data cannot tell: no model with an encoder trained from scratch has been measured.'
          : orders(main, named('crnn')),
    },
    { question: 'Do guards help the hard ones?', text: guards(main, named('guarded')) },
  ]
}

const rowOf = ({ rows }: SettingSummary, variant: string): VariantSummary | undefined =>
  rows.find((row) => row.variant === variant)

function against(summary: SettingSummary, variant: string): string {
  const row = rowOf(summary, variant)
  if (row === undefined || row.againstRandom === null)
    return `The data cannot tell: ${variant} has not been measured beside random.`
  const parts = directions.map((way) => {
    const compared = row.againstRandom!.scenes[way]
    const { mean, low, high, adjusted, effect } = compared
    const verdict = adjusted < 0.05 ? (mean > 0 ? 'better' : 'worse') : 'not told apart'
    return `${ways[way]} ${verdict}: ${signed(mean)} mAP@10 (${signed(low)} to ${signed(high)}, p ${pText(compared)} after Holm${effect === null ? '' : `, effect ${effect.toFixed(1)} deviations of a seed`})`
  })
  const both = toldApart(row).better.length === directions.length
  const published =
    variant !== 'semi-hard'
      ? ''
      : ` Published (arXiv 2211.04070): better both ways. ${both ? 'The data agree.' : 'The data do not show it.'}`
  return `${variant} beside random on held-out scenes, ${row.seeds} seeds: ${parts.join('; ')}.${published}`
}

function winners(summary: SettingSummary): string {
  const random = rowOf(summary, baseline)
  if (random === undefined) return `The data cannot tell: ${baseline} has not been measured.`
  const groups: Record<'both' | 'one' | 'worse' | 'open', string[]> = {
    both: [],
    one: [],
    worse: [],
    open: [],
  }
  for (const row of ranked(summary.rows)) {
    if (row.againstRandom === null) continue
    const { better, worse } = toldApart(row)
    const kind =
      better.length === 2 ? 'both' : worse.length > 0 ? 'worse' : better.length === 1 ? 'one' : 'open'
    groups[kind].push(`${row.variant} (${show(meanQuality(row))})`)
  }
  const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))
  return `Random reaches ${show(meanQuality(random))} mAP@10, the mean of both ways on held-out scenes. Better both ways (adjusted p < 0.05): ${list(groups.both)}. One way only: ${list(groups.one)}. Worse at least one way: ${list(groups.worse)}. Not told apart: ${list(groups.open)}.`
}

function besideBest(summary: SettingSummary): string {
  const compared = ranked(summary.rows).flatMap(({ variant, againstBest }) => {
    if (againstBest === null) return []
    const parts = directions.map((way) => {
      const { mean, low, high } = againstBest.scenes[way]
      return `${signed(mean)} (${signed(low)} to ${signed(high)}, p ${pText(againstBest.scenes[way])})`
    })
    return [`${variant} ${parts.join(' and ')}`]
  })
  if (compared.length === 0) return `${leaderText(summary)}. Differences from it were not computed.`
  return `${leaderText(summary)}. mAP@10 less that of the leader, ${directions.map((way) => ways[way]).join(' and ')}, same seeds and clips, p after Holm: ${compared.join('; ')}. The leader was picked by the same numbers: its lead is rather too large than too small.`
}

function collapse(main: SettingSummary, settings: readonly SettingSummary[]): string {
  const hard = rowOf(main, 'hard')
  if (hard === undefined) return 'The data cannot tell: hard has not been measured.'
  const { seeds, epoch, crowded } = hard.collapse
  const end = hard.curve.at(-1)!
  const verdict =
    seeds === 0
      ? `In main (frozen tower, batches of ${main.setting.batchSize}), none of ${hard.seeds} models trained with hard negatives ended collapsed: mAP@10 ${show(meanQuality(hard))}, effective rank ${end.effectiveRank.toFixed(1)}, mean cosine of two clips ${show(end.meanCosine)}.`
      : `In main (frozen tower, batches of ${main.setting.batchSize}), ${seeds} of ${hard.seeds} models trained with hard negatives ended collapsed, from epoch ${epoch!.toFixed(1)} on the mean.`
  const random = rowOf(main, baseline)
  const path = `On the way clips crowd together to a mean cosine of ${show(crowded.cosine)} (epoch ${crowded.epoch.toFixed(1)})${random === undefined ? '' : `; with random negatives to ${show(random.collapse.crowded.cosine)}`}.`
  const elsewhere = settings.flatMap((summary) =>
    summary === main
      ? []
      : summary.rows
          .filter((row) => row.variant === 'hard')
          .map(
            (row) =>
              `${summary.setting.name}: ${row.collapse.seeds} of ${row.seeds}, crowded to ${show(row.collapse.crowded.cosine)}`,
          ),
  )
  const relief = ['schedule', 'mixture', 'info-nce', 'facenet-semi-hard'].flatMap((name) => {
    const row = rowOf(main, name)
    return row === undefined
      ? []
      : [`${name} crowds to ${show(row.collapse.crowded.cosine)} and reaches ${show(meanQuality(row))}`]
  })
  return `${verdict} ${path}${elsewhere.length === 0 ? '' : ` Elsewhere, ended collapsed: ${elsewhere.join('; ')}.`} Milder ways: ${relief.join('; ')}. ${published(settings)}`
}

/** Beside what was published of an encoder trained from scratch. */
function published(settings: readonly SettingSummary[]): string {
  const own = settings.find(({ setting, rows }) => setting.name === 'crnn' && rows.length > 0)
  const row = own && rowOf(own, 'hard')
  const said = 'Published (arXiv 2211.04070): features collapse, with an encoder trained from scratch.'
  if (row === undefined) return `${said} That encoder has not been measured here, so the data cannot tell.`
  const ended = `${row.collapse.seeds} of ${row.seeds}`
  const frozen = settings.flatMap((summary) =>
    summary.setting.encoder === 'tower' ? (rowOf(summary, 'hard')?.collapse.seeds ?? []) : [],
  )
  const noneFrozen = frozen.every((seeds) => seeds === 0)
  return row.collapse.seeds > 0
    ? `${said} With it ${ended} collapsed here too.`
    : `${said} Here ${ended} did after ${own!.setting.epochs} epochs${noneFrozen ? ', and none with a frozen tower' : ''}: the data do not show it.`
}

/** The order of the strategies of two settings. */
function orders(main: SettingSummary, other: SettingSummary | undefined): string {
  if (other === undefined) return 'The data cannot tell: it has not been measured.'
  const common = ranked(main.rows)
    .map(({ variant }) => variant)
    .filter((variant) => rowOf(other, variant) !== undefined)
  const there = ranked(other.rows)
    .map(({ variant }) => variant)
    .filter((variant) => common.includes(variant))
  const value = (summary: SettingSummary, variant: string): string => {
    const row = rowOf(summary, variant)!
    return `${variant} ${show(meanQuality(row))}`
  }
  const seeds = Math.min(...other.rows.map((row) => row.seeds))
  return `${other.setting.name} (${seeds} seeds or more): ${there.map((variant) => value(other, variant)).join(', ')}; in main: ${common.map((variant) => value(main, variant)).join(', ')}. ${common.length < 4 ? 'Too few to compare orders.' : `Kendall's τ of the two orders ${kendall(common, there).toFixed(2)}; ${there[0] === common[0] ? `${there[0]} has the best mean in both` : `${there[0]} has the best mean here, ${common[0]} in main`}.`}`
}

function kendall(a: readonly string[], b: readonly string[]): number {
  let agree = 0
  for (let i = 0; i < a.length; i++)
    for (let j = i + 1; j < a.length; j++) agree += b.indexOf(a[i]!) < b.indexOf(a[j]!) ? 1 : -1
  return agree / Math.max(1, (a.length * (a.length - 1)) / 2)
}

function guards(main: SettingSummary, guarded: SettingSummary | undefined): string {
  if (guarded === undefined) return 'The data cannot tell: no guarded models have been measured.'
  const lines = guarded.rows.flatMap((row) => {
    const plain = rowOf(main, row.variant)
    if (plain === undefined) return []
    const wrong = [plain, row].map(({ curve }) => curve.at(-1)!.chosen?.overlap)
    const falseText = wrong.every((share) => share !== undefined)
      ? ` (${(100 * wrong[0]!).toFixed(0)} → ${(100 * wrong[1]!).toFixed(0)} % in common)`
      : ''
    return [`${row.variant} ${show(meanQuality(plain))} → ${show(meanQuality(row))}${falseText}`]
  })
  return `Without → with guards against equal and similar captions (${Math.min(...guarded.rows.map((row) => row.seeds))} seeds or more with, mAP@10 of both ways; in brackets how much of what is heard in the clips of pair and chosen negative is heard in both): ${lines.join('; ')}.`
}
