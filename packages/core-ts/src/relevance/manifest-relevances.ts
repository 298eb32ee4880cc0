import { SonotextError } from '../base/index.js'
import type { Clip, ClipInput } from '../data/index.js'
import { type JudgedPair, Relevances } from './relevances.js'

/**
 * Relevance that the captions of a manifest state. Throws INVALID_FILE for a clip that the manifest does not have, and where no caption
 * states any.
 */
export function manifestRelevances(clips: readonly Clip[], file: string): Relevances {
  const known = new Set(clips.map(({ id }) => id))
  const pairs: JudgedPair[] = []
  for (const { captions } of clips) {
    for (const { id: query, relevance = {} } of captions) {
      for (const [item, value] of Object.entries(relevance)) {
        if (!known.has(item))
          throw bad(
            file,
            `caption "${query}" states relevance of "${item}", which is no clip of the manifest.`,
          )
        pairs.push({ query, item, relevance: value, raters: 0, deviation: null, played: null, group: null })
      }
    }
  }
  if (pairs.length > 0) return new Relevances(pairs)
  throw bad(
    file,
    'no caption of the manifest states relevance.',
    'Write it in: sonotext relevance import or apply with --manifest.',
  )
}

/** Pairs whose caption or clip is not among these clips. */
export function strangePairs(clips: readonly Clip[], relevances: Relevances): JudgedPair[] {
  const items = new Set(clips.map(({ id }) => id))
  const queries = new Set(clips.flatMap(({ captions }) => captions.map(({ id }) => id)))
  return relevances.pairs.filter(({ query, item }) => !queries.has(query) || !items.has(item))
}

/** Clips whose captions state this relevance, as far as query and item are among them: see {@link strangePairs}. */
export function withRelevance(clips: readonly Clip[], relevances: Relevances): ClipInput[] {
  const known = new Set(clips.map(({ id }) => id))
  return clips.map((clip) => ({
    ...clip,
    captions: clip.captions.map((caption) => {
      const judged = [...relevances.judged(caption.id)].filter(([item]) => known.has(item))
      return judged.length === 0 ? caption : { ...caption, relevance: Object.fromEntries(judged) }
    }),
  }))
}

function bad(file: string, message: string, remedy?: string): SonotextError {
  return new SonotextError('INVALID_FILE', message, { file, ...(remedy === undefined ? {} : { remedy }) })
}
