import { type RetrievalPools, retrievalPools, type RetrievalPoolsOptions } from '../align/index.js'
import { scoreSplit } from '../evaluation/index.js'
import { openClips, type RunClipsOptions } from './evaluate-run.js'
import type { OpenRun } from './run-folder.js'

/** Options of recall in small pools of a run's clips. */
export interface EvaluateRunPoolsOptions extends RunClipsOptions, RetrievalPoolsOptions {
  /** Default test. */
  split?: string
}

/**
 * Retrieval of a run in small pools of a split, as the aligning paper measures it: see {@link retrievalPools}.
 * @throws SonotextError INVALID_DATA for a split that is not there, whose clips cannot be used, or with fewer clips than a pool
 */
export async function evaluateRunPools(
  run: OpenRun,
  { split = 'test', pool, repeats, ranks, seed, ...options }: EvaluateRunPoolsOptions = {},
): Promise<RetrievalPools> {
  const { signal, onScored } = options
  await using opened = await openClips(run, split, options)
  const { clips, corpus, cacheFolder } = opened
  await run.model.text.prepare(
    clips.flatMap(({ captions }) => captions),
    { cacheFolder, signal },
  )
  const { scores, captionClip } = await scoreSplit(run.model, clips, corpus.source, {
    ...(signal && { signal }),
    ...(onScored && { onProgress: onScored }),
  })
  return retrievalPools(scores, captionClip, {
    ...(pool !== undefined && { pool }),
    ...(repeats !== undefined && { repeats }),
    ...(ranks !== undefined && { ranks }),
    ...(seed !== undefined && { seed }),
  })
}
