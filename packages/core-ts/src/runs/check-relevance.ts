import { SonotextError } from '../base/errors.js'
import type { Clip } from '../data/index.js'
import { readRelevances } from '../relevance/index.js'
import type { RunConfig } from './config.js'

/** Parts that take graded relevance from a file. */
const takers = new Set(['relevance', 'relevant-pairs', 'unjudged-pairs'])

/**
 * Relevance of other data would do nothing and say nothing: throws INVALID_DATA naming a file that knows no pair of a caption and a clip of
 * these.
 */
export async function refuseStrangeRelevance(
  config: RunConfig,
  clips: readonly Clip[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const known = new Set(clips.map(({ id }) => id))
  const captions = clips.flatMap((clip) => clip.captions)
  for (const file of new Set(filesOf(config))) {
    const relevances = await readRelevances(file, signal && { signal })
    if (captions.some(({ id }) => [...relevances.judged(id).keys()].some((item) => known.has(item)))) continue
    const [pair] = relevances.pairs
    throw new SonotextError(
      'INVALID_DATA',
      `the relevance is of other data: it knows "${pair!.query}" and "${pair!.item}", the training data have captions such as "${captions[0]?.id}" of clips such as "${clips[0]?.id}".`,
      { file, remedy: 'Queries must be ids of captions and items ids of clips, as the manifest has them.' },
    )
  }
}

function* filesOf(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  const { type, file } = value as { type?: unknown; file?: unknown }
  if (takers.has(type as string) && typeof file === 'string') yield file
  for (const child of Object.values(value)) yield* filesOf(child)
}
