import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { infoNce } from '../nn/functions/index.js'
import { type Loss, lossPart } from './loss.js'
import {
  checkTemperature,
  learnableSchema,
  lossScalar,
  moduleOf,
  positivesSchema,
  temperatureSchema,
} from './scalars.js'

/** Options of {@link infoNceLoss}. */
export interface InfoNceLossOptions {
  /** τ, or its starting value. Default 0.07. */
  temperature?: number
  /** Train ln τ with the model. Default false. */
  learnable?: boolean
  /**
   * What other pairs of the anchor's own clip are: 'own-pair' leaves them out of the denominators, 'same-clip' lets them
   * share the positive mass evenly. Default 'own-pair'.
   */
  positives?: 'own-pair' | 'same-clip'
}

/**
 * InfoNCE over the batch, both directions summed (DCASE 2023 task 6b baseline): cross-entropy of each clip over the
 * captions plus of each caption over the clips, of scores / τ. Pairs that guards bar are left out of the denominators. Works on
 * any similarity.
 */
export function infoNceLoss(options: InfoNceLossOptions = {}): Loss {
  checkOptions(options, 'infoNceLoss')
  const { temperature = 0.07, learnable = false, positives = 'own-pair' } = options
  checkTemperature(temperature)
  if (positives !== 'own-pair' && positives !== 'same-clip') {
    throw expected("'own-pair' or 'same-clip'", 'positives', positives)
  }
  return {
    name: 'info-nce',
    config: { temperature, learnable, positives },
    easier: 'a higher temperature',
    valueOfEqualScores: (n) => 2 * Math.log(n),
    build(backend) {
      const logTemperature = lossScalar(backend, Math.log(temperature), learnable)
      return {
        ...moduleOf({ logTemperature }),
        compute({ tape, groups, exclude, factors: { audio, text } }) {
          const { loss, stats } = infoNce(tape, audio, text, { groups, exclude, logTemperature, positives })
          return { loss, statistics: () => ({ temperature, ...stats() }) }
        },
      }
    },
  }
}

export const infoNcePart = lossPart({
  name: 'info-nce',
  description: 'Every pair among all others of the batch.',
  schema: {
    properties: {
      temperature: { ...temperatureSchema, default: 0.07 },
      learnable: learnableSchema,
      positives: positivesSchema,
    },
  },
  fromConfig: infoNceLoss,
})
