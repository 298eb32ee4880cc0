import {
  concatenatedFeatures,
  type FeatureKind,
  featuresPart,
  isGiven,
  type Plain,
  poolings,
} from '../audio/index.js'
import type { PartConfig } from '../registry/index.js'

/** Several kinds side by side as a row of the family of features; `build` makes each of them. */
export const concatenatedPart = (build: (config: PartConfig) => FeatureKind | Promise<FeatureKind>) =>
  featuresPart({
    name: 'concatenated',
    description: 'Several kinds of features of the same sound side by side, such as two pretrained models.',
    schema: {
      properties: {
        kinds: {
          type: 'array',
          items: { family: 'features' },
          description:
            'The kinds: all with one vector a clip, or all with frames, which are those of the first.',
        },
        pool: {
          type: 'array',
          items: { enum: poolings },
          uniqueItems: true,
          default: [],
          description:
            'Statistics over the frames of each kind that has some, side by side as its one vector.',
        },
      },
      required: ['kinds'],
    },
    async fromConfig({ kinds, pool }) {
      const built = await Promise.all(kinds.map(build))
      const pinned = built.map((kind, i) => ({ ...kinds[i]!, ...(isGiven(kind) ? {} : kind.pins) }))
      return { ...concatenatedFeatures({ kinds: built, pool }), pins: { kinds: pinned as unknown as Plain } }
    },
  })
