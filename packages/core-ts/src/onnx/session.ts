import { createHash } from 'node:crypto'
import { expected, SonotextError } from '../base/errors.js'
import { readBytes } from '../base/files.js'
import { describeOnnx, type OnnxDescription, type OnnxType, type OnnxValue, valueText } from './describe.js'
import { WireWriter } from './wire.js'
import { halfBits, halfToFloat } from '../base/half.js'
import { onnxRuntime, type OnnxRuntime, type OrtSession, type OrtTensor } from './runtime.js'

/** Numbers of a tensor, as they are in TypeScript: half precision and integers become what a model wants. */
export interface OnnxTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** A model file that is open. */
export interface OnnxModel {
  readonly file: string
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string
  readonly description: OnnxDescription
  /** Which package runs it, and its version. */
  readonly runtime: Pick<OnnxRuntime, 'name' | 'version'>
  /**
   * Runs it; runs follow each other. Numbers are given in the type of the input, and every floating-point output comes as float32.
   * @throws SonotextError INVALID_DATA with what the runtime says
   */
  run(inputs: Readonly<Record<string, OnnxTensor>>): Promise<ReadonlyMap<string, OnnxTensor>>
}

/** Options of {@link openOnnx}. */
export interface OpenOnnxOptions {
  /** SHA-256 that the file must have. */
  sha256?: string | undefined
  /** A value within the model that it is to give too; one that it gives anyway, or does not have, changes nothing. */
  output?: string | undefined
}

/**
 * Opens an ONNX model.
 * @throws SonotextError MISSING_FILE; INVALID_FILE for what is none, or another one than `sha256` names; UNSUPPORTED for weights in other
 *   files and operators that the runtime lacks; MISSING_DEPENDENCY without a runtime
 */
export async function openOnnx(
  file: string,
  { sha256: wanted, output }: OpenOnnxOptions = {},
): Promise<OnnxModel> {
  const bytes = await readBytes(file)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (wanted !== undefined && wanted !== sha256) {
    throw new SonotextError(
      'INVALID_FILE',
      `Expected the model file with SHA-256 ${wanted.slice(0, 12)}…, got ${sha256.slice(0, 12)}….`,
      {
        file,
        remedy: 'Bring back the file that the model was trained with, or train it again with this one.',
      },
    )
  }
  const own = describeOnnx(bytes, file)
  const inner = output !== undefined && own.inner.includes(output) ? output : undefined
  const description =
    inner === undefined
      ? own
      : { ...own, outputs: [...own.outputs, { name: inner, type: 'other' as const, shape: [] }] }
  const runtime = await onnxRuntime()
  if (description.external && runtime.name === 'onnxruntime-web') {
    throw new SonotextError('UNSUPPORTED', 'the weights of this model lie in other files.', {
      file,
      remedy: 'Save it as one file (onnx.save without external data), or install onnxruntime-node.',
    })
  }
  if (description.external && inner !== undefined) {
    throw new SonotextError(
      'UNSUPPORTED',
      `the weights of this model lie in other files, so "${inner}" within it cannot be asked for.`,
      {
        file,
        remedy:
          'Save it as one file (onnx.save without external data), or make it an output when it is exported.',
      },
    )
  }
  const { module, name, version } = runtime
  const model = inner === undefined ? bytes : givingToo(bytes, inner)
  const session = await module.InferenceSession.create(description.external ? file : model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  }).catch((cause: unknown) => {
    throw new SonotextError('UNSUPPORTED', `${name} ${version} cannot run this model: ${firstLine(cause)}.`, {
      file,
      remedy: `It asks for ONNX opset ${description.opset}: export it with an older one, or install a newer ${name}.`,
      cause,
    })
  })
  const kinds = new Map(description.inputs.map((value) => [value.name, value]))
  let last: Promise<unknown> = Promise.resolve()
  const tensorsOf = (inputs: Readonly<Record<string, OnnxTensor>>) =>
    Object.fromEntries(
      Object.entries(inputs).map(([input, { shape, data }]): [string, OrtTensor] => {
        const value = kinds.get(input)
        if (value === undefined)
          throw expected(`one of ${[...kinds.keys()].join(', ')}`, `an input of ${file}`, input)
        return [input, new module.Tensor(value.type, numbersAs(value, data, file), shape)]
      }),
    )
  return {
    file,
    sha256,
    description,
    runtime: { name, version },
    run(inputs) {
      const next = last.then(() => runOnce(session, tensorsOf(inputs), file))
      last = next.catch(() => {})
      return next
    },
  }
}

/**
 * The model with one more output. A message that stands twice in a file is merged by every reader of protocol buffers, so a second graph that
 * holds the output alone, behind the first, adds it.
 */
function givingToo(bytes: Uint8Array, output: string): Uint8Array {
  const [graphOfModel, outputOfGraph, nameOfValue] = [7, 12, 1]
  const value = new WireWriter().text(nameOfValue, output)
  const added = new WireWriter().bytes(graphOfModel, new WireWriter().bytes(outputOfGraph, value)).finish()
  const all = new Uint8Array(bytes.length + added.length)
  all.set(bytes)
  all.set(added, bytes.length)
  return all
}

async function runOnce(session: OrtSession, feeds: Readonly<Record<string, OrtTensor>>, file: string) {
  const given = await session.run(feeds).catch((cause: unknown) => {
    throw new SonotextError('INVALID_DATA', `the model failed: ${firstLine(cause)}.`, {
      file,
      remedy: 'See what it takes with: sonotext models check FILE.',
      cause,
    })
  })
  const outputs = new Map<string, OnnxTensor>()
  for (const [name, tensor] of Object.entries(given)) {
    const data = floatsOf(tensor)
    if (data !== undefined) outputs.set(name, { shape: [...tensor.dims], data })
    tensor.dispose?.()
  }
  return outputs
}

/** Types of inputs that numbers can be given in. */
export const inputTypes: ReadonlySet<OnnxType> = new Set<OnnxType>([
  ...(['float32', 'float16', 'float64', 'int64', 'int32', 'bool'] as const),
])

function numbersAs(value: OnnxValue, data: Float32Array, file: string): unknown {
  switch (value.type) {
    case 'float32':
      return data
    case 'float16':
      return halfBits(data)
    case 'float64':
      return Float64Array.from(data)
    case 'int64':
      return BigInt64Array.from(data, (x) => BigInt(Math.round(x)))
    case 'int32':
      return Int32Array.from(data, Math.round)
    case 'bool':
      return Uint8Array.from(data, (x) => (x === 0 ? 0 : 1))
    default:
      throw new SonotextError(
        'UNSUPPORTED',
        `the input ${valueText(value)} is of a type that is not given here.`,
        {
          file,
          remedy: `Export it with one of ${[...inputTypes].join(', ')}.`,
        },
      )
  }
}

/** A copy, because the runtime takes its memory back; undefined for what are no floating-point numbers. */
function floatsOf({ type, data }: OrtTensor): Float32Array | undefined {
  if (type === 'float32') return Float32Array.from(data as Float32Array)
  if (type === 'float64') return Float32Array.from(data as Float64Array)
  if (type !== 'float16') return undefined
  if (data instanceof Uint16Array) return Float32Array.from(data, halfToFloat)
  return Float32Array.from(data as ArrayLike<number>)
}

function firstLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return message.split('\n')[0]!.replace(/\.$/, '').slice(0, 300)
}
