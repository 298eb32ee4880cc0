import type { Backend, OpArgs, OpName } from '../backend/port.js'

/** A call that every backend must refuse, and in which words. */
export interface EdgeCase {
  readonly name: string
  readonly call: (backend: Backend) => unknown
  readonly message: RegExp
}

/** Calls as JavaScript allows them and TypeScript does not. */
interface Loose {
  run(op?: unknown, args?: unknown): void
  runAsync(op?: unknown, args?: unknown, options?: unknown): Promise<void>
  supports(op?: unknown): boolean
  readonly memory: Record<'alloc' | 'upload' | 'download' | 'fill' | 'copy', (...args: unknown[]) => unknown>
}

const loose = (backend: Backend): Loose => backend as unknown as Loose

/** Valid arguments of `scale` on buffers of the backend, changed. */
function scale(backend: Backend, change: object = {}): object {
  const { memory } = backend
  const [x, out] = [memory.alloc(2), memory.alloc(2)]
  memory.upload([1, 2], x)
  return { x, out, factor: 3, ...change }
}

function product(backend: Backend, change: object = {}): object {
  const buffer = () => {
    const made = backend.memory.alloc(1)
    backend.memory.fill(made, 2)
    return made
  }
  const flags = { m: 1, n: 1, k: 1, transA: 0, transB: 0, alpha: 1, beta: 0, slope: 1 }
  return { a: buffer(), b: buffer(), bias: null, out: buffer(), ...flags, ...change }
}

const hidden = (args: object, name: string): object =>
  Object.defineProperty(args, name, { value: 1, enumerable: false })

const noSignal = { aborted: false }
const noArgs: readonly unknown[] = [null, undefined, 5, 'args']

const inEitherWay = (
  name: string,
  op: unknown,
  args: (backend: Backend) => unknown,
  message: RegExp,
): EdgeCase[] => [
  { name: `run: ${name}`, call: (backend) => loose(backend).run(op, args(backend)), message },
  { name: `runAsync: ${name}`, call: (backend) => loose(backend).runAsync(op, args(backend)), message },
]

export const edgeCases: readonly EdgeCase[] = [
  ...['no_such_op', null, undefined, 5, 'constructor', '__proto__'].flatMap((op) => [
    ...inEitherWay(`the op ${String(op)}`, op, () => ({}), /^Expected one of log_mel, .* for op, got /),
    {
      name: `supports(${String(op)})`,
      call: (backend: Backend) => loose(backend).supports(op),
      message: /^Expected one of log_mel, .* for op, got /,
    },
  ]),
  ...(['scale', 'gru', 'gru_backward', 'log_mel'] satisfies OpName[]).flatMap((op) =>
    noArgs.flatMap((args) =>
      inEitherWay(
        `${op} of ${String(args)}`,
        op,
        () => args,
        new RegExp(`^Expected an object with the arguments of ${op} for args, got `),
      ),
    ),
  ),
  ...inEitherWay(
    'arguments left out',
    'gru_backward',
    () => ({}),
    /^Expected .* for gru_backward\.\w+, got undefined/,
  ),
  ...inEitherWay(
    'an output left out',
    'scale',
    (b) => scale(b, { out: undefined }),
    /for scale\.out, got undefined/,
  ),
  ...inEitherWay('a null output', 'scale', (b) => scale(b, { out: null }), /for scale\.out, got null/),
  ...inEitherWay('a number for a buffer', 'scale', (b) => scale(b, { x: 5 }), /for scale\.x, got 5/),
  ...inEitherWay('a bigint', 'scale', (b) => scale(b, { factor: 3n }), /for scale\.factor, got /),
  ...inEitherWay(
    'an unknown argument',
    'scale',
    (b) => scale(b, { facter: 1 }),
    /^Expected only the arguments of scale \(x, out, factor\), got facter\.$/,
  ),
  ...inEitherWay(
    'an unknown argument that is inherited',
    'scale',
    (b) => Object.create(scale(b, { facter: 1 })) as object,
    /only the arguments of scale .* got facter/,
  ),
  ...inEitherWay(
    'an unknown argument that is hidden',
    'scale',
    (b) => hidden(scale(b), 'facter'),
    /only the arguments of scale .* got facter/,
  ),
  ...inEitherWay(
    'an unknown argument beside one that is left out',
    'gemm',
    (b) => product(b, { bias: undefined, bais: null }),
    /only the arguments of gemm .* got bais/,
  ),
  ...[null, 5, 'options', []].map((options) => ({
    name: `options ${JSON.stringify(options)}`,
    call: (backend: Backend) => loose(backend).runAsync('scale', scale(backend), options),
    message: /^Expected an object of options for runAsync, got /,
  })),
  ...[5, 'signal', {}, noSignal].map((signal) => ({
    name: `a signal ${JSON.stringify(signal)}`,
    call: (backend: Backend) => loose(backend).runAsync('scale', scale(backend), { signal }),
    message: /^Expected an AbortSignal for signal, got /,
  })),
  ...[-1, 0.5, NaN, Infinity, 2 ** 41, '3', undefined, null].map((length) => ({
    name: `alloc(${String(length)})`,
    call: ({ memory }: Backend) => memory.alloc(length as number),
    message: /^Expected a number of elements for length, got /,
  })),
  ...[null, undefined, 5].flatMap((value) => [
    {
      name: `upload of ${String(value)}`,
      call: (backend: Backend) => loose(backend).memory.upload(value, backend.memory.alloc(1)),
      message: /^Expected an array of numbers for source, got /,
    },
    {
      name: `upload to ${String(value)}`,
      call: (backend: Backend) => loose(backend).memory.upload([1], value),
      message: /^Expected a .* for target, got /,
    },
    {
      name: `download of ${String(value)}`,
      call: (backend: Backend) => loose(backend).memory.download(value),
      message: /^Expected a .* for buffer, got /,
    },
    {
      name: `copy of ${String(value)}`,
      call: (backend: Backend) => loose(backend).memory.copy(value, backend.memory.alloc(1)),
      message: /^Expected a .* for source, got /,
    },
  ]),
  {
    name: 'fill with a text',
    call: (backend) => loose(backend).memory.fill(backend.memory.alloc(1), '1'),
    message: /^Expected a number for value, got "1"/,
  },
]

