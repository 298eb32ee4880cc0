import { expected } from './errors.js'
import { atOnce, type InPieces } from './turn.js'

/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011). A stream is a key made from a seed and a name, so
 * that streams never depend on each other's use, and its whole state is one position: saving it resumes bit for bit.
 */
const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const W0 = 0x9e3779b9
const W1 = 0xbb67ae85

function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const low = aLow * bLow
  const mid = aHigh * bLow + (low >>> 16)
  const mid2 = aLow * bHigh + (mid & 0xffff)
  return (aHigh * bHigh + Math.floor(mid / 65536) + Math.floor(mid2 / 65536)) >>> 0
}

/** One Philox4x32-10 block: counter (4 words) and key (2 words) to 4 words, written to `out`. */
export function philox(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0)
    const low0 = Math.imul(M0, c0) >>> 0
    const high1 = mulHigh(M1, c2)
    const low1 = Math.imul(M1, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + W0) >>> 0
    k1 = (k1 + W1) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** FNV-1a, 32 bit. */
export function hash32(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i)
    h = Math.imul(h, 0x01000193) >>> 0
  }
  return h
}

/** Where a stream stands; plain numbers, so that it survives JSON. */
export interface RngState {
  /** Two unsigned 32-bit words. */
  readonly key: readonly [number, number]
  /** Words drawn so far. */
  readonly position: number
}

/** A named stream of random numbers. `new Rng(seed, 'shuffle')`; the same seed and name give the same stream everywhere. */
export class Rng {
  readonly key: readonly [number, number]
  #position = 0
  #block = -1
  readonly #words = new Uint32Array(4)

  /** Throws INVALID_ARGUMENT unless the seed is an integer in [0, 2⁵³). */
  constructor(seed: number, stream = '') {
    if (!Number.isSafeInteger(seed) || seed < 0) throw expected('an integer of 0 or more', 'seed', seed)
    this.key = [seed >>> 0, (hash32(stream) ^ Math.floor(seed / 4294967296)) >>> 0]
  }

  /** A stream that goes on where {@link state} was read. Throws INVALID_ARGUMENT on anything else. */
  static fromState({ key, position }: RngState): Rng {
    const isWord = (value: number): boolean => value >>> 0 === value
    if (!Array.isArray(key) || key.length !== 2 || !key.every(isWord)) {
      throw expected('two unsigned 32-bit integers', 'key of a random stream', key)
    }
    if (!Number.isSafeInteger(position) || position < 0) {
      throw expected('an integer of 0 or more', 'position of a random stream', position)
    }
    const rng = new Rng(0)
    ;(rng as { key: readonly [number, number] }).key = [key[0], key[1]]
    rng.#position = position
    return rng
  }

  /** A new independent stream below this one; does not advance this one. */
  fork(name: string | number): Rng {
    const words = new Uint32Array(4)
    philox(words, hash32(String(name)), 0x666f726b, 0, 0, this.key[0], this.key[1])
    return Rng.fromState({ key: [words[0]!, words[1]!], position: 0 })
  }

  get state(): RngState {
    return { key: this.key, position: this.#position }
  }

  /** Next unsigned 32-bit word. */
  uint32(): number {
    const block = Math.floor(this.#position / 4)
    if (block !== this.#block) {
      philox(this.#words, block >>> 0, Math.floor(block / 4294967296), 0, 0, this.key[0], this.key[1])
      this.#block = block
    }
    return this.#words[this.#position++ % 4]!
  }

  /** Uniform in [0, 1) with 53 bits. */
  uniform(): number {
    const high = this.uint32() >>> 5
    const low = this.uint32() >>> 6
    return (high * 67108864 + low) / 9007199254740992
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform()
  }

  /** Uniform integer in [0, n), without modulo bias. Throws INVALID_ARGUMENT unless n is an integer from 1 to 2³². */
  int(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 4294967296)) {
      throw expected('an integer from 1 to 4294967296', 'n of Rng.int', n)
    }
    if (n === 1) return 0
    const limit = 4294967296 - (4294967296 % n)
    for (;;) {
      const word = this.uint32()
      if (word < limit) return word % n
    }
  }

  /** Standard normal (Box–Muller, one of the pair: keeps the position simple). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    return radius * Math.cos(2 * Math.PI * this.uniform())
  }

  /** One of the items. Throws INVALID_ARGUMENT when there is none. */
  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)]!
  }

  /** Fisher–Yates in place. */
  shuffle<T>(items: T[]): T[] {
    return atOnce(this.shuffling(items))
  }

  /** The same shuffle, pausing now and then. */
  *shuffling<T>(items: T[]): InPieces<T[]> {
    for (let i = items.length - 1; i > 0; i--) {
      if (i % 10_000 === 0) yield
      const j = this.int(i + 1)
      const t = items[i]!
      items[i] = items[j]!
      items[j] = t
    }
    return items
  }
}
