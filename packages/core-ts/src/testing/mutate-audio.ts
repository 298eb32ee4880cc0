import { oggCrc } from '../audio/formats/ogg-pages.js'

/** Numbers that headers are compared with. */
const telling = [
  0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
]

/** A stream of numbers that is the same every time: xorshift of 32 bits. */
export function numbers(seed: number): (below: number) => number {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

/**
 * A real file with one to four faults of the kinds that transport, software and malice make: bits, bytes and numbers changed,
 * pieces lost, repeated, moved or taken from another file, the end missing. Half of the changed Ogg files get checksums that
 * fit again, so that the faults reach the decoder.
 */
export function mutated(files: readonly Uint8Array[], next: (below: number) => number): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(files[next(files.length)]!)
  for (let faults = 1 + next(4); faults > 0 && bytes.length > 8; faults--) {
    // Headers lie in front: every other fault goes there.
    const at = next(2) === 0 ? next(Math.min(bytes.length, 200)) : next(bytes.length)
    const size = Math.min(bytes.length - at, 1 + next(next(4) === 0 ? 400 : 12))
    switch (next(9)) {
      case 0:
        bytes[at]! ^= 1 << next(8)
        break
      case 1:
        bytes[at] = next(256)
        break
      case 2:
        for (let i = at; i < at + size; i++) bytes[i] = next(256)
        break
      case 3: {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
        const value = telling[next(telling.length)]!
        if (at + 4 <= bytes.length) view.setUint32(at, value, next(2) === 0)
        break
      }
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)])
        break
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at + size), bytes.subarray(at)])
        break
      case 6: {
        const other = files[next(files.length)]!
        const from = next(other.length)
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          other.subarray(from, from + 4 * size),
          bytes.subarray(at),
        ])
        break
      }
      case 7:
        bytes.fill(next(2) * 255, at, at + size)
        break
      default:
        bytes = bytes.slice(0, at)
    }
  }
  if (next(2) === 0) resealOgg(bytes)
  return bytes
}

/** Gives every Ogg page that is complete the checksum of what it holds now. */
function resealOgg(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at + 27 < bytes.length && view.getUint32(at) === 0x4f676753;) {
    let length = 27 + bytes[at + 26]!
    for (let s = 0; s < bytes[at + 26]!; s++) length += bytes[at + 27 + s] ?? 0
    if (at + length > bytes.length) return
    view.setUint32(at + 22, oggCrc(bytes.subarray(at, at + length)), true)
    at += length
  }
}
