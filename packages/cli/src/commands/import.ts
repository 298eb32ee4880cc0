import { basename, dirname, relative, resolve } from 'node:path'
import { SonotextError } from '@sonotext/core'
import { ffmpegDecoder } from '@sonotext/core/audio'
import { isStream } from '@sonotext/core/base'
import {
  type Clip,
  columnRoles,
  type FolderColumns,
  type Importer,
  importers,
  hasForeignEnding,
  isFolder,
  locateAudio,
  type Located,
  shareSplits,
  writeManifest,
} from '@sonotext/core/data'
import type { PartConfig } from '@sonotext/core/registry'
import type { CommandBody } from '../command.js'
import { exitCode, UsageError } from '../exit.js'
import { refuseForeign, refuseOverwriting } from '../outputs.js'
import { plural } from '../plural.js'
import { pathArgument, shellLine } from '../shell-line.js'
import type { Terminal } from '../terminal.js'
import { unreadReason } from '../unread-audio.js'

interface ImportOptions {
  from?: string
  set: string[]
  out?: string
  audio: string[]
  metadata?: string
  split?: string
  share?: string
  seed: number
  column: string[]
  filePattern?: string
  delimiter?: string
  ffmpeg?: boolean
  dryRun?: boolean
}

/** Makes a manifest from caption files of other data sets. */
const importCommand: CommandBody<ImportOptions, readonly [readonly string[]]> = async (
  { terminal, signal },
  options,
  paths,
) => {
  const importer = importers.build(importerConfigOf(options, paths))
  refuseUnfit(options, paths)
  await refuseMissingFolders(options.audio)
  const shares = options.share === undefined ? undefined : sharesOf(options.share)
  const clips: Clip[] = []
  const missing: string[] = []
  const ids = new Set<string>()
  for (const [index, path] of paths.entries()) {
    const folders = audioFoldersOf(options.audio, path, index, paths.length)
    const { clips: found, missing: lost, hint, note } = await read(importer, path, folders, options, terminal)
    if (note !== '') terminal.warn(`${path}: ${note}`)
    const unique = withOwnIds(found, ids, path)
    clips.push(...unique)
    for (const { id } of unique) ids.add(id)
    missing.push(...lost)
    if (lost.length > 0) {
      const first = lost.slice(0, 3).map((id) => `"${id}"`)
      const said = `${lost.length} of ${plural(found.length, 'audio file')} not there, such as ${first.join(', ')}. ${hint}`
      if (lost.length === found.length && options.dryRun !== true) throw nothingThere(said.trimEnd(), path)
      terminal.warn(`${path}: ${said}`.trimEnd())
    }
  }
  if (clips.length === 0) {
    throw new SonotextError('INVALID_DATA', 'expected clips, found none.', {
      file: paths.join(', '),
      remedy: 'Give a file with rows below its header, or a folder with audio files.',
    })
  }
  noteAlikeSplits(clips, terminal)
  const shared = shares === undefined ? clips : shareSplits(clips, shares, options.seed)
  refuseOverwriting(
    options,
    shared.map(({ audio }) => audio),
  )
  refuseForeign('--out', options.out, 'manifest')
  if (options.dryRun !== true) await writeManifest(options.out!, shared, { signal })
  const ffmpeg = shared.some(({ audio }) => hasForeignEnding(audio))
  const unread = options.dryRun === true ? await unreadOf(shared, options, signal) : undefined
  const toFile = options.out !== undefined && !(await isStream(options.out))
  terminal.result(
    reportOf(shared, missing, options, unread),
    (report) => text(report, { ffmpeg, next: toFile }),
    options.out,
  )
  return exitCode.ok
}
export default importCommand

/** What will not be read, and why, by id. */
async function unreadOf(
  clips: readonly Clip[],
  { ffmpeg = false }: ImportOptions,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const unread = new Map<string, string>()
  const decode = { ...(ffmpeg && { decoders: [ffmpegDecoder()] }), signal }
  for (const { id, audio } of clips) {
    const reason = await unreadReason(audio, decode)
    if (reason !== null) unread.set(id, reason)
  }
  return unread
}

/** A slip in a name would otherwise be told of each of its files. */
async function refuseMissingFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    if (await isFolder(folder)) continue
    throw new SonotextError('MISSING_FILE', 'expected a folder of audio files (--audio), found none.', {
      file: folder,
      remedy: 'Check the path, or leave --audio out where the files lie beside the CSV.',
    })
  }
}

/** A manifest of which nothing can be heard is of use to no command. */
function nothingThere(said: string, file: string): SonotextError {
  const remedy =
    'Name the folder of the files with --audio, or fetch them first; --dry-run shows what would be read.'
  return new SonotextError('MISSING_FILE', said, { file, remedy })
}

