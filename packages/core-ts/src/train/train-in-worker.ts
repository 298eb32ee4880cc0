import { Worker } from 'node:worker_threads'
import { abortedError, throwIfAborted } from '../base/abort.js'
import { type ErrorCode, expected, SonotextError } from '../base/errors.js'
import type { TrainingReport } from './options.js'

/** Options of a training in a worker thread. */
export interface TrainInWorkerOptions {
  /** Handed to the module's function; anything that can be cloned. */
  data?: unknown
  /** Folder of a run to go on with. Default: a new run. */
  resume?: string
  signal?: AbortSignal
}

/** What the training thread is given. */
export interface WorkerTask {
  readonly module: string
  readonly data: unknown
  readonly resume: string | null
}

/** From the training thread. */
export type FromWorker =
  | { readonly kind: 'report'; readonly report: TrainingReport }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: PlainError }

/** To it: go on to the next report; finish the step under way and stop; leave the loop. */
export type ToWorker = 'next' | 'abort' | 'leave'

/** An error on its way between threads. */
export interface PlainError {
  readonly message: string
  readonly stack: string | undefined
  readonly code: ErrorCode | undefined
  readonly file: string | undefined
}

/**
 * Trains in a thread of its own, so that this one stays free for other work: the same reports as {@link Trainer.steps}, one at
 * a time, since the thread waits for the next one to be asked for. `module` (a URL, as `new URL('./run.mjs', import.meta.url)`)
 * exports as default a function from `data` to the options of a trainer; model and data live in the thread, what comes out is
 * what the run writes to its `directory`. An abort finishes the step under way and leaves a checkpoint, as there. Leaving the
 * loop early ends the thread: to go on, save by `directory` and `saveEvery` and resume. Throws what the run throws, and
 * UNSUPPORTED when the thread ends by itself.
 */
export async function* trainInWorker(
  module: URL | string,
  { data = null, resume, signal }: TrainInWorkerOptions = {},
): AsyncGenerator<TrainingReport, void, undefined> {
  throwIfAborted(signal)
  const href = String(module)
  if (!URL.canParse(href))
    throw expected('the URL of a module', 'trainInWorker', href, {
      remedy: "Give new URL('./run.mjs', import.meta.url).",
    })
  const workerData: WorkerTask = { module: href, data, resume: resume ?? null }
  const worker = new Worker(new URL('./worker-thread.js', import.meta.url), { workerData })
  const inbox = new Inbox(worker)
  const send = (message: ToWorker): void => worker.postMessage(message)
  const abort = (): void => send('abort')
  signal?.addEventListener('abort', abort)
  try {
    for (;;) {
      const message = await inbox.next()
      if (message.kind === 'done') return
      if (message.kind === 'failed') {
        if (message.error.code === 'ABORTED' && signal?.aborted) throw abortedError(signal)
        throw errorFrom(message.error)
      }
      yield message.report
      send('next')
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    send('leave')
    await inbox.ended
  }
}

/** Messages of a worker in their order, and its end. */
class Inbox {
  /** Settles when the thread is over. */
  readonly ended: Promise<void>
  readonly #messages: FromWorker[] = []
  #over: unknown
  #wake = (): void => {}

  constructor(worker: Worker) {
    worker.on('message', (message: FromWorker) => {
      this.#messages.push(message)
      this.#wake()
    })
    this.ended = new Promise((resolve) => {
      const end = (reason: unknown): void => {
        this.#over ??= reason
        this.#wake()
        resolve()
      }
      worker.once('error', end)
      worker.once('exit', (code) =>
        end(new SonotextError('UNSUPPORTED', `the training thread ended by itself (exit code ${code}).`)),
      )
    })
  }

  /** Throws what ended the thread when there is no message left. */
  async next(): Promise<FromWorker> {
    while (this.#messages.length === 0) {
      if (this.#over !== undefined) throw this.#over
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return this.#messages.shift()!
  }
}

function errorFrom({ message, stack, code, file }: PlainError): Error {
  const own = file !== undefined && message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message
  const error =
    code === undefined ? new Error(message) : new SonotextError(code, own, file === undefined ? {} : { file })
  if (stack !== undefined) error.stack = stack
  return error
}
