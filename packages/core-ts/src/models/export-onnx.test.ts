import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { matrix, row } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { openOnnx } from '../onnx/index.js'
import { tinyTextTower, tinyTokenizer } from '../testing/tiny-onnx.js'
import { crnn } from './crnn.js'
import { dualEncoder } from './dual-encoder.js'
import { exportOnnx, importOnnx } from './export-onnx.js'
import { projection } from './projection.js'
import { textEncoders } from './registry.js'
import type { AudioEncoderSpec } from './encoder.js'
import { meanWords, words } from './words.js'
import { Vocabulary } from '../text/index.js'

const backend = openBackend()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-export-'))
  await writeFile(join(folder, 'text.onnx'), tinyTextTower({ dim: 5 }))
  await writeFile(join(folder, 'tokenizer.json'), tinyTokenizer())
})
afterAll(() => rm(folder, { recursive: true }))

const model = async (audio: AudioEncoderSpec = projection({ inputs: 7, dim: 4, hidden: [6] })) =>
  dualEncoder({
    audio,
    text: await textEncoders.build(
      { type: 'onnx', model: join(folder, 'text.onnx'), project: 4, hidden: [3] },
      { captions: [], seed: 1 },
    ),
    features: { type: 'onnx', model: 'x.onnx', frontEnd: { preset: 'yamnet' } },
    backend,
    seed: 3,
  })

/** Largest difference; of results of other lengths infinite. */
const largest = (a: Float32Array, b: Float32Array) =>
  a.length === b.length ? a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0) : Infinity

/** What an audio side gives in onnxruntime for clips of noise. */
async function hear(audio: Uint8Array, count: number, frames: number, bands: number) {
  const file = join(folder, 'audio-alone.onnx')
  await writeFile(file, audio)
  const rng = new Rng(5, 'export')
  const noise = () => Float32Array.from({ length: frames * bands }, () => rng.normal())
  const clips = Array.from({ length: count }, () => matrix(frames, bands, noise()))
  const data = Float32Array.from(clips.flatMap((clip) => [...clip.data]))
  const shape = [count, frames, bands]
  return { clips, heard: await (await openOnnx(file)).run({ features: { shape, data } }) }
}

it('an exported model gives the same in onnxruntime, describes its front end, and loads back', async () => {
  const trained = await model()
  const files = exportOnnx(trained)
  const open = async (name: 'audio' | 'text') => {
    const file = join(folder, `exported-${name}.onnx`)
    await writeFile(file, files[name])
    return openOnnx(file)
  }
  const rng = new Rng(5, 'export')
  const clips = Array.from({ length: 3 }, () =>
    matrix(
      4,
      7,
      Float32Array.from({ length: 28 }, () => rng.normal()),
    ),
  )
  const data = Float32Array.from(clips.flatMap((clip) => [...clip.data]))
  const heard = await (await open('audio')).run({ features: { shape: [3, 4, 7], data } })
  const wanted = await trained.audio.embed(clips)
  expect(largest(heard.get('audio_embeds')!.data, wanted.data)).toBeLessThan(1e-5)
  const frames = await trained.audio.frames(clips[1]!)
  expect(largest(heard.get('frames')!.data.slice(16, 32), frames.data)).toBeLessThan(1e-5)

  const captions = ['a dog barks', 'rain falls']
  const tower = await openOnnx(join(folder, 'text.onnx'))
  expect(tower.description.outputs).toHaveLength(1)
  const { onnxTower } = await import('../text/index.js')
  const sentences = await (
    await onnxTower({ model: join(folder, 'text.onnx') })
  ).embed(captions.map((text) => ({ text })))
  const read = await (await open('text')).run({ sentences: { shape: [2, 5], data: sentences.data } })
  expect(largest(read.get('text_embeds')!.data, (await trained.text.embed(captions)).data)).toBeLessThan(1e-5)

  const { metadata } = (await open('audio')).description
  expect(JSON.parse(metadata['sonotext.model']!)).toMatchObject({
    features: { frontEnd: { preset: 'yamnet' } },
  })
  const back = importOnnx(files, { backend })
  expect(back.id).toBe(trained.id)
  expect(row(await back.text.embed(captions), 0)).toEqual(row(await trained.text.embed(captions), 0))
})

it.each([
  ['that normalises', projection({ inputs: 7, dim: 4, hidden: [6], normalize: true })],
  ['that standardises', projection({ inputs: 7, dim: 4, hidden: [6], standardize: true })],
  ['without biases', projection({ inputs: 7, dim: 4, hidden: [6], bias: false })],
  ['with attention over the clip', projection({ inputs: 7, dim: 4, pool: 'attention' })],
])('a head %s is exported and loads back', async (_, audio) => {
  const trained = await model(audio)
  // As after training: statistics that are not those of the beginning.
  for (const [name, tensor] of trained.buffers())
    backend.memory.upload(
      Float32Array.from({ length: tensor.size }, (_, i) => (name.endsWith('Var') ? 0.5 + i : i - 3)),
      tensor.buffer,
    )
  const files = exportOnnx(trained)
  const { heard, clips } = await hear(files.audio, 3, 5, 7)
  expect(largest(heard.get('audio_embeds')!.data, (await trained.audio.embed(clips)).data)).toBeLessThan(1e-5)
  expect(importOnnx(files, { backend }).id).toBe(trained.id)
})

it.each([
  ['words', words],
  ['mean-words', meanWords],
] as const)('a CRNN with %s is exported with its vocabulary and loads back', async (_, text) => {
  const vocabulary = Vocabulary.build([['a', 'dog', 'barks'], ['rain']])
  const trained = dualEncoder({
    audio: crnn({ hidden: 3 }),
    text: text({ vocabulary, dim: 5, project: 6 }),
    backend,
    seed: 3,
  })
  const files = exportOnnx(trained)
  const { heard, clips } = await hear(files.audio, 2, 37, 64)
  expect(largest(heard.get('audio_embeds')!.data, (await trained.audio.embed(clips)).data)).toBeLessThan(1e-4)
  const frames = await trained.audio.frames(clips[0]!)
  expect(largest(heard.get('frames')!.data.slice(0, frames.data.length), frames.data)).toBeLessThan(1e-4)

  const captions = ['a dog barks', 'rain']
  const rows = captions.map((caption) => [...vocabulary.encode(caption.split(' '))])
  const data = Float32Array.from(rows.flatMap((row) => [...row, 0, 0, 0].slice(0, 3)))
  const file = join(folder, 'words.onnx')
  await writeFile(file, files.text)
  const read = await (await openOnnx(file)).run({ tokens: { shape: [2, 3], data } })
  expect(largest(read.get('text_embeds')!.data, (await trained.text.embed(captions)).data)).toBeLessThan(1e-5)
  const back = importOnnx(files, { backend })
  expect(back.id).toBe(trained.id)
  expect((await back.score(clips, captions)).data).toEqual((await trained.score(clips, captions)).data)
})

it('what cannot be written, and sides of two models, are refused', async () => {
  const heads = exportOnnx(await model())
  const other = exportOnnx(await model(projection({ inputs: 7, dim: 4 })))
  expect(() => importOnnx({ audio: heads.audio, text: other.text }, { backend })).toThrow(
    /two sides of one exported model/,
  )
  const foreign = await model()
  Object.assign(foreign.audio.encoder, { toOnnx: undefined })
  expect(() => exportOnnx(foreign)).toThrow(/got the audio encoder projection/)
})
