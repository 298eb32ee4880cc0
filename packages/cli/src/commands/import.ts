import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { type Clip, importAudioCaps, importClotho, importFolder, writeManifest } from '@sonotext/core/data'
import type { CommandBody } from '../command.js'
import { exitCode, UsageError } from '../exit.js'

interface ImportOptions {
  out: string
  audio?: string
  metadata?: string
  split?: string
}

type Importer = (path: string, options: ImportOptions) => Promise<Clip[]>

/** One row an importer. Data sets name their split in the name of the CSV, a folder only with --split or a column. */
const importers: Readonly<Record<string, Importer>> = {
  clotho: (captions, { audio = dirname(captions), metadata, split = splitOfName(captions) }) =>
    importClotho({ captions, audio, split, ...(metadata === undefined ? {} : { metadata }) }),
  audiocaps: (captions, { audio = dirname(captions), split = splitOfName(captions) }) =>
    importAudioCaps({ captions, audio, split }),
  folder: async (path, { audio, split }) => {
    const named = split === undefined ? {} : { split }
    const isFolder = (await stat(path).catch(() => null))?.isDirectory() ?? false
    return isFolder
      ? importFolder(path, named)
      : importFolder(audio ?? dirname(path), { captions: path, ...named })
  },
}

/** Makes a manifest from caption files of other data sets. */
const importCommand: CommandBody<ImportOptions, readonly [string, readonly string[]]> = async (
  { terminal, signal },
  options,
  kind,
  paths,
) => {
  const importer = Object.hasOwn(importers, kind) ? importers[kind] : undefined
  if (importer === undefined) {
    throw new UsageError(`Expected one of ${Object.keys(importers).join(', ')}, got "${kind}".`)
  }
  if (options.metadata !== undefined && (kind !== 'clotho' || paths.length > 1)) {
    throw new UsageError('--metadata belongs to one split of Clotho: import one CSV at a time with it.')
  }
  const clips: Clip[] = []
  for (const path of paths) clips.push(...(await importer(path, options)))
  await writeManifest(options.out, clips, { signal })
  const captions = clips.reduce((sum, clip) => sum + clip.captions.length, 0)
  const bySplit = Map.groupBy(clips, ({ split }) => split ?? '')
  const splits = Object.fromEntries(Array.from(bySplit, ([name, some]) => [name, some.length]))
  terminal.result({ manifest: options.out, clips: clips.length, captions, splits }, () => {
    const parts = Object.entries(splits).map(([name, count]) => `${name === '' ? 'no split' : name} ${count}`)
    return [
      `${clips.length} clips (${parts.join(', ')}) with ${captions} captions → ${options.out}`,
      `next: sonotext check ${options.out}`,
    ].join('\n')
  })
  return exitCode.ok
}
export default importCommand

/** clotho_captions_development.csv → development; audiocaps/train.csv → train. */
function splitOfName(file: string): string {
  return basename(file, '.csv').split(/[_.-]/).at(-1)!
}
