import type { Rng } from '../base/rng.js'

/** Bytes that readers of text and of headers treat specially. */
const odd = [0, 1, 9, 10, 13, 26, 32, 34, 39, 44, 59, 92, 124, 127, 128, 0xbf, 0xef, 0xfe, 0xff]

/**
 * One to eight changes of a file: bytes flipped, set to odd ones, runs cut, doubled or put elsewhere, the end cut off, a line end or a
 * number changed. Deterministic.
 */
export function mutate(seed: Uint8Array, rng: Rng): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(seed)
  for (let change = rng.int(8); change >= 0; change--) bytes = changed(bytes, rng)
  return bytes
}

function changed(bytes: Uint8Array, rng: Rng): Uint8Array {
  const size = bytes.length
  if (size === 0) return Uint8Array.of(rng.pick(odd))
  const at = rng.int(size)
  const run = Math.min(size - at, 1 + rng.int(rng.int(4) === 0 ? size : 16))
  const piece = bytes.subarray(at, at + run)
  switch (rng.int(8)) {
    case 0:
      bytes[at]! ^= 1 << rng.int(8)
      return bytes
    case 1:
      bytes[at] = rng.pick(odd)
      return bytes
    case 2:
      return join(bytes.subarray(0, at), bytes.subarray(at + run))
    case 3:
      return join(bytes.subarray(0, at), piece, bytes.subarray(at))
    case 4: {
      const to = rng.int(size)
      return join(bytes.subarray(0, to), piece, bytes.subarray(to))
    }
    case 5:
      return bytes.slice(0, at)
    case 6:
      return join(
        bytes.subarray(0, at),
        Uint8Array.from({ length: run }, () => rng.pick(odd)),
        bytes.subarray(at),
      )
    default:
      // Digits grow: counts and sizes of headers.
      for (let i = at; i < at + run; i++) if (bytes[i]! >= 48 && bytes[i]! <= 57) bytes[i] = 48 + rng.int(10)
      return bytes
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}
