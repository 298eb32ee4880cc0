import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { sigmoidPair } from '../nn/functions/index.js'
import { type Loss, lossPart } from './loss.js'
import {
  checkTemperature,
  learnableSchema,
  lossScalar,
  moduleOf,
  positivesSchema,
  temperatureSchema,
} from './scalars.js'

/** Options of {@link sigmoidLoss}. */
export interface SigmoidLossOptions {
  /** τ, or its starting value. Default 0.1. */
  temperature?: number
  /** Added to every score, or its starting value: about -ln of the batch size where most pairs do not match. Default -10. */
  bias?: number
  /** Train ln τ and the bias with the model. Default true. */
  learnable?: boolean
  /** What other pairs of the anchor's own clip are: left out ('own-pair') or positives ('same-clip'). Default 'own-pair'. */
  positives?: 'own-pair' | 'same-clip'
}

/**
 * The sigmoid loss (Zhai et al. 2023, arXiv 2303.15343, whose starting values are the defaults): every clip with every
 * caption of the batch is a match or none, each for itself. Pairs that guards bar are left out. Works on any similarity.
 */
export function sigmoidLoss(options: SigmoidLossOptions = {}): Loss {
  checkOptions(options, 'sigmoidLoss')
  const { temperature = 0.1, bias = -10, learnable = true, positives = 'own-pair' } = options
  checkTemperature(temperature)
  if (!Number.isFinite(bias)) throw expected('a finite number', 'bias', bias)
  if (positives !== 'own-pair' && positives !== 'same-clip') {
    throw expected("'own-pair' or 'same-clip'", 'positives', positives)
  }
  return {
    name: 'sigmoid',
    config: { temperature, bias, learnable, positives },
    easier: 'a higher temperature',
    valueOfEqualScores: () => null, // it hangs on the bias, which a run changes
    build(backend) {
      const logTemperature = lossScalar(backend, Math.log(temperature), learnable)
      const bar = lossScalar(backend, bias, learnable)
      return {
        ...moduleOf({ logTemperature, bias: bar }),
        compute({ tape, groups, exclude, factors: { audio, text } }) {
          const options = { groups, exclude, logTemperature, bias: bar, positives }
          const { loss, stats } = sigmoidPair(tape, audio, text, options)
          return { loss, statistics: () => ({ temperature, bias, ...stats() }) }
        },
      }
    },
  }
}

export const sigmoidPart = lossPart({
  name: 'sigmoid',
  description: 'Every clip with every caption of the batch, a match or none.',
  schema: {
    properties: {
      temperature: { ...temperatureSchema, default: 0.1 },
      bias: { type: 'number', default: -10, description: 'Added to every score.' },
      learnable: {
        ...learnableSchema,
        default: true,
        description: 'Train the temperature and the bias too.',
      },
      positives: positivesSchema,
    },
  },
  fromConfig: sigmoidLoss,
})
