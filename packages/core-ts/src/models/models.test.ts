import { describe, expect, it } from 'vitest'
import { openBackend } from '../backend/open.js'
import type { Backend } from '../backend/port.js'
import { referenceBackend } from '../backend/reference/index.js'
import { matrix, type Matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { padTokens } from '../data/index.js'
import { Tape } from '../nn/tape.js'
import { frameWord, pooled } from '../similarity/index.js'
import { Vocabulary } from '../text/index.js'
import {
  crnn,
  crnnFromPyTorch,
  crnnToPyTorch,
  dualEncoder,
  meanWords,
  modelFromConfig,
  projection,
  words,
  type WordsOptions,
} from './index.js'

const backend = referenceBackend()
const vocabulary = Vocabulary.build([
  ['a', 'dog', 'barks'],
  ['rain', 'falls'],
  ['a', 'dog', 'howls'],
])
const captions = ['A dog barks!', 'rain falls, rain falls, rain falls', 'a zebra']

function features(rows: number, cols: number, seed: number): Matrix {
  const rng = new Rng(seed)
  return matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => rng.normal()),
  )
}

const norms = ({ rows, cols, data }: Matrix): number[] =>
  Array.from({ length: rows }, (_, r) => Math.hypot(...data.subarray(r * cols, (r + 1) * cols)))

describe('CRNN', () => {
  it('has 732,354 trainable numbers', () => {
    const encoder = crnn().build(backend, new Rng(1))
    expect([...encoder.parameters().values()].reduce((sum, { size }) => sum + size, 0)).toBe(732_354)
    expect([...encoder.buffers().keys()]).toContain('bn5.runningVar')
  })

  it('gives a unit vector for each frame of the input, whatever the remainder of pooling', () => {
    const encoder = crnn({ hidden: 3 }).build(backend, new Rng(1))
    for (const frames of [4, 5, 7, 9]) {
      using tape = new Tape(backend)
      const { data } = features(frames, 64, frames)
      const { values, lengths } = encoder.forward(
        tape,
        tape.constant([1, frames, 64], data),
        Int32Array.of(frames),
      )
      expect(values.shape).toEqual([1, frames, 6])
      expect([...lengths!]).toEqual([frames])
      for (const norm of norms(matrix(frames, 6, Float32Array.from(values.toArray()))))
        expect(norm).toBeCloseTo(1, 5)
    }
  })

  it('takes 128 bands and refuses others, and fewer than 4 frames', () => {
    const encoder = crnn({ bands: 128, hidden: 2 }).build(backend, new Rng(1))
    using tape = new Tape(backend)
    const run = (frames: number, bands: number) =>
      encoder.forward(
        tape,
        tape.constant([1, frames, bands], features(frames, bands, 1).data),
        Int32Array.of(frames),
      )
    expect(run(4, 128).values.shape).toEqual([1, 4, 4])
    expect(() => run(4, 64)).toThrow(/128 bands/)
    expect(() => run(3, 128)).toThrow(/4 frames or more/)
    expect(() => crnn({ bands: 80 })).toThrow(/multiple of 64/)
    expect(() => crnn({ dropout: 1 })).toThrow(/dropout/)
  })

  it('drops values only while training, by the tape stream', () => {
    const encoder = crnn({ hidden: 2, dropout: 0.9 }).build(backend, new Rng(1))
    const { data } = features(8, 64, 1)
    const run = (training: boolean, seed: number) => {
      using tape = new Tape(backend, { training, rng: new Rng(seed) })
      return [...encoder.forward(tape, tape.constant([1, 8, 64], data), Int32Array.of(8)).values.toArray()]
    }
    expect(run(true, 1)).toEqual(run(true, 1))
    expect(run(true, 1)).not.toEqual(run(true, 2))
    expect(run(false, 1)).toEqual(run(false, 2))
  })
})

