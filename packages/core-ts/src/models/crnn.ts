import type { Backend } from '../backend/port.js'
import { expected } from '../base/errors.js'
import type { Rng } from '../base/rng.js'
import { checkOptions } from '../base/options.js'
import {
  BatchNorm,
  collect,
  Conv2d,
  Dropout,
  Gru,
  interpolate,
  l2Normalize,
  lpPool,
  type Parameter,
  reshape,
  type Tape,
  type Tensor,
} from '../nn/index.js'
import type { EmbeddedBatch } from '../similarity/index.js'
import type { OnnxGraph } from '../onnx/index.js'
import { crnnOnnx } from './crnn-onnx.js'
import { type AudioEncoder, audioEncoderPart, type AudioEncoderSpec } from './encoder.js'
import { unitOnnx } from './layers-onnx.js'

/** Options of {@link crnn}. */
export interface CrnnOptions {
  /** Mel bands of the features, a multiple of 64. Default 64. */
  bands?: number
  /** Recurrent units per direction; vectors have twice as many numbers. Default 150. */
  hidden?: number
  /** Share of the values dropped before the recurrent layer while training. Default 0.3. */
  dropout?: number
}

/** Input and output channels of the convolutions. */
const channels = [
  [1, 32],
  [32, 128],
  [128, 128],
  [128, 128],
  [128, 128],
] as const

/** L4 pooling behind convolution 1, 3 and 5: [time, mel]. */
const pools: Readonly<Record<number, readonly [number, number]>> = { 1: [2, 4], 3: [2, 4], 5: [1, 4] }

/** Frames below which nothing is left after pooling time twice by 2. */
const leastFrames = 4

/**
 * The convolutional recurrent network of the audio–caption aligning and negative-sampling papers (arXiv 2110.02939,
 * 2211.04070): five blocks of batch norm, 3×3 convolution and leaky ReLU, L4 pooling, dropout, a bidirectional GRU, linear
 * interpolation back to the frames of the input, unit vectors. 732,354 trainable numbers by default.
 */
export function crnn(given: CrnnOptions = {}): AudioEncoderSpec {
  const { bands = 64, hidden = 150, dropout = 0.3 } = checkOptions(given, 'crnn')
  if (!(Number.isInteger(bands) && bands >= 64 && bands % 64 === 0))
    throw expected('a multiple of 64', 'bands', bands, {
      remedy:
        'A CRNN pools 64 bands into one: take features of 64 or 128, or another encoder, such as a projection.',
    })
  if (!(Number.isInteger(hidden) && hidden >= 1)) throw expected('an integer above 0', 'hidden', hidden)
  if (!(dropout >= 0 && dropout < 1)) throw expected('a number in [0, 1)', 'dropout', dropout)
  const options = { bands, hidden, dropout }
  return {
    config: { kind: 'crnn', ...options },
    dim: 2 * hidden,
    build: (backend, rng) => new Crnn(backend, rng, options),
  }
}

export const crnnPart = audioEncoderPart({
  name: 'crnn',
  description: 'Five convolutions and a bidirectional GRU: the encoder of the thesis.',
  schema: {
    properties: {
      dropout: {
        type: 'number',
        minimum: 0,
        exclusiveMaximum: 1,
        default: 0.3,
        description: 'Share of values dropped between convolution and GRU.',
      },
    },
  },
  fromConfig({ dropout }, { bands, dim }) {
    if (dim % 2 !== 0) {
      throw expected('vectors of even length from the text encoder', 'a CRNN', dim, {
        remedy:
          'The GRU gives half of it in each direction: take vectors of another length, or a projection of them.',
      })
    }
    return crnn({ bands, hidden: dim / 2, dropout })
  },
  fromSaved: (options) => crnn(options as CrnnOptions),
})

class Crnn implements AudioEncoder {
  readonly bands: number
  readonly leastFrames = leastFrames
  readonly dim: number
  readonly #norms: readonly BatchNorm[]
  readonly #convs: readonly Conv2d[]
  readonly #dropout: Dropout
  readonly #gru: Gru

  constructor(backend: Backend, rng: Rng, { bands, hidden, dropout }: Required<CrnnOptions>) {
    this.bands = bands
    this.dim = 2 * hidden
    this.#norms = channels.map(([inputs]) => new BatchNorm(backend, inputs))
    this.#convs = channels.map(
      ([inputs, outputs], i) =>
        new Conv2d(backend, inputs, outputs, { rng: rng.fork(`conv${i + 1}`), slope: 0.1 }),
    )
    this.#dropout = new Dropout(dropout)
    this.#gru = new Gru(backend, (128 * bands) / 64, hidden, { rng: rng.fork('gru'), directions: 2 })
  }

  forward(tape: Tape, features: Tensor, lengths: Int32Array): EmbeddedBatch {
    const [n, t, bands] = features.shape as [number, number, number]
    if (bands !== this.bands) throw expected(`${this.bands} bands`, 'features of the CRNN', bands)
    if (t < leastFrames) throw expected(`${leastFrames} frames or more`, 'features of the CRNN', t)
    /** Replaces a result that nothing else reads. */
    const next = (before: Tensor, after: Tensor): Tensor => {
      if (before !== features && after.buffer !== before.buffer) tape.discard(before)
      return after
    }
    let x = reshape(tape, features, [n, t, bands, 1])
    for (const [i, conv] of this.#convs.entries()) {
      x = i === 0 ? this.#norms[i]!.forward(tape, x) : next(x, this.#norms[i]!.forward(tape, x))
      x = next(x, conv.forward(tape, x))
      const kernel = pools[i + 1]
      if (kernel !== undefined) x = next(x, lpPool(tape, x, { kernel, p: 4 }))
    }
    x = next(x, this.#dropout.forward(tape, x))
    const [, steps, rest, depth] = x.shape as [number, number, number, number]
    x = next(x, this.#gru.forward(tape, reshape(tape, x, [n, steps, rest * depth])))
    x = next(x, interpolate(tape, x, t))
    x = next(x, l2Normalize(tape, x))
    return { values: x, lengths }
  }

  toOnnx(graph: OnnxGraph, features: string): string {
    const layers = { norms: this.#norms, convs: this.#convs, pools, gru: this.#gru }
    return unitOnnx(graph, crnnOnnx(graph, features, layers, 'audio'), 'audio')
  }

  parameters(): Map<string, Parameter> {
    return collect('parameters', this.#children())
  }

  buffers(): Map<string, Tensor> {
    return collect('buffers', this.#children())
  }

  #children() {
    const children: Record<string, BatchNorm | Conv2d | Gru> = {}
    for (const [i, conv] of this.#convs.entries()) {
      children[`bn${i + 1}`] = this.#norms[i]!
      children[`conv${i + 1}`] = conv
    }
    return { ...children, gru: this.#gru }
  }
}
