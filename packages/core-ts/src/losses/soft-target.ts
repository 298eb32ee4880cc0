import { expected } from '../base/errors.js'
import type { RaggedIndices } from '../base/ragged.js'
import { checkOptions } from '../base/options.js'
import { infoNce } from '../nn/functions/index.js'
import { type Loss, lossPart } from './loss.js'
import { checkTemperature, learnableSchema, lossScalar, moduleOf, temperatureSchema } from './scalars.js'
import { targets } from './target-registry.js'
import type { Targets } from './targets.js'

/** Options of {@link softTargetLoss}. */
export interface SoftTargetLossOptions {
  /** How much each caption of a batch matches each clip. */
  targets: Targets
  /**
   * Share of each target that lies evenly on the captions (clips) of the own clip, 0 to 1; the targets have the rest. 0.5
   * weighs both alike. Default 0.
   */
  hard?: number
  /**
   * 'text-to-audio' ranks clips for each caption, 'audio-to-text' captions for each clip, 'both' is the mean of the two.
   * Default 'both'.
   */
  direction?: 'both' | 'text-to-audio' | 'audio-to-text'
  /**
   * What is ranked together: 'batch' everything, 'list' only pairs of one group, which is what the lists of the source rated-lists are.
   * Default 'batch'.
   */
  compare?: 'batch' | 'list'
  /** τ, or its starting value. Default 0.05. */
  temperature?: number
  /** Train ln τ with the model. Default false. */
  learnable?: boolean
}

const directions = {
  both: { audioToText: 0.5, textToAudio: 0.5 },
  'text-to-audio': { audioToText: 0, textToAudio: 1 },
  'audio-to-text': { audioToText: 1, textToAudio: 0 },
}

/**
 * Listwise cross-entropy against graded relevance (ListNet's top-one probabilities, Cao et al. 2007; as in Xie et al., arXiv
 * 2412.01356): -Σ p·ln softmax(scores / τ) of each caption over the clips, of each clip over the captions, or both, where p are
 * the target's weights over their sum. Pairs that guards bar are left out. Works on any similarity.
 */
export function softTargetLoss(given: SoftTargetLossOptions): Loss {
  const options = checkOptions(given, 'softTargetLoss')
  const { targets, hard = 0, direction = 'both', compare = 'batch' } = options
  const { temperature = 0.05, learnable = false } = options
  if (typeof (targets as Partial<Targets> | undefined)?.weights !== 'function')
    throw expected('targets, which give weights', 'targets', targets)
  if (!(typeof hard === 'number' && hard >= 0 && hard <= 1))
    throw expected('a number from 0 to 1', 'hard', hard)
  if (!Object.hasOwn(directions, direction))
    throw expected(`one of ${Object.keys(directions).join(', ')}`, 'direction', direction)
  if (compare !== 'batch' && compare !== 'list') throw expected('batch or list', 'compare', compare)
  checkTemperature(temperature)
  return {
    name: `soft-target-${targets.name}`,
    config: {
      targets: { type: targets.name, ...targets.config },
      ...{ hard, direction, temperature, learnable },
      // Runs of before there was this option go on.
      ...(compare === 'list' && { compare }),
    },
    easier: 'a higher temperature',
    // Of lists it depends on their lengths.
    valueOfEqualScores: (n) => (compare === 'list' ? null : Math.log(n)),
    build(backend) {
      const logTemperature = lossScalar(backend, Math.log(temperature), learnable)
      return {
        ...moduleOf({ logTemperature }),
        compute(input) {
          const { tape, groups, factors } = input
          const exclude = compare === 'list' ? otherGroups(groups) : input.exclude
          const { loss, stats } = infoNce(tape, factors.audio, factors.text, {
            ...{ groups, exclude, hard, positives: 'same-clip', directions: directions[direction] },
            ...{ logTemperature, targets: input.targets(targets) },
          })
          return { loss, statistics: () => ({ temperature, ...stats() }) }
        },
      }
    },
  }
}

/** For every clip the captions of other groups. */
function otherGroups(groups: Int32Array): RaggedIndices {
  const all = Array.from(groups, (own) => [...groups.keys()].filter((j) => groups[j] !== own))
  const offsets = new Int32Array(groups.length + 1)
  for (const [i, list] of all.entries()) offsets[i + 1] = offsets[i]! + list.length
  return { offsets, index: Int32Array.from(all.flat()) }
}

export const softTargetPart = lossPart({
  name: 'soft-target',
  description: 'Scores of a batch towards graded relevance, as a list for each caption, each clip, or both.',
  schema: {
    properties: {
      targets: {
        family: 'targets',
        default: { type: 'same-clip' },
        description: 'How much each caption of a batch matches each clip.',
      },
      hard: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0,
        description: 'Share of each target on the own clip’s pairs; the graded ones have the rest.',
      },
      direction: {
        enum: ['both', 'text-to-audio', 'audio-to-text'],
        default: 'both',
        description: 'What is ranked: clips for a caption, captions for a clip, or both.',
      },
      compare: {
        enum: ['batch', 'list'],
        default: 'batch',
        description:
          'What is ranked together: the whole batch, or each list of the source rated-lists by itself.',
      },
      temperature: { ...temperatureSchema, default: 0.05 },
      learnable: learnableSchema,
    },
  },
  fromConfig: ({ targets: chosen, ...rest }) => softTargetLoss({ ...rest, targets: targets.build(chosen) }),
})
