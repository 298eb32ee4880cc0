import type { RaggedIndices } from '../base/ragged.js'
import { checkQuery } from './query.js'
import { type NegativeStrategy, strategyPart } from './strategy.js'

/** `full-batch-NS`: every pair that is not barred, in both directions; the hinge is averaged over them. */
export function fullBatchNegatives(): NegativeStrategy {
  return {
    name: 'full-batch',
    needs: [],
    select(query) {
      checkQuery(query)
      const { items, barred } = query
      const n = items.length
      const audio = allOf(n, (i, j) => !barred.has(j, i))
      const text = allOf(n, (i, j) => !barred.has(i, j))
      let empty = 0
      for (let i = 0; i < n; i++) if (isEmpty(audio, i) && isEmpty(text, i)) empty++
      return { audio, text, empty }
    },
  }
}

export const fullBatch = strategyPart({
  name: 'full-batch',
  description: 'Every other pair of the batch; the hinge is averaged over them.',
  schema: { properties: {} },
  fromConfig: fullBatchNegatives,
})

function allOf(n: number, wanted: (i: number, j: number) => boolean): RaggedIndices {
  const offsets = new Int32Array(n + 1)
  const index: number[] = []
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) if (wanted(i, j)) index.push(j)
    offsets[i + 1] = index.length
  }
  return { offsets, index: Int32Array.from(index) }
}

function isEmpty({ offsets }: RaggedIndices, i: number): boolean {
  return offsets[i + 1] === offsets[i]
}
