import { type Matrix, matrix } from '../base/matrix.js'
import type { Clip } from '../data/index.js'
import { type Hit, type Scorer, searchByScore } from '../retrieval/index.js'
import { type EvaluateRunOptions, featuresOf } from './evaluate-run.js'
import type { OpenRun } from './run-folder.js'

export interface SearchRunOptions extends Pick<EvaluateRunOptions, 'manifest' | 'signal' | 'onFeatures'> {
  /** Hits for each sentence. Default 10. */
  k?: number
  /** Only clips of this split. Default: all. */
  split?: string
}

/** A hit with the clip it stands for. */
export interface ClipHit extends Hit {
  readonly clip: Clip
}

/** Clips of the run's manifest (or another) that match each sentence best. */
export async function searchRun(
  run: OpenRun,
  sentences: readonly string[],
  options: SearchRunOptions = {},
): Promise<ClipHit[][]> {
  const { k = 10, split = null, signal } = options
  const { clips, features } = await featuresOf(run, split, options)
  const scorer: Scorer<string> = {
    size: clips.length,
    async score(queries, first, count, at) {
      return transposed(await run.model.score(features.slice(first, first + count), queries, at))
    },
  }
  const found = await searchByScore(scorer, sentences, {
    ids: clips.map(({ id }) => id),
    k,
    ...(signal === undefined ? {} : { signal }),
  })
  return found.map((hits) => hits.map((hit) => ({ ...hit, clip: clips[hit.index]! })))
}

function transposed({ rows, cols, data }: Matrix): Matrix {
  const out = matrix(cols, rows)
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) out.data[c * rows + r] = data[r * cols + c]!
  return out
}
