import { basename, dirname, relative } from 'node:path'
import {
  type Clip,
  type FolderColumns,
  importAudioCaps,
  importClotho,
  importFolder,
  importMatches,
  importWavText5K,
  isFolder,
  locateAudio,
  type Located,
  shareSplits,
  writeManifest,
} from '@sonotext/core/data'
import type { CommandBody } from '../command.js'
import { exitCode, UsageError } from '../exit.js'
import { plural } from '../plural.js'
import type { Terminal } from '../terminal.js'

interface ImportOptions {
  out?: string
  audio: string[]
  metadata?: string
  split?: string
  share?: string
  seed: number
  column: string[]
  filePattern?: string
  delimiter?: string
  dryRun?: boolean
}

/** One file or folder to import, with where its audio lies. */
interface Source extends Omit<ImportOptions, 'audio'> {
  readonly path: string
  readonly audio: string
  readonly onNote: (note: string) => void
}

interface Kind {
  /** Options that it takes besides those of all. */
  readonly options: readonly (keyof ImportOptions)[]
  read(source: Source): Promise<Clip[]>
}

/** Names of files and folders that say which split they are. */
const usualSplits = new Set(
  'train training dev development val valid validation test eval evaluation'.split(' '),
)

/** One row an importer. Data sets name their split in the name of the CSV, other files only where it is a usual one. */
const kinds: Readonly<Record<string, Kind>> = {
  clotho: {
    options: ['metadata'],
    read: ({ path, audio, metadata, split = splitOfName(path), onNote }) =>
      importClotho({ captions: path, audio, split, onNote, ...(metadata === undefined ? {} : { metadata }) }),
  },
  audiocaps: {
    options: ['filePattern'],
    read: ({ path, audio, filePattern, split = splitOfName(path) }) =>
      importAudioCaps({
        captions: path,
        audio,
        split,
        ...(filePattern === undefined ? {} : { filePattern }),
      }),
  },
  wavtext5k: {
    options: [],
    read: ({ path, audio, split }) =>
      importWavText5K({ captions: path, audio, ...(split === undefined ? {} : { split }) }),
  },
  matches: {
    options: [],
    read: ({ path, audio, split }) =>
      importMatches({ captions: path, audio, ...(split === undefined ? {} : { split }) }),
  },
  folder: {
    options: ['column', 'filePattern', 'delimiter'],
    async read({ path, audio, split: given, share, column, filePattern, delimiter, onNote }) {
      const whole = await isFolder(path)
      const named = splitOfName(path)
      const split = given ?? (share === undefined && usualSplits.has(named) ? named : undefined)
      return importFolder(whole ? path : audio, {
        onNote,
        ...(whole ? {} : { captions: path, columns: columnsOf(column) }),
        ...(split === undefined ? {} : { split }),
        ...(filePattern === undefined ? {} : { filePattern }),
        ...(delimiter === undefined ? {} : { delimiter: delimiter === '\\t' ? '\t' : delimiter }),
      })
    },
  },
}

/** Makes a manifest from caption files of other data sets. */
const importCommand: CommandBody<ImportOptions, readonly [string, readonly string[]]> = async (
  { terminal, signal },
  options,
  kind,
  paths,
) => {
  const importer = Object.hasOwn(kinds, kind) ? kinds[kind]! : undefined
  if (importer === undefined) {
    throw new UsageError(`Expected one of ${Object.keys(kinds).join(', ')}, got "${kind}".`)
  }
  refuseUnfit(kind, importer, options, paths)
  const shares = options.share === undefined ? undefined : sharesOf(options.share)
  const clips: Clip[] = []
  const missing: string[] = []
  const ids = new Set<string>()
  for (const [index, path] of paths.entries()) {
    const folders = audioFoldersOf(options.audio, path, index, paths.length)
    const { clips: found, missing: lost, hint } = await read(importer, path, folders, options, terminal)
    const unique = withOwnIds(found, ids, path)
    clips.push(...unique)
    for (const { id } of unique) ids.add(id)
    missing.push(...lost)
    if (lost.length > 0) {
      const first = lost.slice(0, 3).map((id) => `"${id}"`)
      terminal.warn(
        `${path}: ${lost.length} of ${plural(found.length, 'audio file')} not there, such as ${first.join(', ')}. ${hint}`.trimEnd(),
      )
    }
  }
  const shared = shares === undefined ? clips : shareSplits(clips, shares, options.seed)
  if (options.dryRun !== true) await writeManifest(options.out!, shared, { signal })
  terminal.result(reportOf(shared, missing, options), text, options.out)
  return exitCode.ok
}
export default importCommand

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
  importer: Kind,
  path: string,
  [first, ...rest]: [string, ...string[]],
  options: ImportOptions,
  terminal: Terminal,
): Promise<Located> {
  const onNote = (note: string): void => terminal.warn(note)
  const clips = await importer.read({ ...options, path, audio: first, onNote })
  // Files of a folder that was searched are there.
  if (await isFolder(path)) return { clips, missing: [], hint: '' }
  return locateAudio(clips, [first, ...rest])
}

