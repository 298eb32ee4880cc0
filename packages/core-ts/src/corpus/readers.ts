import { abortedError, throwIfAborted } from '../base/abort.js'
import {
  type ReadingJob,
  type ReadingResult,
  RecordingReader,
  type ReaderOptions,
} from './recording-reader.js'

/** Who reads recordings: this thread or others. Jobs beyond `slots` wait in a queue until one is free. */
export interface Readers extends AsyncDisposable {
  /** Jobs in work at once. */
  readonly slots: number
  read(job: ReadingJob, signal?: AbortSignal): Promise<ReadingResult>
}

/** Recordings in work at once in the main thread: one is decoded while another is read or computed. */
const SLOTS = 4

/** Reads in this thread, between whatever else it does. */
export class ThreadReaders implements Readers {
  readonly slots = SLOTS
  readonly #reader: RecordingReader
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: ReaderOptions) {
    this.#reader = new RecordingReader(options)
  }

  async read(job: ReadingJob, signal?: AbortSignal): Promise<ReadingResult> {
    throwIfAborted(signal)
    if (this.#running === SLOTS) await this.#turn(signal)
    else this.#running++
    try {
      const result = await this.#reader.read(job, signal)
      throwIfAborted(signal)
      return result
    } finally {
      // The slot goes to whoever has waited longest.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        const place = this.#waiting.indexOf(go)
        if (place >= 0) this.#waiting.splice(place, 1)
        reject(abortedError(signal))
      }
      const go = () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }
      signal?.addEventListener('abort', stop, { once: true })
      this.#waiting.push(go)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
