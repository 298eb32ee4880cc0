export { infoNceLoss, type InfoNceLossOptions } from './info-nce.js'
export type { Loss, LossOutput, RunningLoss } from './loss.js'
export { type EmbeddedPairs, LossInput } from './loss-input.js'
export { tripletLoss, type TripletLossOptions } from './triplet.js'
