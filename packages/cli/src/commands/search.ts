import { openRun, searchRun } from '@sonotext/core/experiment'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { exitCode } from '../exit.js'
import { type FoundClips, hitsText, toFound } from '../hits-text.js'
import type { CommandBody } from '../main.js'

interface SearchOptions extends BackendOptions {
  top: number
  split?: string
  manifest?: string
}

/** Clips that match sentences. */
const search: CommandBody<SearchOptions, readonly [string, readonly string[]]> = async (
  { terminal, signal },
  options,
  folder,
  sentences,
) => {
  const run = await openRun(folder, { backend: backendOf(options, terminal) })
  const hits = await searchRun(run, sentences, {
    k: options.top,
    signal,
    ...(options.split === undefined ? {} : { split: options.split }),
    ...(options.manifest === undefined ? {} : { manifest: options.manifest }),
  })
  terminal.result<FoundClips[]>(toFound(sentences, hits), hitsText)
  return exitCode.ok
}
export default search
