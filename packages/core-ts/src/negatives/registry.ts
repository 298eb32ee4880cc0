import { Family } from '../registry/index.js'
import { hard, semiHard } from './cross-modality.js'
import { fullBatch } from './full-batch.js'
import { equalCaptionsGuard, givenPairsGuard, type Guard } from './guards.js'
import { random } from './random.js'
import type { NegativeStrategy } from './strategy.js'
import { easyAudio, easyText, hardAudio, hardText } from './within-modality.js'

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
