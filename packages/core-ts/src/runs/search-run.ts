import { type Matrix, transpose } from '../base/matrix.js'
import { SonotextError } from '../base/errors.js'
import { type Clip, clipsOfSplit, readCollection } from '../data/index.js'
import type { DualEncoder } from '../models/index.js'
import { type Hit, type Scorer, searchByScore } from '../retrieval/index.js'
import { UNK } from '../text/index.js'
import type { Corpus, CorpusClip } from '../corpus/index.js'
import { openClips, type RunClipsOptions } from './evaluate-run.js'
import { type OpenRun, readsForeign } from './run-folder.js'

/** Options of {@link searchRun}. */
export interface SearchRunOptions extends RunClipsOptions {
  /** Hits for each sentence. Default 10. */
  k?: number
  /** Only clips of this split. Default: all. */
  split?: string
}

/** A hit with the clip it stands for. */
export interface ClipHit extends Hit {
  readonly clip: Clip
}

/**
 * Clips of the run's manifest (or another) that match each sentence best. The clips need no captions.
 * @throws SonotextError INVALID_ARGUMENT for a sentence without words; INVALID_DATA as {@link evaluateRun}
 */
export async function searchRun(
  run: OpenRun,
  sentences: readonly string[],
  options: SearchRunOptions = {},
): Promise<ClipHit[][]> {
  const { k = 10, split = null, signal, onScored } = options
  const abortable = signal === undefined ? {} : { signal }
  for (const sentence of sentences) {
    if (run.model.text.encoder.tokenize(sentence).length > 0) continue
    throw new SonotextError('INVALID_ARGUMENT', `Expected a sentence with words, got "${sentence}".`)
  }
  await using opened = await openClips(run, split, options)
  const { clips, corpus } = opened
  using prepared = await run.model.prepareCaptions(sentences, abortable)
  const items: Scorer<string> = {
    size: clips.length,
    async score(_queries, first, count, at) {
      const block = await featuresOf(corpus, clips.slice(first, first + count), at)
      const scores = transpose(await prepared.score(block, at))
      onScored?.(first + count, clips.length)
      return scores
    },
  }
  const found = await searchByScore(items, sentences, { ids: clips.map(({ id }) => id), k, ...abortable })
  return found.map((hits) => hits.map((hit) => ({ ...hit, clip: clips[hit.index]! })))
}

/** A caption with the clip it was written for. */
export interface CaptionHit extends Hit {
  readonly text: string
  readonly clip: Clip
}

/**
 * Captions of the run's manifest (or another) that match each recording best. The recordings need not be in it.
 * @throws SonotextError as decoding each file; INVALID_DATA when the manifest (or split) has no captions
 */
export async function searchCaptions(
  run: OpenRun,
  files: readonly string[],
  options: Pick<SearchRunOptions, 'k' | 'split' | 'manifest' | 'signal'> = {},
): Promise<CaptionHit[][]> {
  const { k = 10, split, manifest: path = run.config.data.manifest, signal } = options
  const abortable = signal === undefined ? {} : { signal }
  const manifest = await readCollection(path, { ...abortable, foreign: readsForeign(run) })
  const clips = split === undefined ? manifest.clips : clipsOfSplit(manifest, split)
  const captions = clips.flatMap((clip) => clip.captions.map(({ id, text }) => ({ id, text, clip })))
  if (captions.length === 0) {
    throw new SonotextError('INVALID_DATA', 'there are no captions to choose from.', {
      file: manifest.path,
      remedy: 'Name a manifest or a split whose clips have captions.',
    })
  }
  await using corpus = await run.corpus(abortable)
  const features = await featuresOf(
    corpus,
    files.map((file) => ({ id: file, audio: file })),
    abortable,
  )
  const items: Scorer<Matrix> = {
    size: captions.length,
    async score(queries, first, count, at) {
      const texts = captions.slice(first, first + count).map(({ text }) => text)
      return run.model.score(queries, texts, at)
    },
  }
  const ids = captions.map(({ id }) => id)
  // All captions at once: a block of them would embed every recording again.
  const found = await searchByScore(items, features, { ids, k, block: captions.length, ...abortable })
  return found.map((hits) => hits.map((hit) => ({ ...hit, ...captions[hit.index]! })))
}

async function featuresOf(
  corpus: Corpus,
  clips: readonly CorpusClip[],
  options: { readonly signal?: AbortSignal },
): Promise<Matrix[]> {
  const all: Matrix[] = []
  for await (const { features } of corpus.read(clips, options)) all.push(features)
  return all
}

/** Words of a sentence that the model has never seen; it takes them all for the same unknown word. None where the encoder takes whole sentences. */
export function unknownWords({ text }: DualEncoder, sentence: string): string[] {
  if (text.encoder.prepare !== undefined) return []
  const words = text.encoder.tokenize(sentence)
  const indices = text.encoder.encode(words)
  return words.filter((_, i) => indices[i] === UNK)
}
