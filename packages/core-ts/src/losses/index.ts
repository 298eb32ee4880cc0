export { infoNceLoss, type InfoNceLossOptions } from './info-nce.js'
export {
  type Loss,
  lossInput,
  type LossInput,
  type LossNeed,
  type LossOutput,
  type RunningLoss,
} from './loss.js'
export { tripletLoss, type TripletLossOptions } from './triplet.js'
