import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { infoNce } from '../nn/functions/index.js'
import { Parameter, Tensor } from '../nn/tensor.js'
import { type Loss, lossPart } from './loss.js'

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
 * any similarity through its factors.
 */
export function infoNceLoss(options: InfoNceLossOptions = {}): Loss {
  checkOptions(options, 'infoNceLoss')
  const { temperature = 0.07, learnable = false, positives = 'own-pair' } = options
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw expected('a number above 0', 'temperature', temperature)
  if (positives !== 'own-pair' && positives !== 'same-clip') {
    throw expected("'own-pair' or 'same-clip'", 'positives', positives)
  }
  return {
    name: 'info-nce',
    config: { temperature, learnable, positives },
    easier: 'a higher temperature',
    valueOfEqualScores: (n) => 2 * Math.log(n),
    build(backend) {
      const start = Parameter.from(backend, [1], [Math.log(temperature)])
      const logTemperature = learnable ? start : new Tensor(backend, [1], start.buffer)
      const named = new Map([['logTemperature', logTemperature]])
      return {
        parameters: () => (learnable ? (named as Map<string, Parameter>) : new Map()),
        buffers: () => (learnable ? new Map() : named),
        compute({ tape, groups, exclude, factors: { audio, text } }) {
          const { loss, stats } = infoNce(tape, audio, text, { groups, exclude, logTemperature, positives })
          const temperatureNow = () => (learnable ? Math.exp(logTemperature.item()) : temperature)
          return { loss, statistics: () => ({ ...stats(), temperature: temperatureNow() }) }
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
      temperature: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 0.07,
        description: 'What scores are divided by.',
      },
      learnable: { type: 'boolean', default: false, description: 'Train the temperature too.' },
      positives: {
        enum: ['own-pair', 'same-clip'],
        default: 'own-pair',
        description: 'What other pairs of the same clip are: left out, or positives that share the mass.',
      },
    },
  },
  fromConfig: infoNceLoss,
})
