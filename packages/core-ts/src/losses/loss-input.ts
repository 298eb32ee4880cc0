import type { Matrix } from '../base/matrix.js'
import type { RaggedIndices } from '../base/ragged.js'
import {
  type Guard,
  guardedPairs,
  groupsOf,
  type PairItem,
  type PairMask,
  type Plane,
  type Planes,
  sameGroup,
  type WrittenCaption,
} from '../negatives/index.js'
import { add, concat, matmul, slice } from '../nn/functions/index.js'
import type { Tape } from '../nn/tape.js'
import type { Tensor } from '../nn/tensor.js'
import { type EmbeddedBatch, type Similarity, toMatrix } from '../similarity/index.js'
import { checkTargets, type Targets, type TargetWeights } from './targets.js'

/** A batch of n embedded pairs and where in the run it stands. */
export interface EmbeddedPairs {
  readonly audio: EmbeddedBatch
  readonly text: EmbeddedBatch
  readonly items: readonly PairItem[]
  /** What the rows of `text` behind those of the items are. Default none. */
  readonly written?: readonly WrittenCaption[]
  /** Pairs that must not be negatives, besides those of one group. */
  readonly guards?: readonly Guard[]
  /** Number of the optimiser step, from 1. Default 1. */
  readonly step?: number
  /** Epochs done, with fraction. Default 0. */
  readonly epoch?: number
}

/** Pairs as they were embedded earlier: one vector a clip and one a caption. */
export interface RememberedPairs {
  readonly items: readonly PairItem[]
  /** [pairs × d] each. */
  readonly audio: Float32Array
  readonly text: Float32Array
  readonly d: number
}

/**
 * A batch as losses see it: pair i is clip i with caption i. Everything is computed when it is first read, once for all
 * losses of the batch, and nothing else is.
 */
export class LossInput {
  readonly tape: Tape
  readonly items: readonly PairItem[]
  readonly n: number
  readonly step: number
  readonly epoch: number
  /** Captions that are no clip's, which only some losses look at. */
  readonly written: readonly WrittenCaption[]
  readonly #similarity: Similarity
  readonly #pairs: EmbeddedPairs
  readonly #planes = new Map<Plane, Matrix>()
  readonly #writtenText: EmbeddedBatch | null
  #scores: Tensor | undefined
  #prepared: { readonly audio: EmbeddedBatch; readonly text: EmbeddedBatch } | undefined
  #factors: { readonly audio: Tensor; readonly text: Tensor | null } | undefined
  #groups: Int32Array | undefined
  #barred: PairMask | undefined

  constructor(tape: Tape, similarity: Similarity, pairs: EmbeddedPairs) {
    this.tape = tape
    this.items = pairs.items
    this.n = pairs.items.length
    this.step = pairs.step ?? 1
    this.epoch = pairs.epoch ?? 0
    this.#similarity = similarity
    this.written = pairs.written ?? []
    const rows = (from: number, to: number): EmbeddedBatch => ({
      values: slice(tape, pairs.text.values, 0, from, to),
      lengths: pairs.text.lengths?.slice(from, to) ?? null,
    })
    const all = this.n + this.written.length
    this.#pairs = all === this.n ? pairs : { ...pairs, text: rows(0, this.n) }
    this.#writtenText = all === this.n ? null : rows(this.n, all)
  }

