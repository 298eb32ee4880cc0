import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { collect, Dropout, l2Normalize, Linear, type Tensor } from '../nn/index.js'
import { audioEncoderPart, type AudioEncoderSpec } from './encoder.js'

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
  for (const [name, width] of [
    ['inputs', inputs],
    ['dim', dim],
    ...hidden.map((units) => ['hidden', units]),
  ] as const) {
    if (!(Number.isInteger(width) && (width as number) >= 1))
      throw expected('an integer above 0', String(name), width)
  }
  const widths = [inputs, ...hidden, dim]
  return {
    config: { kind: 'projection', inputs, dim, hidden, dropout },
    dim,
    build(backend, rng) {
      const layers = widths.slice(1).map((width, i) => {
        const slope = i < hidden.length ? 0 : 1
        return new Linear(backend, widths[i]!, width, { rng: rng.fork(`linear${i + 1}`), slope })
      })
      const drop = new Dropout(dropout)
      const children = Object.fromEntries(layers.map((layer, i) => [`linear${i + 1}`, layer]))
      return {
        bands: inputs,
        leastFrames: 1,
        dim,
        forward(tape, features, lengths) {
          let x: Tensor = features
          for (const layer of layers) x = layer.forward(tape, drop.forward(tape, x))
          return { values: l2Normalize(tape, x), lengths }
        },
        parameters: () => collect('parameters', children),
        buffers: () => collect('buffers', children),
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
