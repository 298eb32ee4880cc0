import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { AttentionPooling, collect, l2Normalize } from '../nn/index.js'
import type { OnnxGraph } from '../onnx/index.js'
import { audioEncoderPart, type AudioEncoderSpec } from './encoder.js'
import { buildHead, checkHead } from './head.js'
import { linearOnnx, unitOnnx } from './layers-onnx.js'

/** Options of {@link projection}. */
export interface ProjectionOptions {
  /** Numbers in one precomputed vector. */
  inputs: number
  /** Whether each vector is first brought to mean 0 and variance 1. Default false. */
  normalize?: boolean
  /**
   * Whether each number is first brought to mean 0 and variance 1 by the statistics of the training clips (batch normalisation, so that a batch
   * has two vectors at least). For features of one vector a clip: padding behind shorter clips would count. Default false.
   */
  standardize?: boolean
  /** Length of the projected vectors. Default 300. */
  dim?: number
  /** Units of each hidden layer, with a ReLU behind it; none for a linear projection. Default []. */
  hidden?: readonly number[]
  /** Share of the input and hidden values dropped while training. Default 0. */
  dropout?: number
  /**
   * Whether layers add a bias. Without, a vector of zeros, which is what features make of silence where they are asked to, stays one and is like no
   * word; not with `normalize` or `standardize`. Default true.
   */
  bias?: boolean
  /**
   * none: a vector for each given one; attention: one for each clip, the mean of the projected vectors with weights that are learned (a softmax
   * over the clip of a linear score of each). Default 'none'.
   */
  pool?: 'none' | 'attention'
}

/**
 * A linear projection or a small perceptron over vectors computed elsewhere: one for each clip (features [1, inputs]) or
 * one for each of its segments. Unit vectors.
 */
export function projection(options: ProjectionOptions): AudioEncoderSpec {
  checkOptions(options, 'projection')
  const { inputs, normalize = false, standardize = false, dim = 300 } = options
  const { hidden = [], dropout = 0, bias = true, pool = 'none' } = options
  const head = { inputs, dim, hidden, dropout }
  checkHead({ ...head, normalize, standardize, bias })
  if (pool !== 'none' && pool !== 'attention') throw expected('none or attention', 'pool', pool)
  return {
    // The name of a model is made of it: models of before there were these options keep theirs.
    config: {
      ...{ kind: 'projection', ...head },
      ...(normalize && { normalize }),
      ...(standardize && { standardize }),
      ...(!bias && { bias }),
      ...(pool !== 'none' && { pool }),
    },
    dim,
    build(backend, rng) {
      const { layers, forward, toOnnx, begin } = buildHead(backend, rng, {
        ...head,
        normalize,
        standardize,
        bias,
      })
      const attention =
        pool === 'attention' ? new AttentionPooling(backend, dim, { rng: rng.fork('attention') }) : null
      const children = { ...layers, ...(attention !== null && { attention }) }
      return {
        bands: inputs,
        leastFrames: 1,
        dim,
        ...(begin !== undefined && attention === null && { begin }),
        forward(tape, features, lengths) {
          const projected = forward(tape, features)
          return attention === null
            ? { values: l2Normalize(tape, projected), lengths }
            : { values: l2Normalize(tape, attention.forward(tape, projected, lengths)), lengths: null }
        },
        toOnnx(graph, features) {
          const projected = toOnnx(graph, features, 'audio')
          const vectors = attention === null ? projected : attentionOnnx(graph, projected, attention)
          return unitOnnx(graph, vectors, 'audio')
        },
        parameters: () => collect('parameters', children),
        buffers: () => collect('buffers', children),
      }
    },
  }
}

/** The mean over time of [n, t, dim] with the weights of `score`, [n, 1, dim]. */
function attentionOnnx(graph: OnnxGraph, x: string, { score }: AttentionPooling): string {
  const scores = linearOnnx(graph, x, score, 'audio.attention.score')
  const shares = graph.node('Softmax', [scores], { attributes: { axis: 1 } })
  const turned = graph.node('Transpose', [shares], { attributes: { perm: [0, 2, 1] } })
  return graph.node('MatMul', [turned, x])
}

export const projectionPart = audioEncoderPart({
  name: 'projection',
  description: 'A linear projection or a perceptron over vectors that were computed elsewhere.',
  schema: {
    properties: {
      normalize: {
        type: 'boolean',
        default: false,
        description: 'Whether each vector is first brought to mean 0 and variance 1.',
      },
      standardize: {
        type: 'boolean',
        default: false,
        description:
          'Whether each number is first brought to mean 0 and variance 1 over the training clips; for features of one vector a clip.',
      },
      hidden: {
        type: 'array',
        items: { type: 'integer', minimum: 1 },
        default: [],
        description: 'Units of each hidden layer; none for a linear projection.',
      },
      dropout: {
        type: 'number',
        minimum: 0,
        exclusiveMaximum: 1,
        default: 0,
        description: 'Share of the input and hidden values dropped while training.',
      },
      bias: {
        type: 'boolean',
        default: true,
        description: 'Whether layers add a bias; without, vectors of zeros (silence) stay zeros.',
      },
      pool: {
        enum: ['none', 'attention'],
        default: 'none',
        description:
          'none: a vector for each given one; attention: one for each clip, their mean with weights that are learned.',
      },
    },
  },
  fromConfig: (options, { bands, dim }) => projection({ ...options, inputs: bands, dim }),
  fromSaved: (options) => projection(options as unknown as ProjectionOptions),
})
