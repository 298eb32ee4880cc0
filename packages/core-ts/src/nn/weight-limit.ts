import { SonotextError } from '../base/errors.js'

/** How many numbers tensors with values may still take; null where nobody said. */
let left: number | null = null

/**
 * Makes modules whose weights and running statistics may have so many numbers in all. What asks for more throws INVALID_DATA before memory
 * is taken or a value is drawn: a file that describes a large model has to hold it.
 */
export function withinWeights<T>(numbers: number, make: () => T): T {
  const before = left
  left = numbers
  try {
    return make()
  } finally {
    left = before
  }
}

/** Counts the numbers of a tensor that is about to be made. */
export function countWeights(size: number): void {
  if (left === null) return
  if (!(size <= left)) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected no more weights than there are, got ${size} numbers where ${left} are left.`,
    )
  }
  left -= size
}
