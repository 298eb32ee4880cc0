export * from './attention.js'
export * from './batch-norm.js'
export type { BatchNormOptions, BatchNormState } from './batch-norm-state.js'
export * from './batched-matmul.js'
export * from './conv2d.js'
export * from './dropout.js'
export * from './elementwise.js'
export * from './embedding.js'
export * from './frame-score.js'
export * from './gather-rows.js'
export * from './gru.js'
export {
  infoNce,
  type InfoNceLoss,
  type InfoNceOptions,
  type InfoNceStats,
  type PairLossOptions,
} from './info-nce.js'
export * from './interpolate.js'
export * from './l2-normalize.js'
export * from './layer-norm.js'
export * from './layout.js'
export * from './linear.js'
export * from './lp-pool.js'
export * from './masked-max.js'
export * from './masked-mean.js'
export { matmul, type MatmulOptions } from './matmul.js'
export * from './reshape.js'
export * from './sigmoid-pair.js'
export * from './similarity.js'
export * from './softmax.js'
export * from './triplet.js'
