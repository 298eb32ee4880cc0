import { Family } from '../registry/index.js'
import { infoNcePart } from './info-nce.js'
import type { Loss } from './loss.js'
import { sigmoidPart } from './sigmoid.js'
import { softTargetPart } from './soft-target.js'
import { triplet } from './triplet.js'

/** What is trained for: `losses.build({ type: 'triplet', margin: 0.3 })`. */
export const losses = new Family<Loss>('loss', [triplet, infoNcePart, softTargetPart, sigmoidPart])