describe('projection', () => {
  it('projects precomputed vectors through hidden layers to unit vectors', () => {
    const encoder = projection({ inputs: 5, dim: 4, hidden: [7, 6] }).build(backend, new Rng(1))
    expect([...encoder.parameters()].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ['linear1.weight', 7, 5],
      ['linear1.bias', 7],
      ['linear2.weight', 6, 7],
      ['linear2.bias', 6],
      ['linear3.weight', 4, 6],
      ['linear3.bias', 4],
    ])
    using tape = new Tape(backend)
    const { values } = encoder.forward(
      tape,
      tape.constant([2, 1, 5], features(2, 5, 3).data),
      Int32Array.of(1, 1),
    )
    for (const norm of norms(matrix(2, 4, Float32Array.from(values.toArray()))))
      expect(norm).toBeCloseTo(1, 5)
    expect(() => projection({ inputs: 0 })).toThrow(/inputs/)
  })

  it('leaves silence silence where it has no bias', () => {
    const encoder = projection({ inputs: 5, dim: 4, hidden: [7], bias: false }).build(backend, new Rng(1))
    expect([...encoder.parameters()].map(([name]) => name)).toEqual(['linear1.weight', 'linear2.weight'])
    using tape = new Tape(backend)
    const frames = features(3, 5, 3).data.fill(0, 5, 10)
    const { values } = encoder.forward(tape, tape.constant([1, 3, 5], frames), Int32Array.of(3))
    const [first, silent, last] = norms(matrix(3, 4, Float32Array.from(values.toArray())))
    expect(silent).toBe(0)
    expect(first).toBeCloseTo(1, 5)
    expect(last).toBeCloseTo(1, 5)
    expect(() => projection({ inputs: 4, bias: false, normalize: true })).toThrow(/a bias where vectors/)
    expect(() => projection({ inputs: 4, bias: false, standardize: true })).toThrow(/a bias where vectors/)
  })
})

const vectors = (() => {
  const table = features(vocabulary.size, 6, 5)
  table.data.fill(0, 0, 6)
  return table
})()

const small = (text: Partial<WordsOptions> = {}, more: object = {}) =>
  dualEncoder({
    audio: crnn({ hidden: 3 }),
    text: words({ vocabulary, vectors, ...text }),
    backend,
    seed: 3,
    ...more,
  })

describe('words', () => {
  it('looks up unit vectors; padding stays zero', () => {
    const encoder = words({ vocabulary, vectors }).build(backend, new Rng(1))
    using tape = new Tape(backend)
    const batch = padTokens(captions.map((caption) => encoder.encode(encoder.tokenize(caption))))
    expect([batch.n, batch.width, ...batch.lengths]).toEqual([3, 6, 3, 6, 2])
    const { values } = encoder.forward(tape, batch)
    expect(
      norms(matrix(18, 6, Float32Array.from(values.toArray()))).map((norm) => Math.round(norm * 1e5) / 1e5),
    ).toEqual([...[1, 1, 1, 0, 0, 0], ...[1, 1, 1, 1, 1, 1], ...[1, 1, 0, 0, 0, 0]])
  })

  it('trains its vectors only when they are not given, or when asked', () => {
    const names = (options: Partial<WordsOptions>) => {
      const encoder = words({ vocabulary, ...options }).build(backend, new Rng(1))
      return [[...encoder.parameters().keys()], [...encoder.buffers().keys()]]
    }
    expect(names({ vectors })).toEqual([[], ['words.table']])
    expect(names({})).toEqual([['words.table'], []])
    expect(names({ vectors, trainable: true })).toEqual([['words.table'], []])
    expect(names({ vectors, project: 4 })).toEqual([['linear.weight', 'linear.bias'], ['words.table']])
  })

  it('mean words: one unit vector for each caption, equal to pooling the words', async () => {
    const sequences = await small().text.embed(captions)
    const means = await dualEncoder({
      audio: crnn({ hidden: 3 }),
      text: meanWords({ vocabulary, vectors }),
      backend,
    }).text.embed(captions)
    expect(means.data).toEqual(sequences.data)
    for (const norm of norms(means)) expect(norm).toBeCloseTo(1, 5)
  })

  it('refuses tables that do not fit', () => {
    expect(() => words({ vocabulary, vectors: matrix(3, 6) })).toThrow(/8 rows, one for each token/)
    expect(() => words({ vocabulary, vectors: features(8, 6, 1) })).toThrow(/zeros in row 0/)
    expect(() => words({ vocabulary, vectors, dim: 5 })).toThrow(/length of the vectors/)
    expect(() => small({ project: 5 })).toThrow(/vectors of 6 numbers.*project: 6/)
  })
})

