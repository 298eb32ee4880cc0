import type { Clip } from './manifest.js'

/** What can be the matter with a clip. */
export type FindingKind =
  | 'missing'
  | 'empty'
  | 'corrupt'
  | 'cut'
  | 'unsupported'
  | 'not-finite'
  | 'silent'
  | 'clipped'
  | 'too-short'
  | 'too-long'
  | 'leak'
  | 'duplicate'
  | 'near-duplicate'
  | 'mismatch'
  | 'event-times'
  | 'no-captions'
  | 'empty-caption'
  | 'duplicate-caption'

/** Something that a check has to say of a clip. */
export interface Finding {
  /** A clip with an error is bad and should be set aside; a warning is worth knowing. */
  readonly severity: 'error' | 'warning'
  readonly kind: FindingKind
  /** Id of the clip. */
  readonly clip: string
  readonly file: string
  readonly message: string
  readonly remedy?: string
}

/** Takes down a finding. */
export type Note = (
  clip: Clip,
  severity: Finding['severity'],
  kind: FindingKind,
  message: string,
  remedy?: string,
) => void
