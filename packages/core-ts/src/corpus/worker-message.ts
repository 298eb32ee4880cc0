import type { DecodePolicy, Origin } from '../audio/index.js'
import type { MatmulPrecision } from '../backend/port.js'
import type { PlainError } from '../base/errors.js'
import type { ReadingJob, ReadingResult } from './recording-reader.js'

/** What a worker thread is started with. */
export interface WorkerSetup {
  readonly kind: Origin
  readonly device: string
  readonly isa: string | null
  readonly matmul: MatmulPrecision
  readonly decode: Omit<DecodePolicy, 'decoders'>
  readonly decoders: readonly Origin[]
  readonly cacheFolder: string | undefined
  readonly readOnly: boolean
}

/** To a worker: a job, or that one is no longer wanted. */
export type Request = { readonly id: number; readonly job: ReadingJob } | { readonly stop: number }

/** From a worker: it is ready, or what became of a job. */
export type Reply =
  | { readonly ready: true }
  | { readonly id: number; readonly result: ReadingResult }
  | { readonly id: number; readonly error: PlainError }