/** `train` and `Train` are two splits, which nobody means. */
function noteAlikeSplits(clips: readonly Clip[], terminal: Terminal): void {
  const names = new Set(clips.flatMap(({ split }) => split ?? []))
  for (const alike of Map.groupBy(names, (name) => name.toLowerCase()).values()) {
    if (alike.length > 1)
      terminal.warn(`the splits ${alike.join(' and ')} differ in case alone and stay apart: write them alike`)
  }
}

/** Where to look for the audio: a folder for each CSV where there are as many, its own first; else all in turn. */
function audioFoldersOf(
  audio: readonly string[],
  path: string,
  index: number,
  paths: number,
): [string, ...string[]] {
  if (audio.length === 0) return [dirname(path)]
  const own = audio.length === paths ? index : 0
  return [audio[own]!, ...audio.filter((_, i) => i !== own)]
}

/** Two splits may have files of one name: then the later ones' ids begin with their split, or the name of the CSV or folder. */
function withOwnIds(clips: readonly Clip[], taken: ReadonlySet<string>, path: string): Clip[] {
  if (!clips.some(({ id }) => taken.has(id))) return [...clips]
  return clips.map((clip) => {
    const id = `${clip.split ?? basename(path, '.csv')}/${clip.id}`
    const captions = clip.captions.map((caption) => ({
      ...caption,
      id: caption.id.startsWith(`${clip.id}#`) ? `${id}${caption.id.slice(clip.id.length)}` : caption.id,
    }))
    return { ...clip, id, captions }
  })
}

async function read(
  importer: Importer,
  path: string,
  [first, ...rest]: [string, ...string[]],
  { split, share }: ImportOptions,
  terminal: Terminal,
): Promise<Located> {
  const onNote = (note: string): void => terminal.warn(note)
  const ofClips = split ?? (share === undefined ? undefined : null)
  const clips = await importer.read({
    path,
    audio: first,
    onNote,
    ...(ofClips !== undefined && { split: ofClips }),
  })
  // Files of a folder that was searched are there.
  if (await isFolder(path)) return { clips, missing: [], hint: '', note: '' }
  return locateAudio(clips, [first, ...rest])
}

/** Options that are keys of importers, as they are written. */
const keyOptions = {
  metadata: '--metadata',
  columns: '--column',
  filePattern: '--file-pattern',
  delimiter: '--delimiter',
  foreign: '--ffmpeg',
} as const

/** What the importer is made from: its name, the options that are keys of it, and those of --set. */
function importerConfigOf(options: ImportOptions, paths: readonly string[]): PartConfig {
  const { from, column, delimiter, metadata, filePattern, ffmpeg = false } = options
  if (from === undefined || !importers.has(from)) throw noImporter(from, paths)
  const given = {
    ...(metadata !== undefined && { metadata }),
    ...(column.length > 0 && { columns: columnsOf(column) }),
    ...(filePattern !== undefined && { filePattern }),
    ...(delimiter !== undefined && { delimiter: delimiter === '\\t' ? '\t' : delimiter }),
    ...(ffmpeg && { foreign: true }),
  }
  const has = (name: string, key: string) => Object.hasOwn(importers.schemaOf(name).properties, key)
  for (const key of Object.keys(given) as (keyof typeof keyOptions)[]) {
    if (has(from, key)) continue
    const fitting = importers.names.filter((name) => has(name, key))
    throw new UsageError(`${keyOptions[key]} is for ${fitting.join(' and ')}, not for ${from}.`)
  }
  return { type: from, ...given, ...Object.fromEntries(options.set.map(assignmentOf)) }
}

/** `key=value`; the value is JSON, or else text. */
function assignmentOf(text: string): [string, unknown] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`Expected key=value, got --set ${text}.`)
  const value = text.slice(at + 1)
  try {
    return [text.slice(0, at), JSON.parse(value)]
  } catch {
    return [text.slice(0, at), value]
  }
}

