import type { Backend } from '../backend/port.js'
import { throwIfAborted } from '../base/abort.js'
import { expected, SonotextError } from '../base/errors.js'
import { type Matrix, matrix } from '../base/matrix.js'
import { type PaddedFeatures, type PaddedTokens, padFeatures, padTokens } from '../data/index.js'
import { Tape } from '../nn/tape.js'
import type { Tensor } from '../nn/tensor.js'
import { type EmbeddedBatch, poolEmbedded } from '../similarity/index.js'
import type { Sentence } from '../text/index.js'
import type { AudioEncoder, CaptionInput, PrepareCaptionsOptions, TextEncoder } from './encoder.js'

/** Options of the `embed` of either side of a model. */
export interface EmbedOptions {
  signal?: AbortSignal
}

/** Options of one pass of either side of a model. */
export interface PassOptions extends EmbedOptions {
  /**
   * Share of a clip that may be padding, so that clips of nearly one length go through the encoder together, as in training.
   * Default 0: what a clip gives does not depend on the others.
   */
  padding?: number
}

/** One pass of an encoder without training; `tape` ends when the loop goes on. */
export interface EncodedBlock {
  readonly tape: Tape
  /** Which of the inputs these are, in the order of the rows. */
  readonly items: readonly number[]
  readonly embedded: EmbeddedBatch
}

/** Items that one pass takes at most; clips also no more frames in all, unless one has more. */
const audioBlock = 8
const audioFrames = 16_384
const textBlock = 256

/** The audio side of a model. Features are matrices [frames × bands], one for each clip. */
export class AudioSide {
  readonly backend: Backend
  readonly encoder: AudioEncoder

  constructor(backend: Backend, encoder: AudioEncoder) {
    this.backend = backend
    this.encoder = encoder
  }

  forward(tape: Tape, { features, n, t, bands, lengths, share }: PaddedFeatures): EmbeddedBatch {
    if (bands !== this.encoder.bands)
      throw expected(`${this.encoder.bands} numbers in a frame`, 'features', bands)
    tape.share = share ?? null
    return this.encoder.forward(tape, tape.constant([n, t, bands], features), lengths)
  }

  /** One unit vector for each clip, n × dim. */
  async embed(clips: readonly Matrix[], options: PassOptions = {}): Promise<Matrix> {
    const all = matrix(clips.length, this.encoder.dim)
    for await (const { tape, items, embedded } of this.blocks(clips, options)) {
      scatterRows(poolEmbedded(tape, embedded), items, all)
    }
    return all
  }

  /**
   * A unit vector for each frame of one clip, frames × dim.
   * @throws SonotextError UNSUPPORTED for an encoder that gives one vector for a clip
   */
  async frames(clip: Matrix, options: EmbedOptions = {}): Promise<Matrix> {
    throwIfAborted(options.signal)
    using tape = new Tape(this.backend)
    const { values, lengths } = this.forward(tape, padFeatures([clip], this.encoder))
    const { dim } = this.encoder
    if (lengths === null) {
      throw new SonotextError(
        'UNSUPPORTED',
        'Expected an audio encoder with a vector for each frame, got one.',
        {
          remedy: 'Train a model without pooling over the clip: pool: none.',
        },
      )
    }
    return matrix(clip.rows, dim, Float32Array.from(values.toArray().subarray(0, clip.rows * dim)))
  }

  /** Clips of equal length together, or of nearly equal length with `padding`; the event loop runs between blocks. */
  async *blocks(clips: readonly Matrix[], options: PassOptions = {}): AsyncGenerator<EncodedBlock> {
    const { signal, padding = 0 } = options
    if (!(padding >= 0 && padding < 1)) throw expected('a share in [0, 1)', 'padding', padding)
    const { leastFrames } = this.encoder
    for (const items of alike(clips, padding)) {
      throwIfAborted(signal)
      using tape = new Tape(this.backend)
      const batch = padFeatures(
        items.map((i) => clips[i]!),
        { leastFrames },
      )
      yield { tape, items, embedded: this.forward(tape, batch) }
      await nextTurn()
    }
  }
}

/** Which clips go into one pass: by length, the shortest having no more padding than that share. */
function alike(clips: readonly Matrix[], padding: number): number[][] {
  const framesOf = (i: number): number => clips[i]!.rows
  const blocks: number[][] = []
  for (const i of [...clips.keys()].sort((a, b) => framesOf(a) - framesOf(b))) {
    const block = blocks.at(-1)
    const fits =
      block !== undefined &&
      block.length < audioBlock &&
      (block.length + 1) * framesOf(i) <= audioFrames &&
      framesOf(block[0]!) >= (1 - padding) * framesOf(i)
    if (fits) block.push(i)
    else blocks.push([i])
  }
  return blocks
}

/** The text side of a model. */
export class TextSide {
  readonly backend: Backend
  readonly encoder: TextEncoder

  constructor(backend: Backend, encoder: TextEncoder) {
    this.backend = backend
    this.encoder = encoder
  }

  forward(tape: Tape, batch: PaddedTokens): EmbeddedBatch {
    tape.share = batch.share ?? null
    return this.encoder.forward(tape, batch)
  }

  /** Indices of the words of a caption: of its own tokens where it has some, unless the encoder takes whole sentences. */
  encode(caption: CaptionInput): Int32Array {
    const { text, tokens } = typeof caption === 'string' ? { text: caption } : caption
    const own = this.encoder.prepare === undefined ? tokens : undefined
    return this.encoder.encode(own ?? this.encoder.tokenize(text))
  }

  /** What must be done once before captions are encoded outside {@link blocks}: see {@link TextEncoder.prepare}. */
  async prepare(captions: readonly CaptionInput[], options: PrepareCaptionsOptions = {}): Promise<void> {
    await this.encoder.prepare?.(captions.map(sentenceOf), options)
  }

  /** What must be done once before training begins: see {@link TextEncoder.fit}. A saved model has it. */
  async fit(captions: readonly CaptionInput[], options: PrepareCaptionsOptions = {}): Promise<void> {
    await this.encoder.fit?.(captions.map(sentenceOf), options)
  }

  /** One unit vector for each caption, n × dim; zeros for a caption without words. */
  async embed(captions: readonly CaptionInput[], options: EmbedOptions = {}): Promise<Matrix> {
    const all = matrix(captions.length, this.encoder.dim)
    for await (const { tape, items, embedded } of this.blocks(captions, options)) {
      scatterRows(poolEmbedded(tape, embedded), items, all)
    }
    return all
  }

  /** Captions in blocks, in their order. */
  async *blocks(
    captions: readonly CaptionInput[],
    { signal }: EmbedOptions = {},
  ): AsyncGenerator<EncodedBlock> {
    for (let first = 0; first < captions.length; first += textBlock) {
      throwIfAborted(signal)
      const block = captions.slice(first, first + textBlock)
      await this.prepare(block, { signal })
      using tape = new Tape(this.backend)
      const embedded = this.forward(tape, padTokens(block.map((caption) => this.encode(caption))))
      yield { tape, items: Array.from(block, (_, i) => first + i), embedded }
      await nextTurn()
    }
  }
}

function sentenceOf(caption: CaptionInput): Sentence {
  return typeof caption === 'string' ? { text: caption } : caption
}

function scatterRows(rows: Tensor, items: readonly number[], all: Matrix): void {
  const values = rows.toArray()
  for (const [r, item] of items.entries()) {
    all.data.set(values.subarray(r * all.cols, (r + 1) * all.cols), item * all.cols)
  }
}

/** Lets timers, input and signals have their turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
