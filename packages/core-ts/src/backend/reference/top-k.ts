import { dot, type HostArgs, rowOf } from './host.js'

/** A score that is not a number ranks behind every other. */
export function topK({ queries, items, outIndices, outScores, q, n, d, k }: HostArgs<'top_k'>): void {
  outIndices.fill(-1)
  outScores.fill(-Infinity)
  for (let i = 0; i < q; i++) {
    const query = rowOf(queries, i, d)
    const scores = outScores instanceof Float32Array ? new Float32Array(n) : new Float64Array(n)
    for (let j = 0; j < n; j++) scores[j] = dot(query, rowOf(items, j, d))
    const key = (j: number): number => (Number.isNaN(scores[j]!) ? -Infinity : scores[j]!)
    const order = Array.from({ length: n }, (_, j) => j).sort((x, y) =>
      key(x) < key(y) ? 1 : key(x) > key(y) ? -1 : x - y,
    )
    for (let r = 0; r < Math.min(k, n); r++) {
      outIndices[i * k + r] = order[r]!
      outScores[i * k + r] = scores[order[r]!]!
    }
  }
}
