import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import {
  type AudioFeatures,
  type ByteSource,
  type DecodePolicy,
  decodeStream,
  defaultMaxSeconds,
  type FeatureBlocks,
  FileSource,
  monoBlocks,
  refuseLong,
  unreadable,
} from '../audio/index.js'
import type { Backend } from '../backend/port.js'
import { throwIfAborted } from '../base/abort.js'
import { aboutFile, isSonotextError, type SonotextError } from '../base/errors.js'
import { matrix, type Matrix } from '../base/matrix.js'
import { nextTurn } from '../base/turn.js'
import { type Entry, type EntryFacts, FeatureCache, isAll } from './cache-file.js'
import type { FileFacts } from './file-table.js'
import { cut, type Part, placeOf } from './part.js'

/** One recording to be read. */
export interface ReadingJob {
  readonly path: string
  /** What was known of it before. */
  readonly known?: FileFacts
  /** The frames that are wanted; left out, none are, and only the facts are found out. */
  readonly part?: Part
}

export interface ReadingResult {
  readonly facts: FileFacts
  /** The frames that were asked for, and the number of the first. */
  readonly features?: Matrix
  readonly from: number
  /** Whether the facts may be kept: not of a file that was changed a moment ago and may be again within the same tick of its clock. */
  readonly settled: boolean
  /** Whether the audio was decoded. */
  readonly computed: boolean
  /** Rate of the recording, Hz; known when it was decoded. */
  readonly sampleRate?: number
  /** Bytes read of the recording, and of the cache. */
  readonly audioBytes: number
  readonly cacheBytes: number
  /** Why the features were not kept, where they should have been. */
  readonly notKept?: string
}

export interface ReaderOptions {
  readonly kind: AudioFeatures
  readonly backend: Backend
  readonly decode: DecodePolicy
  /** Folder of the entries; without one nothing is kept. */
  readonly cacheFolder: string | undefined
  readonly readOnly: boolean
}

/** Bytes that are hashed at once. */
const PIECE = 1 << 20

/** Features of recordings, one at a time: from the cache, or computed and then kept. All its state is on disk. */
export class RecordingReader {
  readonly #options: ReaderOptions
  readonly #cache: FeatureCache | undefined
  #keep: boolean

  constructor(options: ReaderOptions) {
    this.#options = options
    const { kind, cacheFolder, readOnly } = options
    this.#cache = cacheFolder === undefined ? undefined : new FeatureCache(cacheFolder, kind.cols)
    this.#keep = !readOnly
  }

  /**
   * Reads no audio where path, size and time of change are those of `known` and the cache has the entry, and reads of the entry only the
   * part that is asked for.
   */
  async read({ path, known, part }: ReadingJob, signal?: AbortSignal): Promise<ReadingResult> {
    throwIfAborted(signal)
    const maxSeconds = this.#options.decode.maxSeconds ?? defaultMaxSeconds
    const nothing = { from: 0, computed: false, settled: true, audioBytes: 0, cacheBytes: 0 }
    if (known !== undefined && this.#cache !== undefined && (await isUnchanged(path, known))) {
      refuseLong(known.duration, maxSeconds, path)
      if (part === undefined) return { facts: known, ...nothing }
      const entry = await this.#cache.read(known.content, part)
      if (entry !== undefined) return { ...nothing, ...found(known, entry) }
    }
    throwIfAborted(signal)
    await using source = await FileSource.open(path, signal)
    const settled = isSettled(source.mtimeNs)
    const content = await hashOf(source, signal)
    const file = { size: source.length, mtimeNs: source.mtimeNs, content }
    const entry = await this.#cache?.read(content, part ?? { frames: 0 })
    if (entry !== undefined) {
      refuseLong(entry.facts.duration, maxSeconds, path)
      const { features, from } = entry
      const read = { settled, audioBytes: source.bytesRead, cacheBytes: entry.bytes }
      return {
        ...{ facts: { ...file, ...entry.facts }, from, computed: false, ...read },
        ...(part === undefined ? {} : { features }),
      }
    }
    const made = await this.#compute(source, content, part !== undefined, signal)
    const { all } = made
    return {
      facts: { ...file, ...made.facts },
      from: part === undefined ? 0 : placeOf(made.facts.frames, part).from,
      ...(all === undefined ? {} : { features: cut(all, part!) }),
      ...{ settled, computed: true, sampleRate: made.sampleRate },
      ...{ audioBytes: source.bytesRead, cacheBytes: 0 },
      ...(made.notKept === undefined ? {} : { notKept: made.notKept }),
    }
  }

