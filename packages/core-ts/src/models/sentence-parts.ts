import type { GroupSchema, Json } from '../registry/index.js'
import { textEncoderPart, type TextEncoderSpec } from './encoder.js'
import { sentenceTowers } from './sentence-towers.js'
import { type SentenceHeadOptions, sentences } from './sentences.js'

const head = {
  project: {
    type: 'integer',
    minimum: 1,
    description: 'Length of a trained projection; without it the vectors are taken as they are.',
  },
  hidden: {
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    default: [],
    description: 'Units of each hidden layer before the projection.',
  },
  dropout: {
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0,
    description: 'Share of the input and hidden values dropped while training.',
  },
  gate: {
    type: 'integer',
    minimum: 1,
    description:
      'With it the vectors stay beside what the head makes of them; the head counts by the share of a vector in so many directions of the training captions.',
  },
  sharpness: {
    type: 'integer',
    minimum: 1,
    maximum: 16,
    default: 6,
    description: 'Power of that share.',
  },
} as const

type Saved = Readonly<Record<string, Json>>

/** What is said of the head, and the rest, which is the tower's. */
function parted(options: Readonly<Record<string, unknown>>): { own: SentenceHeadOptions; tower: Saved } {
  const of = (isOwn: boolean) =>
    Object.fromEntries(Object.entries(options).filter(([key]) => Object.hasOwn(head, key) === isOwn))
  return { own: of(true), tower: of(false) as Saved }
}

/** A text encoder for each sentence tower: the tower as it is, and a head behind it. */
export const sentenceParts = sentenceTowers.parts.map(({ name, description, schema }) =>
  textEncoderPart({
    name,
    description: `${description} Frozen, and a head behind it.`,
    schema: { ...schema, properties: { ...schema.properties, ...head } } as GroupSchema,
    async fromConfig(options): Promise<TextEncoderSpec> {
      const { own, tower: chosen } = parted(options)
      const { tower, pins } = await sentenceTowers.build({ type: name, ...chosen })
      const config = { ...chosen, ...pins, kind: name }
      return sentences({ ...own, config, inputs: tower.cols, tower: async () => tower })
    },
    // Its tower is opened when the first caption comes.
    fromSaved({ inputs, ...saved }) {
      const { own, tower: chosen } = parted(saved)
      return sentences({
        ...own,
        config: { ...chosen, kind: name },
        inputs: inputs as number,
        tower: async () => (await sentenceTowers.build({ type: name, ...chosen })).tower,
      })
    },
  }),
)
