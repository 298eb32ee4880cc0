// Written by tools/ops.mjs from core/ops.def; not edited by hand.
import type { OpName } from '../ops.js'
import type { HostArgs } from './host.js'
import { logMel } from './log-mel.js'
import { pcm } from './pcm.js'
import { resample } from './resample.js'
import { gemm } from './gemm.js'
import { batchedGemm } from './batched-gemm.js'
import { l2Normalize, l2NormalizeBackward } from './l2-normalize.js'
import { similarity } from './similarity.js'
import { frameScore, frameScoreBackward } from './frame-score.js'
import { quantize } from './quantize.js'
import { topK } from './top-k.js'
import { triplet } from './triplet.js'
import { infoNce } from './info-nce.js'
import { sigmoidPair } from './sigmoid-pair.js'
import { conv2d, conv2dBackward } from './conv2d.js'
import { batchNorm, batchNormBackward } from './batch-norm.js'
import { layerNorm, layerNormBackward } from './layer-norm.js'
import { softmax, softmaxBackward } from './softmax.js'
import {
  leakyRelu,
  leakyReluBackward,
  dropout,
  gelu,
  geluBackward,
  multiply,
  add,
  scale,
} from './elementwise.js'
import { lpPool, lpPoolBackward } from './lp-pool.js'
import { gru, gruBackward } from './gru.js'
import { interpolate, interpolateBackward } from './interpolate.js'
import { embedding, embeddingBackward } from './embedding.js'
import { maskedMean, maskedMeanBackward } from './masked-mean.js'
import { maskedMax, maskedMaxBackward } from './masked-max.js'
import { transpose } from './transpose.js'
import { copyColumns } from './copy-columns.js'
import { adam } from './adam.js'
import { gradNorm } from './grad-norm.js'

export const table: { readonly [K in OpName]: (args: HostArgs<K>) => void } = {
  log_mel: logMel,
  pcm: pcm,
  resample: resample,
  gemm: gemm,
  batched_gemm: batchedGemm,
  l2_normalize: l2Normalize,
  l2_normalize_backward: l2NormalizeBackward,
  similarity: similarity,
  frame_score: frameScore,
  frame_score_backward: frameScoreBackward,
  quantize: quantize,
  top_k: topK,
  triplet: triplet,
  info_nce: infoNce,
  sigmoid_pair: sigmoidPair,
  conv2d: conv2d,
  conv2d_backward: conv2dBackward,
  batch_norm: batchNorm,
  batch_norm_backward: batchNormBackward,
  layer_norm: layerNorm,
  layer_norm_backward: layerNormBackward,
  softmax: softmax,
  softmax_backward: softmaxBackward,
  leaky_relu: leakyRelu,
  leaky_relu_backward: leakyReluBackward,
  lp_pool: lpPool,
  lp_pool_backward: lpPoolBackward,
  dropout: dropout,
  gru: gru,
  gru_backward: gruBackward,
  interpolate: interpolate,
  interpolate_backward: interpolateBackward,
  embedding: embedding,
  embedding_backward: embeddingBackward,
  masked_mean: maskedMean,
  masked_mean_backward: maskedMeanBackward,
  masked_max: maskedMax,
  masked_max_backward: maskedMaxBackward,
  transpose: transpose,
  copy_columns: copyColumns,
  gelu: gelu,
  gelu_backward: geluBackward,
  multiply: multiply,
  add: add,
  scale: scale,
  adam: adam,
  grad_norm: gradNorm,
}
