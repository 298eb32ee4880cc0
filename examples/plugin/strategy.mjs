import { fromPicks } from '@sonotext/core/negatives'

/** A choice of negatives: the next pair of the batch that is not barred. */
export const strategy = {
  name: 'next',
  description: 'The next pair of the batch that is not barred.',
  schema: {
    properties: { by: { type: 'integer', minimum: 1, default: 1, description: 'How far on to begin.' } },
  },
  fromConfig: ({ by }) => ({
    name: 'next',
    needs: [],
    config: { by },
    select({ items, barred }) {
      const n = items.length
      const after = (i, free) => {
        for (let step = by; step < by + n; step++) if (free((i + step) % n)) return (i + step) % n
        return -1
      }
      return fromPicks(
        Int32Array.from({ length: n }, (_, i) => after(i, (j) => !barred.has(j, i))),
        Int32Array.from({ length: n }, (_, i) => after(i, (j) => !barred.has(i, j))),
      )
    },
  }),
}
