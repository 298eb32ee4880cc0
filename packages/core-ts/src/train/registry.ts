import { Family, partOf } from '../registry/index.js'
import { patience, stagnation, type Stopper } from './early-stopping.js'
import { adam, adamw, type Optimizer } from './optimizers.js'
import { constant, cosine, plateau, type Schedule } from './schedules.js'

const optimizerPart = partOf<Optimizer>()

/** Parameters with a rate or decay of their own. */
const groups = {
  type: 'array',
  items: {
    required: ['names'],
    properties: {
      names: {
        anyOf: [
          { type: 'string', minLength: 1 },
          { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
        ],
        description:
          'Names of parameters, one or several; `*` stands for anything: `text.*`, `*.gamma`, `loss.*`.',
      },
      rate: {
        type: 'number',
        minimum: 0,
        default: 1,
        description: 'Factor on the learning rate; 0: not trained.',
      },
      weightDecay: {
        type: 'number',
        minimum: 0,
        description: "Without it the optimiser's, which norms, biases and temperatures are spared.",
      },
    },
  },
  default: [],
  description: 'Parameters with a rate or decay of their own; the first group that names one counts.',
} as const

const adamKeys = {
  lr: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 0.001,
    description: 'Learning rate, before the schedule.',
  },
  betas: {
    type: 'array',
    items: { type: 'number', minimum: 0, exclusiveMaximum: 1 },
    minItems: 2,
    maxItems: 2,
    default: [0.9, 0.999],
    description: 'How slowly the means of gradients and of their squares forget.',
  },
  eps: { type: 'number', exclusiveMinimum: 0, default: 1e-8, description: 'Keeps the division finite.' },
  clip: {
    anyOf: [{ type: 'number', exclusiveMinimum: 0 }, { const: null }],
    default: null,
    description: 'Largest gradient norm; null: no clipping.',
  },
  groups,
} as const

/** How gradients change parameters: `optimizers.build({ type: 'adam', lr: 1e-4 })`. */
export const optimizers = new Family<Optimizer>('optimizer', [
  optimizerPart({
    name: 'adam',
    description: 'Adam; weight decay is added to the gradient.',
    schema: {
      properties: {
        ...adamKeys,
        weightDecay: {
          type: 'number',
          minimum: 0,
          default: 0,
          description: 'Added to the gradient; not of norms, biases and temperatures.',
        },
      },
    },
    fromConfig: ({ betas, ...options }) => adam({ ...options, betas: betas as [number, number] }),
  }),
  optimizerPart({
    name: 'adamw',
    description: 'Adam with weight decay on the parameters themselves.',
    schema: {
      properties: {
        ...adamKeys,
        weightDecay: {
          type: 'number',
          minimum: 0,
          default: 0.01,
          description: 'Applied to the weights; not to norms, biases and temperatures.',
        },
      },
    },
    fromConfig: ({ betas, ...options }) => adamw({ ...options, betas: betas as [number, number] }),
  }),
])

const schedulePart = partOf<Schedule>()

/** What the learning rate does: `schedules.build('cosine')`. */
export const schedules = new Family<Schedule>('schedule', [
  schedulePart({
    name: 'constant',
    description: 'The rate of the optimiser throughout.',
    schema: { properties: {} },
    fromConfig: constant,
  }),
  schedulePart({
    name: 'plateau',
    description: 'Falls when the watched number stops getting better.',
    schema: {
      properties: {
        factor: {
          type: 'number',
          exclusiveMinimum: 0,
          exclusiveMaximum: 1,
          default: 0.1,
          description: 'What the rate is multiplied by.',
        },
        patience: {
          type: 'integer',
          minimum: 0,
          default: 5,
          description: 'Epochs without improvement before the rate falls.',
        },
        threshold: {
          type: 'number',
          minimum: 0,
          default: 0.001,
          description: 'Least improvement that counts.',
        },
        thresholdMode: {
          enum: ['relative', 'absolute'],
          default: 'relative',
          description: 'Whether the threshold is a share of the best number so far.',
        },
        minLr: { type: 'number', minimum: 0, default: 1e-6, description: 'The lowest rate.' },
        cooldown: {
          type: 'integer',
          minimum: 0,
          default: 0,
          description: 'Epochs after a fall in which nothing is counted.',
        },
      },
    },
    fromConfig: plateau,
  }),
  schedulePart({
    name: 'cosine',
    description: 'Linear warm-up, then half a cosine down.',
    schema: {
      properties: {
        warmup: {
          type: 'number',
          minimum: 0,
          default: 0,
          description: 'Epochs of linear rise, also a fraction.',
        },
        epochs: {
          type: 'number',
          exclusiveMinimum: 0,
          description: 'Epoch at which the end is reached; without it the length of the run.',
        },
        end: { type: 'number', minimum: 0, default: 1e-6, description: 'Rate at the end.' },
      },
    },
    fromConfig: cosine,
  }),
])

const stopperPart = partOf<Stopper | null>()

/** What ends a run before its last epoch; null for what never does. */
export const stoppers = new Family<Stopper | null>('stopper', [
  stopperPart({
    name: 'never',
    description: 'The run has all its epochs.',
    schema: { properties: {} },
    fromConfig: () => null,
  }),
  stopperPart({
    name: 'patience',
    description: 'No improvement for some epochs in a row.',
    schema: {
      properties: {
        patience: { type: 'integer', minimum: 1, default: 10, description: 'Epochs without improvement.' },
        threshold: { type: 'number', minimum: 0, default: 0, description: 'Least improvement that counts.' },
      },
    },
    fromConfig: patience,
  }),
  stopperPart({
    name: 'stagnation',
    description: 'The watched number hardly moves any more, better or worse.',
    schema: {
      properties: {
        std: {
          type: 'number',
          minimum: 0,
          default: 0.01,
          description: 'Largest standard deviation that counts as standing still.',
        },
        window: { type: 'integer', minimum: 1, default: 10, description: 'Epochs looked at.' },
        grace: {
          type: 'integer',
          minimum: 0,
          default: 60,
          description: 'Epochs before which the run never stops.',
        },
      },
    },
    fromConfig: stagnation,
  }),
])
