import type { Backend } from '../../backend/port.js'
import type { Rng } from '../../base/rng.js'
import { embedding } from '../functions/embedding.js'
import { normal } from '../init.js'
import type { Module } from '../module.js'
import type { Tape } from '../tape.js'
import { Parameter, type Shape, Tensor, type Values } from '../tensor.js'

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** The vectors stay as they are and are saved as a buffer. Default false. */
  frozen?: boolean
}

/** A table of vectors: what `matrix` makes is one. */
export interface EmbeddingRows {
  readonly rows: number
  readonly cols: number
  readonly data: Values
}

/** Rows of a table [vocabulary, d] by token. */
export class Embedding implements Module {
  readonly table: Tensor | Parameter

  /** The table may be given as known vectors, one row for each token. */
  constructor(
    backend: Backend,
    { rows, cols, data }: EmbeddingRows,
    { frozen = false }: EmbeddingOptions = {},
  ) {
    this.table = (frozen ? Tensor : Parameter).from(backend, [rows, cols], data)
  }

  /** A trainable table of standard normal vectors; row 0, the padding, is zero. */
  static random(backend: Backend, vocabulary: number, d: number, rng: Rng): Embedding {
    const data = () => normal([vocabulary, d], 1, rng.fork('table')).fill(0, 0, d)
    return new Embedding(backend, { rows: vocabulary, cols: d, data })
  }

  /** Tokens arranged as `shape` → [...shape, d]. */
  forward(tape: Tape, tokens: Int32Array, shape?: Shape): Tensor {
    return embedding(tape, this.table, tokens, shape)
  }

  parameters(): Map<string, Parameter> {
    return this.table instanceof Parameter ? new Map([['table', this.table]]) : new Map()
  }

  buffers(): Map<string, Tensor> {
    return this.table instanceof Parameter ? new Map() : new Map([['table', this.table]])
  }
}
