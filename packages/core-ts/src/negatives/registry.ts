import { expected } from '../base/errors.js'
import { hardNegatives, semiHardNegatives } from './cross-modality.js'
import { fullBatchNegatives } from './full-batch.js'
import { randomNegatives } from './random.js'
import type { NegativeStrategy } from './strategy.js'
import {
  easyAudioNegatives,
  easyTextNegatives,
  hardAudioNegatives,
  hardTextNegatives,
} from './within-modality.js'

/** Every strategy by name: `negatives['semi-hard']()`. A new one is its file and a row here. */
export const negatives = {
  random: randomNegatives,
  'full-batch': fullBatchNegatives,
  'easy-text': easyTextNegatives,
  'hard-text': hardTextNegatives,
  'easy-audio': easyAudioNegatives,
  'hard-audio': hardAudioNegatives,
  'semi-hard': semiHardNegatives,
  hard: hardNegatives,
} as const satisfies Readonly<Record<string, () => NegativeStrategy>>

export type NegativeStrategyName = keyof typeof negatives

/** The strategy of that name, for names from a configuration. Throws INVALID_ARGUMENT listing the names there are. */
export function negativeStrategy(name: string): NegativeStrategy {
  if (!Object.hasOwn(negatives, name))
    throw expected(`one of ${Object.keys(negatives).join(', ')}`, 'negatives', name)
  return negatives[name as NegativeStrategyName]()
}
