import { readCsv, requireColumns } from '../base/csv.js'
import { partOf } from '../registry/index.js'
import { type PairItem, PairMask } from './pairs.js'
import type { Plane, Planes } from './planes.js'

/** What a guard sees of one batch of n pairs. */
export interface GuardQuery {
  readonly items: readonly PairItem[]
  /** Those that the guard declared. */
  readonly planes: Planes
  /** Number of the optimiser step, from 1. */
  readonly step: number
  /** Epochs done, with fraction. */
  readonly epoch: number
}

/**
 * Names pairs of a batch that must not be negatives, such as a caption that describes another clip just as well. Every
 * strategy and every loss keeps to it. A plain value, deterministic in its query.
 */
export interface Guard {
  readonly name: string
  /** Planes to compute for it. Default: none. */
  readonly needs?: readonly Plane[]
  /** Options that matter when a run is resumed, as JSON. */
  readonly config?: object
  /** Number of a clip in the batch and of a caption that must not be set against each other; pairs may repeat. */
  pairs(query: GuardQuery): Iterable<readonly [clip: number, caption: number]>
}

/** Clips of one group, such as cuts of one recording, against each other's captions. Always holds. */
export function sameGroup(): Guard {
  return { name: 'same-group', pairs: ({ items }) => pairsWithin(items, ({ group }) => group) }
}

/** Clips against captions that say the same as one of their own in the batch, but for case, punctuation and blanks. */
export function equalCaptions(): Guard {
  const said = ({ caption: { text } }: PairItem): string =>
    text
      .toLowerCase()
      .replaceAll(/[\p{P}\s]+/gu, ' ')
      .trim()
  return { name: 'equal-captions', pairs: ({ items }) => pairsWithin(items, said) }
}

/** Pairs known to match, for example from ratings: id of a clip, id of a caption. */
export function givenPairs(known: Iterable<readonly [clip: string, caption: string]>): Guard {
  const captions = new Map<string, Set<string>>()
  for (const [clip, caption] of known) {
    const ofClip = captions.get(clip)
    if (ofClip === undefined) captions.set(clip, new Set([caption]))
    else ofClip.add(caption)
  }
  return {
    name: 'given-pairs',
    config: { pairs: [...captions].map(([clip, ofClip]) => [clip, ...ofClip]) },
    *pairs({ items }) {
      const columns = columnsBy(items, ({ caption }) => caption.id)
      for (const [i, { clip }] of items.entries())
        for (const caption of captions.get(clip.id) ?? [])
          for (const j of columns.get(caption) ?? []) yield [i, j]
    },
  }
}

/** Made from a configuration, a guard may read files. */
const guardPart = partOf<Guard | Promise<Guard>>()

export const equalCaptionsGuard = guardPart({
  name: 'equal-captions',
  description: 'Captions that say the same as one of the clip’s own, but for case, punctuation and blanks.',
  schema: { properties: {} },
  fromConfig: equalCaptions,
})

export const givenPairsGuard = guardPart({
  name: 'given-pairs',
  description: 'Pairs of clip and caption that are known to match, from a file.',
  schema: {
    properties: {
      file: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description: 'CSV file with columns clip and caption: ids of a clip and of a caption of another one.',
      },
    },
    required: ['file'],
  },
  async fromConfig({ file }) {
    const table = await readCsv(file)
    requireColumns(table, ['clip', 'caption'])
    return givenPairs(table.rows.map((row) => [row.get('clip'), row.get('caption')] as const))
  },
})

/** All that these guards bar in a batch. */
export function guardedPairs(query: GuardQuery, guards: readonly Guard[]): PairMask {
  const mask = new PairMask(query.items.length)
  for (const guard of guards) for (const [i, j] of guard.pairs(query)) mask.bar(i, j)
  return mask
}

/** Every pair of items with one key. */
function* pairsWithin<K>(
  items: readonly PairItem[],
  key: (item: PairItem) => K,
): Generator<readonly [number, number]> {
  for (const alike of columnsBy(items, key).values())
    for (const i of alike) for (const j of alike) yield [i, j]
}

function columnsBy<K>(items: readonly PairItem[], key: (item: PairItem) => K): Map<K, number[]> {
  return Map.groupBy(items.keys(), (i) => key(items[i]!))
}
