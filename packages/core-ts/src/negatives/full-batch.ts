import type { RaggedIndices } from '../base/ragged.js'
import { checkQuery, type NegativeStrategy } from './strategy.js'

/** `full-batch-NS`: every pair of another clip, in both directions; the hinge is averaged over them. */
export function fullBatchNegatives(): NegativeStrategy {
  return {
    name: 'full-batch',
    needs: [],
    select(query) {
      checkQuery(query)
      const { n, groups } = query
      const offsets = new Int32Array(n + 1)
      const index: number[] = []
      let empty = 0
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) if (groups[j] !== groups[i]) index.push(j)
        offsets[i + 1] = index.length
        if (offsets[i + 1] === offsets[i]) empty++
      }
      const all: RaggedIndices = { offsets, index: Int32Array.from(index) }
      return { audio: all, text: all, empty }
    },
  }
}
