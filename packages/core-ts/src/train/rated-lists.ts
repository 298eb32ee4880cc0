import { expected, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import type { Rng } from '../base/rng.js'
import type { BatchPlan, ChosenItem, PlannedClip } from '../data/index.js'
import { readRelevancesNow, type Relevances } from '../relevance/index.js'
import { sourcePart } from './source-part.js'

/** Options of {@link ratedLists}. */
export interface RatedListsOptions {
  /** Lists in a batch, an integer of at least 1. Default 8. */
  queries?: number
  /** Most clips of a list, at least 2: of longer ones so many are drawn anew in every epoch. Default 17, all that are rated with a query of the TAU ratings. */
  clips?: number
  /** Where the relevance is from, for messages. */
  file?: string
}

/**
 * Batches of rated lists: a caption as query with the clips that were judged with it, so that each batch is `queries` lists. Every item of a
 * list is the pair of a clip and the list's caption and has the number of the list as its group; the loss soft-target with
 * `compare: 'list'` ranks each list by itself. An epoch has every query once, in a random order. Queries that are no caption of the clips
 * and those with fewer than two judged clips among them are left out.
 * @throws SonotextError INVALID_DATA when no list is left, which mostly means ids of other data
 */
export function ratedLists(
  relevances: Relevances,
  given: RatedListsOptions = {},
): (clips: readonly PlannedClip[]) => BatchPlan {
  const { queries = 8, clips: most = 17, file } = checkOptions(given, 'ratedLists')
  if (!(Number.isInteger(queries) && queries >= 1)) throw expected('an integer above 0', 'queries', queries)
  if (!(Number.isInteger(most) && most >= 2)) throw expected('an integer of at least 2', 'clips', most)
  return (clips) => {
    const lists = listsOf(clips, relevances)
    if (lists.length === 0) {
      throw new SonotextError('INVALID_DATA', 'no query has two rated clips or more in the training data.', {
        ...(file !== undefined && { file }),
        remedy: `Queries are ids of captions, such as "${clips[0]!.captions[0]!.caption.id}", and items ids of clips, such as "${clips[0]!.clip.id}".`,
      })
    }
    return {
      itemsPerEpoch: lists.reduce((sum, { length }) => sum + Math.min(most, length), 0),
      batchesPerEpoch: Math.ceil(lists.length / queries),
      config: {
        ...{ queries, clips: most },
        lists: lists.map((list) => [list[0]!.caption.id, ...list.map(({ clip }) => clip.id)]),
      },
      batches(rng) {
        const draws = rng.fork('clips')
        const order = [...lists]
        rng.fork('order').shuffle(order)
        const drawn = order.map((list, i) => some(list, most, draws.fork(i)))
        return Array.from({ length: Math.ceil(drawn.length / queries) }, (_, b) =>
          drawn.slice(b * queries, (b + 1) * queries).flat(),
        )
      },
    }
  }
}

/** For every judged caption its judged clips, in the order of clips and captions. */
function listsOf(clips: readonly PlannedClip[], relevances: Relevances): ChosenItem[][] {
  const lists: ChosenItem[][] = []
  for (const { captions } of clips) {
    for (const own of captions) {
      const judged = relevances.judged(own.caption.id)
      const rated = clips.filter(({ clip }) => judged.has(clip.id))
      if (rated.length < 2) continue
      const group = lists.length
      lists.push(rated.map(({ clip }) => ({ clip, ...own, group })))
    }
  }
  return lists
}

/** At most so many of a list, in its order. */
function some<T>(list: readonly T[], most: number, rng: Rng): T[] {
  if (list.length <= most) return [...list]
  const places = [...list.keys()]
  rng.shuffle(places)
  return places
    .slice(0, most)
    .sort((a, b) => a - b)
    .map((place) => list[place]!)
}

export const ratedListsPart = sourcePart({
  name: 'rated-lists',
  description:
    'Captions each with the clips that were rated with them: lists for soft-target with compare: list.',
  schema: {
    properties: {
      file: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description: 'CSV query,item,relevance or ratings: ids of captions and of clips.',
      },
      split: {
        type: 'string',
        minLength: 1,
        description: 'Split of their clips; without it data.trainSplit.',
      },
      queries: { type: 'integer', minimum: 1, default: 8, description: 'Lists in a batch.' },
      clips: {
        type: 'integer',
        minimum: 2,
        default: 17,
        description: 'Most clips of a list; of longer ones so many are drawn in every epoch.',
      },
    },
    required: ['file'],
  },
  fromConfig: ({ split, ...options }, { clips, batches }) =>
    batches(clips(split), { plan: ratedLists(readRelevancesNow(options.file), options) }),
})
