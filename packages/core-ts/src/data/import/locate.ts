import { stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { listAudio } from '../audio-files.js'
import type { Clip } from '../manifest.js'

/** Clips with the paths at which their recordings were found. */
export interface Located {
  /** The clips with the audio paths found. */
  readonly clips: Clip[]
  /** Clips whose audio is in none of the folders, by id. */
  readonly missing: readonly string[]
  /** What may be the matter with the missing ones, as a sentence; empty where nothing was found. */
  readonly hint: string
}

/**
 * Looks for each clip's file below several folders, the first that has it. The clips' paths are taken as lying below the first. What
 * is missing keeps its path there.
 */
export async function locateAudio(
  clips: readonly Clip[],
  folders: readonly [string, ...string[]],
): Promise<Located> {
  const [first] = folders
  const missing: string[] = []
  const names: string[] = []
  const found: Clip[] = []
  for (const clip of clips) {
    const name = relative(first, clip.audio)
    let audio: string | undefined
    for (const folder of folders) {
      const path = resolve(folder, name)
      if (!(await isFile(path))) continue
      audio = path
      break
    }
    if (audio === undefined) {
      missing.push(clip.id)
      names.push(name)
    }
    found.push(audio === undefined ? clip : { ...clip, audio })
  }
  return { clips: found, missing, hint: missing.length === 0 ? '' : await hintOf(names, folders) }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  )
}

/** Where files of these names are after all: in sub-folders, with an ending, or in letters of another case. */
async function hintOf(names: readonly string[], folders: readonly string[]): Promise<string> {
  const there: string[] = []
  for (const folder of folders) {
    const { files } = await listAudio(folder).catch(() => ({ files: [] }))
    there.push(...files.map((file) => join(folder, file)))
  }
  const byName = Map.groupBy(there, (path) => basename(path))
  const byStem = Map.groupBy(there, (path) => basename(path).replace(/\.[^.]*$/, ''))
  const byCase = Map.groupBy(there, (path) => basename(path).toLowerCase())
  const inside = new Map<string, number>()
  let endings = 0
  let cases = 0
  let example = ''
  for (const name of names.map((written) => basename(written.replaceAll('\\', sep)))) {
    const path = byName.get(name)?.[0] ?? byStem.get(name)?.[0] ?? byCase.get(name.toLowerCase())?.[0]
    if (path === undefined) continue
    if (byName.has(name)) inside.set(dirname(path), (inside.get(dirname(path)) ?? 0) + 1)
    else if (byStem.has(name)) endings++
    else cases++
    example ||= `"${name}" is ${path}`
  }
  const parts = [
    ...(inside.size > 0 ? [`${sum(inside.values())} lie in other folders: ${audioOptions(inside)}`] : []),
    ...(endings > 0
      ? [`${endings} lack their ending: --file-pattern "{file}${/\.[^.]*$/.exec(example)?.[0] ?? '.wav'}"`]
      : []),
    ...(cases > 0 ? [`${cases} are spelled with other capitals`] : []),
  ]
  return parts.length === 0 ? '' : `${parts.join('; ')} (${example}).`
}

function audioOptions(folders: ReadonlyMap<string, number>): string {
  const names = [...folders.keys()].sort()
  const shown = names.slice(0, 3).map((folder) => `--audio ${folder}`)
  return [...shown, ...(names.length > 3 ? [`and ${names.length - 3} more`] : [])].join(' ')
}

function sum(counts: Iterable<number>): number {
  return [...counts].reduce((total, count) => total + count, 0)
}
