import { join } from 'node:path'
import type { Backend } from '@sonotext/core/backend'
import type { BatchSource, PairBatch } from '@sonotext/core/train'
import type { Run } from '../harness/pairs.js'
import type { Core } from './side.js'

/** Something that the product does from end to end, in one build of it. */
export interface Scenario {
  readonly name: string
  readonly what: string
  /** Writes to a folder what it reads, in another process before. */
  readonly prepare?: (core: Core, backend: Backend, folder: string) => Promise<void>
  /** Makes it ready; the run is what is timed, counted or watched. */
  readonly make: (core: Core, backend: Backend, folder?: string) => Promise<Running> | Running
}

export interface Running {
  readonly run: Run
  readonly close?: () => void
}

const sampleRate = 44_100

/** Values that are the same in every build: a Weyl sequence, no generator of the library's. */
function values(length: number, scale = 1): Float32Array {
  const array = new Float32Array(length)
  for (let i = 0, at = 0; i < length; i++) {
    at = (at + 0.618_033_988_749_895) % 1
    array[i] = scale * (2 * at - 1)
  }
  return array
}

function unitRows(rows: number, dim: number): Float32Array {
  const data = values(rows * dim)
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * dim, (r + 1) * dim)
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))
    for (let i = 0; i < dim; i++) row[i]! /= norm
  }
  return data
}

/** A step of the thesis CRNN with pooled InfoNCE: forward, backward, Adam. */
function trainingStep(name: string, batch: number, frames: number): Scenario {
  return {
    name,
    what: `a training step of the thesis CRNN, ${batch} clips of ${frames} frames`,
    make({ base, losses, models, nn, similarity, train }, backend) {
      const encoder = models.crnn({ dropout: 0 }).build(backend, new base.Rng(1))
      const optimizer = train.adam({ lr: 1e-4 }).start(backend, encoder.parameters())
      const loss = losses.infoNceLoss({ temperature: 0.07 }).build(backend)
      const input = values(batch * frames * encoder.bands)
      const words = unitRows(batch, encoder.dim)
      const rng = new base.Rng(2)
      const items = Array.from({ length: batch }, (_, group) => {
        const clip = { id: `c${group}` }
        return { clip, caption: { id: `c${group}#1`, text: 'a sound' }, group }
      })
      const lengths = new Int32Array(batch).fill(frames)
      return {
        run() {
          using tape = new nn.Tape(backend, { training: true, rng })
          const features = tape.constant([batch, frames, encoder.bands], input)
          const audio = encoder.forward(tape, features, lengths)
          const text = {
            values: tape.constant([batch, 1, encoder.dim], words),
            lengths: new Int32Array(batch).fill(1),
          }
          const given = new losses.LossInput(tape, similarity.pooled(), { audio, text, items })
          const value = loss.compute(given, rng).loss
          for (const parameter of encoder.parameters().values()) parameter.zeroGrad()
          tape.backward(value)
          optimizer.step(1e-4, optimizer.gradientNorm())
          return value.item()
        },
        close: () => optimizer[Symbol.dispose](),
      }
    },
  }
}

/** The library's own step, with what it does around the ops: {@link trainingStep} has a loop of its own, which other builds have too. */
function learnerStep(name: string, batch: number, frames: number): Scenario {
  return {
    name,
    what: `a step of the Learner on the thesis model, ${batch} pairs of ${frames} frames`,
    make({ losses, models, text, train }, backend) {
      const caption = ['a', 'dog', 'barks']
      const vocabulary = text.Vocabulary.build([caption])
      const model = models.dualEncoder({
        audio: models.crnn(),
        text: models.words({ vocabulary }),
        backend,
        seed: 1,
      })
      const bands = 64
      const tokens = vocabulary.encode(caption)
      const width = tokens.length
      const pairs: PairBatch = {
        audio: {
          ...{ features: values(batch * frames * bands), n: batch, t: frames, bands },
          lengths: new Int32Array(batch).fill(frames),
        },
        text: {
          tokens: Int32Array.from({ length: batch * width }, (_, i) => tokens[i % width]!),
          ...{ n: batch, width, lengths: new Int32Array(batch).fill(width) },
        },
        items: Array.from({ length: batch }, (_, position) => {
          const clip = { id: `c${position}`, audio: '', captions: [] }
          const written = { id: `c${position}#1`, text: caption.join(' ') }
          return { clip, caption: written, tokens, group: position, position, frameStep: 0.02, duration: 1 }
        }),
      }
      const source: BatchSource = {
        batchesPerEpoch: 1,
        state: { epoch: 0, batch: 0, fingerprint: '' },
        rewind() {},
        restore() {},
        async *epoch() {
          yield pairs
        },
      }
      const learner = new train.Learner({
        model,
        objectives: [{ source, loss: losses.infoNceLoss() }],
        optimizer: train.adam(),
        seed: 2,
      })
      return {
        run() {
          learner.step(pairs)
          return learner.apply(1e-4)
        },
        close() {
          learner[Symbol.dispose]()
          model[Symbol.dispose]()
        },
      }
    },
  }
}

