import { Family } from '../registry/index.js'
import { relevanceTargetsPart } from './relevance-targets.js'
import { sameClipPart, type Targets, uniformPart } from './targets.js'

/** Where soft targets come from: `targets.build('same-clip')`. */
export const targets = new Family<Targets>('targets', [sameClipPart, uniformPart, relevanceTargetsPart])
