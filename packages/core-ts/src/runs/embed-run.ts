import { type Matrix, matrix } from '../base/matrix.js'
import { openClips, type RunClipsOptions } from './evaluate-run.js'
import type { OpenRun } from './run-folder.js'

/** Options of {@link embedRun}. */
export interface EmbedRunOptions extends RunClipsOptions {
  /** Only clips of this split. Default: all. */
  split?: string
}

/** Vectors of clips and of their captions, with what they are. */
export interface RunEmbeddings {
  /** A unit vector for each clip, and the ids of the clips. */
  readonly audio: Matrix
  readonly clips: readonly string[]
  /** A unit vector for each caption, the ids of the captions, and the clip of each. */
  readonly text: Matrix
  readonly captions: readonly string[]
  readonly captionClips: readonly string[]
}

/** Clips that are embedded at once. */
const TOGETHER = 64

/**
 * The vectors that a model gives for clips and captions. Features and the vectors of text towers are kept as they are made, so that whoever
 * is stopped goes on where it was and ends with the same bits.
 * @throws SonotextError as {@link evaluateRun}
 */
export async function embedRun(run: OpenRun, options: EmbedRunOptions = {}): Promise<RunEmbeddings> {
  const { split = null, signal, onScored } = options
  const abortable = signal === undefined ? {} : { signal }
  await using opened = await openClips(run, split, options)
  const { clips, corpus, cacheFolder } = opened
  const { model } = run
  const audio = matrix(clips.length, model.dim)
  let waiting: Matrix[] = []
  let done = 0
  const flush = async () => {
    audio.data.set((await model.audio.embed(waiting, abortable)).data, done * model.dim)
    done += waiting.length
    waiting = []
    onScored?.(done, clips.length)
  }
  for await (const { features } of corpus.read(clips, abortable)) {
    waiting.push(features)
    if (waiting.length === TOGETHER) await flush()
  }
  if (waiting.length > 0) await flush()
  const all = clips.flatMap((clip) => clip.captions.map((caption) => ({ clip, caption })))
  const texts = all.map(({ caption }) => caption)
  await model.text.prepare(texts, { cacheFolder, signal })
  return {
    audio,
    clips: clips.map(({ id }) => id),
    text: await model.text.embed(texts, abortable),
    captions: texts.map(({ id }) => id),
    captionClips: all.map(({ clip }) => clip.id),
  }
}
