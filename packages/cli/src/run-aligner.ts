import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isSonotextError } from '@sonotext/core/base'
import { type Clip, isFolder, readManifest } from '@sonotext/core/data'
import {
  cacheFolderOf,
  openRun,
  type OpenRun,
  openRunAligner,
  type RunAligner,
  runFiles,
  unlabelledClips,
} from '@sonotext/core/runs'
import { backendOf, type BackendOptions } from './backend-option.js'
import type { CommandContext } from './command.js'
import { decodePolicyOf, type DecodeFlags } from './decode-option.js'
import { UsageError } from './exit.js'
import { plural } from './plural.js'
import type { Progress } from './progress.js'

/** The options of commands that look for phrases in recordings. */
export interface AlignerFlags extends BackendOptions, DecodeFlags {
  words: 'mean' | 'max'
  smooth: number
  window: number
  margin: number
  unlabelled?: string
  calibrate: boolean
}

/** What a command was given to look in: one recording, or the clips of a manifest. */
export type Recordings = { readonly clip: Pick<Clip, 'id' | 'audio'> } | { readonly clips: readonly Clip[] }

/** A run with what aligns by it. */
export interface OpenAligner {
  readonly run: OpenRun
  readonly aligner: RunAligner
  /** What thresholds come from; null where there are none. */
  readonly thresholds: { readonly recordings: number } | null
}

/** A run with its aligner, for recordings that the user names: a file, a manifest, or the id of a clip of the run's manifest. */
export async function openAligner(
  context: CommandContext,
  folder: string,
  audio: string,
  flags: AlignerFlags,
): Promise<OpenAligner & { readonly recordings: Recordings }>
/** The same without recordings, which the command finds for itself. */
export async function openAligner(
  context: CommandContext,
  folder: string,
  audio: undefined,
  flags: AlignerFlags,
): Promise<OpenAligner>
export async function openAligner(
  context: CommandContext,
  folder: string,
  audio: string | undefined,
  flags: AlignerFlags,
): Promise<OpenAligner & { readonly recordings?: Recordings }> {
  const { terminal, signal } = context
  const run = await openRun(folder, { backend: backendOf(flags, terminal), decode: decodePolicyOf(flags) })
  const recordings = audio === undefined ? undefined : await recordingsOf(run, audio, signal)
  const unlabelled = await unlabelledOf(run, flags, context)
  let progress: Progress | undefined
  const aligner = await openRunAligner(run, {
    words: flags.words,
    smooth: flags.smooth,
    window: flags.window,
    margin: flags.margin,
    unlabelled,
    ...(recordings && 'clips' in recordings && { cacheFolder: cacheFolderOf(run.config, audio) }),
    ...(flags.unlabelled === undefined && { unlabelledCache: cacheFolderOf(run.config) }),
    thresholdFolder: join(folder, runFiles.thresholds),
    onNote: (note) => terminal.warn(note),
    onCalibrated: (done, total) => {
      progress ??= terminal.progress('thresholds', total, 'recordings')
      progress.update(done)
      if (done < total) return
      progress.finish()
      progress = undefined
    },
    signal,
  })
  const thresholds = unlabelled.length === 0 ? null : { recordings: unlabelled.length }
  return { run, aligner, thresholds, ...(recordings && { recordings }) }
}

/** Where thresholds come from, as a line below what was found by them; nothing where there are none. */
export function thresholdsLine(thresholds: OpenAligner['thresholds']): string[] {
  if (thresholds === null) return []
  return [`thresholds from ${plural(thresholds.recordings, 'recording')} without labels`]
}

async function recordingsOf(run: OpenRun, audio: string, signal: AbortSignal): Promise<Recordings> {
  if (/\.jsonl?$/i.test(audio)) return { clips: (await readManifest(audio, { signal })).clips }
  if (await isFolder(audio))
    throw new UsageError(`Expected a recording or a manifest, got the folder ${audio}.`)
  if (existsSync(audio)) return { clip: { id: audio, audio } }
  const known = await readManifest(run.config.data.manifest, { signal }).catch(() => undefined)
  const clip = known?.clips.find(({ id }) => id === audio)
  return { clip: clip ?? { id: audio, audio } }
}

/** The recordings by which thresholds are found. Those of the training are a default that may be gone. */
async function unlabelledOf(
  run: OpenRun,
  { calibrate, unlabelled }: AlignerFlags,
  { terminal, signal }: CommandContext,
): Promise<Clip[]> {
  if (!calibrate) return []
  try {
    return await unlabelledClips(run, {
      signal,
      ...(unlabelled === undefined ? {} : { manifest: unlabelled }),
    })
  } catch (error) {
    if (unlabelled !== undefined || !isSonotextError(error) || error.code === 'ABORTED') throw error
    terminal.warn(
      `no thresholds: ${error.message} Every phrase is given its best place in the recording, whether it is there or not; --unlabelled names other recordings.`,
    )
    return []
  }
}
