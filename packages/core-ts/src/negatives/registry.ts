import { Family, type PartConfig } from '../registry/index.js'
import { band } from './band.js'
import { captionRulesPart } from './caption-rules.js'
import { clusterBatchesPart } from './cluster-batches.js'
import { hard, semiHard } from './cross-modality.js'
import { distanceWeighted } from './distance-weighted.js'
import { facenetSemiHard } from './facenet-semi-hard.js'
import { fullBatch } from './full-batch.js'
import {
  duplicateClipsGuard,
  equalCaptionsGuard,
  givenPairsGuard,
  type Guard,
  similarCaptionsGuard,
} from './guards.js'
import { mixturePart } from './mixture.js'
import { queuePart } from './queue.js'
import { random } from './random.js'
import { relevantPairsGuard, unjudgedPairsGuard } from './relevance-guard.js'
import { schedulePart } from './schedule.js'
import { checkStrategy, type NegativeStrategy } from './strategy.js'
import { easyAudio, easyText, hardAudio, hardText } from './within-modality.js'

/** For strategies that are made of others. */
const build = (config: PartConfig): NegativeStrategy => strategies.build(config)

/** How the negatives of a batch are chosen: `strategies.build('semi-hard')`. */
export const strategies: Family<NegativeStrategy> = new Family<NegativeStrategy>(
  'strategy',
  [
    random,
    fullBatch,
    easyText,
    hardText,
    easyAudio,
    hardAudio,
    semiHard,
    hard,
    facenetSemiHard,
    distanceWeighted,
    band,
    mixturePart(build),
    schedulePart(build),
    queuePart(build),
    clusterBatchesPart(build),
    captionRulesPart(build),
  ],
  { methods: ['select'], check: checkStrategy },
)

/** Which pairs must not be negatives. Made from a configuration, a guard may read files. */
export const guards = new Family<Guard | Promise<Guard>>('guard', [
  equalCaptionsGuard,
  similarCaptionsGuard,
  duplicateClipsGuard,
  givenPairsGuard,
  relevantPairsGuard,
  unjudgedPairsGuard,
])
