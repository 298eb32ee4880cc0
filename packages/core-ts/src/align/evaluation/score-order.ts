import { SonotextError } from '../../base/errors.js'

/** Which of the two 32-bit halves of a 64-bit number in memory is the low one. */
const low = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1

/**
 * Sorts scores descending, equal ones by index, by the platform's own sort of 64-bit integers: the score's bits, turned so that they order as
 * the numbers do, above the index. Holds its memory, so that one of it does for many curves.
 */
export class ScoreOrder {
  #keys = new BigUint64Array(0)
  #halves = new Uint32Array(0)
  #order = new Uint32Array(0)
  #bits = new Float32Array(1)
  #word = new Uint32Array(this.#bits.buffer)

  /**
   * Indices of the first `count` scores, largest score first, without those below `least`; valid until the next call. Throws INVALID_DATA for a
   * score that is not a number.
   */
  of(scores: ArrayLike<number>, count = scores.length, least = -Infinity): Uint32Array {
    if (this.#keys.length < count) {
      const room = Math.max(count, 2 * this.#keys.length)
      this.#keys = new BigUint64Array(room)
      this.#halves = new Uint32Array(this.#keys.buffer)
      this.#order = new Uint32Array(room)
    }
    const halves = this.#halves
    let kept = 0
    for (let i = 0; i < count; i++) {
      const score = scores[i]!
      if (Number.isNaN(score)) throw notANumber(i)
      if (score < least) continue
      // −0 and 0 are one score.
      this.#bits[0] = score + 0
      const word = this.#word[0]!
      const ascending = word >= 0x80000000 ? ~word : word | 0x80000000
      halves[2 * kept + low] = i
      halves[2 * kept + 1 - low] = ~ascending
      kept++
    }
    this.#keys.subarray(0, kept).sort()
    const order = this.#order
    for (let i = 0; i < kept; i++) order[i] = halves[2 * i + low]!
    return order.subarray(0, kept)
  }
}

/** The error for a score that is none. */
export function notANumber(index: number): SonotextError {
  return new SonotextError('INVALID_DATA', `expected scores that are numbers, got NaN at ${index}.`, {
    remedy: 'A model that scores NaN has diverged or was given broken features.',
  })
}
