import { expected, nearest } from '../base/index.js'
import { Family } from '../registry/index.js'
import { averagePrecisionPart } from './average-precision.js'
import { type Measure, type MeasureExtra, nameWith } from './measure.js'
import { medianRankPart } from './median-rank.js'
import { gradedPrecisionPart } from './graded-precision.js'
import { ndcgExponentialPart, ndcgPart } from './ndcg.js'
import { kendallPart, spearmanPart } from './rank-correlation.js'
import { hitRatePart, recallPart } from './recall.js'
import { reciprocalRankPart } from './reciprocal-rank.js'

/** Measures of rankings by the name before the `@`. */
export const measureFamily = new Family<Measure, void, MeasureExtra>(
  'measure',
  [
    recallPart,
    averagePrecisionPart,
    reciprocalRankPart,
    medianRankPart,
    hitRatePart,
    ndcgPart,
    ndcgExponentialPart,
    gradedPrecisionPart,
    spearmanPart,
    kendallPart,
  ],
  { methods: ['score', 'chance'] },
)

/** Measures reported when none are named. */
export const defaultMeasures = [
  'R@1',
  'R@5',
  'R@10',
  'mAP@10',
  'mAP',
  'MRR',
  'medR',
  'HR@1',
  'HR@5',
  'HR@10',
] as const

/**
 * Parses a measure's name: `R@k`, `HR@k`, `mAP`, `mAP@k`, `MRR`, `MRR@k`, `medR`, `nDCG`, `nDCG@k`, `nDCG-exp`,
 * `nDCG-exp@k`, `gAP`, `gAP@k`, `Spearman`, `Kendall`, k = 1, 2, ...
 * Throws INVALID_ARGUMENT with the nearest name for anything else.
 */
export function measure(name: string): Measure {
  const [, base = '', k] = /^([A-Za-z][\w-]*)(?:@([1-9]\d{0,8}))?$/.exec(name) ?? []
  if (
    measureFamily.has(base) &&
    (k === undefined ? writtenWith(base) !== 'required' : writtenWith(base) !== 'none')
  )
    return ofName(name, measureFamily.build({ type: base, ...(k !== undefined && { k: Number(k) }) }))
  throw expected(`a measure (${measureForms()})`, 'measure', name, {
    remedy: `Did you mean "${meant(name)}"? Those of a plugin are known once it is loaded: --plugin, or loadPlugins().`,
  })
}

/** A measure is found again by its name: tables, monitors and logs go by it. */
function ofName(name: string, built: Measure): Measure {
  if (built.name === name) return built
  throw expected(`"${name}", as its part is called`, 'the name of the measure', built.name, {
    remedy: 'Give the measure the name of its part, with @k where it has a cut-off.',
  })
}

/** The measure that a number is a value of, as `R@1` or `textToAudio.R@1`; undefined for other numbers. */
export function measureOf(number: string): Measure | undefined {
  const name = number.replace(/^(textToAudio|audioToText)\./, '')
  return measureFamily.has(name.replace(/@\d+$/, '')) ? measure(name) : undefined
}

/** Several measures by name, in order. */
export function measures(...names: readonly string[]): Measure[] {
  return names.map(measure)
}

/** Whether a measure is written with `@k`, as its schema says. */
function writtenWith(name: string): 'required' | 'optional' | 'none' {
  const { properties, required = [] } = measureFamily.schemaOf(name)
  if (!Object.hasOwn(properties, 'k')) return 'none'
  return required.includes('k') ? 'required' : 'optional'
}

function measureForms(): string {
  const forms = { required: ['@k'], optional: ['', '@k'], none: [''] }
  return measureFamily.names
    .flatMap((name) => forms[writtenWith(name)].map((end) => `${name}${end}`))
    .join(', ')
}

/** The measure that a wrong name most likely meant; always one that parses. */
function meant(name: string): string {
  const base = /^[A-Za-z_ -]*/.exec(name)![0].replace(/[ -]+/g, '_')
  const spellings = new Map(
    measureFamily.parts.flatMap(({ name, aliases = [] }) =>
      [name, ...aliases].map((spelling) => [spelling, name] as const),
    ),
  )
  const row = spellings.get(nearest(base, spellings.keys()) ?? 'R')!
  const cut = writtenWith(row)
  const k = Number(/\d+/.exec(name)?.[0] ?? 0)
  if (cut !== 'none' && k > 0 && k < 1e9) return nameWith(row, k)
  return cut === 'required' ? nameWith(row, 10) : row
}
