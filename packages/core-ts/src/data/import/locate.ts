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
  /** Which files were found under another spelling, as a sentence; empty where there are none. */
  readonly note: string
}

/**
 * Looks for each clip's file below several folders, the first that has it. The clips' paths are taken as lying below the first. A name
 * that is not there as it is written is looked for in other spellings. What is missing keeps its path there.
 */
export async function locateAudio(
  clips: readonly Clip[],
  folders: readonly [string, ...string[]],
): Promise<Located> {
  const [first] = folders
  const paths = new Map<string, string>()
  const lost = new Set<string>()
  const nameOf = ({ audio }: Clip) => relative(first, audio)
  for (const name of new Set(clips.map(nameOf))) {
    const path = await firstFile(folders.map((folder) => resolve(folder, name)))
    if (path === undefined) lost.add(name)
    else paths.set(name, path)
  }
  const there = lost.size === 0 ? [] : await filesBelow(folders)
  const others = otherSpellings(lost, there, new Set(paths.values()))
  const found = clips.map((clip) => {
    const audio = paths.get(nameOf(clip)) ?? others.get(nameOf(clip))
    return audio === undefined ? clip : { ...clip, audio: resolve(audio) }
  })
  const missing = clips.filter((clip) => lost.has(nameOf(clip)) && !others.has(nameOf(clip)))
  const [example] = others
  return {
    clips: found,
    missing: missing.map(({ id }) => id),
    hint: missing.length === 0 ? '' : hintOf(missing.map(nameOf), there, folders),
    note:
      example === undefined
        ? ''
        : `${others.size} audio ${others.size === 1 ? 'file is' : 'files are'} there under another spelling, such as "${example[0]}": ${example[1]}.`,
  }
}

async function firstFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isFile(path)) return path
  return undefined
}

interface FoundFile {
  readonly path: string
  /** Below the folder that was searched. */
  readonly name: string
}

async function filesBelow(folders: readonly string[]): Promise<FoundFile[]> {
  const there: FoundFile[] = []
  for (const folder of folders) {
    const { files } = await listAudio(folder, { foreign: true }).catch(() => ({ files: [] }))
    there.push(...files.map((name) => ({ path: join(folder, name), name })))
  }
  return there
}

/**
 * Where the files of names lie that are written in another way: Unicode composed or not, blanks and signs as `%20`, and with leading folders of
 * another machine (`C:/data/a.wav`, `file:///data/a.wav`) or of another working folder (`audio/a.wav` inside `audio`). The longest end of a
 * name that is there counts. A file that two names come to, or that one has already, is given to neither; an address is the name of no file.
 */
function otherSpellings(
  names: ReadonlySet<string>,
  there: readonly FoundFile[],
  taken: ReadonlySet<string>,
): Map<string, string> {
  const byName = new Map<string, string>()
  for (const { name, path } of there) {
    const key = name.normalize('NFC')
    if (!byName.has(key)) byName.set(key, path)
  }
  const found = Array.from(names, (name) => [name, spelled(name, byName)] as const)
  const claims = Map.groupBy(found, ([, path]) => path)
  return new Map(
    found.flatMap(([name, path]) =>
      path === undefined || taken.has(resolve(path)) || claims.get(path)!.length > 1 ? [] : [[name, path]],
    ),
  )
}

function spelled(name: string, byName: ReadonlyMap<string, string>): string | undefined {
  if (isAddress(name)) return undefined
  for (const form of [name, decoded(name)]) {
    const parts = form
      .normalize('NFC')
      .split(/[\\/]/)
      .filter((part) => !['', '.', '..'].includes(part))
    for (let from = 0; from < parts.length; from++) {
      const path = byName.get(parts.slice(from).join('/'))
      if (path !== undefined) return path
    }
  }
  return undefined
}

/** What lies behind it may be another recording than a file of its last name. */
function isAddress(name: string): boolean {
  return /^(https?|s3|gs|ftp):/i.test(name)
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  )
}

/** Where files of these names are after all: in sub-folders, with an ending, or in letters of another case. */
function hintOf(names: readonly string[], found: readonly FoundFile[], folders: readonly string[]): string {
  const there = found.map(({ path }) => path)
  const searched = new Set(folders.map((folder) => join(folder, '.')))
  const byName = Map.groupBy(there, (path) => basename(path))
  const byStem = Map.groupBy(there, (path) => basename(path).replace(/\.[^.]*$/, ''))
  const byCase = Map.groupBy(there, (path) => basename(path).toLowerCase())
  const inside = new Map<string, number>()
  let endings = 0
  let cases = 0
  let example = ''
  for (const name of names.map((written) => basename(written.replaceAll('\\', sep)))) {
    const path = byName.get(name)?.[0] ?? byStem.get(name)?.[0] ?? byCase.get(name.toLowerCase())?.[0]
    // One that lies in a folder that was searched is another file of this name.
    if (path === undefined || (byName.has(name) && searched.has(dirname(path)))) continue
    if (byName.has(name)) inside.set(dirname(path), (inside.get(dirname(path)) ?? 0) + 1)
    else if (byStem.has(name)) endings++
    else cases++
    example ||= `"${name}" is ${path}`
  }
  const addresses = names.filter(isAddress).length
  const parts = [
    ...(addresses > 0
      ? [
          `${addresses} ${addresses === 1 ? 'is an address' : 'are addresses'}, and nothing is fetched: download ${addresses === 1 ? 'it' : 'them'} first`,
        ]
      : []),
    ...(inside.size > 0
      ? [
          `${sum(inside.values())} ${sum(inside.values()) === 1 ? 'lies in another folder' : 'lie in other folders'}: ${audioOptions(inside)}`,
        ]
      : []),
    ...(endings > 0
      ? [
          `${endings} ${endings === 1 ? 'lacks its' : 'lack their'} ending: --file-pattern "{file}${/\.[^.]*$/.exec(example)?.[0] ?? '.wav'}"`,
        ]
      : []),
    ...(cases > 0 ? [`${cases} ${cases === 1 ? 'is' : 'are'} spelled with other capitals`] : []),
  ]
  return parts.length === 0 ? '' : `${parts.join('; ')}${example === '' ? '' : ` (${example})`}.`
}

function audioOptions(folders: ReadonlyMap<string, number>): string {
  const names = [...folders.keys()].sort()
  const shown = names.slice(0, 3).map((folder) => `--audio ${folder}`)
  return [...shown, ...(names.length > 3 ? [`and ${names.length - 3} more`] : [])].join(' ')
}

function sum(counts: Iterable<number>): number {
  return [...counts].reduce((total, count) => total + count, 0)
}
