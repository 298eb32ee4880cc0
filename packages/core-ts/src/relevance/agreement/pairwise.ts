/** How often two opinions order two items alike. */
export interface PairwiseAgreement {
  /** Of the pairs that both order: the share that they order alike; null where there is none. */
  readonly accuracy: number | null
  /** Pairs that both order. */
  readonly ordered: number
  /** Pairs that one or both rate alike, which say nothing of order. */
  readonly tied: number
}

/** Compares two ratings of the same items pair by pair. */
export function pairwiseAgreement(a: ArrayLike<number>, b: ArrayLike<number>): PairwiseAgreement {
  let alike = 0
  let ordered = 0
  let tied = 0
  for (let i = 1; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const product = Math.sign(a[i]! - a[j]!) * Math.sign(b[i]! - b[j]!)
      if (product === 0) tied++
      else {
        ordered++
        if (product > 0) alike++
      }
    }
  }
  return { accuracy: ordered > 0 ? alike / ordered : null, ordered, tied }
}
