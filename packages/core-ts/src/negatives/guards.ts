import { readCsv, requireColumns } from '../base/csv.js'
import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
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
  return {
    name: 'equal-captions',
    pairs: ({ items }) => pairsWithin(items, ({ caption }) => said(caption.text)),
  }
}

/** Options of {@link similarCaptions}. */
export interface SimilarCaptionsOptions {
  /** Least share of common words, in (0, 1]. Default 0.6. */
  threshold?: number
}

/**
 * Clips against captions that share most of their words with one of their own in the batch: shared words by all words of the two (Jaccard),
 * each counted once, case and punctuation aside. Order is not looked at: "a dog barks before a cat meows" and the reverse are alike.
 */
export function similarCaptions(options: SimilarCaptionsOptions = {}): Guard {
  const { threshold = 0.6 } = checkOptions(options, 'similarCaptions')
  if (!(threshold > 0 && threshold <= 1))
    throw expected('a share above 0 and up to 1', 'threshold', threshold)
  return {
    name: 'similar-captions',
    config: { threshold },
    *pairs({ items }) {
      const words = items.map(({ caption }) => new Set(said(caption.text).split(' ')))
      for (const [i, own] of words.entries()) {
        for (const [j, other] of words.entries()) {
          let common = 0
          for (const word of own) if (other.has(word)) common++
          if (common >= threshold * (own.size + other.size - common)) yield [i, j]
        }
      }
    },
  }
}

/** Clips that sound the same, by id: each against the captions of the other. What finds them is not asked. */
export function duplicateClips(known: Iterable<readonly [clip: string, duplicate: string]>): Guard {
  const alike = new Map<string, Set<string>>()
  const note = (a: string, b: string): void => {
    const ofA = alike.get(a)
    if (ofA === undefined) alike.set(a, new Set([b]))
    else ofA.add(b)
  }
  for (const [a, b] of known) {
    note(a, b)
    note(b, a)
  }
  return {
    name: 'duplicate-clips',
    config: { pairs: [...alike].map(([clip, others]) => [clip, ...others]) },
    *pairs({ items }) {
      const rows = columnsBy(items, ({ clip }) => clip.id)
      for (const [i, { clip }] of items.entries())
        for (const other of alike.get(clip.id) ?? []) for (const j of rows.get(other) ?? []) yield [i, j]
    },
  }
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

export const similarCaptionsGuard = guardPart({
  name: 'similar-captions',
  description: 'Captions that share most of their words with one of the clip’s own.',
  schema: {
    properties: {
      threshold: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.6,
        description: 'Least share of common words among all words of two captions.',
      },
    },
  },
  fromConfig: similarCaptions,
})

export const duplicateClipsGuard = guardPart({
  name: 'duplicate-clips',
  description: 'Captions of clips that sound the same, from a file.',
  schema: {
    properties: {
      file: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description: 'CSV file with columns clip and duplicate: ids of two clips that sound the same.',
      },
    },
    required: ['file'],
  },
  async fromConfig({ file }) {
    const table = await readCsv(file)
    requireColumns(table, ['clip', 'duplicate'])
    return duplicateClips(table.rows.map((row) => [row.get('clip'), row.get('duplicate')] as const))
  },
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

/** A caption without case, punctuation and doubled blanks. */
function said(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[\p{P}\s]+/gu, ' ')
    .trim()
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
