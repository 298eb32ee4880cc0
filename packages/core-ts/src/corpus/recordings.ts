import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { DecodePolicy } from '../audio/index.js'
import { FeatureCache } from './cache-file.js'
import { FileTable } from './file-table.js'
import type { Part } from './part.js'
import { type Readers, ThreadReaders } from './readers.js'
import {
  type OpenFeatures,
  openFeatures,
  type ReadingResult,
  type ReaderOptions,
} from './recording-reader.js'
import { WorkerReaders, workerSetup } from './worker-readers.js'

/** What was read and computed so far. */
export interface CorpusStats {
  /** Recordings that were opened, and bytes read of them. */
  readonly audioFiles: number
  readonly audioBytes: number
  /** Bytes read of kept features. */
  readonly cacheBytes: number
  /** Recordings that were decoded. */
  readonly computed: number
}

export interface RecordingsOptions extends Omit<ReaderOptions, 'cacheFolder'> {
  /** Folder of the caches of all kinds of features. */
  readonly cacheFolder: string | undefined
  /** Worker threads; undefined leaves it to the library, which then says nothing where there can be none. */
  readonly workers: number | undefined
  readonly onNote: (note: string) => void
}

/** The recordings of a corpus: who reads them, and what is known of them. */
export class Recordings implements AsyncDisposable {
  readonly #options: ReaderOptions
  readonly #readers: Readers
  readonly #table: FileTable | undefined
  readonly #onNote: (note: string) => void
  readonly #told = new Set<string>()
  readonly #stats = { audioFiles: 0, audioBytes: 0, cacheBytes: 0, computed: 0 }

  private constructor(
    options: ReaderOptions,
    readers: Readers,
    table: FileTable | undefined,
    onNote: (note: string) => void,
  ) {
    this.#options = options
    this.#readers = readers
    this.#table = table
    this.#onNote = onNote
  }

  static async open(given: RecordingsOptions, signal?: AbortSignal): Promise<Recordings> {
    const { workers, onNote, cacheFolder, ...rest } = given
    const { kind, decode, readOnly } = rest
    const folder = cacheFolder === undefined ? undefined : resolve(cacheFolder, folderName(kind.id, decode))
    const options = { ...rest, cacheFolder: folder }
    const readers = readersFor(options, workers, onNote)
    if (folder === undefined) return new Recordings(options, readers, undefined, onNote)
    const abortable = signal === undefined ? {} : { signal }
    const table = await FileTable.open(join(folder, 'files.jsonl'), { readOnly, ...abortable })
    if (!readOnly) await new FeatureCache(folder, kind.cols).tidy()
    return new Recordings(options, readers, table, onNote)
  }

  /** Jobs in work at once. */
  get slots(): number {
    return this.#readers.slots
  }

  get stats(): CorpusStats {
    return { ...this.#stats }
  }

  /** Whether what is computed is kept. */
  get keeps(): boolean {
    const { cacheFolder, readOnly } = this.#options
    return cacheFolder !== undefined && !readOnly && !this.#told.has('not kept')
  }

  async read(audio: string, part: Part | undefined, signal: AbortSignal | undefined): Promise<ReadingResult> {
    const path = resolve(audio)
    const known = this.#table?.get(path)
    const job = {
      path,
      ...(known === undefined ? {} : { known }),
      ...(part === undefined ? {} : { part }),
    }
    const result = await this.#readers.read(job, signal)
    const { facts, settled, audioBytes, cacheBytes, computed, notKept } = result
    if (audioBytes > 0) {
      this.#stats.audioFiles++
      if (settled) this.#table?.set(path, facts)
    }
    this.#stats.audioBytes += audioBytes
    this.#stats.cacheBytes += cacheBytes
    if (computed) this.#stats.computed++
    if (notKept !== undefined) this.#note('not kept', `Features are computed and not kept: ${notKept}`)
    return result
  }

  /** The features of a recording as they are computed, in this thread; nothing is kept. */
  stream(audio: string, signal: AbortSignal | undefined): Promise<OpenFeatures> {
    return openFeatures(resolve(audio), this.#options, signal)
  }

  /** Writes what is newly known. */
  async flush(): Promise<void> {
    await this.#table?.flush()
  }

  #note(about: string, note: string): void {
    if (this.#told.has(about)) return
    this.#told.add(about)
    this.#onNote(note)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#readers[Symbol.asyncDispose]()
    await this.#table?.[Symbol.asyncDispose]()
  }
}

/** Whole files give the same features under any policy: the rest are kept apart. */
function folderName(id: string, { acceptCut = false, decoders = [] }: DecodePolicy): string {
  const policy = [...(acceptCut ? ['cut files too'] : []), ...decoders.map(({ name }) => name)]
  if (policy.length === 0) return id
  return `${id}-${createHash('sha256').update(JSON.stringify(policy)).digest('hex').slice(0, 8)}`
}

function readersFor(
  options: ReaderOptions,
  workers: number | undefined,
  onNote: (note: string) => void,
): Readers {
  const count = workers ?? Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2)))
  if (count === 0) return new ThreadReaders(options)
  const setup = workerSetup(options)
  if (typeof setup !== 'string') return new WorkerReaders({ count, setup, options, onNote })
  if (workers !== undefined) onNote(`Recordings are read in the main thread: ${setup}.`)
  return new ThreadReaders(options)
}
