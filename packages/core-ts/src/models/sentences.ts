import { expected, SonotextError } from '../base/errors.js'
import { type Matrix, matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import type { PaddedTokens } from '../data/index.js'
import {
  collect,
  l2Normalize,
  maskedMean,
  type Module,
  type Parameter,
  type Tape,
  type Tensor,
} from '../nn/index.js'
import type { OnnxGraph } from '../onnx/index.js'
import type { Json } from '../registry/index.js'
import type { EmbeddedBatch } from '../similarity/index.js'
import { embedKept, type Sentence, type SentenceTower } from '../text/index.js'
import type {
  BehindVectors,
  EncoderConfig,
  PrepareCaptionsOptions,
  TextEncoder,
  TextEncoderSpec,
} from './encoder.js'
import { checkGate, Gate } from './gate.js'
import { buildHead, checkHead, type Head } from './head.js'
import { unitOnnx } from './layers-onnx.js'

/** What is trained behind a frozen sentence encoder. */
export interface SentenceHeadOptions {
  /** Length of a trained projection; without it its vectors are taken as they are. */
  project?: number | undefined
  /** Units of each hidden layer before the projection, with a ReLU behind it. Default []. */
  hidden?: readonly number[]
  /** Share of the input and hidden values dropped while training. Default 0. */
  dropout?: number
  /**
   * With it the tower's vector stays beside what the head makes of it, and the head counts the more, the more of the vector lies in so many
   * directions of the training captions. Vectors are then `inputs` + `project` long.
   */
  gate?: number | undefined
  /** Power of that share, an integer in 1–16: the higher, the sooner the head gives way. Default 6. */
  sharpness?: number
}

/** Options of {@link sentences}. */
export interface SentencesOptions extends SentenceHeadOptions {
  /** Name of the row of its family, and how the tower is found again: goes into the model's file. */
  config: EncoderConfig
  /** Length of the tower's vectors. */
  inputs: number
  /** Opened when the first caption comes. */
  tower: () => Promise<SentenceTower>
}

/** One unit vector for each caption: that of a frozen sentence encoder, or what a head trained behind it makes of it. */
export function sentences(options: SentencesOptions): TextEncoderSpec {
  const { config, inputs, tower, project, hidden = [], dropout = 0 } = checkOptions(options, 'sentences')
  const { gate: rank, sharpness = 6 } = options
  for (const [name, given] of [
    ['hidden', hidden.length > 0 ? hidden : undefined],
    ['gate', rank],
  ] as const) {
    if (project !== undefined || given === undefined) continue
    throw expected(`no ${name === 'gate' ? 'gate' : 'hidden layers'} without project`, name, given, {
      remedy: 'Give the length of the projection too: project.',
    })
  }
  const head = { inputs, dim: project ?? inputs, hidden, dropout }
  checkHead(head)
  const gate = rank === undefined ? null : { inputs, rank, sharpness }
  if (gate !== null) checkGate(gate)
  const trained =
    project === undefined
      ? {}
      : { project, hidden: hidden as Json, dropout, ...(rank !== undefined && { gate: rank, sharpness }) }
  const { kind, ...others } = { ...config, inputs, ...trained }
  const dim = gate === null ? head.dim : inputs + head.dim
  return {
    // In one order, however it was put together: the name of a model is made of it.
    config: { kind, ...Object.fromEntries(Object.entries(others).sort(([x], [y]) => (x < y ? -1 : 1))) },
    dim,
    build: (backend, rng) =>
      new Sentences(
        { inputs, dim },
        project === undefined ? null : buildHead(backend, rng, head),
        gate === null ? null : new Gate(backend, gate),
        tower,
      ),
  }
}

/** Rows of vectors that grow. Row 0 is zero: padding, and captions without words. */
class VectorTable {
  readonly #cols: number
  readonly #rows = new Map<string, number>()
  /** Rows taken when the first one comes: until then nobody knows that there are vectors of that length. */
  #data = new Float32Array(0)

  constructor(cols: number) {
    this.#cols = cols
  }

  rowOf(text: string): number | undefined {
    return this.#rows.get(text)
  }

  set(text: string, vector: Float32Array): void {
    const row = this.#rows.size + 1
    if ((row + 1) * this.#cols > this.#data.length) {
      const grown = new Float32Array(Math.max(64 * this.#cols, 2 * this.#data.length))
      grown.set(this.#data)
      this.#data = grown
    }
    this.#data.set(vector, row * this.#cols)
    this.#rows.set(text, row)
  }

  gather(rows: Int32Array): Float32Array {
    const cols = this.#cols
    const out = new Float32Array(rows.length * cols)
    for (const [i, row] of rows.entries())
      out.set(this.#data.subarray(row * cols, (row + 1) * cols), i * cols)
    return out
  }
}

class Sentences implements TextEncoder {
  readonly dim: number
  readonly inputs: number
  readonly #head: Head | null
  readonly #gate: Gate | null
  readonly #open: () => Promise<SentenceTower>
  readonly #table: VectorTable
  #tower: Promise<SentenceTower> | undefined

  constructor(
    { inputs, dim }: { readonly inputs: number; readonly dim: number },
    head: Head | null,
    gate: Gate | null,
    open: () => Promise<SentenceTower>,
  ) {
    this.inputs = inputs
    this.dim = dim
    this.#head = head
    this.#gate = gate
    this.#open = open
    this.#table = new VectorTable(inputs)
  }

  tokenize(text: string): string[] {
    return text.trim() === '' ? [] : [text]
  }

  async prepare(captions: readonly Sentence[], options: PrepareCaptionsOptions = {}): Promise<void> {
    const { cacheFolder, signal } = options
    const missing = new Map<string, Sentence>()
    for (const caption of captions) {
      const { text } = caption
      if (text.trim() !== '' && this.#table.rowOf(text) === undefined) missing.set(text, caption)
    }
    if (missing.size === 0) return
    this.#tower ??= this.#open()
    const tower = await this.#tower
    if (tower.cols !== this.inputs)
      throw expected(
        `vectors of ${this.inputs} numbers as in training`,
        `the text tower ${tower.name}`,
        tower.cols,
      )
    const all = [...missing.values()]
    const { data } = await embedKept(tower, all, { cacheFolder, ...(signal && { signal }) })
    for (const [i, { text }] of all.entries())
      this.#table.set(text, data.subarray(i * this.inputs, (i + 1) * this.inputs))
  }

  async fit(captions: readonly Sentence[], options: PrepareCaptionsOptions = {}): Promise<void> {
    if (this.#gate === null) return
    await this.prepare(captions, options)
    const texts = [...new Set(captions.map(({ text }) => text))].filter((text) => text.trim() !== '')
    await this.#gate.fit(this.towerVectors(texts.map((text) => ({ text }))), options)
  }

  towerVectors(captions: readonly Sentence[]): Matrix {
    const rows = captions.map(({ text }) => (text.trim() === '' ? 0 : this.encode([text])[0]!))
    return matrix(rows.length, this.inputs, this.#table.gather(Int32Array.from(rows)))
  }

  get behindVectors(): BehindVectors | undefined {
    const begin = this.#head === null ? () => {} : this.#head.begin
    if (begin === undefined) return undefined
    const kept = this.#head === null || this.#gate !== null ? this.inputs : 0
    return {
      kept,
      headed: this.dim - kept,
      begin,
    }
  }

  encode(tokens: readonly string[]): Int32Array {
    return Int32Array.from(tokens, (text) => {
      const row = this.#table.rowOf(text)
      if (row !== undefined) return row
      throw new SonotextError(
        'INVALID_ARGUMENT',
        `Expected a caption whose vector is known, got "${text}".`,
        {
          remedy: 'Call await model.text.prepare(captions) first.',
        },
      )
    })
  }

  forward(tape: Tape, { tokens, n, width, lengths }: PaddedTokens): EmbeddedBatch {
    if (width !== 1) throw expected('one sentence for each caption', 'tokens', width)
    const vectors = tape.constant([n, 1, this.inputs], this.#table.gather(tokens))
    const headed = this.#head === null ? vectors : this.#head.forward(tape, vectors)
    const projected = this.#gate === null ? headed : this.#gate.forward(tape, vectors, headed)
    // The mean over no sentence is zero, whatever the bias of the head.
    return { values: maskedMean(tape, l2Normalize(tape, projected), lengths), lengths: null }
  }

  toOnnx(graph: OnnxGraph): string {
    const vectors = graph.input({ name: 'sentences', type: 'float32', shape: ['n', this.inputs] })
    const headed = this.#head === null ? vectors : this.#head.toOnnx(graph, vectors, 'text')
    const projected = this.#gate === null ? headed : this.#gate.toOnnx(graph, vectors, headed, 'text.gate')
    return unitOnnx(graph, projected, 'text')
  }

  parameters(): Map<string, Parameter> {
    return collect('parameters', this.#parts())
  }

  buffers(): Map<string, Tensor> {
    return collect('buffers', this.#parts())
  }

  #parts(): Readonly<Record<string, Module>> {
    return { ...this.#head?.layers, ...(this.#gate !== null && { gate: this.#gate }) }
  }
}
