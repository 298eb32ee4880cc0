import { basename, dirname } from 'node:path'
import { type Clip, importAudioCaps, importClotho, importFolder, writeManifest } from '@sonotext/core/data'
import { exitCode, UsageError } from '../exit.js'
import type { CommandBody } from '../main.js'

interface ImportOptions {
  out: string
  audio?: string
  metadata?: string
  split?: string
}

type Importer = (csv: string, options: ImportOptions & { split: string }) => Promise<Clip[]>

/** One row an importer. */
const importers: Readonly<Record<string, Importer>> = {
  clotho: (captions, { audio = dirname(captions), metadata, split }) =>
    importClotho({ captions, audio, split, ...(metadata === undefined ? {} : { metadata }) }),
  audiocaps: (captions, { audio = dirname(captions), split }) => importAudioCaps({ captions, audio, split }),
  folder: (captions, { audio = dirname(captions), split }) => importFolder(audio, { captions, split }),
}

/** Makes a manifest from caption files of other data sets. */
const importCommand: CommandBody<ImportOptions, readonly [string, readonly string[]]> = async (
  { terminal, signal },
  options,
  kind,
  files,
) => {
  const importer = Object.hasOwn(importers, kind) ? importers[kind] : undefined
  if (importer === undefined) {
    throw new UsageError(`Expected one of ${Object.keys(importers).join(', ')}, got "${kind}".`)
  }
  if (options.metadata !== undefined && files.length > 1) {
    throw new UsageError('--metadata belongs to one split: import one CSV at a time.')
  }
  const clips: Clip[] = []
  for (const file of files) {
    const split = options.split ?? splitOfName(file)
    clips.push(...(await importer(file, { ...options, split })))
  }
  await writeManifest(options.out, clips, { signal })
  const captions = clips.reduce((sum, clip) => sum + clip.captions.length, 0)
  const summary = { manifest: options.out, clips: clips.length, captions }
  terminal.result(summary, () => `${clips.length} clips with ${captions} captions → ${options.out}`)
  return exitCode.ok
}
export default importCommand

/** clotho_captions_development.csv → development; audiocaps/train.csv → train. */
function splitOfName(file: string): string {
  return basename(file, '.csv').split(/[_.-]/).at(-1)!
}
