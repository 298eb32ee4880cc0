import { SonotextError } from '../base/errors.js'
import { matrix } from '../base/matrix.js'
import { givenFeatures } from '../corpus/index.js'
import { Family, type Json, partOf } from '../registry/index.js'
import { concatenatedTower, onnxTower, type SentenceTower, useTower } from '../text/index.js'

/** A tower of whole captions, and keys that hold its configuration to what it is now, such as the hash of a file. */
export interface OpenTower {
  readonly tower: SentenceTower
  readonly pins?: Readonly<Record<string, Json>>
}

const towerPart = partOf<Promise<OpenTower>>()

const onnx = towerPart({
  name: 'onnx',
  description: 'A pretrained text model, an ONNX file.',
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
    },
    required: ['model'],
  },
  async fromConfig(options) {
    const tower = await onnxTower(options)
    return { tower, pins: { sha256: tower.sha256 } }
  },
})

const use = towerPart({
  name: 'use',
  description: 'The Universal Sentence Encoder of the npm packages @energetic-ai.',
  schema: { properties: {} },
  fromConfig: async () => ({ tower: await useTower() }),
})

const vectors = towerPart({
  name: 'vectors',
  description: 'Vectors of the captions that another program made, by their ids.',
  schema: {
    properties: {
      file: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description:
          'Safetensors file with a tensor [d] for each id, or NPY with the ids beside it, one a line (x.npy, x.ids.txt). An id may also be the text itself.',
      },
    },
    required: ['file'],
  },
  fromConfig: async ({ file }) => ({ tower: await givenTower(file) }),
})

const concatenated = towerPart({
  name: 'concatenated',
  description: 'Several towers, their vectors side by side.',
  schema: {
    properties: {
      towers: { type: 'array', items: { family: 'sentence-tower' }, description: 'The towers.' },
    },
    required: ['towers'],
  },
  async fromConfig({ towers }) {
    const open: OpenTower[] = []
    for (const tower of towers) open.push(await sentenceTowers.build(tower))
    const pinned = open.map(({ pins }, i) => ({ ...towers[i]!, ...pins }) as Record<string, Json>)
    return { tower: concatenatedTower(open.map(({ tower }) => tower)), pins: { towers: pinned } }
  },
})

/** Pretrained models of whole captions, which text encoders of the same names stand behind. */
export const sentenceTowers: Family<Promise<OpenTower>> = new Family<Promise<OpenTower>>('sentence-tower', [
  onnx,
  use,
  vectors,
  concatenated,
])

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