function search(name: string, queries: number, items: number): Scenario {
  const dim = 300
  return {
    name,
    what: `${queries === 1 ? 'one query' : `${queries} queries`} over an index of ${items.toLocaleString('en')} vectors`,
    make({ base, retrieval }, backend) {
      const index = retrieval.createIndex({ dim, backend })
      index.add(base.matrix(items, dim, unitRows(items, dim)), ids(items))
      const asked = base.matrix(queries, dim, unitRows(queries, dim))
      return { run: () => index.search(asked, { k: 10 }), close: () => index[Symbol.dispose]() }
    },
  }
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `item-${i}`)

function logMelClip(name: string, seconds: number): Scenario {
  return {
    name,
    what: `log-mel features of a clip of ${seconds} s`,
    make({ audio }, backend) {
      const pcm = values(seconds * sampleRate, 0.3)
      const front = audio.logMel('thesis', { sampleRate }, { backend })
      return { run: () => front.compute(pcm) }
    },
  }
}

const decodeWav: Scenario = {
  name: 'decode_wav',
  what: 'decoding a WAV of 10 s, 16 bit, two channels',
  make({ audio }) {
    const channel = values(10 * sampleRate, 0.3)
    const { bytes } = audio.encodeWav([channel, channel], sampleRate)
    return { run: () => audio.decodeAudio(bytes) }
  },
}

/** Of a WAV that is decoded and whose features are computed: what `sonotext features` does. */
const featureRun: Scenario = {
  name: 'feature_run',
  what: 'decoding a WAV of 120 s and computing its log-mel features',
  make({ audio }, backend) {
    const { bytes } = audio.encodeWav(values(120 * sampleRate, 0.3), sampleRate)
    const front = audio.logMel('thesis', { sampleRate }, { backend })
    return {
      async run() {
        const { samples } = await audio.readMono(bytes)
        return front.compute(samples)
      },
    }
  },
}

const [manyItems, manyDim] = [100_000, 300]

const indexLoad: Scenario = {
  name: 'index_load',
  what: 'loading an index of 100,000 vectors and asking it once',
  async prepare({ base, retrieval }, backend, folder) {
    const vectors = base.matrix(manyItems, manyDim, unitRows(manyItems, manyDim))
    using index = retrieval.createIndex({ dim: manyDim, backend }).add(vectors, ids(manyItems))
    await index.save(join(folder, 'index'))
  },
  make({ base, retrieval }, backend, folder) {
    const asked = base.matrix(1, manyDim, unitRows(1, manyDim))
    return {
      async run() {
        using index = await retrieval.loadIndex(join(folder!, 'index'), { backend })
        return index.search(asked, { k: 10 })
      },
    }
  },
}

/** What is timed in pairs. */
export const timedScenarios: readonly Scenario[] = [
  logMelClip('log_mel_clip', 10),
  trainingStep('training_step', 4, 250),
  search('search_one', 1, 20_000),
  search('search_batch', 64, 20_000),
  decodeWav,
]

/** What is counted exactly. */
export const countedScenarios: readonly Scenario[] = [
  trainingStep('training_step', 2, 50),
  learnerStep('learner_step', 2, 50),
  logMelClip('log_mel_clip', 1),
  search('search_one', 1, 500),
  search('search_batch', 64, 500),
]

/** Whose peak of memory is watched, each in a process of its own. */
export const watchedScenarios: readonly Scenario[] = [
  trainingStep('training_step', 8, 500),
  indexLoad,
  featureRun,
]
