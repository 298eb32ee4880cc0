import { infoNceLoss, type Loss, tripletLoss } from '@sonotext/core/losses'
import {
  equalCaptions,
  type Guard,
  type NegativeStrategy,
  similarCaptions,
  strategies,
} from '@sonotext/core/negatives'
import { CheckError } from '../check/check-error.js'
import type { TestName } from './data.js'

/** One way of choosing negatives, as it is compared with the others. */
export interface Variant {
  readonly name: string
  /** A line for people. */
  readonly about: string
  /** Null for a loss that chooses nothing. */
  readonly strategy: NegativeStrategy | null
  readonly loss: Loss
}

/** As in the published comparison. */
export const margin = 0.5

const published = [
  'random',
  'full-batch',
  'easy-text',
  'hard-text',
  'easy-audio',
  'hard-audio',
  'semi-hard',
  'hard',
]

function registered(name: string): Variant {
  const strategy = strategies.build(name)
  return {
    name,
    about: strategies.describe(name),
    strategy,
    loss: tripletLoss({ negatives: strategy, margin }),
  }
}

/** All that are registered now, those of plugins too, and the loss that weighs the whole batch instead of choosing. */
export function allVariants(): Variant[] {
  return [
    ...strategies.names.map(registered),
    {
      name: 'info-nce',
      about: 'No choice: every pair of the batch weighed by its score (InfoNCE, temperature 0.07).',
      strategy: null,
      loss: infoNceLoss(),
    },
  ]
}

export function variantNamed(name: string): Variant {
  return allVariants().find((variant) => variant.name === name)!
}

/** What every number is compared with. */
export const baseline = 'random'

/** Everything of a cell but strategy and seed. */
export interface Setting {
  readonly name: string
  /** The question it answers. */
  readonly question: string
  readonly bank: string
  readonly encoder: 'tower' | 'crnn'
  readonly similarity: 'frame-word' | 'pooled'
  readonly padding: 'masked' | 'padded-compat'
  readonly batchSize: number
  /** Captions that say much the same are no negatives. */
  readonly guarded: boolean
  readonly variants: readonly string[]
  readonly seeds: number
  readonly epochs: number
}

/** One model: trained once, measured, kept in a file of its own. */
export interface Cell {
  readonly setting: Setting
  readonly variant: string
  readonly seed: number
}

const seedsOf = (count: number): number[] => Array.from({ length: count }, (_, i) => 17 + i)

/** Seed by seed, so that a run that is stopped has something of everything. */
export function cellsOf(settings: readonly Setting[]): Cell[] {
  return settings.flatMap((setting) =>
    seedsOf(setting.seeds).flatMap((seed) => setting.variants.map((variant) => ({ setting, variant, seed }))),
  )
}

export function guardsOf({ guarded }: Setting): Guard[] {
  return guarded ? [equalCaptions(), similarCaptions()] : []
}

interface PlanOptions {
  readonly full: boolean
  readonly bank: string
  readonly seeds: number | undefined
  /** Those to be compared besides random; undefined for all. */
  readonly strategies?: readonly string[] | undefined
}

/**
 * What is trained, the most telling first. Settings in which nothing would stand beside random are left out. Throws CheckError for a strategy
 * that there is not.
 */
export function plan(options: PlanOptions): Setting[] {
  const wanted = options.strategies
  if (wanted === undefined) return wholePlan(options)
  const names = allVariants().map(({ name }) => name)
  const unknown = wanted.filter((name) => !names.includes(name))
  if (unknown.length > 0)
    throw new CheckError(
      `There is no strategy ${unknown.join(', ')} (--strategies). Those there are: ${names.join(', ')}; --plugin FILE adds others.`,
    )
  if (wanted.every((name) => name === baseline))
    throw new CheckError(
      `Name a strategy besides ${baseline} (--strategies), which every other is compared with.`,
    )
  return wholePlan(options)
    .map((setting) => ({
      ...setting,
      variants: setting.variants.filter((name) => name === baseline || wanted.includes(name)),
    }))
    .filter((setting) => setting.variants.some((name) => name !== baseline))
}

/** All strategies, each in every setting that has a place for it, the most telling setting first. */
function wholePlan({ full, bank, seeds }: PlanOptions): Setting[] {
  const variants = allVariants()
  const remembers = variants.filter(({ strategy }) => strategy?.earlierPairs !== undefined)
  const main: Setting = {
    name: 'main',
    question: 'Which strategy is best, and which collapse?',
    bank,
    encoder: 'tower',
    similarity: 'frame-word',
    padding: 'masked',
    batchSize: 32,
    guarded: false,
    variants: variants.filter((variant) => !remembers.includes(variant)).map(({ name }) => name),
    seeds: seeds ?? (full ? 10 : 3),
    epochs: full ? 8 : 6,
  }
  const few = Math.min(main.seeds, 5)
  const one = (own: Partial<Setting> & Pick<Setting, 'name' | 'question'>): Setting => ({ ...main, ...own })
  const crnn = one({
    name: 'crnn',
    question: 'Is it the same with an encoder that is trained from scratch?',
    encoder: 'crnn',
    // With the two best others of main, and what is said to save hard ones from collapse.
    variants: full ? [...published, 'facenet-semi-hard', 'schedule', 'info-nce'] : published,
    seeds: seeds ?? 3,
    epochs: full ? 8 : 2,
  })
  const pooled = one({
    name: 'pooled',
    question: 'Is it the same when one vector of a clip is compared with one of a caption?',
    similarity: 'pooled',
    variants: variants.map(({ name }) => name),
  })
  if (!full)
    return [main, { ...pooled, variants: [baseline, 'hard', ...remembers.map(({ name }) => name)] }, crnn]
  return [
    main,
    pooled,
    one({
      name: 'batch 8',
      question: 'Does the best strategy depend on batch size?',
      batchSize: 8,
      variants: [baseline, 'full-batch', 'semi-hard', 'hard', 'facenet-semi-hard', 'band', 'info-nce'],
      seeds: few,
    }),
    one({
      name: 'batch 128',
      question: 'Does the best strategy depend on batch size?',
      batchSize: 128,
      variants: [baseline, 'full-batch', 'semi-hard', 'hard', 'facenet-semi-hard', 'band', 'info-nce'],
      seeds: few,
      // As many steps as with 32.
      epochs: 4 * main.epochs,
    }),
    one({
      name: 'guarded',
      question: 'Do guards help the hard ones?',
      guarded: true,
      variants: [baseline, 'hard-text', 'semi-hard', 'hard', 'facenet-semi-hard', 'full-batch'],
      seeds: few,
    }),
    one({
      name: 'padded-compat',
      question: 'Does padded-compat change the ranking?',
      padding: 'padded-compat',
      variants: published,
      seeds: few,
    }),
    crnn,
  ]
}

/** Both ways, on what was held out. */
export const measures = ['R@1', 'R@10', 'mAP@10'] as const
export type MeasureName = (typeof measures)[number]
export const directions = ['textToAudio', 'audioToText'] as const
export type Direction = (typeof directions)[number]

/** By clip, in the order of the test's clips: the mean over the clip's queries. */
export type ByClip = Readonly<Record<MeasureName, readonly number[]>>
export type TestValues = Readonly<Record<TestName, Readonly<Record<Direction, ByClip>>>>
