/** A guard: pairs that it names are never each other's negatives. */
export const guard = {
  name: 'same-start',
  description: 'Captions that begin with the same words.',
  schema: { properties: { words: { type: 'integer', minimum: 1, default: 4, description: 'How many.' } } },
  fromConfig: ({ words }) => ({
    name: 'same-start',
    config: { words },
    *pairs({ items }) {
      const start = ({ caption }) => caption.text.toLowerCase().split(' ').slice(0, words).join(' ')
      for (const [i, a] of items.entries())
        for (const [j, b] of items.entries()) if (start(a) === start(b)) yield [i, j]
    },
  }),
}
