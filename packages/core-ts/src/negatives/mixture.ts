import type { RaggedIndices } from '../base/ragged.js'
import { expected } from '../base/errors.js'
import { type BuildStrategy, composed, described, traitsOf } from './composed.js'
import { drawIndex } from './drawn.js'
import { asNegativeSet, type NegativeSet, type NegativeStrategy, strategyPart } from './strategy.js'

/**
 * Each anchor takes the picks of one of several strategies, drawn by weight: a few hard negatives among easy ones, as in the training of
 * retrievers (Karpukhin et al., EMNLP 2020, arXiv 2004.04906). Both directions of an anchor come from the same one.
 */
export function mixedNegatives(
  strategies: readonly NegativeStrategy[],
  weights: readonly number[] = strategies.map(() => 1),
): NegativeStrategy {
  if (weights.length !== strategies.length)
    throw expected(`${strategies.length} weights, one for each strategy`, 'weights', weights)
  if (!weights.every((weight) => weight >= 0 && weight < Infinity) || !weights.some((weight) => weight > 0))
    throw expected('weights from 0, one above it', 'weights', weights)
  return composed(strategies, (parts) => ({
    name: 'mixture',
    config: { strategies: strategies.map(described), weights },
    ...traitsOf(parts),
    select(query, rng) {
      const sets = parts.map((part, i) => asNegativeSet(part.select(query, rng.fork(i)), part.name))
      return chosenFrom(
        sets,
        Array.from(query.items, () => drawIndex(weights, rng)),
      )
    },
  }))
}

/** Anchor i has the lists of set `which[i]`. */
function chosenFrom(sets: readonly NegativeSet[], which: readonly number[]): NegativeSet {
  const side = (name: 'audio' | 'text'): RaggedIndices => {
    const lists = which.map((s, i) => {
      const { offsets, index } = sets[s]![name]
      return index.subarray(offsets[i], offsets[i + 1])
    })
    const offsets = new Int32Array(which.length + 1)
    for (const [i, { length }] of lists.entries()) offsets[i + 1] = offsets[i]! + length
    return { offsets, index: Int32Array.from(lists.flatMap((list) => [...list])) }
  }
  const [audio, text] = [side('audio'), side('text')]
  const empty = which.filter(
    (_, i) => audio.offsets[i] === audio.offsets[i + 1] && text.offsets[i] === text.offsets[i + 1],
  ).length
  return { audio, text, empty }
}

export const mixturePart = (build: BuildStrategy) =>
  strategyPart({
    name: 'mixture',
    description: 'Each pair takes the negatives of one of several strategies, drawn by weight.',
    schema: {
      properties: {
        strategies: {
          type: 'array',
          items: { family: 'strategy' },
          default: [{ type: 'random' }, { type: 'hard' }],
          description: 'Two or more.',
        },
        weights: {
          type: 'array',
          items: { type: 'number', minimum: 0 },
          description: 'How often each of them is drawn; without the key all alike.',
        },
      },
    },
    fromConfig: ({ strategies, weights }) => mixedNegatives(strategies.map(build), weights),
  })
