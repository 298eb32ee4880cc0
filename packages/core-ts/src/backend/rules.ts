/** Floats of the backend; Int32Arrays and Uint8Arrays, which lie on the host. */
export type BufferKind = 'float' | 'int' | 'bytes'

/** What an op expects of one buffer. */
export interface BufferRule<A, Kind = BufferKind, Nullable = boolean> {
  readonly kind: Kind
  readonly direction: 'in' | 'out' | 'inout'
  readonly nullable: Nullable
  /** Expected number of elements. */
  readonly size: (args: A) => number
  /** Nothing else fixes the length: other sizes follow from it. */
  readonly free?: true
  /** Its layout is the own of the backend that wrote it, and only that backend can read it. */
  readonly private?: true
  /** Bounds of every element, both included. */
  readonly range?: (args: A) => readonly [number, number]
  /** Offsets of `rows` ragged rows over the elements of the buffer `over`: from 0, never falling, to its length. */
  readonly offsets?: { readonly rows: (args: A) => number; readonly over: string }
}

/** What an op expects of one number. */
export interface NumberRule {
  readonly kind: 'number'
  readonly expected: string
  readonly integer: boolean
  readonly min?: number
  readonly max?: number
  /** An upper bound that is not reached itself. */
  readonly below?: number
  readonly choices?: readonly number[]
  readonly holds: (value: number) => boolean
}

/** What must hold between arguments; `reads` says that it looks at the elements of integer buffers. */
export interface Requirement<A> {
  /** The argument that an error names. */
  readonly argument: string
  readonly expected: string
  readonly holds: (args: A) => boolean
  readonly reads?: true
}

type RuleFor<A, T> = [T] extends [number]
  ? NumberRule
  : BufferRule<A, KindOf<NonNullable<T>>, null extends T ? true : false>

type KindOf<T> = T extends Int32Array ? 'int' : T extends Uint8Array ? 'bytes' : 'float'

/** What every argument of an op must be. */
export type Signature<A> = { readonly [K in keyof A]: RuleFor<A, A[K]> }

type Extras<A> = Pick<BufferRule<A>, 'free' | 'private' | 'range' | 'offsets'>

export function buffer<A, Kind extends BufferKind>(
  kind: Kind,
  direction: 'in' | 'out' | 'inout',
  size: (args: A) => number,
  extras: Extras<A> = {},
): BufferRule<A, Kind, false> {
  return { kind, direction, nullable: false, size, ...extras }
}

export function optional<A, Kind>(rule: BufferRule<A, Kind, false>): BufferRule<A, Kind, true> {
  return { ...rule, nullable: true }
}

/** The C++ table's extents are below 2³¹. */
const largest = 2 ** 31 - 1

export function extent(min: number): NumberRule {
  return integer(`an integer from ${min} to ${largest}`, { min, max: largest })
}

/** An unsigned 32-bit integer. */
export const word = integer('an integer from 0 to 4294967295', { min: 0, max: 2 ** 32 - 1 })

export function oneOf(expected: string, choices: readonly number[]): NumberRule {
  return { kind: 'number', expected, integer: true, choices, holds: (value) => choices.includes(value) }
}

export const real: NumberRule = number('a finite number', {})

export function number(expected: string, bounds: { min?: number; max?: number; below?: number }): NumberRule {
  const { min = -Infinity, max = Infinity, below = Infinity } = bounds
  return {
    kind: 'number',
    expected,
    integer: false,
    ...bounds,
    holds: (value) => Number.isFinite(Math.fround(value)) && value >= min && value <= max && value < below,
  }
}

function integer(expected: string, bounds: { min: number; max: number }): NumberRule {
  const holds = (value: number): boolean =>
    Number.isInteger(value) && value >= bounds.min && value <= bounds.max
  return { kind: 'number', expected, integer: true, ...bounds, holds }
}

/** The largest number of float32, to which kernels narrow real numbers. */
export const largestFloat = (2 - 2 ** -23) * 2 ** 127

/** Whether `holds(i)` for every i in [0, count). */
export function every(count: number, holds: (index: number) => boolean): boolean {
  for (let i = 0; i < count; i++) if (!holds(i)) return false
  return true
}
