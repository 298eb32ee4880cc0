import type { Backend } from '../backend/port.js'
import { expected, SonotextError } from '../base/errors.js'
import { type Matrix, row } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import {
  add,
  concat,
  l2Normalize,
  linear,
  type Module,
  multiply,
  type Parameter,
  scale,
  sizeOf,
  type Tape,
  Tensor,
} from '../nn/index.js'
import type { OnnxGraph } from '../onnx/index.js'
import type { SparseMatrix } from '../text/sparse.js'
import { truncatedSvd } from '../text/truncated-svd.js'
import { unitOnnx, weightOnnx } from './layers-onnx.js'

/** What a {@link Gate} is made of. */
export interface GateOptions {
  /** Length of the vectors. */
  readonly inputs: number
  /** Directions that are held, at most `inputs`. */
  readonly rank: number
  /** Power of the share, 1 or more: the higher, the sooner a vector counts as unlike those of training. */
  readonly sharpness: number
}

/** Throws INVALID_ARGUMENT naming the option that is out of range. */
export function checkGate({ inputs, rank, sharpness }: GateOptions): void {
  for (const [name, value, most] of [
    ['gate', rank, inputs],
    ['sharpness', sharpness, 16],
  ] as const) {
    if (!(Number.isInteger(value) && value >= 1 && value <= most))
      throw expected(`an integer in 1–${most}`, name, value)
  }
}

/** Vectors that the directions are found from; more are thinned out evenly. */
const ENOUGH = 2000

/**
 * Sets what a head makes of a vector beside the vector itself. The head counts with g = (‖D·v‖² / ‖v‖²)^sharpness, the vector with 1 − g, where
 * the rows of D are the directions in which the training vectors lie, the first `rank` right singular vectors of their matrix: what is like them is
 * left to the head, which has learned it, and what is not to the pretrained model, which may know it. In training each step draws one of the two, so
 * that audio learns to meet either without the other.
 */
export class Gate implements Module {
  readonly options: GateOptions
  readonly #directions: Tensor
  #fitted = false

  constructor(backend: Backend, options: GateOptions) {
    const { inputs, rank } = options
    const shape = [rank, inputs]
    this.options = options
    this.#directions = Tensor.from(backend, shape, () => new Float32Array(sizeOf(shape)))
  }

  /** Finds the directions of these vectors [n × inputs]. Same vectors in the same order, same bits. */
  async fit(vectors: Matrix, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { inputs, rank } = this.options
    const step = Math.max(1, vectors.rows / ENOUGH)
    const chosen = Array.from({ length: Math.floor(vectors.rows / step) }, (_, i) => Math.floor(i * step))
    const { left } = await truncatedSvd(columnsOf(vectors, chosen), rank, new Rng(0, 'gate'), { signal })
    const data = new Float32Array(rank * inputs)
    for (const [i, direction] of left.entries()) data.set(direction, i * inputs)
    this.#directions.backend.memory.upload(data, this.#directions.buffer)
    this.#fitted = true
  }

  /** Of vectors [n, 1, inputs] and what the head made of them [n, 1, dim]: [n, 1, inputs + dim]. */
  forward(tape: Tape, vectors: Tensor, headed: Tensor): Tensor {
    const sides = [l2Normalize(tape, vectors), l2Normalize(tape, headed)] as const
    if (!tape.training) return concat(tape, this.#weighed(tape, ...sides), 2)
    this.#requireFit()
    const drawn = tape.rng.uniform() < 0.5 ? 0 : 1
    return concat(
      tape,
      sides.map((side, i) => scale(tape, side, i === drawn ? 1 : 0)),
      2,
    )
  }

  #weighed(tape: Tape, vectors: Tensor, headed: Tensor): Tensor[] {
    const n = vectors.shape[0]!
    const ones = (...shape: number[]) => tape.constant(shape, new Float32Array(sizeOf(shape)).fill(1))
    const along = linear(tape, vectors, this.#directions, null)
    const share = linear(tape, multiply(tape, along, along), ones(1, this.options.rank), null)
    let trust = share
    for (let power = 1; power < this.options.sharpness; power++) trust = multiply(tape, trust, share)
    const rest = add(tape, ones(n, 1, 1), trust, { beta: -1 })
    const times = (x: Tensor, factor: Tensor) =>
      multiply(tape, x, linear(tape, factor, ones(x.shape[2]!, 1), null))
    return [times(vectors, rest), times(headed, trust)]
  }

  toOnnx(graph: OnnxGraph, vectors: string, headed: string, name: string): string {
    const sides = [unitOnnx(graph, vectors, `${name}.vectors`), unitOnnx(graph, headed, `${name}.headed`)]
    const directions = weightOnnx(graph, `${name}.directions`, this.#directions)
    const turned = graph.node('Transpose', [directions], { attributes: { perm: [1, 0] } })
    const share = graph.node('ReduceSumSquare', [graph.node('MatMul', [sides[0]!, turned])], {
      attributes: { axes: [-1], keepdims: 1 },
    })
    const power = graph.weight(`${name}.sharpness`, [1], Float32Array.of(this.options.sharpness))
    const trust = graph.node('Pow', [share, power])
    const rest = graph.node('Sub', [graph.weight(`${name}.one`, [1], Float32Array.of(1)), trust])
    const weighed = [graph.node('Mul', [sides[0]!, rest]), graph.node('Mul', [sides[1]!, trust])]
    return graph.node('Concat', weighed, { attributes: { axis: -1 } })
  }

  /** Without directions everything would count as strange, and what the head learns would never be heard. */
  #requireFit(): void {
    this.#fitted ||= this.#directions.toArray().some((value) => value !== 0)
    if (this.#fitted) return
    throw new SonotextError(
      'INVALID_ARGUMENT',
      'Expected a gate that knows the training captions, got a new one.',
      {
        remedy: 'Call await model.text.fit(captions) before training; trainRun does.',
      },
    )
  }

  parameters(): Map<string, Parameter> {
    return new Map()
  }

  buffers(): Map<string, Tensor> {
    return new Map([['directions', this.#directions]])
  }
}

/** The chosen rows, at unit length, as columns of a matrix that is full. */
function columnsOf(vectors: Matrix, chosen: readonly number[]): SparseMatrix {
  const { cols } = vectors
  const n = chosen.length
  const values = new Float64Array(cols * n)
  for (const [j, r] of chosen.entries()) {
    const vector = row(vectors, r)
    const length = Math.hypot(...vector) || 1
    for (const [i, value] of vector.entries()) values[i * n + j] = value / length
  }
  return {
    rows: cols,
    cols: n,
    offsets: Float64Array.from({ length: cols + 1 }, (_, i) => i * n),
    columns: Int32Array.from({ length: cols * n }, (_, i) => i % n),
    values,
  }
}
