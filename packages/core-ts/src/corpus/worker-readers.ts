import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { abortedError, throwIfAborted } from '../base/abort.js'
import { errorFrom, SonotextError } from '../base/errors.js'
import type { ReadingJob, ReadingResult, ReaderOptions } from './recording-reader.js'
import { type Readers, ThreadReaders } from './readers.js'
import type { Reply, Request, WorkerSetup } from './worker-message.js'

/** Jobs that a worker has at once: one is read from disk while another is decoded. */
const DEPTH = 2
/** Times a job is begun before the worker's end is held against its recording. */
const TRIES = 2

/**
 * Undefined where a bundler has made CommonJS of this module, which then knows of no place. Not written out in `new URL`: webpack would put a lone
 * copy of the worker beside its bundle, and fail to minify that.
 */
const here = import.meta.url as string | undefined
const script = here === undefined ? null : new URL('./worker.js', here)

interface Pending {
  readonly id: number
  readonly job: ReadingJob
  readonly signal: AbortSignal | undefined
  readonly resolve: (result: ReadingResult) => void
  readonly reject: (error: unknown) => void
  readonly onAbort: () => void
  tries: number
  settled: boolean
}

interface Member {
  readonly worker: Worker
  readonly running: Map<number, Pending>
  /** It has said that it is ready. */
  ready: boolean
  failure: unknown
}

/** What worker threads are started with, or a sentence on why they cannot do this work. */
export function workerSetup(options: ReaderOptions): WorkerSetup | string {
  const { kind, backend, decode, cacheFolder, readOnly } = options
  const { decoders = [], ...policy } = decode
  const { device, isa, matmul } = backend.info
  if (script === null || !existsSync(fileURLToPath(script)))
    return 'the script of the worker threads is not beside the library (it runs from a bundle or from sources)'
  if (kind.origin === undefined) return `the features "${kind.name}" do not say where they come from (origin)`
  const foreign = decoders.find(({ origin }) => origin === undefined)
  if (foreign !== undefined) return `the decoder "${foreign.name}" does not say where it comes from (origin)`
  if (!/^(reference|cpu|sealed|cuda:\d+)$/.test(device))
    return `the backend "${device}" is not one of the library's`
  return {
    ...{ kind: kind.origin, device, isa, matmul, decode: policy },
    ...{ decoders: decoders.map(({ origin }) => origin!), cacheFolder, readOnly },
  }
}

export interface WorkerReadersOptions {
  readonly count: number
  readonly setup: WorkerSetup
  /** For work in the main thread, where no worker can be started. */
  readonly options: ReaderOptions
  readonly onNote: (note: string) => void
}

/**
 * Reads in worker threads. They are started as jobs come, up to `count`, and each has two jobs at once; the others wait in a queue. A
 * worker that ends in the middle is replaced and its jobs are begun again, each alone with a worker: a recording that ends that one
 * too is refused. The threads do not keep the process alive while they have nothing to do.
 */
export class WorkerReaders implements Readers {
  readonly slots: number
  readonly #settings: WorkerReadersOptions
  readonly #members = new Set<Member>()
  readonly #queue: Pending[] = []
  #next = 0
  #closed = false
  /** Where workers cannot be started, this thread reads. */
  #instead: ThreadReaders | undefined

  constructor(settings: WorkerReadersOptions) {
    this.#settings = settings
    this.slots = DEPTH * settings.count
  }

