/** Is told what JavaScript makes and copies. */
export interface ArrayWatcher {
  made(kind: string, bytes: number): void
  /** `how` is the call that copied: `Float32Array.set`. */
  copied(how: string, bytes: number): void
}

/** Plain arrays of fewer elements are not counted: they come and go with every innocent change of the code. */
export const leastElements = 1000

const kinds = [
  ...['Float64Array', 'Float32Array', 'Float16Array', 'BigInt64Array', 'BigUint64Array', 'Int32Array'],
  ...['Uint32Array', 'Int16Array', 'Uint16Array', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray'],
].filter((name) => name in globalThis) // Node before 24 has no Float16Array.

type Construct = new (...args: unknown[]) => unknown
type AnyArray = Float32Array

const isBuffer = (value: unknown): value is ArrayBufferLike =>
  value instanceof ArrayBuffer || value instanceof SharedArrayBuffer

/**
 * Counts in the place of constructors and methods of typed arrays, their buffers, `Buffer` and plain arrays, until what it returns
 * is called. What is made without any of these cannot be seen: objects, array literals, spreads, strings, what Node makes itself.
 */
export function watchArrays(watcher: ArrayWatcher): () => void {
  // What Buffer's functions call of each other is not counted twice.
  let within = false
  const told: ArrayWatcher = {
    made: (kind, bytes) => void (within || watcher.made(kind, bytes)),
    copied: (how, bytes) => void (within || watcher.copied(how, bytes)),
  }
  const once = <T>(work: () => T): T => {
    if (within) return work()
    within = true
    try {
      return work()
    } finally {
      within = false
    }
  }
  const undo = [
    ...kinds.map((kind) =>
      watchConstructor(kind, (made, [from]) => {
        if (isBuffer(from)) return // A view.
        const { byteLength } = made as AnyArray
        told.made(kind, byteLength)
        if (typeof from === 'object') told.copied(`new ${kind}`, byteLength)
      }),
    ),
    ...['ArrayBuffer', 'SharedArrayBuffer'].map((kind) =>
      watchConstructor(kind, (made) => told.made(kind, (made as ArrayBuffer).byteLength)),
    ),
    watchTypedMethods(told),
    ...[ArrayBuffer, SharedArrayBuffer].map(({ name, prototype }) =>
      watchMethods(prototype, ['slice'], ({ result }) =>
        told.copied(`${name}.slice`, (result as ArrayBuffer).byteLength),
      ),
    ),
    watchNodeBuffer(told, once),
    watchPlainArrays(told),
  ]
  return () => undo.reverse().forEach((back) => back())
}

/**
 * A constructor that counts in the place of a global one. The engine makes the results of slice, map and `from` through the constructor that
 * the prototype names, so those are counted too.
 */
function watchConstructor(kind: string, count: (made: unknown, args: unknown[]) => void): () => void {
  const scope = globalThis as unknown as Record<string, Construct & { prototype: { constructor: unknown } }>
  const original = scope[kind]!
  const watched = new Proxy(original, {
    construct(target, args: unknown[], asked) {
      const made = Reflect.construct(target, args, asked === watched ? target : asked) as object
      count(made, args)
      return made
    },
  })
  const put = (value: typeof original): void => {
    scope[kind] = value
    original.prototype.constructor = value
  }
  put(watched)
  return () => put(original)
}

/** What `set`, `copyWithin` and all that gives a new array write is copied. */
function watchTypedMethods({ made, copied }: ArrayWatcher): () => void {
  const shared = Object.getPrototypeOf(Float32Array.prototype) as object
  const watch = (names: readonly string[], bytes: (call: Call<AnyArray>) => number, makes = false) =>
    watchMethods<AnyArray>(shared, names, (call) => {
      const kind = call.self[Symbol.toStringTag]
      if (makes) made(kind, bytes(call))
      copied(`${kind}.${call.name}`, bytes(call))
    })
  const resulting = ({ result }: Call<AnyArray>): number => (result as AnyArray).byteLength
  const undo = [
    watch(['set'], ({ self, args }) => (args[0] as ArrayLike<number>).length * self.BYTES_PER_ELEMENT),
    watch(['copyWithin'], ({ self, args }) => {
      const [to = 0, from = 0, end = self.length] = args.map((at) => fromStart(at as number, self.length))
      return Math.max(0, Math.min(end - from, self.length - to)) * self.BYTES_PER_ELEMENT
    }),
    watch(['slice'], resulting),
    // These ask no prototype for the constructor of what they make.
    watch(['toReversed', 'toSorted', 'with'], resulting, true),
  ]
  return () => undo.forEach((back) => back())
}

/** An index as the methods of arrays take it, where negative ones count from the end. */
function fromStart(at: number | undefined, length: number): number | undefined {
  if (at === undefined) return undefined
  return at < 0 ? Math.max(0, length + at) : Math.min(at, length)
}

/** Node's Buffer makes its memory past the global constructors, small ones out of a pool: counted is what was asked for. */
function watchNodeBuffer({ made, copied }: ArrayWatcher, once: <T>(work: () => T) => T): () => void {
  const make = ['alloc', 'allocUnsafe', 'allocUnsafeSlow', 'from', 'concat', 'copyBytesFrom']
  const undo = [
    watchMethods(
      Buffer,
      make,
      ({ name, args, result }) => {
        if (isBuffer(args[0])) return // A view.
        const { byteLength } = result as Buffer
        made('Buffer', byteLength)
        if (!name.startsWith('alloc')) copied(`Buffer.${name}`, byteLength)
      },
      (...call) => once(() => Reflect.apply(...call) as unknown),
    ),
    watchMethods(Buffer.prototype, ['copy'], ({ result }) => copied('Buffer.copy', result as number)),
  ]
  return () => undo.forEach((back) => back())
}

/** Large plain arrays, a pointer for each element, from the constructor and from functions that give a new one. */
function watchPlainArrays({ made }: ArrayWatcher): () => void {
  const count = <T>(array: T): T => {
    const { length } = array as unknown[]
    if (length >= leastElements) made('Array', 8 * length)
    return array
  }
  const original = Array
  const watched: ArrayConstructor = new Proxy(original, {
    apply: (target, self, args: unknown[]) => count(Reflect.apply(target, self, args)),
    construct: (target, args: unknown[], asked) =>
      count(Reflect.construct(target, args, asked === watched ? target : asked) as object),
  })
  const giveNew = ['slice', 'map', 'filter', 'concat', 'flat', 'flatMap', 'splice']
  const giveChanged = ['toReversed', 'toSorted', 'toSpliced', 'with']
  const undo = [
    watchMethods(
      Array,
      ['from', 'of'],
      ({ result }) => void count(result),
      (method, self, args) => Reflect.apply(method, self === watched ? original : self, args) as unknown,
    ),
    watchMethods(Array.prototype, [...giveNew, ...giveChanged], ({ result }) => void count(result)),
  ]
  globalThis.Array = watched
  return () => {
    globalThis.Array = original
    undo.forEach((back) => back())
  }
}

interface Call<Self = unknown> {
  readonly name: string
  readonly self: Self
  readonly args: readonly unknown[]
  readonly result: unknown
}

/** Calls `count` after each call of a method, which `run` makes. Returns what puts the methods back. */
function watchMethods<Self = unknown>(
  owner: object,
  names: readonly string[],
  count: (call: Call<Self>) => void,
  run: (...call: Parameters<typeof Reflect.apply>) => unknown = Reflect.apply,
): () => void {
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(owner, name)!] as const)
  for (const [name, descriptor] of before) {
    const value = function (this: Self, ...args: unknown[]): unknown {
      const result = run(descriptor.value as () => unknown, this, args)
      count({ name, self: this, args, result })
      return result
    }
    Object.defineProperty(owner, name, { ...descriptor, value })
  }
  return () => {
    for (const [name, descriptor] of before) Object.defineProperty(owner, name, descriptor)
  }
}
