import type { Matrix } from '../../base/matrix.js'
import { partOf } from '../../registry/index.js'
import type { Sentence } from '../../text/index.js'
import type { AudioEncoder, TextEncoder } from '../encoder.js'

/** Training pairs as a start sees them. */
export interface StartPairs {
  /** Features of each clip. */
  readonly clips: readonly Matrix[]
  /** Captions of each clip, known to the text encoder (`prepare`). */
  readonly captions: readonly (readonly Sentence[])[]
  readonly signal?: AbortSignal | undefined
}

/** Gives the encoders of a model weights to begin with, in place of those that were drawn. A plain value, deterministic in its pairs. */
export interface Start {
  readonly name: string
  apply(
    encoders: { readonly audio: AudioEncoder; readonly text: TextEncoder },
    pairs: StartPairs,
  ): Promise<void>
}

/** For a start's row in its family, next to its code; null for what leaves weights as they were drawn. */
export const startPart = partOf<Start | null>()