function refuseUnfit(kind: string, importer: Kind, options: ImportOptions, paths: readonly string[]): void {
  const given = {
    metadata: options.metadata !== undefined,
    column: options.column.length > 0,
    filePattern: options.filePattern !== undefined,
    delimiter: options.delimiter !== undefined,
  }
  for (const [name, isGiven] of Object.entries(given)) {
    if (!isGiven || importer.options.includes(name as keyof ImportOptions)) continue
    const fitting = Object.keys(kinds).filter((other) =>
      kinds[other]!.options.includes(name as keyof ImportOptions),
    )
    throw new UsageError(`--${name.replace('P', '-p')} is for ${fitting.join(' and ')}, not for ${kind}.`)
  }
  if (options.metadata !== undefined && paths.length > 1)
    throw new UsageError('--metadata belongs to one split of Clotho: import one CSV at a time with it.')
  if (options.share !== undefined && options.split !== undefined)
    throw new UsageError('Expected one of --split and --share, got both.')
  if (options.dryRun !== true && options.out === undefined)
    throw new UsageError('Give --out FILE for the manifest, or --dry-run to see what it would hold.')
}

const columnKeys = ['file', 'caption', 'id', 'split', 'group', 'tags', 'source', 'author', 'license'] as const

/** `file=fname`, `text=caption` (repeatable for several caption columns), `caption=` for none. */
function columnsOf(assignments: readonly string[]): FolderColumns {
  const columns: Record<string, string> = {}
  const captions: string[] = []
  let hasCaption = false
  for (const assignment of assignments) {
    const at = assignment.indexOf('=')
    const written = assignment.slice(0, at)
    const key = written === 'text' ? 'caption' : written
    if (at < 1 || !(columnKeys as readonly string[]).includes(key)) {
      throw new UsageError(`Expected one of ${columnKeys.join(', ')}=NAME, got --column ${assignment}.`)
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

/** clotho_captions_development.csv → development; audiocaps/train.csv → train. */
function splitOfName(file: string): string {
  return basename(file, '.csv').split(/[_.-]/).at(-1)!
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
  read?: { id: string; audio: string; captions: number; split: string | null }[]
}

function reportOf(clips: readonly Clip[], missing: string[], { out, dryRun = false }: ImportOptions): Report {
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
          })),
        }
      : {}),
  }
}

/** Clips shown by --dry-run; --json has all of them. */
const shownClips = 10

function text({ manifest, clips, captions, splits, missing, read = [] }: Report): string {
  const parts = Object.entries(splits).map(([name, count]) => `${name === '' ? 'no split' : name} ${count}`)
  const summary = `${plural(clips, 'clip')} (${parts.join(', ')}) with ${plural(captions, 'caption')}`
  if (manifest !== null) return [`${summary} → ${manifest}`, `next: sonotext check ${manifest}`].join('\n')
  const lost = new Set(missing)
  const shown = read.slice(0, shownClips).map(({ id, audio, captions: count, split }) => {
    const state = lost.has(id) ? 'missing' : 'there  '
    return `${state}  ${relative('.', audio)}  ${split ?? 'no split'}, ${plural(count, 'caption')}`
  })
  if (read.length > shownClips) shown.push(`… ${read.length - shownClips} more`)
  const rest = missing.length > 0 ? `, ${missing.length} without an audio file` : ''
  return [...shown, `would write ${summary}${rest}; nothing was written`].join('\n')
}
