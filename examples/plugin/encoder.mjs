import { collect, l2Normalize, Linear } from '@sonotext/core/nn'

const meanLinear = ({ inputs, dim }) => ({
  config: { kind: 'mean-linear', inputs, dim },
  dim,
  build(backend, rng) {
    const linear = new Linear(backend, inputs, dim, { rng: rng.fork('linear') })
    return {
      bands: inputs,
      leastFrames: 1,
      dim,
      forward: (tape, features, lengths) => ({
        values: l2Normalize(tape, linear.forward(tape, features)),
        lengths,
      }),
      parameters: () => collect('parameters', { linear }),
      buffers: () => collect('buffers', { linear }),
    }
  },
})

/** An encoder of clips, made from a configuration or from a saved model. */
export const encoder = {
  name: 'mean-linear',
  description: 'A linear layer over every frame.',
  schema: { properties: {} },
  fromConfig: (_, { bands, dim }) => meanLinear({ inputs: bands, dim }),
  fromSaved: meanLinear,
}