function noImporter(from: string | undefined, paths: readonly string[]): UsageError {
  const [first, ...rest] = paths
  const said =
    from === undefined
      ? `Give --from NAME for what ${first} is${importers.has(first!) ? `: sonotext import --from ${[first, ...rest].join(' ')}` : ''}.`
      : `There is no importer "${from}".`
  const width = Math.max(...importers.names.map(({ length }) => length))
  const list = importers.parts.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`)
  return new UsageError([said, 'Importers:', ...list].join('\n'))
}

function refuseUnfit(options: ImportOptions, paths: readonly string[]): void {
  if (options.metadata !== undefined && paths.length > 1)
    throw new UsageError('--metadata belongs to one split of Clotho: import one CSV at a time with it.')
  const twice = paths.find((path, i) => paths.findIndex((one) => resolve(one) === resolve(path)) < i)
  if (twice !== undefined) throw new UsageError(`${twice} is given twice: name it once.`)
  if (options.share !== undefined && options.split !== undefined)
    throw new UsageError('Expected one of --split and --share, got both.')
  if (options.dryRun !== true && options.out === undefined)
    throw new UsageError('Give --out FILE for the manifest, or --dry-run to see what it would hold.')
}

/** `file=fname`, `text=caption` (repeatable for several caption columns), `caption=` for none. */
function columnsOf(assignments: readonly string[]): FolderColumns {
  const columns: Record<string, string> = {}
  const captions: string[] = []
  let hasCaption = false
  for (const assignment of assignments) {
    const at = assignment.indexOf('=')
    const written = assignment.slice(0, at)
    const key = ['text', 'captions'].includes(written) ? 'caption' : written
    if (at < 1 || !(columnRoles as readonly string[]).includes(key)) {
      const roles = columnRoles.map((role) => (role === 'caption' ? 'text' : role))
      throw new UsageError(
        `Expected ROLE=NAME with a role of ${roles.join(', ')}, got --column ${assignment}.`,
      )
    }
    const name = assignment.slice(at + 1)
    if (key !== 'caption') columns[key] = name
    else {
      hasCaption = true
      if (name !== '') captions.push(name)
    }
  }
  return { ...columns, ...(hasCaption ? { caption: captions.length === 0 ? null : captions } : {}) }
}

/** `train=.8,validation=.1,test=.1` */
function sharesOf(text: string): Record<string, number> {
  const shares = text.split(',').map((part) => {
    const [name = '', share = ''] = part.split('=')
    const value = share.trim() === '' ? Number.NaN : Number(share)
    if (name.trim() === '' || !(value > 0 && value <= 1))
      throw new UsageError(`Expected name=share such as train=.8,validation=.1,test=.1, got --share ${text}.`)
    return [name.trim(), value] as const
  })
  return Object.fromEntries(shares)
}

interface Report {
  /** null with --dry-run. */
  manifest: string | null
  clips: number
  captions: number
  splits: Record<string, number>
  /** Ids of clips whose audio is not there. */
  missing: string[]
  /** With --dry-run: what would be written. */
  read?: { id: string; audio: string; captions: number; split: string | null; problem: string | null }[]
}

function reportOf(
  clips: readonly Clip[],
  missing: string[],
  { out, dryRun = false }: ImportOptions,
  unread: ReadonlyMap<string, string> | undefined,
): Report {
  const bySplit = Map.groupBy(clips, ({ split }) => split ?? '')
  return {
    manifest: dryRun ? null : out!,
    clips: clips.length,
    captions: clips.reduce((sum, clip) => sum + clip.captions.length, 0),
    splits: Object.fromEntries(Array.from(bySplit, ([name, some]) => [name, some.length])),
    missing,
    ...(dryRun
      ? {
          read: clips.map(({ id, audio, captions, split = null }) => ({
            id,
            audio,
            captions: captions.length,
            split,
            problem: unread?.get(id) ?? null,
          })),
        }
      : {}),
  }
}

/** Clips shown by --dry-run; --json has all of them. */
const shownClips = 10

/** `next`: whether to say the next command; `ffmpeg`: whether there are files that it reads by ffmpeg alone. */
function text(
  { manifest, clips, captions, splits, missing, read = [] }: Report,
  { ffmpeg, next: hasNext }: { ffmpeg: boolean; next: boolean },
): string {
  const parts = Object.entries(splits).map(([name, count]) => `${name === '' ? 'no split' : name} ${count}`)
  const summary = `${plural(clips, 'clip')} (${parts.join(', ')}) with ${plural(captions, 'caption')}`
  if (manifest !== null) {
    const next = shellLine('sonotext', 'check', pathArgument(manifest), ...(ffmpeg ? ['--ffmpeg'] : []))
    return [`${summary} → ${manifest}`, ...(hasNext ? [`next: ${next}`] : [])].join('\n')
  }
  const lost = new Set(missing)
  const bad = read.filter(({ problem }) => problem !== null)
  const order = [...bad, ...read.filter(({ problem }) => problem === null)]
  const shown = order.slice(0, shownClips).map(({ id, audio, captions: count, split, problem }) => {
    const state = lost.has(id) ? 'missing' : problem === null ? 'there  ' : 'unread '
    const line = `${state}  ${relative('.', audio)}  ${split ?? 'no split'}, ${plural(count, 'caption')}`
    return problem === null || problem === 'not there' ? line : `${line}: ${problem}`
  })
  if (order.length > shownClips) {
    const badBehind = Math.max(0, bad.length - shownClips)
    const also = badBehind > 0 ? `, ${badBehind} of them will not be read` : ''
    shown.push(`… ${order.length - shownClips} more${also}`)
  }
  const unread = bad.filter(({ id }) => !lost.has(id)).length
  const rest =
    (missing.length > 0 ? `, ${missing.length} without an audio file` : '') +
    (unread > 0 ? `, ${unread} with one that is not read` : '')
  return [...shown, `would write ${summary}${rest}; nothing was written`].join('\n')
}
