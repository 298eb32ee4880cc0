import type { Matrix } from '../base/matrix.js'
import type { EmbedRunOptions } from './embed-run.js'
import { openClips } from './evaluate-run.js'
import type { OpenRun } from './run-folder.js'

/** What the trained part of a model is given for clips and captions. */
export interface TowerVectors {
  /** Features of each clip, [frames × numbers] (one frame where a clip is one vector), and the ids of the clips. */
  readonly features: readonly Matrix[]
  readonly clips: readonly string[]
  /** The sentence encoder's vectors, one a caption, as it gives them; null for text encoders of words. */
  readonly sentences: Matrix | null
  /** The ids of the captions, and the clip of each. */
  readonly captions: readonly string[]
  readonly captionClips: readonly string[]
}

/**
 * What the towers of a run give for clips and captions, before anything that was trained: what the files of `exportOnnx` take. All of it is in memory.
 * @throws SonotextError as {@link evaluateRun}
 */
export async function towerVectorsOf(run: OpenRun, options: EmbedRunOptions = {}): Promise<TowerVectors> {
  const { split = null, signal, onScored } = options
  const abortable = signal === undefined ? {} : { signal }
  await using opened = await openClips(run, split, options)
  const { clips, corpus, cacheFolder } = opened
  const features: Matrix[] = []
  for await (const read of corpus.read(clips, abortable)) {
    features.push(read.features)
    onScored?.(features.length, clips.length)
  }
  const all = clips.flatMap((clip) => clip.captions.map((caption) => ({ clip, caption })))
  const texts = all.map(({ caption }) => caption)
  const { text } = run.model
  await text.prepare(texts, { cacheFolder, signal })
  return {
    features,
    clips: clips.map(({ id }) => id),
    sentences: text.encoder.towerVectors?.(texts) ?? null,
    captions: texts.map(({ id }) => id),
    captionClips: all.map(({ clip }) => clip.id),
  }
}
