import { type Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'

/** Endings of files that can be audio this library reads; what a file really is, its contents tell. */
const audioEndings = new Set(
  '.wav .wave .flac .mp3 .ogg .oga .opus .aif .aiff .aifc .au .snd .caf'.split(' '),
)

/** Endings of files that another decoder, such as ffmpeg, finds sound in. */
const foreignEndings = new Set(
  '.3gp .aac .ac3 .amr .ape .avi .dff .dsf .dts .eac3 .flv .m4a .m4b .mka .mkv .mov .mp2 .mp4 .mpc .ra .sph .tta .voc .w64 .webm .wma .wv'.split(
    ' ',
  ),
)

/** Whether a file may be audio by its name. */
export function hasAudioEnding(name: string): boolean {
  return audioEndings.has(extname(name).toLowerCase())
}

/** Whether a file, or an ending, is one of a format that another decoder finds sound in. */
export function hasForeignEnding(name: string): boolean {
  return foreignEndings.has((name.startsWith('.') ? name : extname(name)).toLowerCase())
}

/** Options of {@link listAudio}. */
export interface AudioListingOptions {
  /** Whether there is a decoder for what the library does not read itself: files of such formats are then listed too. Default false. */
  foreign?: boolean
}

/** The audio files below a folder. */
export interface AudioListing {
  /** Relative to the folder, with `/`, in order. */
  readonly files: readonly string[]
  /** What was left out, counted: by ending (`.m4a`), or as `hidden`, `link whose target is missing`, `folder seen before`. */
  readonly passedOver: Readonly<Record<string, number>>
}

/**
 * The audio files below a folder. Links to files and folders are followed; a folder that is reached a second time, as in a circle of
 * links, is passed over, and so are hidden files. Throws MISSING_FILE for a folder that is not there or may not be read.
 */
export async function listAudio(folder: string, options: AudioListingOptions = {}): Promise<AudioListing> {
  const { foreign = false } = checkOptions(options, 'listAudio')
  const isAudio = (name: string) => hasAudioEnding(name) || (foreign && hasForeignEnding(name))
  const files: string[] = []
  const passedOver: Record<string, number> = {}
  const pass = (what: string) => (passedOver[what] = (passedOver[what] ?? 0) + 1)
  const seen = new Set<string>()
  // Real folders first: what is reached both ways is named by its own place.
  const queues: [string[], string[]] = [[folder], []]
  for (let next = queues[0].shift() ?? queues[1].shift(); next !== undefined;) {
    const real = await realpath(next).catch((cause) => unreadable(next!, cause))
    if (seen.has(real)) pass('folder seen before')
    else {
      seen.add(real)
      for (const entry of await entriesOf(next)) {
        const path = join(next, entry.name)
        const kind = await kindOf(path, entry)
        if (entry.name.startsWith('.') || entry.name === '__MACOSX') pass('hidden')
        else if (kind === 'folder') queues[entry.isSymbolicLink() ? 1 : 0].push(path)
        else if (kind !== 'file') pass(kind)
        else if (isAudio(entry.name)) files.push(relative(folder, path).split(sep).join('/'))
        else pass(extname(entry.name).toLowerCase() || 'no ending')
      }
    }
    next = queues[0].shift() ?? queues[1].shift()
  }
  return { files: files.sort((a, b) => (a < b ? -1 : 1)), passedOver }
}

const several: Readonly<Record<string, string>> = {
  'link whose target is missing': 'links whose targets are missing',
  'folder seen before': 'folders seen before',
  device: 'devices',
}

/** `3 .m4a (read with --ffmpeg), 1 hidden`, most first; empty where nothing was passed over. */
export function passedOverText(passedOver: AudioListing['passedOver']): string {
  return Object.entries(passedOver)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(
      ([what, count]) =>
        `${count} ${count === 1 ? what : (several[what] ?? what)}${hasForeignEnding(what) ? ' (read with --ffmpeg)' : ''}`,
    )
    .join(', ')
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause) => unreadable(folder, cause))
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function kindOf(
  path: string,
  entry: Dirent,
): Promise<'file' | 'folder' | 'link whose target is missing' | 'device'> {
  const what = entry.isSymbolicLink() ? await stat(path).catch(() => null) : entry
  if (what === null) return 'link whose target is missing'
  return what.isFile() ? 'file' : what.isDirectory() ? 'folder' : 'device'
}

function unreadable(folder: string, cause: unknown): never {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
  throw new SonotextError('MISSING_FILE', `the folder could not be read (${code}).`, {
    file: folder,
    remedy: 'Check the path and its permissions.',
    cause,
  })
}
