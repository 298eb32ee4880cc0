import type { Backend } from '../backend/port.js'
import { expected } from '../base/errors.js'
import { type Matrix, matrix, row } from '../base/matrix.js'
import { Tape } from '../nn/tape.js'
import { Tensor } from '../nn/tensor.js'
import { type EmbeddedBatch, type Similarity, toMatrix } from '../similarity/index.js'
import type { CaptionInput } from './encoder.js'
import type { AudioSide, EmbedOptions, PassOptions, TextSide } from './sides.js'

/** What the similarity needs of some captions in a row, in memory of its own on the backend. */
interface CaptionBlock extends EmbeddedBatch {
  readonly first: number
}

/**
 * Captions encoded once, to score clips against them part by part. They stay on the backend until they are disposed of
 * (`using`).
 */
export class PreparedCaptions implements Disposable {
  readonly size: number
  readonly #backend: Backend
  readonly #similarity: Similarity
  readonly #audio: AudioSide
  #blocks: readonly CaptionBlock[] | null

  private constructor(
    audio: AudioSide,
    similarity: Similarity,
    size: number,
    blocks: readonly CaptionBlock[],
  ) {
    this.size = size
    this.#backend = audio.backend
    this.#similarity = similarity
    this.#audio = audio
    this.#blocks = blocks
  }

  static async of(
    captions: readonly CaptionInput[],
    model: { readonly audio: AudioSide; readonly text: TextSide; readonly similarity: Similarity },
    options: EmbedOptions,
  ): Promise<PreparedCaptions> {
    const { audio, text } = model
    const similarity = model.similarity.masked
    const blocks: CaptionBlock[] = []
    const prepared = new PreparedCaptions(audio, similarity, captions.length, blocks)
    try {
      for await (const { tape, items, embedded } of text.blocks(captions, options)) {
        const { values, lengths } = similarity.prepare(tape, embedded)
        const own = text.backend.memory.alloc(values.size)
        text.backend.memory.copy(values.buffer, own)
        blocks.push({ first: items[0]!, values: new Tensor(text.backend, values.shape, own), lengths })
      }
    } catch (error) {
      prepared[Symbol.dispose]()
      throw error
    }
    return prepared
  }

  /** Clips (features [frames × bands]) × captions. */
  async score(clips: readonly Matrix[], options: PassOptions = {}): Promise<Matrix> {
    if (this.#blocks === null) throw expected('captions that are still held', 'score()', 'disposed ones')
    const scores = matrix(clips.length, this.size)
    for await (const { tape, items, embedded } of this.#audio.blocks(clips, options)) {
      const audio = this.#similarity.prepare(tape, embedded)
      for (const { first, ...text } of this.#blocks) {
        using inner = new Tape(this.#backend)
        const block = toMatrix(this.#similarity.score(inner, audio, text))
        for (const [r, item] of items.entries()) scores.data.set(row(block, r), item * scores.cols + first)
      }
    }
    return scores
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    for (const { values } of this.#blocks ?? []) {
      values.invalidate()
      this.#backend.memory.free(values.buffer)
    }
    this.#blocks = null
  }
}
