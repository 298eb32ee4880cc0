import { Family } from '../registry/index.js'
import { hard, hardNegatives, semiHard, semiHardNegatives } from './cross-modality.js'
import { fullBatch, fullBatchNegatives } from './full-batch.js'
import { equalCaptionsGuard, givenPairsGuard, type Guard } from './guards.js'
import { random, randomNegatives } from './random.js'
import type { NegativeStrategy } from './strategy.js'
import {
  easyAudio,
  easyAudioNegatives,
  easyText,
  easyTextNegatives,
  hardAudio,
  hardAudioNegatives,
  hardText,
  hardTextNegatives,
} from './within-modality.js'

/** How the negatives of a batch are chosen: `strategies.build('semi-hard')`. */
export const strategies = new Family<NegativeStrategy>('strategy', [
  random,
  fullBatch,
  easyText,
  hardText,
  easyAudio,
  hardAudio,
  semiHard,
  hard,
])

/** Which pairs must not be negatives. Made from a configuration, a guard may read files. */
export const guards = new Family<Guard | Promise<Guard>>('guard', [equalCaptionsGuard, givenPairsGuard])

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
