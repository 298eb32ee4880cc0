import { SonotextError } from '../base/errors.js'
import { fieldsOf, integersOf, WireError, type WireField } from './wire.js'

/** A tensor that a model takes or gives. */
export interface OnnxValue {
  readonly name: string
  /** Element type as ONNX calls it: float32, float16, int64 …; `other` for sequences, maps and rarer types. */
  readonly type: OnnxType
  /** Extents; a text or null where it is left open. */
  readonly shape: readonly (number | string | null)[]
}

/** Element types of ONNX tensors that are known here. */
export type OnnxType = (typeof elementTypes)[keyof typeof elementTypes] | 'other'

/** TensorProto.DataType of onnx.proto3. */
export const elementTypes = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
} as const

/** What an ONNX file says of itself. */
export interface OnnxDescription {
  readonly producer: string
  /** Version of the standard operators. */
  readonly opset: number
  /** What has to be given, without weights that old files list among their inputs. */
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  /** Names of what its operators give each other; each can be asked for as an output. */
  readonly inner: readonly string[]
  /** Operators outside the standard, as domain.Name. */
  readonly foreign: readonly string[]
  /** Numbers in the weights. */
  readonly parameters: number
  /** Whether weights lie in other files. */
  readonly external: boolean
  readonly metadata: Readonly<Record<string, string>>
}

const text = new TextDecoder()

/** Inputs, outputs and the like of a model, read from its bytes without a runtime. @throws SonotextError INVALID_FILE */
export function describeOnnx(bytes: Uint8Array, file?: string): OnnxDescription {
  try {
    return modelOf(bytes)
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause
    throw new SonotextError('INVALID_FILE', `Expected an ONNX model, got ${cause.message}.`, {
      ...(file !== undefined && { file }),
      remedy: 'Export it again or copy it again: the file is damaged, cut short or of another format.',
      cause,
    })
  }
}

function modelOf(bytes: Uint8Array): OnnxDescription {
  let graph: Uint8Array | undefined
  let producer = ''
  let opset = 0
  const metadata: Record<string, string> = {}
  for (const entry of fieldsOf(bytes)) {
    if (entry.field === 2) producer = textOf(entry)
    else if (entry.field === 7) graph = bytesOf(entry)
    else if (entry.field === 8) {
      const { domain, version } = opsetOf(bytesOf(entry))
      if (domain === '' || domain === 'ai.onnx') opset = version
    } else if (entry.field === 14) {
      const [key, value] = pairOf(bytesOf(entry))
      metadata[key] = value
    }
  }
  if (graph === undefined) throw new WireError('bytes without a graph')
  return { producer, opset, metadata, ...graphOf(graph) }
}

function graphOf(bytes: Uint8Array) {
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  const weights = new Set<string>()
  const foreign = new Set<string>()
  const given: string[] = []
  let parameters = 0
  let external = false
  for (const entry of fieldsOf(bytes)) {
    if (entry.field === 1) {
      const node = bytesOf(entry)
      given.push(...givenBy(node))
      const operator = foreignOperator(node)
      if (operator !== undefined) foreign.add(operator)
    } else if (entry.field === 5) {
      const weight = weightOf(bytesOf(entry))
      weights.add(weight.name)
      parameters += weight.size
      external ||= weight.external
    } else if (entry.field === 11) inputs.push(valueOf(bytesOf(entry)))
    else if (entry.field === 12) outputs.push(valueOf(bytesOf(entry)))
  }
  if (outputs.length === 0) throw new WireError('a graph that gives nothing')
  return {
    inputs: inputs.filter(({ name }) => !weights.has(name)),
    outputs,
    inner: given.filter((name) => outputs.every((output) => output.name !== name)),
    foreign: [...foreign],
    parameters,
    external,
  }
}

