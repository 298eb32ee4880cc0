import { Family, type PartConfig } from '../registry/index.js'
import { gradedMarginPart } from './graded-margin.js'
import { infoNcePart } from './info-nce.js'
import type { Loss } from './loss.js'
import { sigmoidPart } from './sigmoid.js'
import { softTargetPart } from './soft-target.js'
import { sumPart } from './sum.js'
import { triplet } from './triplet.js'

/** For a loss that is made of others. */
const build = (config: PartConfig): Loss => losses.build(config)

/** What is trained for: `losses.build({ type: 'triplet', margin: 0.3 })`. */
export const losses: Family<Loss> = new Family<Loss>(
  'loss',
  [triplet, infoNcePart, softTargetPart, sigmoidPart, gradedMarginPart, sumPart(build)],
  { methods: ['build', 'valueOfEqualScores'] },
)
