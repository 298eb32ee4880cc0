import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import {
  errorFrom,
  expected,
  isSonotextError,
  type PlainError,
  plainError,
  SonotextError,
} from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import type { Comm } from './comm.js'
import type { Meeting } from './meeting.js'
import { type NamedPart, type Spokes, StarComm } from './star.js'
import type { CommThreadSetup, CommThreadState, FromCommThread, ToCommThread } from './thread-message.js'

/** Not written out in `new URL`: a bundler would put a lone copy of the thread beside its bundle, without what it imports. */
const here = import.meta.url as string | undefined
const script = here === undefined ? null : new URL('./tcp-thread.js', here)

/** Options of {@link joinTcp}. */
export interface JoinTcpOptions {
  /** 0 … size - 1. */
  rank: number
  size: number
  /** How ranks find rank 0. */
  meeting: Meeting
  /** Until all ranks are there, ms. Default 120,000. */
  joinTimeout?: number
  /** After which a process that says nothing counts as lost, ms; one that computes says that it lives. Default 30,000. */
  silence?: number
}

/**
 * Joins the processes of a run by TCP, as a star around rank 0. Only who knows the secret of the meeting is taken in; what is sent is not
 * encrypted. A thread of its own owns the connections, so that collectives can block this one.
 * @throws SonotextError RANK_LOST naming the ranks that did not come, IN_USE for an address that is taken, INVALID_ARGUMENT, UNSUPPORTED in a bundle
 */
export async function joinTcp(options: JoinTcpOptions): Promise<Comm> {
  const { rank, size, meeting, joinTimeout = 120_000, silence = 30_000 } = checkOptions(options, 'joinTcp')
  if (!(Number.isInteger(size) && size >= 2)) throw expected('an integer of at least 2', 'size', size)
  if (!(Number.isInteger(rank) && rank >= 0 && rank < size))
    throw expected(`an integer from 0 to ${size - 1}`, 'rank', rank)
  for (const [name, value] of Object.entries({ joinTimeout, silence }))
    if (!(value > 0 && Number.isFinite(value))) throw expected('milliseconds above 0', name, value)
  if (script === null || !existsSync(fileURLToPath(script))) {
    throw new SonotextError('UNSUPPORTED', 'the thread of the connections is not beside the library.', {
      remedy: 'Run ranks from the installed package, not from a bundle or from sources.',
    })
  }
  const { port1, port2 } = new MessageChannel()
  const posted = new Int32Array(new SharedArrayBuffer(4))
  const setup: CommThreadSetup = { rank, size, meeting, joinTimeout, silence, port: port2, posted }
  const worker = new Worker(script, {
    workerData: setup,
    transferList: [port2],
  })
  const spokes = new ThreadSpokes(rank, size, worker, port1, posted)
  await spokes.ready()
  return new StarComm(spokes)
}

/** The spokes of a rank, by the thread that owns its connections. */
class ThreadSpokes implements Spokes {
  readonly rank: number
  readonly size: number
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #posted: Int32Array
  #closing: Promise<void> | null = null
  #failure: PlainError | null = null

  constructor(rank: number, size: number, worker: Worker, port: MessagePort, posted: Int32Array) {
    this.rank = rank
    this.size = size
    this.#worker = worker
    this.#port = port
    this.#posted = posted
    // A failure of later is met when this thread waits.
    worker.on('error', () => {})
  }

  async ready(): Promise<void> {
    const state = await this.#told('ready')
    if (state.kind === 'failed') {
      await this.#worker.terminate()
      throw errorFrom(state.error)
    }
    // The run lasts as long as what it trains.
    this.#worker.unref()
    this.#port.unref()
  }

  gather(): readonly NamedPart[] {
    this.#send({ kind: 'gather' })
    const answer = this.#wait()
    return answer.kind === 'parts' ? answer.parts : []
  }

  answer(part: Uint8Array): void {
    this.#send({ kind: 'answer', part })
  }

  ask({ what, part }: NamedPart): Uint8Array {
    this.#send({ kind: 'part', what, part })
    const answer = this.#wait()
    return answer.kind === 'answer' ? answer.part : new Uint8Array()
  }

  guardNccl(): void {
    this.#send({ kind: 'guardNccl' })
  }

  close(error?: unknown): Promise<void> {
    return (this.#closing ??= this.#close(error))
  }

  async #close(error: unknown): Promise<void> {
    this.#worker.ref()
    const closed = this.#told('closed')
    this.#worker.postMessage({
      kind: 'close',
      error: error === undefined ? null : this.#quoted(error),
    } satisfies ToCommThread)
    await closed
    this.#port.close()
    await this.#worker.terminate()
  }

  /** An error of this rank as the others see it. What all were told they are not told again. */
  #quoted(error: unknown): PlainError {
    if (this.#failure !== null) return this.#failure
    if (isSonotextError(error) && error.code === 'ABORTED') return plainError(error)
    const { message } = error instanceof Error ? error : new Error(String(error))
    return plainError(new SonotextError('RANK_LOST', `rank ${this.rank} of ${this.size} failed: ${message}`))
  }

  #send(message: ToCommThread): void {
    if (this.#failure !== null) throw errorFrom(this.#failure)
    if (this.#closing !== null) throw expected('a Comm that is not closed', 'a collective', 'a closed one')
    this.#worker.postMessage(message)
  }

  /** Blocks until the thread says something. */
  #wait(): FromCommThread {
    for (;;) {
      const seen = Atomics.load(this.#posted, 0)
      const got = receiveMessageOnPort(this.#port) as { readonly message: FromCommThread } | undefined
      if (got !== undefined) {
        if (got.message.kind !== 'failed') return got.message
        this.#failure = got.message.error
        throw errorFrom(got.message.error)
      }
      Atomics.wait(this.#posted, 0, seen)
    }
  }

  /** The next state of this kind, or that it failed. A thread that is over has failed, and is closed. */
  #told(kind: CommThreadState['kind']): Promise<CommThreadState> {
    return new Promise((resolve) => {
      const done = (state: CommThreadState): void => {
        if (state.kind !== kind && (kind === 'closed' || state.kind !== 'failed')) return
        this.#worker.off('message', done)
        resolve(state)
      }
      this.#worker.on('message', done)
      this.#worker.once('exit', () =>
        done(
          kind === 'closed'
            ? { kind }
            : {
                kind: 'failed',
                error: plainError(new Error('the thread of the connections ended by itself')),
              },
        ),
      )
    })
  }
}
