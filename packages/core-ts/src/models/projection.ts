import { checkOptions } from '../base/options.js'
import { collect, l2Normalize } from '../nn/index.js'
import { audioEncoderPart, type AudioEncoderSpec } from './encoder.js'
import { buildHead, checkHead } from './head.js'

/** Options of {@link projection}. */
export interface ProjectionOptions {
  /** Numbers in one precomputed vector. */
  inputs: number
  /** Length of the projected vectors. Default 300. */
  dim?: number
  /** Units of each hidden layer, with a ReLU behind it; none for a linear projection. Default []. */
  hidden?: readonly number[]
  /** Share of the input and hidden values dropped while training. Default 0. */
  dropout?: number
}

/**
 * A linear projection or a small perceptron over vectors computed elsewhere: one for each clip (features [1, inputs]) or
 * one for each of its segments. Unit vectors.
 */
export function projection(options: ProjectionOptions): AudioEncoderSpec {
  checkOptions(options, 'projection')
  const { inputs, dim = 300, hidden = [], dropout = 0 } = options
  const head = { inputs, dim, hidden, dropout }
  checkHead(head)
  return {
    config: { kind: 'projection', ...head },
    dim,
    build(backend, rng) {
      const { layers, forward, toOnnx } = buildHead(backend, rng, head)
      return {
        bands: inputs,
        leastFrames: 1,
        dim,
        forward: (tape, features, lengths) => ({
          values: l2Normalize(tape, forward(tape, features)),
          lengths,
        }),
        toOnnx: (graph, features) => toOnnx(graph, features, 'audio'),
        parameters: () => collect('parameters', layers),
        buffers: () => collect('buffers', layers),
      }
    },
  }
}

export const projectionPart = audioEncoderPart({
  name: 'projection',
  description: 'A linear projection or a perceptron over vectors that were computed elsewhere.',
  schema: {
    properties: {
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
    },
  },
  fromConfig: (options, { bands, dim }) => projection({ ...options, inputs: bands, dim }),
  fromSaved: (options) => projection(options as unknown as ProjectionOptions),
})
