import { throwIfAborted } from '../../base/abort.js'
import { expected } from '../../base/errors.js'
import { checkArgs } from '../check.js'
import { disposable } from '../lifetime.js'
import type { Backend, FloatBuffer, HostArray, Memory, OpArgs, OpName, RunOptions } from '../port.js'
import { adam } from './adam.js'
import { add } from './add.js'
import { batchNorm, batchNormBackward } from './batch-norm.js'
import { conv2d, conv2dBackward } from './conv2d.js'
import { dropout } from './dropout.js'
import { embedding, embeddingBackward } from './embedding.js'
import { frameScore, frameScoreBackward } from './frame-score.js'
import { gemm } from './gemm.js'
import { gradNorm } from './grad-norm.js'
import { gru, gruBackward } from './gru.js'
import type { HostArgs } from './host.js'
import { infoNce } from './info-nce.js'
import { interpolate, interpolateBackward } from './interpolate.js'
import { l2Normalize, l2NormalizeBackward } from './l2-normalize.js'
import { leakyRelu, leakyReluBackward } from './leaky-relu.js'
import { logMel } from './log-mel.js'
import { lpPool, lpPoolBackward } from './lp-pool.js'
import { maskedMean, maskedMeanBackward } from './masked-mean.js'
import { resample } from './resample.js'
import { scale } from './scale.js'
import { similarity } from './similarity.js'
import { topK } from './top-k.js'
import { triplet } from './triplet.js'

const ops: { readonly [K in OpName]: (args: HostArgs<K>) => void } = {
  log_mel: logMel,
  resample,
  gemm,
  l2_normalize: l2Normalize,
  l2_normalize_backward: l2NormalizeBackward,
  similarity,
  frame_score: frameScore,
  frame_score_backward: frameScoreBackward,
  top_k: topK,
  triplet,
  info_nce: infoNce,
  conv2d,
  conv2d_backward: conv2dBackward,
  batch_norm: batchNorm,
  batch_norm_backward: batchNormBackward,
  leaky_relu: leakyRelu,
  leaky_relu_backward: leakyReluBackward,
  lp_pool: lpPool,
  lp_pool_backward: lpPoolBackward,
  dropout,
  gru,
  gru_backward: gruBackward,
  interpolate,
  interpolate_backward: interpolateBackward,
  embedding,
  embedding_backward: embeddingBackward,
  masked_mean: maskedMean,
  masked_mean_backward: maskedMeanBackward,
  add,
  scale,
  adam,
  grad_norm: gradNorm,
}

export interface ReferenceOptions {
  /** Type of the buffers `memory.alloc` makes; arithmetic is float64 either way. Default 'float32'. */
  precision?: 'float32' | 'float64'
  /** Why this backend was chosen, for {@link Backend.info}. */
  reason?: string
}

/** Every op as plain loops that accumulate in float64: slow, everywhere, and what the fast backends are tested against. */
export function referenceBackend(options: ReferenceOptions = {}): Backend {
  const { precision = 'float32', reason = 'plain TypeScript, asked for by name' } = options
  if (precision !== 'float32' && precision !== 'float64') {
    throw expected("'float32' or 'float64'", 'precision', precision)
  }
  const run = <K extends OpName>(op: K, args: OpArgs[K]): void => {
    if (!Object.hasOwn(ops, op)) throw expected(`one of ${Object.keys(ops).join(', ')}`, 'op', op)
    checkArgs(op, args, isHostArray)
    ops[op](args as HostArgs<K>)
  }
  return disposable({
    info: { device: 'reference', isa: null, threads: 1, reason },
    memory: hostMemory(precision === 'float64' ? Float64Array : Float32Array),
    supports: (op) => Object.hasOwn(ops, op),
    run,
    async runAsync(op, args, { signal }: RunOptions = {}) {
      throwIfAborted(signal)
      await new Promise(setImmediate)
      throwIfAborted(signal)
      run(op, args)
    },
    trim: () => {}, // it keeps nothing
    close: () => {},
  })
}

function hostMemory(Floats: Float32ArrayConstructor | Float64ArrayConstructor): Memory {
  return {
    alloc: (length) => new Floats(length),
    free: () => {},
    upload(source, target) {
      sameLength('source', source.length, target)
      host(target, 'target').set(source)
    },
    download: (buffer) => host(buffer, 'buffer'),
    fill: (buffer, value) => void host(buffer, 'buffer').fill(value),
    copy(source, target) {
      sameLength('source', source.length, target)
      host(target, 'target').set(host(source, 'source'))
    },
  }
}

function isHostArray(buffer: unknown): buffer is HostArray {
  return buffer instanceof Float32Array || buffer instanceof Float64Array
}

function host(buffer: FloatBuffer, name: string): HostArray {
  if (!isHostArray(buffer)) throw expected('a Float32Array or Float64Array', name, buffer)
  return buffer
}

function sameLength(name: string, length: number, target: FloatBuffer): void {
  if (length !== target.length) throw expected(`${target.length} elements like the target`, name, length)
}
