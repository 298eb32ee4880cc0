import { checkOptions, expected, Rng, SonotextError } from '../../base/index.js'
import type { Relevances } from '../relevances.js'
import type { CaptionedClips } from '../similarity/index.js'
import { Controls } from './controls.js'

/** A clip in a list to be rated. */
export interface ListedItem {
  readonly item: string
  /** TP: the clip that the caption was written for; TN: a control that cannot fit; C: a candidate. */
  readonly group: 'TP' | 'TN' | 'C'
}

/** One screen of a listening test: a caption and the clips that are rated for it. */
export interface RatingList {
  readonly query: string
  readonly text: string
  readonly items: readonly ListedItem[]
  /** How similar the captions of the control and of the own clip are, from 0 (nothing in common) to 1: see {@link controlRule}. */
  readonly controlSimilarity: number
}

/** Who rates which lists, in which order, and each list's clips in which order. */
export interface ListeningPlan {
  readonly lists: readonly RatingList[]
  readonly raters: readonly {
    readonly rater: string
    readonly tasks: readonly { readonly list: number; readonly order: readonly number[] }[]
  }[]
}

/** Options of {@link planListening}. */
export interface ListeningOptions {
  /** Captions to rate, drawn at random; default all. */
  readonly queries?: number
  /** Candidates of a query, besides its own clip and the control; default 3. */
  readonly candidates?: number
  /**
   * Relevance that is already known or guessed: candidates are the most relevant judged clips, then others at random, and no judged clip is a
   * control while there are others; else the least relevant ones are. Default: candidates are drawn at random.
   */
  readonly relevance?: Relevances
  readonly raters: number
  /** How many raters rate each list; default 3, or all when there are fewer. */
  readonly ratersEach?: number
  readonly seed: number
  readonly signal?: AbortSignal
}

/**
 * Plans a listening test: each caption with its own clip, a control and candidates, as in the TAU Audio-Text Graded Relevances. Controls are the
 * clips whose captions are least similar, see {@link controlRule}. Lists are given out so that each has `ratersEach` raters and no rater
 * has more than one list more than another; each rater gets them in an order of their own. Throws INVALID_DATA when there are too
 * few clips for a list.
 */
export async function planListening(
  captioned: CaptionedClips,
  options: ListeningOptions,
): Promise<ListeningPlan> {
  const { candidates = 3, relevance, raters, seed, signal } = checkOptions(options, 'planListening')
  const { ratersEach = Math.min(3, raters) } = options
  if (!Number.isInteger(candidates) || candidates < 0)
    throw expected('a whole number', 'candidates', candidates)
  if (!Number.isInteger(raters) || raters < 1) throw expected('a whole number from 1', 'raters', raters)
  if (!Number.isInteger(ratersEach) || ratersEach < 1 || ratersEach > raters)
    throw expected(`a whole number from 1 to the ${raters} raters`, 'ratersEach', ratersEach)
  const clips = [...captioned.byClip.keys()]
  if (clips.length < candidates + 2) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected ${candidates + 2} clips or more for a list of that many, got ${clips.length}.`,
      { remedy: 'Give more clips, or ask for fewer candidates.' },
    )
  }
  const rng = new Rng(seed, 'listening')
  const all = rng.shuffle([...captioned.captions])
  const { queries = all.length } = options
  if (!Number.isInteger(queries) || queries < 1) throw expected('a whole number from 1', 'queries', queries)
  const controls = await Controls.of(captioned, { signal })
  const lists = all.slice(0, queries).map(({ id: query, clip, text }): RatingList => {
    const judged = relevance?.judged(query) ?? new Map<string, number>()
    // What nobody has judged may fit, but captions speak against it; of judged clips those that fit least are left.
    const least = Math.min(...clips.flatMap((one) => (one === clip ? [] : (judged.get(one) ?? []))))
    const control =
      controls.next(clip, (one) => !judged.has(one)) ??
      controls.next(clip, (one) => judged.get(one)! <= least)!
    const others = rng.shuffle(clips.filter((one) => one !== clip && one !== control.item))
    // Sorting is stable: clips that nobody has judged stay in the order of the draw, behind those that are known.
    others.sort((a, b) => (judged.get(b) ?? -1) - (judged.get(a) ?? -1))
    return {
      query,
      text,
      items: [
        { item: clip, group: 'TP' },
        { item: control.item, group: 'TN' },
        ...others.slice(0, candidates).map((item) => ({ item, group: 'C' as const })),
      ],
      controlSimilarity: control.similarity,
    }
  })
  const given: number[][] = Array.from({ length: raters }, () => [])
  // Round and round over the raters: neighbouring places are never one rater, and counts differ by one at most.
  for (let place = 0; place < lists.length * ratersEach; place++)
    given[place % raters]!.push(Math.floor(place / ratersEach))
  return {
    lists,
    raters: given.map((own, r) => ({
      rater: `rater-${r + 1}`,
      tasks: rng
        .shuffle([...own])
        .map((list) => ({ list, order: rng.shuffle([...lists[list]!.items.keys()]) })),
    })),
  }
}