  read(job: ReadingJob, signal?: AbortSignal): Promise<ReadingResult> {
    return new Promise((resolve, reject) => {
      throwIfAborted(signal)
      if (this.#closed) throw closedError()
      if (this.#instead !== undefined) {
        resolve(this.#instead.read(job, signal))
        return
      }
      const onAbort = () => this.#stop(pending)
      const pending: Pending = {
        ...{ id: this.#next++, job, signal, resolve, reject, onAbort },
        ...{ tries: 0, settled: false },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.push(pending)
      this.#assign()
    })
  }

  #assign(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      const pending = this.#queue[0]!
      const member = this.#free(pending)
      if (member === undefined) return
      this.#queue.shift()
      pending.tries++
      member.running.set(pending.id, pending)
      member.worker.ref()
      this.#post(member, { id: pending.id, job: pending.job })
    }
  }

  /** A worker with a place for a job: an idle one, a new one, one with another job, in this order. A job that failed before is alone. */
  #free({ tries }: Pending): Member | undefined {
    const members = [...this.#members].filter(
      ({ running }) => running.size < DEPTH && [...running.values()].every((other) => other.tries === 1),
    )
    const idle = members.find(({ running }) => running.size === 0)
    if (idle !== undefined) return idle
    if (this.#members.size < this.#settings.count) return this.#start()
    return tries === 0 ? members[0] : undefined
  }

  #start(): Member {
    const worker = new Worker(script!, { workerData: this.#settings.setup, name: 'sonotext corpus' })
    const member: Member = { worker, running: new Map(), ready: false, failure: undefined }
    this.#members.add(member)
    worker.unref()
    worker.on('message', (reply: Reply) => this.#received(member, reply))
    worker.on('error', (error) => (member.failure = error))
    worker.on('exit', () => this.#ended(member))
    return member
  }

  #post({ worker }: Member, request: Request): void {
    worker.postMessage(request)
  }

  #received(member: Member, reply: Reply): void {
    if ('ready' in reply) {
      member.ready = true
      return
    }
    // What still comes from a thread that is being ended must not let the process end before it.
    if (this.#closed) return
    const pending = member.running.get(reply.id)
    member.running.delete(reply.id)
    if (member.running.size === 0) member.worker.unref()
    if (pending !== undefined) {
      if ('result' in reply) this.#settle(pending, () => pending.resolve(reply.result))
      else this.#settle(pending, () => pending.reject(errorFrom(reply.error)))
    }
    this.#assign()
  }

  #settle(pending: Pending, how: () => void): void {
    if (pending.settled) return
    pending.settled = true
    pending.signal?.removeEventListener('abort', pending.onAbort)
    how()
  }

  /** The caller is told at once; a worker that has the job keeps its place until it has let go. */
  #stop(pending: Pending): void {
    this.#settle(pending, () => pending.reject(abortedError(pending.signal)))
    const place = this.#queue.indexOf(pending)
    if (place >= 0) this.#queue.splice(place, 1)
    for (const member of this.#members)
      if (member.running.has(pending.id)) this.#post(member, { stop: pending.id })
  }

  #ended(member: Member): void {
    this.#members.delete(member)
    if (this.#closed) return
    const left = [...member.running.values()].filter(({ settled }) => !settled)
    if (!member.ready) {
      this.#readHere(left, member.failure)
      return
    }
    for (const pending of left.toReversed()) {
      if (pending.tries < TRIES) this.#queue.unshift(pending)
      else this.#settle(pending, () => pending.reject(endedError(pending.job.path, member.failure)))
    }
    this.#assign()
  }

  /** No worker can be started: what is left is read in this thread. */
  #readHere(left: readonly Pending[], failure: unknown): void {
    if (this.#instead === undefined) {
      const reason = failure instanceof Error ? failure.message : 'it ended at once'
      this.#settings.onNote(
        `Recordings are read in the main thread: a worker could not be started (${reason}).`,
      )
    }
    this.#instead ??= new ThreadReaders(this.#settings.options)
    for (const pending of [...left, ...this.#queue.splice(0)]) {
      const { job, signal } = pending
      this.#instead.read(job, signal).then(
        (result) => this.#settle(pending, () => pending.resolve(result)),
        (error: unknown) => this.#settle(pending, () => pending.reject(error)),
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const left = [
      ...this.#queue.splice(0),
      ...[...this.#members].flatMap(({ running }) => [...running.values()]),
    ]
    for (const pending of left) this.#settle(pending, () => pending.reject(closedError()))
    const ended = [...this.#members].map(({ worker }) => {
      // Else the process may end while their end is waited for.
      worker.ref()
      return worker.terminate()
    })
    await Promise.all(ended)
    this.#members.clear()
  }
}

function closedError(): SonotextError {
  return new SonotextError('ABORTED', 'The corpus was closed while a recording was read.')
}

function endedError(file: string, failure: unknown): SonotextError {
  const reason = failure instanceof Error ? failure.message : 'no reason given'
  return new SonotextError(
    'INVALID_DATA',
    `Expected the recording to be read, a worker thread ended over it twice (${reason}).`,
    { file, cause: failure, remedy: 'Leave it out, or convert it to WAV.' },
  )
}
