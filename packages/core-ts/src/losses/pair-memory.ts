import { SonotextError } from '../base/errors.js'
import type { PairItem } from '../negatives/index.js'
import type { LossInput, RememberedPairs } from './loss-input.js'

const nothing: RememberedPairs = { items: [], audio: new Float32Array(0), text: new Float32Array(0), d: 0 }

/** The last pairs that were trained on, for losses that choose from more than the batch. The newest come first. */
export class PairMemory {
  readonly capacity: number
  #pairs: RememberedPairs = nothing

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** The batch with the remembered pairs behind it. */
  widen(input: LossInput): LossInput {
    return this.#pairs.items.length === 0 ? input : input.widened(this.#pairs)
  }

  /** Takes the pairs of a batch and lets go of the oldest. */
  remember(input: LossInput): void {
    const { audio, text } = vectorsOf(input)
    const { items, d } = { items: input.items, d: audio.length / input.n }
    const old = this.#pairs
    const kept = Math.min(this.capacity, items.length + old.items.length)
    const joined = (fresh: Float32Array, before: Float32Array): Float32Array => {
      const all = new Float32Array(kept * d)
      all.set(fresh.subarray(0, kept * d))
      if (kept > items.length) all.set(before.subarray(0, (kept - items.length) * d), items.length * d)
      return all
    }
    this.#pairs = {
      // Only what strategies and guards look at: a batch's own items hold more.
      items: [...items.map(slim), ...old.items].slice(0, kept),
      audio: joined(audio, old.audio),
      text: joined(text, old.text),
      d,
    }
  }

  /** As JSON, every bit of it. */
  state(): unknown {
    const { items, audio, text, d } = this.#pairs
    return { items, d, audio: encoded(audio), text: encoded(text) }
  }

  restore(state: unknown): void {
    const { items, d, audio, text } = state as { items: PairItem[]; d: number; audio: string; text: string }
    this.#pairs = { items, d, audio: decoded(audio), text: decoded(text) }
  }
}

function vectorsOf(input: LossInput): { audio: Float32Array; text: Float32Array } {
  const { audio, text } = input.prepared
  if (audio.lengths !== null || text.lengths !== null) {
    throw new SonotextError(
      'INVALID_ARGUMENT',
      'Expected a similarity of one vector of a clip and one of a caption to remember pairs of earlier batches, got one of whole sequences.',
      { remedy: 'Compare by pooled similarity (model.similarity: pooled), or choose within the batch.' },
    )
  }
  return {
    audio: Float32Array.from(audio.values.toArray()),
    text: Float32Array.from(text.values.toArray()),
  }
}

function slim({ clip, caption, group }: PairItem): PairItem {
  return { clip: { id: clip.id }, caption: { id: caption.id, text: caption.text }, group }
}

function encoded(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')
}

function decoded(text: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'))
  return new Float32Array(bytes.buffer)
}
