import { SonotextError } from '../base/errors.js'
import { matrix } from '../base/matrix.js'
import { givenFeatures } from '../corpus/index.js'
import type { ConfigOf, Json } from '../registry/index.js'
import { onnxTower, type OnnxTowerOptions, type SentenceTower, useTower } from '../text/index.js'
import { textEncoderPart, type TextEncoderSpec } from './encoder.js'
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

type HeadConfig = ConfigOf<{ readonly properties: typeof head }>
type Saved = Readonly<Record<string, Json>>

/** Keys of the head in a configuration and in a model file. */
const headKeys = Object.keys(head)

/** The encoder behind a tower that is open: as it was chosen, with what holds the tower to what it is now. */
function behind(
  tower: SentenceTower,
  config: { readonly kind: string; readonly [option: string]: Json },
  options: HeadConfig,
): TextEncoderSpec {
  return sentences({ config, inputs: tower.cols, tower: async () => tower, ...options })
}

/** The encoder as a model file describes it; its tower is opened when the first caption comes. */
function again(
  kind: string,
  { inputs, ...saved }: Saved,
  tower: () => Promise<SentenceTower>,
): TextEncoderSpec {
  const { own, others } = parted(saved)
  return sentences({ ...own, config: { ...others, kind }, inputs: inputs as number, tower })
}

/** What is said of the head, and the rest. */
function parted(options: Readonly<Record<string, unknown>>): { own: SentenceHeadOptions; others: Saved } {
  const of = (isOwn: boolean) =>
    Object.fromEntries(Object.entries(options).filter(([key]) => headKeys.includes(key) === isOwn))
  return { own: of(true), others: of(false) as Saved }
}

export const usePart = textEncoderPart({
  name: 'use',
  description:
    'The Universal Sentence Encoder of the npm packages @energetic-ai, frozen, and a head behind it.',
  schema: { properties: head },
  fromConfig: async (config) => behind(await useTower(), { kind: 'use' }, config),
  fromSaved: (saved) => again('use', saved, useTower),
})

export const onnxTextPart = textEncoderPart({
  name: 'onnx',
  description: 'A pretrained text model, an ONNX file, frozen, and a head behind it.',
  schema: {
    properties: {
      model: { type: 'string', format: 'path', minLength: 1, description: 'The model file.' },
      tokenizer: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description: 'Its tokenizer.json; default: the one beside the model.',
      },
      maxTokens: {
        type: 'integer',
        minimum: 2,
        default: 128,
        description: 'Longer sentences are cut to so many tokens.',
      },
      pool: {
        enum: ['mean', 'first'],
        default: 'mean',
        description: 'What becomes of vectors for each token.',
      },
      output: {
        type: 'string',
        minLength: 1,
        description: 'Output with the vectors; default: the only one, or one with a usual name.',
      },
      sha256: {
        type: 'string',
        pattern: '^[0-9a-f]{64}$',
        description: 'Hash that the model file must have.',
      },
      ...head,
    },
    required: ['model'],
  },
  fromConfig: async (options) => {
    const { own, others } = parted(options)
    const tower = await onnxTower(others as unknown as OnnxTowerOptions)
    return behind(tower, { ...others, kind: 'onnx', sha256: tower.sha256 }, own as HeadConfig)
  },
  fromSaved: ({ inputs, ...saved }) =>
    again('onnx', { inputs: inputs!, ...saved }, () =>
      onnxTower(parted(saved).others as unknown as OnnxTowerOptions),
    ),
})

export const vectorsPart = textEncoderPart({
  name: 'vectors',
  description: 'Vectors of the captions that another program made, by their ids, and a head behind them.',
  schema: {
    properties: {
      file: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description:
          'Safetensors file with a tensor [d] for each id, or NPY with the ids beside it, one a line (x.npy, x.ids.txt). An id may also be the text itself.',
      },
      ...head,
    },
    required: ['file'],
  },
  fromConfig: async ({ file, ...config }) =>
    behind(await givenTower(file), { kind: 'vectors', file }, config),
  fromSaved: (saved) => again('vectors', saved, () => givenTower(saved['file'] as string)),
})

/** Vectors by id of a caption, or by its text. */
async function givenTower(file: string): Promise<SentenceTower> {
  const given = await givenFeatures(file, { name: 'vectors' })
  return {
    name: 'vectors',
    id: given.id,
    cols: given.cols,
    costly: false,
    async embed(captions, { signal } = {}) {
      const out = matrix(captions.length, given.cols)
      for (const [i, { id, text }] of captions.entries()) {
        const key = [id, text].find((name) => name !== undefined && given.framesOf(name) === 1)
        if (key === undefined) {
          throw new SonotextError(
            'INVALID_DATA',
            `Expected a vector for ${id === undefined ? `"${text}"` : `the caption "${id}"`}, there is none.`,
            {
              file,
              remedy: 'Only captions that were embedded can be used: make the file again with all of them.',
            },
          )
        }
        out.data.set((await given.read(key, signal && { signal })).data, i * given.cols)
      }
      return out
    },
  }
}
