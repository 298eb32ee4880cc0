import { expected } from '../base/errors.js'
import { elementTypes, type OnnxType, type OnnxValue } from './describe.js'
import { WireWriter } from './wire.js'

/** Value of an attribute of an operator: numbers are integers unless they say that they are not. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number }

/** Options of {@link OnnxGraph}. */
export interface NodeOptions {
  attributes?: Readonly<Record<string, OnnxAttribute>>
  /** Names of outputs; default: one that the graph names. */
  outputs?: readonly string[]
}

/** Version of the standard operators that graphs are written for, and of the file format. */
const OPSET = 17
const IR = 8

/**
 * An ONNX model that is being written, node by node: values go by their names.
 *
 *     const graph = new OnnxGraph('scale')
 *     const x = graph.input({ name: 'x', type: 'float32', shape: ['n', 4] })
 *     graph.output({ name: graph.node('Mul', [x, graph.weight('two', [1], Float32Array.of(2))]), type: 'float32', shape: ['n', 4] })
 *     const bytes = graph.encode()
 */
export class OnnxGraph {
  readonly #name: string
  readonly #nodes: WireWriter[] = []
  readonly #weights = new Map<string, WireWriter>()
  readonly #inputs: OnnxValue[] = []
  readonly #outputs: OnnxValue[] = []
  #named = 0

  constructor(name: string) {
    this.#name = name
  }

  input(value: OnnxValue): string {
    this.#inputs.push(value)
    return value.name
  }

  /** Gives what is known under that name out of the model. */
  output(value: OnnxValue): void {
    this.#outputs.push(value)
  }

  /** Numbers that belong to the model; integers are written as int64. */
  weight(name: string, shape: readonly number[], data: Float32Array | readonly number[]): string {
    const size = shape.reduce((product, extent) => product * extent, 1)
    if (size !== data.length)
      throw expected(`${size} numbers for [${shape}]`, `the weight ${name}`, data.length)
    if (this.#weights.has(name)) throw expected('a new name', 'a weight', name)
    const raw =
      data instanceof Float32Array
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : new Uint8Array(BigInt64Array.from(data, BigInt).buffer)
    const tensor = new WireWriter()
    for (const extent of shape) tensor.int(1, extent)
    tensor
      .int(2, typeNumber(data instanceof Float32Array ? 'float32' : 'int64'))
      .text(8, name)
      .bytes(9, raw)
    this.#weights.set(name, tensor)
    return name
  }

  /** Adds an operator and gives the name of its (first) output. */
  node(operator: string, inputs: readonly string[], { attributes = {}, outputs }: NodeOptions = {}): string {
    const given = outputs ?? [`${operator.toLowerCase()}_${++this.#named}`]
    const node = new WireWriter()
    for (const input of inputs) node.text(1, input)
    for (const output of given) node.text(2, output)
    node.text(3, `${operator}_${this.#nodes.length + 1}`).text(4, operator)
    for (const [name, value] of Object.entries(attributes)) node.bytes(5, attributeOf(name, value))
    this.#nodes.push(node)
    return given[0]!
  }

  /** The model's bytes; `metadata` are free texts that stand beside the graph. */
  encode(metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    const graph = new WireWriter()
    for (const node of this.#nodes) graph.bytes(1, node)
    graph.text(2, this.#name)
    for (const weight of this.#weights.values()) graph.bytes(5, weight)
    for (const value of this.#inputs) graph.bytes(11, valueInfo(value))
    for (const value of this.#outputs) graph.bytes(12, valueInfo(value))
    const model = new WireWriter().int(1, IR).text(2, 'sonotext').bytes(7, graph)
    model.bytes(8, new WireWriter().text(1, '').int(2, OPSET))
    for (const [key, value] of Object.entries(metadata))
      model.bytes(14, new WireWriter().text(1, key).text(2, value))
    return model.finish()
  }
}

function attributeOf(name: string, value: OnnxAttribute): WireWriter {
  const attribute = new WireWriter().text(1, name)
  // AttributeProto.type: FLOAT 1, INT 2, STRING 3, INTS 7.
  if (typeof value === 'number') return attribute.int(3, value).int(20, 2)
  if (typeof value === 'string') return attribute.text(4, value).int(20, 3)
  if ('float' in value) return attribute.float(2, value.float).int(20, 1)
  for (const each of value) attribute.int(8, each)
  return attribute.int(20, 7)
}

function valueInfo({ name, type, shape }: OnnxValue): WireWriter {
  const extents = new WireWriter()
  for (const extent of shape) {
    const dimension = new WireWriter()
    if (typeof extent === 'number') dimension.int(1, extent)
    else if (extent !== null) dimension.text(2, extent)
    extents.bytes(1, dimension)
  }
  const tensor = new WireWriter().int(1, typeNumber(type)).bytes(2, extents)
  return new WireWriter().text(1, name).bytes(2, new WireWriter().bytes(1, tensor))
}

function typeNumber(type: OnnxType): number {
  const entry = Object.entries(elementTypes).find(([, name]) => name === type)
  if (entry === undefined) throw expected('a type of tensors', 'type', type)
  return Number(entry[0])
}
