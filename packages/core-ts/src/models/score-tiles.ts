import { throwIfAborted } from '../base/abort.js'
import type { Matrix } from '../base/matrix.js'
import { nextTurn } from '../base/turn.js'
import { Tape } from '../nn/tape.js'
import type { EmbeddedBatch } from '../similarity/index.js'
import type { DualEncoder } from './dual-encoder.js'
import type { CaptionInput } from './encoder.js'
import type { EmbedOptions, PassOptions } from './sides.js'

/** Some clips or captions as the similarity needs them, on the host. */
export interface PreparedItems {
  /** Their indices, in the order of the rows. */
  readonly items: Int32Array
  readonly values: Float32Array
  readonly shape: readonly number[]
  readonly lengths: Int32Array | null
}

/** Scores of some clips (rows) against some captions (columns). */
export interface Tile {
  readonly clips: Int32Array
  readonly captions: Int32Array
  readonly scores: Float32Array
}

/** Items of one vector each that are scored at once: products of such size keep the processor busy. */
const TOGETHER = 1024

/** Clips ready to be scored, in their order; `features` come a few at a time. */
export function preparedClips(
  model: DualEncoder,
  features: AsyncIterable<readonly Matrix[]>,
  options: PassOptions = {},
): AsyncGenerator<PreparedItems, void, undefined> {
  async function* blocks() {
    let first = 0
    for await (const some of features) {
      for await (const { tape, items, embedded } of model.audio.blocks(some, options))
        yield held(
          items.map((item) => first + item),
          model.similarity.masked.prepare(tape, embedded),
        )
      first += some.length
    }
  }
  return together(blocks())
}

/** Captions ready to be scored, in their order. */
export function preparedCaptions(
  model: DualEncoder,
  captions: readonly CaptionInput[],
  options: EmbedOptions = {},
): AsyncGenerator<PreparedItems, void, undefined> {
  async function* blocks() {
    for await (const { tape, items, embedded } of model.text.blocks(captions, options))
      yield held(items, model.similarity.masked.prepare(tape, embedded))
  }
  return together(blocks())
}

/** Bytes that prepared items take. */
export function bytesOf({ values }: PreparedItems): number {
  return values.byteLength
}

/** Scores of every clip against every caption given, tile by tile: each block of captions goes to the backend once. */
export async function* scoreTiles(
  { backend, similarity }: DualEncoder,
  clips: readonly PreparedItems[],
  captions: AsyncIterable<PreparedItems>,
  wanted: (clips: PreparedItems, captions: PreparedItems) => boolean,
  { signal }: EmbedOptions = {},
): AsyncGenerator<Tile, void, undefined> {
  for await (const text of captions) {
    const some = clips.filter((audio) => wanted(audio, text))
    if (some.length === 0) continue
    using outer = new Tape(backend)
    const right = onBackend(outer, text)
    for (const audio of some) {
      throwIfAborted(signal)
      using tape = new Tape(backend)
      const scores = similarity.masked.score(tape, onBackend(tape, audio), right)
      yield { clips: audio.items, captions: text.items, scores: Float32Array.from(scores.toArray()) }
      await nextTurn(signal)
    }
  }
}

function onBackend(tape: Tape, { values, shape, lengths }: PreparedItems): EmbeddedBatch {
  return { values: tape.constant(shape, values), lengths }
}

function held(items: readonly number[], { values, lengths }: EmbeddedBatch): PreparedItems {
  const data = Float32Array.from(values.toArray())
  return { items: Int32Array.from(items), values: data, shape: values.shape, lengths }
}

/** Blocks of items that are one vector each, put together until they are large; others as they are. */
async function* together(
  blocks: AsyncIterable<PreparedItems>,
): AsyncGenerator<PreparedItems, void, undefined> {
  let waiting: PreparedItems[] = []
  let count = 0
  const all = (): PreparedItems => {
    const [, ...inner] = waiting[0]!.shape
    const items = new Int32Array(count)
    const values = new Float32Array(waiting.reduce((sum, block) => sum + block.values.length, 0))
    let [at, end] = [0, 0]
    for (const block of waiting) {
      items.set(block.items, at)
      values.set(block.values, end)
      at += block.items.length
      end += block.values.length
    }
    waiting = []
    count = 0
    return { items, values, shape: [items.length, ...inner], lengths: null }
  }
  for await (const block of blocks) {
    if (block.lengths !== null) {
      yield block
      continue
    }
    waiting.push(block)
    count += block.items.length
    if (count >= TOGETHER) yield all()
  }
  if (count > 0) yield all()
}
