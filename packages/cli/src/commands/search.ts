import { openRun, searchRun, unknownWords } from '@sonotext/core/experiment'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { exitCode } from '../exit.js'
import { type FoundClips, hitsText, toFound } from '../hits-text.js'
import type { CommandBody } from '../main.js'
import { runClipsOf, type RunClipsFlags } from '../run-clips.js'

interface SearchOptions extends BackendOptions, RunClipsFlags {
  top: number
  split?: string
}

/** Clips that match sentences. */
const search: CommandBody<SearchOptions, readonly [string, readonly string[]]> = async (
  context,
  options,
  folder,
  sentences,
) => {
  const { terminal } = context
  const run = await openRun(folder, { backend: backendOf(options, terminal) })
  const unknown = new Set(sentences.flatMap((sentence) => unknownWords(run.model, sentence)))
  if (unknown.size > 0) terminal.warn(`the model does not know: ${[...unknown].join(', ')}`)
  const hits = await searchRun(run, sentences, {
    k: options.top,
    ...runClipsOf(context, options),
    ...(options.split === undefined ? {} : { split: options.split }),
  })
  terminal.result<FoundClips[]>(toFound(sentences, hits), hitsText)
  return exitCode.ok
}
export default search
