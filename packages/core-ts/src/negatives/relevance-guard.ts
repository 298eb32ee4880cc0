import { expected } from '../base/errors.js'
import { readRelevances, type Relevances } from '../relevance/index.js'
import { partOf } from '../registry/index.js'
import type { Guard } from './guards.js'

/**
 * Clips against captions that fit them by graded relevance of at least `least`: what is rated as fitting is no negative. Pairs that nobody has
 * judged stay negatives.
 */
export function relevantPairs(relevances: Relevances, least = 0.5, file?: string): Guard {
  if (!(least > 0 && least <= 1)) throw expected('a number above 0, up to 1', 'least', least)
  return {
    name: 'relevant-pairs',
    config: { least, file },
    pairs: ({ items }) => pairsWhere(items, relevances, (r) => r !== undefined && r >= least),
  }
}

/** Clips against captions that nobody has judged with them: lists of rated clips are then compared among themselves alone. */
export function unjudgedPairs(relevances: Relevances, file?: string): Guard {
  return {
    name: 'unjudged-pairs',
    config: { file },
    pairs: ({ items }) => pairsWhere(items, relevances, (r) => r === undefined),
  }
}

function* pairsWhere(
  items: Parameters<Guard['pairs']>[0]['items'],
  relevances: Relevances,
  holds: (relevance: number | undefined) => boolean,
): Generator<readonly [number, number]> {
  for (const [j, { caption }] of items.entries()) {
    const judged = relevances.judged(caption.id)
    for (const [i, { clip }] of items.entries()) if (i !== j && holds(judged.get(clip.id))) yield [i, j]
  }
}

const guardPart = partOf<Guard | Promise<Guard>>()

const file = {
  type: 'string',
  format: 'path',
  minLength: 1,
  description: 'CSV query,item,relevance or ratings: ids of captions and of clips.',
} as const

export const relevantPairsGuard = guardPart({
  name: 'relevant-pairs',
  description: 'Captions that fit the clip by graded relevance from a file.',
  schema: {
    properties: {
      file,
      least: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.5,
        description: 'Least relevance, 0 to 1, of a pair that is no negative.',
      },
    },
    required: ['file'],
  },
  fromConfig: async ({ file: path, least }) => relevantPairs(await readRelevances(path), least, path),
})

export const unjudgedPairsGuard = guardPart({
  name: 'unjudged-pairs',
  description: 'Captions that nobody has judged with the clip, by graded relevance from a file.',
  schema: { properties: { file }, required: ['file'] },
  fromConfig: async ({ file: path }) => unjudgedPairs(await readRelevances(path), path),
})