const resizable = (Kind: Float32ArrayConstructor | Int32ArrayConstructor) =>
  new Kind(new ArrayBuffer(8, { maxByteLength: 16 }))

function detached<T extends Float32Array | Int32Array>(array: T): T {
  structuredClone(array, { transfer: [array.buffer as ArrayBuffer] })
  return array
}

const embedding = (backend: Backend, tokens: Int32Array): object => ({
  ...{ table: backend.memory.alloc(4), out: backend.memory.alloc(2 * tokens.length), tokens },
  ...{ vocabulary: 2, count: tokens.length, d: 2 },
})

/** Arrays whose memory is gone or could go; integers lie on the host for every backend. */
export const integerCases: readonly EdgeCase[] = [
  ...inEitherWay(
    'integers that can be resized',
    'embedding',
    (b) => embedding(b, resizable(Int32Array) as Int32Array),
    /^Expected an array of fixed memory for embedding\.tokens, got one over an ArrayBuffer that can be resized/,
  ),
  ...inEitherWay(
    'detached integers',
    'embedding',
    (b) => embedding(b, detached(new Int32Array(2))),
    /^Expected an array with memory for embedding\.tokens, got a detached one/,
  ),
]

/** The same for floats, on backends whose buffers are arrays. */
export const arrayCases: readonly EdgeCase[] = [
  ...(['x', 'out'] as const).flatMap((name) => [
    ...inEitherWay(
      `${name} that can be resized`,
      'scale',
      (b) => scale(b, { [name]: resizable(Float32Array) }),
      new RegExp(`^Expected an array of fixed memory for scale\\.${name}, got one over`),
    ),
    ...inEitherWay(
      `a detached ${name}`,
      'scale',
      () => ({
        x: new Float32Array(0),
        out: new Float32Array(0),
        factor: 1,
        [name]: detached(new Float32Array(2)),
      }),
      new RegExp(`^Expected an array with memory for scale\\.${name}, got a detached one`),
    ),
  ]),
  {
    name: 'upload to an array that can be resized',
    call: ({ memory }) => memory.upload([1, 2], resizable(Float32Array) as Float32Array),
    message: /^Expected an array of fixed memory for target/,
  },
  {
    name: 'download of a detached array',
    call: ({ memory }) => memory.download(detached(new Float32Array(2))),
    message: /^Expected an array with memory for buffer/,
  },
]

/** Calls that all take, however the arguments come; each leaves 4 in the first element of `out`. */
export const accepted: readonly { name: string; args: (backend: Backend) => OpArgs['gemm'] }[] = [
  { name: 'bias: undefined', args: (b: Backend) => product(b, { bias: undefined }) },
  {
    name: 'no bias',
    args(b: Backend) {
      const args: { bias?: unknown } = product(b)
      delete args.bias
      return args
    },
  },
  {
    name: 'one that is hidden',
    args: (b: Backend) => Object.defineProperty(product(b), 'a', { enumerable: false }),
  },
  { name: 'inherited arguments', args: (b: Backend) => Object.create(product(b)) as object },
  {
    name: 'without a prototype',
    args: (b: Backend) => Object.assign(Object.create(null) as object, product(b)),
  },
].map(({ name, args }) => ({ name, args: args as (backend: Backend) => OpArgs['gemm'] }))
