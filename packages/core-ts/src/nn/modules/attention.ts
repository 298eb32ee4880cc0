import type { Backend } from '../../backend/port.js'
import { expected } from '../../base/errors.js'
import type { Rng } from '../../base/rng.js'
import { attention } from '../functions/attention.js'
import { batchedMatmul } from '../functions/batched-matmul.js'
import { reshape } from '../functions/reshape.js'
import { axes } from '../functions/shapes.js'
import { softmax } from '../functions/softmax.js'
import { collect, type Module } from '../module.js'
import type { Tape } from '../tape.js'
import type { Parameter, Tensor } from '../tensor.js'
import { Linear } from './linear.js'

/** Options of {@link MultiHeadAttention}. */
export interface MultiHeadAttentionOptions {
  /** Stream for the initial weights. */
  rng: Rng
  /** Divides the width. */
  heads: number
  /** Of the attention weights, while the tape trains. Default 0. */
  dropout?: number
}

/**
 * Multi-head attention of a sequence [n, t, width] to itself, or to another one, with projections before and behind (Vaswani et al.
 * 2017, arXiv 1706.03762).
 */
export class MultiHeadAttention implements Module {
  readonly heads: number
  readonly dropout: number
  readonly #layers: Readonly<Record<'query' | 'key' | 'value' | 'out', Linear>>

  constructor(backend: Backend, width: number, options: MultiHeadAttentionOptions) {
    const { rng, heads, dropout = 0 } = options
    if (!(Number.isInteger(heads) && heads > 0 && width % heads === 0))
      throw expected(`a divisor of ${width}`, 'heads of MultiHeadAttention', heads)
    this.heads = heads
    this.dropout = dropout
    const layer = (name: string): Linear => new Linear(backend, width, width, { rng: rng.fork(name) })
    this.#layers = { query: layer('query'), key: layer('key'), value: layer('value'), out: layer('out') }
  }

  /** `lengths` are the true steps of `other`, or of x where it is its own. Steps of x past its length come out finite. */
  forward(tape: Tape, x: Tensor, lengths: Int32Array | null = null, other: Tensor = x): Tensor {
    const { query, key, value, out } = this.#layers
    const { heads, dropout } = this
    const [q, k, v] = [query.forward(tape, x), key.forward(tape, other), value.forward(tape, other)] as const
    return out.forward(tape, attention(tape, q, k, v, { heads, lengths, dropout }))
  }

  parameters(): Map<string, Parameter> {
    return collect('parameters', this.#layers)
  }

  buffers(): Map<string, Tensor> {
    return new Map()
  }
}

/**
 * Mean over time with learned weights: softmax over the true steps of a linear score of each, [n, t, width] → [n, width]; 0 for
 * length 0.
 */
export class AttentionPooling implements Module {
  readonly score: Linear

  constructor(backend: Backend, width: number, { rng }: { rng: Rng }) {
    this.score = new Linear(backend, width, 1, { rng, bias: false })
  }

  forward(tape: Tape, x: Tensor, lengths: Int32Array): Tensor {
    const [n, t, width] = axes('x of AttentionPooling', x, 'n', 't', 'width')
    const weights = softmax(tape, reshape(tape, this.score.forward(tape, x), [n, 1, t]), lengths)
    return reshape(tape, batchedMatmul(tape, weights, x), [n, width])
  }

  parameters(): Map<string, Parameter> {
    return collect('parameters', { score: this.score })
  }

  buffers(): Map<string, Tensor> {
    return new Map()
  }
}
