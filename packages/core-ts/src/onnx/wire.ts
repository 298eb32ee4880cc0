/** One field of a protocol buffer message: its number and what stands there, by wire type. */
export type WireField =
  | { readonly field: number; readonly wire: 0; readonly value: bigint }
  | { readonly field: number; readonly wire: 1 | 2 | 5; readonly value: Uint8Array }

/** What is wrong with bytes that are no message. */
export class WireError extends Error {}

/**
 * The fields of a protocol buffer message (https://protobuf.dev/programming-guides/encoding), in their order; bytes are views. A generator,
 * so that a file of garbage ends at its first wrong byte.
 */
export function* fieldsOf(bytes: Uint8Array): Generator<WireField, void, undefined> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new WireError('a number that is cut short')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new WireError('a number of more than ten bytes')
  }
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new WireError('a field that reaches past the end')
    return bytes.subarray(at, (at += length))
  }
  while (at < bytes.length) {
    const tag = varint()
    const field = Number(tag >> 3n)
    const wire = Number(tag & 7n)
    if (field === 0) throw new WireError('a field without a number')
    if (wire === 0) yield { field, wire, value: varint() }
    else if (wire === 1) yield { field, wire, value: take(8) }
    else if (wire === 5) yield { field, wire, value: take(4) }
    else if (wire === 2) yield { field, wire, value: take(Number(varint())) }
    else throw new WireError(`wire type ${wire}`)
  }
}

/** Integers of a repeated field, packed or one by one. */
export function integersOf({ wire, value }: WireField): bigint[] {
  if (wire === 0) return [BigInt.asIntN(64, value)]
  return Array.from(packed(value), (each) => BigInt.asIntN(64, each))
}

function* packed(bytes: Uint8Array): Generator<bigint, void, undefined> {
  let value = 0n
  let shift = 0n
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift
    shift += 7n
    if (byte >= 0x80) continue
    yield value
    value = 0n
    shift = 0n
  }
}

/** A message that is being written, field by field. */
export class WireWriter {
  readonly #parts: Uint8Array[] = []

  int(field: number, value: number | bigint): this {
    return this.#push(varintOf(BigInt(field) << 3n), varintOf(BigInt.asUintN(64, BigInt(value))))
  }

  float(field: number, value: number): this {
    return this.#push(varintOf((BigInt(field) << 3n) | 5n), new Uint8Array(Float32Array.of(value).buffer))
  }

  bytes(field: number, value: Uint8Array | WireWriter): this {
    const body = value instanceof WireWriter ? value.finish() : value
    return this.#push(varintOf((BigInt(field) << 3n) | 2n), varintOf(BigInt(body.length)), body)
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value))
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of this.#parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  #push(...parts: Uint8Array[]): this {
    this.#parts.push(...parts)
    return this
  }
}

function varintOf(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low | 0x80)
  } while (rest !== 0n)
  return Uint8Array.from(bytes)
}
