/** The rows of a batch that one rank computes: `first` … `first + count` of `total`. */
export interface RowShare {
  readonly first: number
  readonly count: number
  readonly total: number
}

/** The contiguous rows of a rank: shares differ by one row at most, and none is empty from as many rows as ranks on. */
export function rowShare(total: number, rank: number, size: number): RowShare {
  const first = Math.floor((total * rank) / size)
  return { first, count: Math.floor((total * (rank + 1)) / size) - first, total }
}