  /** Decodes, computes and keeps, block by block. The features are held only where they are wanted. */
  async #compute(source: FileSource, content: string, wanted: boolean, signal: AbortSignal | undefined) {
    await using heard = await openFeatures(source, this.#options, signal)
    const { frameStep, blocks, sampleRate } = heard
    await using entry = await this.#entry(content, frameStep)
    const parts: Matrix[] = []
    let frames = 0
    let first: number | undefined
    let constant = true
    for await (const block of blocks) {
      first ??= block.data[0]
      constant &&= isAll(block.data, first!)
      frames += block.rows
      if (wanted) parts.push(block)
      await entry.writer?.append(block)
    }
    const duration = heard.duration()
    const facts: EntryFacts = { frames, frameStep, duration, constant }
    await entry.writer?.finish(duration)
    return {
      facts,
      sampleRate,
      all: wanted ? joined(parts, this.#options.kind.cols) : undefined,
      notKept: entry.notKept,
    }
  }

  /** Where the features go; a cache that may not be written to is one that is only read. */
  async #entry(content: string, frameStep: number) {
    const none = { writer: undefined, notKept: undefined, async [Symbol.asyncDispose]() {} }
    if (this.#cache === undefined || !this.#keep) return none
    try {
      const writer = await this.#cache.write(content, frameStep)
      return { ...none, writer, [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose]() }
    } catch (error) {
      if (!isSonotextError(error) || !isForbidden(error)) throw error
      this.#keep = false
      return { ...none, notKept: error.message }
    }
  }
}

function found(facts: FileFacts, { features, from, bytes }: Entry) {
  return { facts, features, from, cacheBytes: bytes }
}

async function isUnchanged(path: string, { size, mtimeNs }: FileFacts): Promise<boolean> {
  const info = await stat(path, { bigint: true }).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  return info.isFile() && info.size === BigInt(size) && info.mtimeNs === mtimeNs
}

/** A second change within one tick of the file system's clock would not be seen: ticks are of some ms, or of 2 s where it counts seconds. */
function isSettled(mtimeNs: bigint): boolean {
  const tick = mtimeNs % 1_000_000_000n === 0n ? 2_000_000_000n : 50_000_000n
  return BigInt(Date.now()) * 1_000_000n - mtimeNs > tick
}

function isForbidden({ cause }: SonotextError): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? '')
}

/** SHA-256 of the contents, hexadecimal. */
async function hashOf(source: ByteSource, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256')
  for (let at = 0; at < source.length; at += PIECE) {
    hash.update(await source.read(at, PIECE))
    throwIfAborted(signal)
  }
  return hash.digest('hex')
}

/** Features of a recording that is decoded and computed as they are read. */
export interface OpenFeatures extends FeatureBlocks, AsyncDisposable {
  /** Rate of the recording, Hz. */
  readonly sampleRate: number
  /** Seconds; known when all has been read. */
  duration(): number
}

export async function openFeatures(
  source: string | FileSource,
  { kind, backend, decode }: Pick<ReaderOptions, 'kind' | 'backend' | 'decode'>,
  signal: AbortSignal | undefined,
): Promise<OpenFeatures> {
  const abortable = signal === undefined ? {} : { signal }
  const audio = await decodeStream(source, { ...decode, ...abortable })
  const { sampleRate } = audio
  let samples = 0
  async function* counted() {
    for await (const block of monoBlocks(audio).blocks) {
      samples += block.length
      yield block
    }
  }
  const computed = kind.compute({ sampleRate, blocks: counted() }, { backend, ...abortable })
  const file = typeof source === 'string' ? source : source.path
  async function* blocks() {
    try {
      for await (const block of computed.blocks) {
        yield block
        await nextTurn(signal)
      }
    } catch (error) {
      throw aboutFile(error, file)
    }
  }
  return {
    sampleRate,
    frameStep: computed.frameStep,
    blocks: blocks(),
    duration: () => samples / sampleRate,
    [Symbol.asyncDispose]: () => audio[Symbol.asyncDispose](),
  }
}

function joined(parts: readonly Matrix[], cols: number): Matrix {
  if (parts.length === 1) return parts[0]!
  const all = matrix(
    parts.reduce((sum, { rows }) => sum + rows, 0),
    cols,
  )
  let at = 0
  for (const { data } of parts) {
    all.data.set(data, at)
    at += data.length
  }
  return all
}
