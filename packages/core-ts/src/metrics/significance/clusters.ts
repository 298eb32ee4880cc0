import { expected } from '../../base/index.js'

/**
 * Which queries belong together. The captions of one clip, or the clips of one recording, succeed and fail together, so what is drawn at
 * random is the clip or the recording and not the query: leaving out, resampling and flipping is done by cluster.
 */
export interface Clusters {
  readonly count: number
  /** Cluster of each query, 0 … count − 1. */
  readonly of: Int32Array
}

/** Clusters from an id for each query; only which ids are equal matters. */
export function clustersOf(ids: ArrayLike<string | number>): Clusters {
  const index = new Map<string | number, number>()
  const of = Int32Array.from({ length: ids.length }, (_, query) => {
    const id = ids[query]!
    let cluster = index.get(id)
    if (cluster === undefined) index.set(id, (cluster = index.size))
    return cluster
  })
  return { count: index.size, of }
}

/**
 * The queries of each cluster, clusters and queries in an order that depends on the values alone: clusters that compare equal hold the same
 * values. Seeded draws over this order do not depend on how queries are listed or clusters are named.
 */
export function membersByValue(clusters: Clusters, ...columns: readonly ArrayLike<number>[]): number[][] {
  for (const column of columns) {
    if (column.length !== clusters.of.length)
      throw expected(`a value for each of the ${clusters.of.length} queries`, 'values', column)
  }
  const compareQueries = (a: number, b: number): number => {
    for (const column of columns) {
      // Not a difference: two infinite ranks are equal.
      if (column[a]! !== column[b]!) return column[a]! < column[b]! ? -1 : 1
    }
    return 0
  }
  const members: number[][] = Array.from({ length: clusters.count }, () => [])
  clusters.of.forEach((cluster, query) => members[cluster]!.push(query))
  for (const queries of members) queries.sort(compareQueries)
  return members.sort((a, b) => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = compareQueries(a[i]!, b[i]!)
      if (order !== 0) return order
    }
    return a.length - b.length
  })
}