describe('dual encoder', () => {
  it('embeds captions and clips as unit vectors, each independent of the others', async () => {
    const model = small()
    const clips = [features(8, 64, 1), features(11, 64, 2), features(8, 64, 3), features(2, 64, 4)]
    const all = await model.audio.embed(clips)
    for (const norm of norms(all)) expect(norm).toBeCloseTo(1, 5)
    for (const [i, clip] of clips.entries()) {
      expect([...(await model.audio.embed([clip])).data]).toEqual([...all.data.subarray(i * 6, (i + 1) * 6)])
    }
    const texts = await model.text.embed(captions)
    expect([...(await model.text.embed([captions[2]!])).data]).toEqual([...texts.data.subarray(12)])
    expect([...(await model.text.embed([''])).data]).toEqual([0, 0, 0, 0, 0, 0])
    expect((await model.text.embed([])).rows).toBe(0)
    expect(await model.audio.frames(clips[3]!)).toMatchObject({ rows: 2, cols: 6 })
  })

  it.each([pooled(), frameWord({ reduction: 'MTSQ' }), frameWord({ padding: 'padded-compat' })])(
    'scores every clip against every caption over true lengths: $config',
    async (similarity) => {
      const model = small({}, { similarity })
      const clips = [features(8, 64, 1), features(12, 64, 2), features(8, 64, 3)]
      const scores = await model.score(clips, captions)
      expect([scores.rows, scores.cols]).toEqual([3, 3])
      for (const [i, clip] of clips.entries()) {
        for (const [j, caption] of captions.entries()) {
          expect(scores.data[i * 3 + j]).toBeCloseTo((await model.score([clip], [caption])).data[0]!, 6)
        }
      }
    },
  )

  describe('clips of nearly one length', () => {
    const lengths = [20, 31, 19, 20, 8, 30]
    const clips = lengths.map((rows, i) => features(rows, 64, i + 1))
    const passes = async (padding: number) => {
      const model = small({}, { backend: openBackend() })
      const seen: number[][] = []
      for await (const { items } of model.audio.blocks(clips, { padding })) seen.push([...items])
      return seen
    }

    it('share a pass where padding is allowed, and then only', async () => {
      expect(await passes(0)).toEqual([[4], [2], [0, 3], [5], [1]])
      expect(await passes(0.1)).toEqual([[4], [2, 0, 3], [5, 1]])
      await expect(passes(1)).rejects.toThrow(/share in \[0, 1\)/)
    })

    it('give nearly what they give alone, each in its own row', async () => {
      const model = small({}, { backend: openBackend() })
      const exact = await model.score(clips, captions)
      const padded = await model.score(clips, captions, { padding: 0.1 })
      let off = 0
      for (const [e, value] of exact.data.entries()) off = Math.max(off, Math.abs(padded.data[e]! - value))
      expect(off).toBeGreaterThan(0)
      expect(off).toBeLessThan(0.2)
      // The longest of a pass has no padding.
      for (const i of [0, 1, 3, 4])
        for (let j = 0; j < 3; j++) expect(padded.data[i * 3 + j]).toBeCloseTo(exact.data[i * 3 + j]!, 6)
    })

    it('are no more in one pass than memory for a few long ones', async () => {
      const long = Array.from({ length: 5 }, () => features(5000, 4, 1))
      const model = dualEncoder({
        audio: projection({ inputs: 4, dim: 6 }),
        text: words({ vocabulary, vectors }),
        backend,
      })
      const seen: number[] = []
      for await (const { items } of model.audio.blocks(long)) seen.push(items.length)
      expect(seen).toEqual([3, 2])
    })
  })

  describe('memory on a device', () => {
    function counting() {
      const device = openBackend({ device: 'sealed' })
      const counts = { held: 0, uploaded: 0 }
      const memory = {
        ...device.memory,
        alloc: (length: number) => (counts.held++, device.memory.alloc(length)),
        free: (buffer: never) => (counts.held--, device.memory.free(buffer)),
        upload: (source: ArrayLike<number>, target: never) => {
          counts.uploaded += source.length
          device.memory.upload(source, target)
        },
      }
      return { on: Object.create(device, { memory: { value: memory } }) as Backend, counts }
    }

    it('has captions once, however many clips are scored, and is given back', async () => {
      const { on, counts } = counting()
      const clips = [8, 9, 10, 11, 12].map((rows, i) => features(rows, 64, i + 1))
      {
        using model = small({}, { backend: on })
        const ofModel = counts.held
        const prepared = await model.prepareCaptions(captions)
        expect(counts.held).toBeGreaterThan(ofModel)
        counts.uploaded = 0
        await prepared.score(clips)
        expect(counts.uploaded).toBe(clips.reduce((sum, { data }) => sum + data.length, 0))
        prepared[Symbol.dispose]()
        expect(counts.held).toBe(ofModel)
        await expect(prepared.score(clips)).rejects.toThrow(/still held/)
        await model.score(clips, captions)
        await expect(model.score(clips, captions, { signal: AbortSignal.abort() })).rejects.toMatchObject({
          code: 'ABORTED',
        })
        expect(counts.held).toBe(ofModel)
      }
      expect(counts.held).toBe(0)
    })
  })

  it('pooled scores are products of the embedded vectors', async () => {
    const model = small()
    const clips = [features(8, 64, 1), features(12, 64, 2)]
    const [a, t, scores] = [
      await model.audio.embed(clips),
      await model.text.embed(captions),
      await model.score(clips, captions),
    ]
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < 3; j++) {
        let product = 0
        for (let k = 0; k < 6; k++) product += a.data[i * 6 + k]! * t.data[j * 6 + k]!
        expect(scores.data[i * 3 + j]).toBeCloseTo(product, 5)
      }
    }
  })

  it('is rebuilt from its configuration and weights, with the same name and vectors', async () => {
    for (const text of [
      words({ vocabulary, vectors, project: 6 }),
      words({ vocabulary, dim: 6 }),
      meanWords({ vocabulary, vectors }),
    ]) {
      const model = dualEncoder({
        audio: projection({ inputs: 4, dim: 6, hidden: [5] }),
        text,
        similarity: frameWord({ reduction: 'MQST' }),
        features: { preset: 'thesis' },
        backend,
        seed: 8,
      })
      const again = modelFromConfig(JSON.parse(JSON.stringify(model.config)), { backend })
      expect(again.config).toEqual(model.config)
      again.load(model.state())
      expect(again.id).toBe(model.id)
      expect((await again.text.embed(captions)).data).toEqual((await model.text.embed(captions)).data)
    }
  })

  it('has a name that follows seed, configuration and every weight', () => {
    const model = small()
    expect(model.id).toMatch(/^[0-9a-f]{16}$/)
    expect(small().id).toBe(model.id)
    expect(small({}, { seed: 4 }).id).not.toBe(model.id)
    expect(small({}, { features: { bands: 64 } }).id).not.toBe(model.id)
    const bias = model.parameters().get('audio.gru.bHh')!
    const before = model.id
    bias.toArray()[0]! += 1e-6
    expect(model.id).not.toBe(before)
  })

  it('refuses weights of another architecture and leaves its own alone', () => {
    const model = small()
    const before = model.id
    const state = model.state()
    state.delete('audio.conv1.weight')
    state.set('audio.more', { shape: [1], data: new Float32Array(1) })
    state.set('audio.bn1.gamma', { shape: [2], data: new Float32Array(2) })
    expect(() => model.load(state, 'm.safetensors')).toThrow(
      /^m\.safetensors: .*bn1\.gamma is \[2\] instead of \[1\].*conv1\.weight is missing.*more has no place/,
    )
    expect(model.id).toBe(before)
    expect(() => modelFromConfig({ ...model.config, audio: { kind: 'crn' } }, { backend })).toThrow(
      /one of crnn, projection/,
    )
  })

  it('stops when its signal fires', async () => {
    const model = small()
    const controller = new AbortController()
    const pending = model.score([features(8, 64, 1), features(9, 64, 1)], captions, {
      signal: controller.signal,
    })
    controller.abort()
    await expect(pending).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(
      model.audio.embed([features(8, 64, 1)], { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(model.audio.embed([features(8, 60, 1)])).rejects.toThrow(/64 numbers in a frame/)
  })
})

describe('PyTorch state dicts', () => {
  it('are mapped there and back, weight by weight', () => {
    const encoder = crnn({ hidden: 4 }).build(backend, new Rng(6))
    const state = new Map(
      [...encoder.parameters(), ...encoder.buffers()].map(([name, tensor]) => [
        name,
        { shape: tensor.shape, data: Float32Array.from(tensor.toArray()) },
      ]),
    )
    const theirs = crnnToPyTorch(state)
    expect(theirs.get('features.2.block.1.weight')!.shape).toEqual([128, 32, 3, 3])
    const ours = state.get('conv2.weight')!
    const [o, i, y, x] = [77, 13, 2, 1]
    expect(theirs.get('features.2.block.1.weight')!.data[((o * 32 + i) * 3 + y) * 3 + x]).toBe(
      ours.data[((y * 3 + x) * 32 + i) * 128 + o],
    )
    expect(theirs.get('gru.weight_ih_l0_reverse')!.data).toEqual(state.get('gru.wIh')!.data.slice(12 * 128))
    expect(crnnFromPyTorch(theirs)).toEqual(state)
  })

  it('name the tensor that is missing', () => {
    expect(() => crnnFromPyTorch(new Map())).toThrow(/features\.0\.block\.0\.weight, got none.*layout/)
  })
})
