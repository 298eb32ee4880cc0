import { isFolder } from '@sonotext/core/data'
import { type OpenRun, searchCaptions, searchRun, unknownWords } from '@sonotext/core/runs'
import { audioInputs } from '../audio-inputs.js'
import { backendOf, type BackendOptions } from '../backend-option.js'
import type { CommandBody, CommandContext } from '../command.js'
import { decodePolicyOf, type DecodeFlags } from '../decode-option.js'
import { exitCode, UsageError } from '../exit.js'
import { captionsText, type FoundCaptions, type FoundClips, hitsText, toFound } from '../hits-text.js'
import { openModel } from '../open-model.js'
import { runClipsOf, type RunClipsFlags } from '../run-clips.js'

interface SearchOptions extends BackendOptions, RunClipsFlags, DecodeFlags {
  audio: string[]
  top: number
  split?: string
}

/** Clips that match sentences, then captions that match recordings. */
const search: CommandBody<SearchOptions, readonly [string, readonly string[]]> = async (
  context,
  options,
  folder,
  sentences,
) => {
  if (sentences.length + options.audio.length === 0) {
    throw new UsageError('Give sentences, or recordings with --audio.')
  }
  const { searched, queries } = await audioOf(sentences, options)
  const recordings = (await audioInputs(context, queries, options)).map(({ file }) => file)
  const run = await openModel(folder, {
    backend: backendOf(options, context.terminal),
    decode: decodePolicyOf(options),
  })
  const clips = sentences.length === 0 ? [] : await clipsFor(run, sentences, context, searched)
  const captions = recordings.length === 0 ? [] : await captionsFor(run, recordings, context, options)
  context.terminal.result([...clips, ...captions], () =>
    [hitsText(clips), captionsText(captions)].filter(Boolean).join('\n\n'),
  )
  return exitCode.ok
}
export default search

/** With sentences a folder given as --audio is what they are looked for in; any other --audio asks for captions. */
async function audioOf(
  sentences: readonly string[],
  options: SearchOptions,
): Promise<{ searched: SearchOptions; queries: string[] }> {
  const folders: string[] = []
  if (sentences.length > 0) for (const path of options.audio) if (await isFolder(path)) folders.push(path)
  const [manifest, ...more] = folders
  if (manifest === undefined) return { searched: options, queries: options.audio }
  if (more.length > 0 || options.manifest !== undefined) {
    throw new UsageError(
      `Expected one place to search, got ${[...folders, ...(options.manifest === undefined ? [] : [options.manifest])].join(' and ')}.`,
    )
  }
  return { searched: { ...options, manifest }, queries: options.audio.filter((path) => path !== manifest) }
}

async function clipsFor(
  run: OpenRun,
  sentences: readonly string[],
  context: CommandContext,
  options: SearchOptions,
): Promise<FoundClips[]> {
  const unknown = new Set(sentences.flatMap((sentence) => unknownWords(run.model, sentence)))
  if (unknown.size > 0) context.terminal.warn(`the model does not know: ${[...unknown].join(', ')}`)
  const hits = await searchRun(run, sentences, { ...runClipsOf(context, options), ...common(options) })
  return toFound(sentences, hits)
}

async function captionsFor(
  run: OpenRun,
  audio: readonly string[],
  { signal }: CommandContext,
  options: SearchOptions,
): Promise<FoundCaptions[]> {
  const { manifest } = options
  const found = await searchCaptions(run, audio, {
    signal,
    ...common(options),
    ...(manifest === undefined ? {} : { manifest }),
  })
  return audio.map((query, i) => ({
    query,
    hits: found[i]!.map(({ rank, score, id, text, clip }) => ({ rank, score, id, text, clip: clip.id })),
  }))
}

function common({ top, split }: SearchOptions): { k: number; split?: string } {
  return { k: top, ...(split === undefined ? {} : { split }) }
}
