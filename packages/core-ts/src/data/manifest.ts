import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { throwIfAborted } from '../base/abort.js'
import { type ErrorCode, SonotextError } from '../base/errors.js'
import { isStream, writeFileAtomic } from '../base/files.js'
import { readLines } from '../base/text.js'
import { checkOptions } from '../base/options.js'
import type { ManifestCaption, ManifestEvent, ManifestLine } from './manifest-line.js'
import { manifestProblem } from './manifest-validate.js'

/** One description of a clip. */
export interface Caption {
  /** Unique in the manifest; `<clip id>#<number from 1>` where the manifest gives none. */
  readonly id: string
  readonly text: string
  /** Given tokens; absent when they are to be derived from the text. */
  readonly tokens?: readonly string[]
  /** How much clips fit it, 0 to 1, by their ids; absent where nobody has judged it. */
  readonly relevance?: Readonly<Record<string, number>>
}

/** A sound event: seconds from the start of the clip, level in dB relative to full scale. */
export type SoundEvent = Readonly<ManifestEvent>

/**
 * One audio clip as the library holds it. The same fields as a manifest line, but `audio` is a path that can be opened and
 * every caption has its id.
 */
export interface Clip {
  readonly id: string
  /** Absolute path of the audio file. */
  readonly audio: string
  readonly captions: readonly Caption[]
  readonly split?: string
  /** The recording the clip was cut from; see {@link groupOf}. */
  readonly group?: string
  readonly events?: readonly SoundEvent[]
  /** Seconds. */
  readonly duration?: number
  /** Hz. */
  readonly sampleRate?: number
  readonly tags?: readonly string[]
  readonly source?: string
  readonly author?: string
  readonly license?: string
  readonly extra?: Readonly<Record<string, unknown>>
}

/** A manifest that was read, or a folder taken as one. */
export interface Manifest {
  /** The file it was read from, absolute. */
  readonly path: string
  readonly clips: readonly Clip[]
}

/** What a clip is written from: captions may be plain texts and may lack ids. */
export type ClipInput = Omit<Clip, 'captions'> & {
  readonly captions?: readonly (string | (Omit<Caption, 'id'> & { readonly id?: string }))[]
}

/** Clips that share this name are never each other's negatives and must not stand in different splits. */
export function groupOf(clip: Pick<Clip, 'id' | 'group'>): string {
  return clip.group ?? clip.id
}

/** The splits that occur, in order of first appearance; clips without a split are not counted. */
export function splitsOf(clips: readonly Clip[]): string[] {
  return [...new Set(clips.flatMap((clip) => clip.split ?? []))]
}

/**
 * Clips of one split.
 * @param key what named the split, for the message: a key of a configuration or an option
 * @throws SonotextError INVALID_DATA naming the splits there are when none matches
 */
export function clipsOfSplit(manifest: Manifest, split: string, key?: string): Clip[] {
  const clips = manifest.clips.filter((clip) => clip.split === split)
  if (clips.length > 0) return clips
  const found = splitsOf(manifest.clips)
  throw new SonotextError(
    'INVALID_DATA',
    `no clip belongs to the split "${split}"${key === undefined ? '' : ` of ${key}`}.`,
    {
      file: manifest.path,
      remedy: found.length === 0 ? 'Give every line a "split".' : `The manifest has: ${found.join(', ')}.`,
    },
  )
}

/** Whether a file is taken for a manifest where tables are taken too: its name ends in .jsonl or .ndjson, in any case. */
export function isManifestName(path: string): boolean {
  return /\.(jsonl|ndjson)$/i.test(path)
}

/**
 * Reads a manifest (JSON Lines, UTF-8). Throws MISSING_FILE, or INVALID_FILE naming file and line: not JSON, an unknown or
 * mistyped field, an id that occurs twice, an encoding other than UTF-8, no clip at all.
 */
export async function readManifest(path: string, options: { signal?: AbortSignal } = {}): Promise<Manifest> {
  checkOptions(options, 'readManifest')
  const clips: Clip[] = []
  for await (const clip of readClips(path, options)) clips.push(clip)
  if (clips.length === 0) throw noClip(path)
  return { path: resolve(path), clips }
}

/** The clips of a manifest one after the other, for manifests larger than memory. Throws as {@link readManifest}. */
export async function* readClips(path: string, options: { signal?: AbortSignal } = {}): AsyncGenerator<Clip> {
  const folder = dirname(resolve(path))
  const ids = new Ids('INVALID_FILE')
  for await (const { number, text, ended } of readLines(path, { signal: options.signal })) {
    if (text.trim() === '') continue
    const file = `${path}:${number}`
    const line = parseLine(text, file, number === 1, ended)
    const clip = toClip(line, folder)
    ids.add(clip, number, file)
    yield clip
  }
}

/** The clips of a manifest from its text. Throws INVALID_FILE as {@link readManifest}. */
export function parseManifest(text: string, path: string): Manifest {
  const folder = dirname(resolve(path))
  const ids = new Ids('INVALID_FILE')
  const lines = text.split('\n')
  const clips = lines.flatMap((line, i) => {
    if (line.trim() === '') return []
    const file = `${path}:${i + 1}`
    const clip = toClip(parseLine(line, file, i === 0, i + 1 < lines.length), folder)
    ids.add(clip, i + 1, file)
    return [clip]
  })
  if (clips.length === 0) throw noClip(path)
  return { path: resolve(path), clips }
}

