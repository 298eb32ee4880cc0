import { meanMeasure } from '@sonotext/core/metrics'

/** A measure of a query's ranks, with its exact value by chance. */
export const measure = {
  name: 'top',
  description: 'Whether a relevant item comes first.',
  schema: { properties: {} },
  fromConfig: () =>
    meanMeasure(
      'top',
      ({ ranks }) => (ranks[0] === 1 ? 1 : 0),
      ({ relevant }, { items }) => relevant / items,
    ),
}