/** Float32 weights of a model by name. @throws SonotextError INVALID_FILE for what is no model */
export function onnxWeights(
  bytes: Uint8Array,
  file?: string,
): Map<string, { shape: number[]; data: Float32Array }> {
  describeOnnx(bytes, file)
  const weights = new Map<string, { shape: number[]; data: Float32Array }>()
  for (const graph of fieldsOf(bytes)) {
    if (graph.field !== 7) continue
    for (const entry of fieldsOf(bytesOf(graph))) {
      if (entry.field !== 5) continue
      let name = ''
      let isFloat = false
      let raw: Uint8Array | undefined
      const shape: number[] = []
      for (const part of fieldsOf(bytesOf(entry))) {
        if (part.field === 1) shape.push(...integersOf(part).map(Number))
        else if (part.field === 2 && part.wire === 0) isFloat = part.value === 1n
        else if (part.field === 8) name = textOf(part)
        else if (part.field === 9) raw = bytesOf(part)
      }
      if (isFloat && raw !== undefined)
        weights.set(name, { shape, data: new Float32Array(raw.slice().buffer) })
    }
  }
  return weights
}

function givenBy(node: Uint8Array): string[] {
  const names: string[] = []
  // An optional output that is left out has no name.
  for (const entry of fieldsOf(node)) if (entry.field === 2) names.push(textOf(entry))
  return names.filter((name) => name !== '')
}

function foreignOperator(bytes: Uint8Array): string | undefined {
  let [name, domain] = ['', '']
  for (const entry of fieldsOf(bytes)) {
    if (entry.field === 4) name = textOf(entry)
    else if (entry.field === 7) domain = textOf(entry)
  }
  return domain === '' || domain === 'ai.onnx' ? undefined : `${domain}.${name}`
}

function weightOf(bytes: Uint8Array): { name: string; size: number; external: boolean } {
  let name = ''
  let size = 1
  let external = false
  for (const entry of fieldsOf(bytes)) {
    if (entry.field === 1) for (const extent of integersOf(entry)) size *= Number(extent)
    else if (entry.field === 8) name = textOf(entry)
    else if (entry.field === 14 && entry.wire === 0) external = entry.value === 1n
  }
  return { name, size, external }
}

function valueOf(bytes: Uint8Array): OnnxValue {
  let name = ''
  let type: OnnxType = 'other'
  let shape: OnnxValue['shape'] = []
  for (const entry of fieldsOf(bytes)) {
    if (entry.field === 1) name = textOf(entry)
    else if (entry.field === 2) {
      for (const kind of fieldsOf(bytesOf(entry))) {
        if (kind.field !== 1) continue
        for (const part of fieldsOf(bytesOf(kind))) {
          if (part.field === 1 && part.wire === 0)
            type = (elementTypes as Readonly<Record<number, OnnxType>>)[Number(part.value)] ?? 'other'
          else if (part.field === 2) shape = shapeOf(bytesOf(part))
        }
      }
    }
  }
  return { name, type, shape }
}

function shapeOf(bytes: Uint8Array): OnnxValue['shape'] {
  const extents: (number | string | null)[] = []
  for (const entry of fieldsOf(bytes)) {
    let extent: number | string | null = null
    for (const part of fieldsOf(bytesOf(entry))) {
      if (part.field === 1 && part.wire === 0) extent = Number(BigInt.asIntN(64, part.value))
      else if (part.field === 2) extent = textOf(part)
    }
    extents.push(typeof extent === 'number' && extent < 0 ? null : extent)
  }
  return extents
}

function opsetOf(bytes: Uint8Array): { domain: string; version: number } {
  let domain = ''
  let version = 0
  for (const entry of fieldsOf(bytes)) {
    if (entry.field === 1) domain = textOf(entry)
    else if (entry.field === 2 && entry.wire === 0) version = Number(entry.value)
  }
  return { domain, version }
}

function pairOf(bytes: Uint8Array): [string, string] {
  let [key, value] = ['', '']
  for (const entry of fieldsOf(bytes)) {
    if (entry.field === 1) key = textOf(entry)
    else if (entry.field === 2) value = textOf(entry)
  }
  return [key, value]
}

function bytesOf({ wire, value }: WireField): Uint8Array {
  if (wire === 2) return value
  throw new WireError(`a number where a message was expected`)
}

function textOf(entry: WireField): string {
  return text.decode(bytesOf(entry))
}

/** `patch [n, 96, 64] float32`, for messages. */
export function valueText({ name, type, shape }: OnnxValue): string {
  return `${name} [${shape.map((extent) => extent ?? '?').join(', ')}] ${type}`
}