/**
 * Writes a manifest atomically. Audio paths become relative to its folder, and absolute in a pipe or device. Throws INVALID_DATA naming the clip when one does
 * not fit the schema or an id occurs twice, WRITE_FAILED when the disk refuses.
 */
export async function writeManifest(
  path: string,
  clips: Iterable<ClipInput>,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  checkOptions(options, 'writeManifest')
  // Where a stream ends is not known.
  const folder = (await isStream(path)) ? null : dirname(resolve(path))
  const ids = new Ids('INVALID_DATA')
  const parts: Uint8Array[] = []
  let part: string[] = []
  const flush = () => {
    parts.push(Buffer.from(part.join('')))
    part = []
  }
  let number = 0
  for (const clip of clips) {
    throwIfAborted(options.signal)
    number++
    const line = toLine(clip, folder)
    const problem = manifestProblem(line)
    if (problem !== undefined) {
      throw new SonotextError('INVALID_DATA', `clip ${number} ("${clip.id}"): ${problem.message}`, {
        file: path,
        ...problem,
      })
    }
    ids.add(toClip(line, folder ?? ''), number, path)
    part.push(`${JSON.stringify(line)}\n`)
    if (part.length === 4096) flush()
  }
  flush()
  await writeFileAtomic(path, parts)
}

/** The id of a clip's caption number `index` (from 0) where none is given. */
export function defaultCaptionId(clipId: string, index: number): string {
  return `${clipId}#${index + 1}`
}

function noClip(file: string): SonotextError {
  return new SonotextError('INVALID_FILE', 'the manifest holds no clip.', {
    file,
    remedy: 'Write one JSON object a line, such as {"id":"a","audio":"a.wav","captions":["a dog barks"]}.',
  })
}

function parseLine(text: string, file: string, isFirst: boolean, ended: boolean): ManifestLine {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch (cause) {
    const start = text.trimStart()[0]
    const remedy =
      isFirst && start !== '{'
        ? 'A manifest has one JSON object a line (JSON Lines). Importers turn CSV files into one.'
        : isFirst && /^\s*\{\s*$/.test(text)
          ? 'Each clip must stand on one line of its own (JSON Lines).'
          : ended
            ? 'Correct the line or remove it.'
            : 'The file seems cut short: write it again, or remove its last line.'
    throw new SonotextError('INVALID_FILE', `the line is not JSON (${(cause as Error).message}).`, {
      file,
      remedy,
      cause,
    })
  }
  const problem = Array.isArray(line)
    ? {
        message: 'expected an object, got an array.',
        remedy: 'A manifest has one JSON object a line (JSON Lines).',
      }
    : manifestProblem(line)
  if (problem !== undefined) throw new SonotextError('INVALID_FILE', problem.message, { file, ...problem })
  return line as ManifestLine
}

/** Refuses an id that occurs twice: INVALID_FILE when reading, INVALID_DATA when writing. */
class Ids {
  readonly #clips = new Map<string, number>()
  readonly #captions = new Map<string, number>()
  readonly #code: ErrorCode

  constructor(code: ErrorCode) {
    this.#code = code
  }

  /** `number` is the line (or clip) the clip stands on, from 1. */
  add(clip: Clip, number: number, file: string): void {
    this.#addOne(this.#clips, 'clip', clip.id, number, file)
    for (const caption of clip.captions) this.#addOne(this.#captions, 'caption', caption.id, number, file)
  }

  #addOne(seen: Map<string, number>, kind: string, id: string, number: number, file: string): void {
    const first = seen.get(id)
    if (first !== undefined) {
      const where =
        first === number ? 'occurs twice here' : `occurs a second time; the first is on line ${first}`
      const remedy = `Give every ${kind} its own id.`
      throw new SonotextError(this.#code, `the ${kind} id "${id}" ${where}.`, { file, remedy })
    }
    seen.set(id, number)
  }
}

function toClip(line: ManifestLine, folder: string): Clip {
  const captions = (line.captions ?? []).map((caption, index) => {
    const given: ManifestCaption = typeof caption === 'string' ? { text: caption } : caption
    return { ...given, id: given.id ?? defaultCaptionId(line.id, index) }
  })
  return { ...line, audio: resolve(folder, line.audio), captions }
}

function toLine(clip: ClipInput, folder: string | null): ManifestLine {
  const captions = clip.captions?.map((caption, index) => {
    if (typeof caption === 'string') return caption
    const { id, ...rest } = caption
    if (id !== undefined && id !== defaultCaptionId(clip.id, index)) return { id, ...rest }
    return Object.keys(rest).length === 1 ? rest.text : rest
  })
  const { id, audio, split, group, ...others } = clip
  return {
    id,
    audio: folder === null ? resolve(audio) : portablePath(audio, folder),
    ...(split === undefined ? {} : { split }),
    ...(group === undefined ? {} : { group }),
    ...(others as Omit<ManifestLine, 'id' | 'audio'>),
    captions: (captions ?? []) as (string | ManifestCaption)[],
  }
}

/** Relative to the manifest's folder with `/`; absolute only where there is no relative way (another drive). */
function portablePath(audio: string, folder: string): string {
  const path = relative(folder, resolve(audio))
  return isAbsolute(path) ? path : path.split(sep).join('/')
}
