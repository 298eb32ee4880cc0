import { infoNceLoss } from '@sonotext/core/losses'

/** A loss that changes from epoch to epoch. */
export const loss = {
  name: 'cooled',
  description: 'InfoNCE whose temperature falls from one epoch to the next.',
  schema: {
    properties: {
      from: { type: 'number', exclusiveMinimum: 0, default: 0.2, description: 'Temperature at the start.' },
      share: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.9,
        description: 'What is left of it after an epoch.',
      },
    },
  },
  fromConfig: ({ from, share }) => ({
    name: 'cooled',
    config: { from, share },
    valueOfEqualScores: (n) => 2 * Math.log(n),
    build: (backend) => ({
      parameters: () => new Map(),
      buffers: () => new Map(),
      compute: (input, rng) =>
        infoNceLoss({ temperature: from * share ** Math.floor(input.epoch) })
          .build(backend)
          .compute(input, rng),
    }),
  }),
}
