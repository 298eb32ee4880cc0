import type { ByteSource } from '../byte-source.js'
import type { AudioStream, Reading } from './format.js'
import type { OggLink, OggPage } from './ogg-pages.js'

/** A stream that is open: how long it is, is known. */
export type OggStream = Omit<AudioStream, 'samples'> & { readonly samples: number }

/** What is learnt of one logical stream while the file is walked, so that it can be decoded on a second walk. */
export interface OggTrack {
  /** Takes the pages in order. */
  add(page: OggPage): void
  /** Called when all pages have come. Throws INVALID_FILE for what is no stream of this kind. */
  open(source: ByteSource, link: OggLink, reading: Reading): Promise<OggStream>
}
