import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { matrix, row } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { padTokens } from '../data/index.js'
import { Tape } from '../nn/index.js'
import { openOnnx } from '../onnx/index.js'
import type { SentenceTower } from '../text/index.js'
import { dualEncoder, modelFromConfig } from './dual-encoder.js'
import { exportOnnx, importOnnx } from './export-onnx.js'
import { projection } from './projection.js'
import { sentences, type SentencesOptions } from './sentences.js'

const backend = openBackend()

/** Sentences "1 2 0" that are vectors. */
const tower: SentenceTower = {
  ...{ name: 'numbers', id: 'numbers', cols: 3, costly: false },
  async embed(captions) {
    const out = matrix(captions.length, 3)
    for (const [i, { text }] of captions.entries()) out.data.set(text.split(' ').map(Number), 3 * i)
    return out
  },
}
const spec = (more: Partial<SentencesOptions> = {}) =>
  sentences({ config: { kind: 'use' }, inputs: 3, tower: async () => tower, project: 2, gate: 2, ...more })
const model = (more: Partial<SentencesOptions> = {}) =>
  dualEncoder({ audio: projection({ inputs: 4, dim: 5 }), text: spec(more), backend, seed: 3 })

/** Captions in the plane of the first two axes. */
const known = ['1 0 0', '0 1 0', '1 1 0', '2 -1 0']

it('leaves what is like the training captions to the head, and what is not to the tower', async () => {
  const { text } = model({ sharpness: 3 })
  await text.fit(known)
  // Inside the plane, outside of it, and half in: the share .5, to the third power .125.
  const all = await text.embed(['3 -4 0', '0 0 2', '1 0 1'])
  const halves = [...all.data].reduce<[number, number][]>((sums, value, i) => {
    const at = Math.floor(i / 5)
    sums[at] ??= [0, 0]
    sums[at]![i % 5 < 3 ? 0 : 1] += value * value
    return sums
  }, [])
  const lengths = halves.map((pair) => pair.map(Math.sqrt))
  expect(lengths[0]![0]).toBeCloseTo(0, 5)
  expect(lengths[0]![1]).toBeCloseTo(1, 5)
  expect(lengths[1]![0]).toBeCloseTo(1, 5)
  expect(lengths[1]![1]).toBeCloseTo(0, 5)
  expect(lengths[2]![0]! / lengths[2]![1]!).toBeCloseTo(0.875 / 0.125, 3)
  expect([...row(all, 1).subarray(0, 3)].map((x) => Number(x.toFixed(5)))).toEqual([0, 0, 1])
})

it('in training each step draws one of the two for all captions', async () => {
  const { text } = model()
  await text.fit(known)
  await text.prepare([{ text: '0 0 2' }, { text: '1 0 0' }])
  const rng = new Rng(1, 'steps')
  const seen = Array.from({ length: 20 }, () => {
    using tape = new Tape(backend, { training: true, rng })
    const { values } = text.forward(tape, padTokens([text.encode('0 0 2'), text.encode('1 0 0')]))
    return [0, 1].map((n) => {
      const vector = [...values.toArray().subarray(5 * n, 5 * n + 5)]
      const [kept, headed] = [Math.hypot(...vector.slice(0, 3)), Math.hypot(...vector.slice(3))]
      expect([Math.min(kept, headed), Math.max(kept, headed)]).toEqual([0, expect.closeTo(1, 5)])
      return headed > kept
    })
  })
  expect(seen.every(([one, two]) => one === two)).toBe(true)
  expect(new Set(seen.map(([one]) => one))).toEqual(new Set([true, false]))
})

it('is not trained without training captions, and refuses what it cannot be', async () => {
  const { text } = model()
  await text.prepare([{ text: '1 0 0' }])
  using tape = new Tape(backend, { training: true })
  expect(() => text.forward(tape, padTokens([text.encode('1 0 0')]))).toThrow(
    /a gate that knows the training captions, got a new one\. Call await model\.text\.fit/,
  )
  expect(() => spec({ gate: 4 })).toThrow(/an integer in 1–3/)
  expect(() => spec({ sharpness: 0.5 })).toThrow(/sharpness/)
  expect(() => spec({ project: undefined })).toThrow(/no gate without project/)
})

it('is saved with the weights, exported, and loads back', async () => {
  const trained = model()
  await trained.text.fit(known)
  const asked = ['1 2 3', '3 1 0', '0 0 1']
  const wanted = await trained.text.embed(asked)
  expect(wanted.cols).toBe(5)

  expect(trained.config.text).toMatchObject({ gate: 2, sharpness: 6, project: 2 })
  const files = exportOnnx(trained)
  const folder = await mkdtemp(join(tmpdir(), 'sonotext-gate-'))
  try {
    const file = join(folder, 'text.onnx')
    await writeFile(file, files.text)
    const { data } = await tower.embed(asked.map((text) => ({ text })))
    const read = await (await openOnnx(file)).run({ sentences: { shape: [3, 3], data } })
    for (const [i, value] of read.get('text_embeds')!.data.entries())
      expect(value).toBeCloseTo(wanted.data[i]!, 5)
  } finally {
    await rm(folder, { recursive: true })
  }
  const back = importOnnx(files, { backend })
  expect(back.id).toBe(trained.id)
  const again = modelFromConfig(structuredClone(trained.config), { backend })
  again.load(trained.state())
  expect([...again.buffers().keys()]).toEqual(['text.gate.directions'])
  expect(again.id).toBe(trained.id)
})

it('finds the same directions each time, and at most as many as there are', async () => {
  const [one, two] = [model({ gate: 3 }), model({ gate: 3 })]
  await one.text.fit(known)
  await two.text.fit([...known])
  expect(one.id).toBe(two.id)
  const { data } = one.state().get('text.gate.directions')!
  expect([...data.subarray(6)]).toEqual([0, 0, 0])
  for (const at of [0, 3]) expect(Math.hypot(...data.subarray(at, at + 3))).toBeCloseTo(1, 5)
})
