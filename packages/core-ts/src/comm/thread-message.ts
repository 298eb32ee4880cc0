import type { MessagePort } from 'node:worker_threads'
import type { PlainError } from '../base/errors.js'
import type { Meeting } from './meeting.js'
import type { NamedPart } from './star.js'

/** What the thread that owns the connections is started with. */
export interface CommThreadSetup {
  readonly rank: number
  readonly size: number
  readonly meeting: Meeting
  /** Until all ranks are there, ms. */
  readonly joinTimeout: number
  /** After which a process that says nothing counts as lost, ms. */
  readonly silence: number
  /** For {@link FromCommThread}; read without the event loop. */
  readonly port: MessagePort
  /** Counts the messages of that port, to wait on. */
  readonly posted: Int32Array
}

/** To the thread. */
export type ToCommThread =
  | ({ readonly kind: 'part' } & NamedPart)
  | { readonly kind: 'gather' }
  | { readonly kind: 'answer'; readonly part: Uint8Array }
  | { readonly kind: 'guardNccl' }
  | { readonly kind: 'close'; readonly error: PlainError | null }

/** From the thread, while the main thread waits. */
export type FromCommThread =
  | { readonly kind: 'parts'; readonly parts: readonly NamedPart[] }
  | { readonly kind: 'answer'; readonly part: Uint8Array }
  | { readonly kind: 'failed'; readonly error: PlainError }

/** From the thread, to the main thread's event loop. */
export type CommThreadState =
  | { readonly kind: 'ready' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly error: PlainError }
