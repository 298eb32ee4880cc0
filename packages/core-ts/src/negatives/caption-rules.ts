import type { RaggedIndices } from '../base/ragged.js'
import { expected } from '../base/errors.js'
import { type CaptionRuleName, captionRuleNames, captionsByRule } from '../text/index.js'
import { type BuildStrategy, described } from './composed.js'
import { asNegativeSet, type NegativeStrategy, strategyPart } from './strategy.js'

/** Options of {@link captionRuleNegatives}. */
export interface CaptionRulesOptions {
  /** Which rules may be used. Default all: order, event, count. */
  rules?: readonly CaptionRuleName[]
  /** Share of the pairs for which a caption is written, in (0, 1]. Default 0.5. */
  share?: number
}

/**
 * Captions made by rule from the own one so that they are not true any more: events in another order, an event exchanged for another
 * caption's, another count (Yuksekgonul et al., ICLR 2023, arXiv 2210.01936; for sound Ghosh et al., ICLR 2024, arXiv 2310.08753). A pair
 * with one has it as its caption; all else is chosen by another strategy. Only batches for training have written captions.
 */
export function captionRuleNegatives(
  strategy: NegativeStrategy,
  { rules = captionRuleNames, share = 0.5 }: CaptionRulesOptions = {},
): NegativeStrategy {
  if (strategy.earlierPairs !== undefined)
    throw expected('a strategy that chooses within the batch', 'negatives', strategy.name)
  return {
    ...strategy,
    name: 'caption-rules',
    config: { negatives: described(strategy), rules, share },
    batches: { ...strategy.batches, writer: captionsByRule(rules, share) },
    select(query, rng) {
      const chosen = asNegativeSet(strategy.select(query, rng), strategy.name)
      const { written = [] } = query
      return written.length === 0
        ? chosen
        : { ...chosen, text: withWritten(chosen.text, query.items.length, written) }
    },
  }
}

/** Written captions stand behind those of the batch. */
function withWritten(
  { offsets, index }: RaggedIndices,
  n: number,
  written: readonly { readonly of: number }[],
): RaggedIndices {
  const own = new Map(written.map(({ of }, k) => [of, n + k]))
  const lists = Array.from({ length: n }, (_, i) =>
    own.has(i) ? [own.get(i)!] : [...index.subarray(offsets[i], offsets[i + 1])],
  )
  const ends = new Int32Array(n + 1)
  for (const [i, { length }] of lists.entries()) ends[i + 1] = ends[i]! + length
  return { offsets: ends, index: Int32Array.from(lists.flat()) }
}

export const captionRulesPart = (build: BuildStrategy) =>
  strategyPart({
    name: 'caption-rules',
    description: 'Captions made untrue by rule (order, event, count) besides those another strategy chooses.',
    schema: {
      properties: {
        negatives: {
          family: 'strategy',
          default: { type: 'semi-hard' },
          description: 'How the others are chosen.',
        },
        rules: {
          type: 'array',
          items: { enum: ['order', 'event', 'count'] },
          default: ['order', 'event', 'count'],
          description: 'Which rules may be used.',
        },
        share: {
          type: 'number',
          exclusiveMinimum: 0,
          maximum: 1,
          default: 0.5,
          description: 'Share of the pairs for which a caption is written.',
        },
      },
    },
    fromConfig: ({ negatives, rules, share }) => captionRuleNegatives(build(negatives), { rules, share }),
  })