  /** [n, n], clips × captions. */
  get scores(): Tensor {
    const { audio, text } = this.#pairs
    return (this.#scores ??= this.#similarity.score(this.tape, audio, text))
  }

  /** {@link scores} with those of the written captions behind them; square, [n + written, n + written], zeros below the clips. */
  get scoresWithWritten(): Tensor {
    if (this.#writtenText === null) return this.scores
    const [n, m] = [this.n, this.written.length]
    const further = this.#similarity.score(this.tape, this.#pairs.audio, this.#writtenText)
    const clips = concat(this.tape, [this.scores, further], 1)
    return concat(this.tape, [clips, this.tape.constant([m, n + m], new Float32Array(m * (n + m)))], 0)
  }

  /** The scores if anything has asked for them. */
  get scoresSoFar(): Tensor | null {
    return this.#scores ?? null
  }

  /** Scores as audio·textᵀ, each [n, k]; where scores are no product, text is null and audio is {@link scores}. */
  get factors(): { readonly audio: Tensor; readonly text: Tensor | null } {
    const { audio, text } = this.#pairs
    return (this.#factors ??= this.#similarity.factors?.(this.tape, audio, text) ?? {
      audio: this.scores,
      text: null,
    })
  }

  /** What the scores depend on of both sides, as small as the similarity makes it. */
  get prepared(): { readonly audio: EmbeddedBatch; readonly text: EmbeddedBatch } {
    const { audio, text } = this.#pairs
    return (this.#prepared ??= {
      audio: this.#similarity.prepare(this.tape, audio),
      text: this.#similarity.prepare(this.tape, text),
    })
  }

  /** The same batch with further pairs behind it, which carry no gradient. Both sides must be one vector an item. */
  widened({ items, audio, text, d }: RememberedPairs): LossInput {
    const behind = ({ values }: EmbeddedBatch, more: Float32Array): EmbeddedBatch => {
      const rows = this.n + items.length
      // The batch in the first rows, by a product with the first columns of the identity; then what is remembered.
      const place = new Float32Array(rows * this.n)
      for (let i = 0; i < this.n; i++) place[i * this.n + i] = 1
      const below = new Float32Array(rows * d)
      below.set(more, this.n * d)
      const first = matmul(this.tape, this.tape.constant([rows, this.n], place), values)
      return { values: add(this.tape, first, this.tape.constant([rows, d], below)), lengths: null }
    }
    const own = this.prepared
    return new LossInput(this.tape, this.#similarity, {
      ...this.#pairs,
      audio: behind(own.audio, audio),
      text: behind(own.text, text),
      items: [...this.items, ...items],
    })
  }

  /** n × n scores on the host, without gradient. */
  plane(name: Plane): Matrix {
    let plane = this.#planes.get(name)
    if (plane === undefined) {
      const { audio, text } = this.#pairs
      plane =
        name === 'audio-text'
          ? toMatrix(this.scores)
          : this.#similarity.within(name === 'audio-audio' ? audio : text)
      this.#planes.set(name, plane)
    }
    return plane
  }

  planes(names: readonly Plane[]): Planes {
    return Object.fromEntries(names.map((name) => [name, this.plane(name)]))
  }

  /** What soft targets say of this batch. Throws INVALID_ARGUMENT when they are not of its size, negative or not finite. */
  targets(targets: Targets): TargetWeights {
    const { items, step, epoch } = this
    const weights = targets.weights({ items, step, epoch, planes: this.planes(targets.needs ?? []) })
    checkTargets(weights, this.n, targets.name)
    return weights
  }

  /** [n] group of each pair: pairs of one group are not each other's negatives. */
  get groups(): Int32Array {
    return (this.#groups ??= groupsOf(this.items))
  }

  /** Pairs that must not be negatives: those of one group and what guards bar. */
  get barred(): PairMask {
    return (this.#barred ??= this.#mask([sameGroup(), ...(this.#pairs.guards ?? [])]))
  }

  /** What guards bar besides the pairs of one group: list i has the captions for clip i. Null without guards. */
  get exclude(): RaggedIndices | null {
    const { guards = [] } = this.#pairs
    if (guards.length === 0) return null
    const { groups } = this
    return this.#mask(guards).lists((i, j) => groups[i] !== groups[j])
  }

  #mask(guards: readonly Guard[]): PairMask {
    const { items, step, epoch } = this
    const needs = guards.flatMap((guard) => guard.needs ?? [])
    return guardedPairs({ items, step, epoch, planes: this.planes(needs) }, guards)
  }
}
