import type { ClipFeatures } from '../audio/index.js'
import type { Backend } from '../backend/port.js'
import { matrix, type Matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { Batches, type BatchesOptions, type Clip } from '../data/index.js'
import { infoNceLoss } from '../losses/index.js'
import { crnn, dualEncoder, projection, words } from '../models/index.js'
import { pooled, type Similarity } from '../similarity/index.js'
import { tokenize, Vocabulary } from '../text/index.js'
import { adam } from '../train/optimizers.js'
import type { BatchSource } from '../train/batch-source.js'
import type { TrainerOptions } from '../train/options.js'

const sounds = ['dog', 'rain', 'clock', 'engine', 'bird', 'bell']

/** Every two sounds make a clip: its features hold both patterns with some noise, its captions name them. */
export interface ToyData {
  readonly clips: readonly Clip[]
  readonly vocabulary: Vocabulary
  features(clip: Clip): Matrix
  batches(options?: Partial<BatchesOptions>): Batches
}

/** `frames` × `bands` features of each clip; more `takes` are other recordings of the same sounds. */
export function toyData(frames: number, bands: number, { takes = 2, seed = 1 } = {}): ToyData {
  const pairs = sounds.flatMap((a, i) => sounds.slice(i + 1).map((b) => [a, b] as const))
  const clips = Array.from({ length: takes }, (_, take) =>
    pairs.map(([a, b]): Clip => {
      const id = `${a}-${b}-${seed}-${take}`
      const texts = [`a ${a} and a ${b}`, `${b} with ${a}`]
      return {
        id,
        audio: `/toy/${id}.wav`,
        captions: texts.map((text, k) => ({ id: `${id}#${k + 1}`, text })),
      }
    }),
  ).flat()
  const vocabulary = Vocabulary.build(
    clips.flatMap(({ captions }) => captions.map(({ text }) => tokenize(text))),
  )
  const features = (clip: Clip): Matrix => {
    const noise = new Rng(seed, clip.id)
    const patterns = clip.id
      .split('-')
      .slice(0, 2)
      .map((sound) => new Rng(0, sound))
    const columns = patterns.map((rng) => Float64Array.from({ length: bands }, () => rng.normal()))
    const data = Float32Array.from({ length: frames * bands }, (_, e) => {
      const sound = columns[Math.floor((2 * Math.floor(e / bands)) / frames) % 2]!
      const both = frames === 1 ? columns[0]![e % bands]! + columns[1]![e % bands]! : sound[e % bands]!
      return both + 0.3 * noise.normal()
    })
    return matrix(frames, bands, data)
  }
  return {
    clips,
    vocabulary,
    features,
    batches: (options) =>
      new Batches({
        clips,
        features: async (clip) => clipFeatures(features(clip)),
        encode: ({ text }) => vocabulary.encode(tokenize(text)),
        batchSize: 8,
        seed: 5,
        items: 'clip',
        leastFrames: 4,
        ...options,
      }),
  }
}

/** Frames of 20 ms, as a {@link FeatureSource} gives them. */
export function clipFeatures(features: Matrix): ClipFeatures {
  return { features, frameStep: 0.02, duration: 0.02 * features.rows }
}

export interface ToyOptions extends Partial<TrainerOptions> {
  data?: BatchSource
  /** A perceptron over precomputed vectors, or a small CRNN over 16 frames. Default projection. */
  network?: 'projection' | 'crnn'
  similarity?: Similarity
}

/** A run of seconds; options override. */
export function toyRun(
  backend: Backend,
  { network = 'projection', similarity = pooled(), ...options }: ToyOptions = {},
): TrainerOptions & { data: BatchSource } {
  const small = network === 'projection'
  const toy = small ? toyData(1, 12) : toyData(16, 64, { takes: 1 })
  return {
    model: dualEncoder({
      audio: small ? projection({ inputs: 12, dim: 8, hidden: [16], dropout: 0.1 }) : crnn({ hidden: 4 }),
      text: words({ vocabulary: toy.vocabulary, dim: 8 }),
      similarity,
      backend,
      seed: 2,
    }),
    data: toy.batches({ leastFrames: small ? 1 : 4 }),
    loss: infoNceLoss({ temperature: 0.1, learnable: true }),
    optimizer: adam({ lr: 0.01 }),
    epochs: 3,
    seed: 17,
    ...options,
  }
}
