import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path'
import { hasAudioEnding, isFolder, listAudio, passedOverText, readManifest } from '@sonotext/core/data'
import type { CommandContext } from './command.js'
import type { DecodeFlags } from './decode-option.js'
import { UsageError } from './exit.js'

/** An audio file and where it stands in what the user named: below the folder or manifest, or by its own name. */
export interface AudioInput {
  readonly file: string
  readonly name: string
}

/** The audio files of files, folders and manifests (JSONL), in order. Says what it passes over in folders. */
export async function audioInputs(
  { terminal, signal }: CommandContext,
  paths: readonly string[],
  { ffmpeg = false }: Pick<DecodeFlags, 'ffmpeg'> = {},
): Promise<AudioInput[]> {
  const inputs: AudioInput[] = []
  for (const path of paths) {
    if (await isFolder(path)) {
      const { files, passedOver } = await listAudio(path, { foreign: ffmpeg })
      const rest = passedOverText(passedOver)
      if (files.length === 0)
        throw new UsageError(
          `${path} holds no audio file that is read${rest === '' ? '' : `, only ${rest}`}.`,
        )
      if (rest !== '') terminal.warn(`${path}: passed over ${rest}`)
      inputs.push(...files.map((name) => ({ file: join(path, name), name })))
    } else if (!hasAudioEnding(path) && /\.jsonl?$/i.test(path)) {
      const { clips } = await readManifest(path, { signal })
      const files = new Set(clips.map(({ audio }) => audio))
      inputs.push(...Array.from(files, (file) => ({ file, name: belowOrOwn(dirname(resolve(path)), file) })))
    } else inputs.push({ file: path, name: basename(path) })
  }
  return inputs
}

function belowOrOwn(folder: string, file: string): string {
  const name = relative(folder, file)
  return name.startsWith('..') ? basename(file) : name
}

/**
 * A file below `out` for each input, named as the input with another ending. Where two would meet all keep their place below the folder
 * that holds them all, and files that differ in their ending alone keep it.
 */
export function targetsBelow(out: string, inputs: readonly AudioInput[], ending: string): string[] {
  const stem = (name: string): string => name.slice(0, name.length - extname(name).length)
  const named = inputs.map(({ name }) => name)
  const stems = new Set(named.map(stem))
  const names =
    stems.size === named.length ? named : fromCommonFolder(inputs.map(({ file }) => resolve(file)))
  const counts = Map.groupBy(names, stem)
  const targets = names.map((name) =>
    join(out, `${counts.get(stem(name))!.length > 1 ? name : stem(name)}${ending}`),
  )
  const twice = targets.findIndex((target, i) => targets.indexOf(target) !== i)
  if (twice >= 0) throw new UsageError(`${inputs[twice]!.file} is named twice.`)
  return targets
}

function fromCommonFolder(files: readonly string[]): string[] {
  let common = dirname(files[0]!)
  for (const file of files)
    while (!file.startsWith(common.endsWith(sep) ? common : common + sep)) common = dirname(common)
  return files.map((file) => relative(common, file))
}
