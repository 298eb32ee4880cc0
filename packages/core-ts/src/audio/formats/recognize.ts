import type { SonotextError } from '../../base/errors.js'
import { aiff } from './aiff.js'
import { au } from './au.js'
import { caf } from './caf.js'
import { flac } from './flac.js'
import { foreignName } from './foreign.js'
import type { AudioFormat } from './format.js'
import { mp3, startsLikeMpegLayer1or2 } from './mp3.js'
import { firstMp3Frame } from './mp3-frames.js'
import { ogg } from './ogg.js'
import { damaged, unsupported } from './refusals.js'
import { skipTags } from './tags.js'
import { ascii, textKind } from './text.js'
import { wav } from './wav.js'

/** Every kind of file that is read. */
export const audioFormats: readonly AudioFormat[] = [wav, flac, ogg, aiff, au, caf, mp3]

const known = 'WAV, FLAC, MP3, Ogg Vorbis, Opus, AIFF, AU or CAF'

/** Junk that some encoders and recorders leave before the first frame of an MP3. */
const longestJunk = 1 << 16

export interface Recognized {
  readonly format: AudioFormat
  /** The file from where the format begins: tags and zeros in front are taken off. */
  readonly bytes: Uint8Array
}

/** Nothing that is read here; another decoder may know it. */
export interface Unrecognized {
  readonly refusal: SonotextError
}

/** What the bytes are, by content: extensions lie. Throws INVALID_FILE for what nobody can decode: nothing, tags alone, text. */
export function recognize(source: Uint8Array, file: string): Recognized | Unrecognized {
  if (source.length === 0) {
    const remedy = 'Copy or download it again, or leave it out.'
    throw damaged('Expected audio, found an empty file.', file, remedy)
  }
  const bytes = source.subarray(skipTags(source, 0))
  if (bytes.length === 0) throw damaged('Expected audio, found only tags or zeros.', file)
  // As it is first: some formats begin with zeros.
  for (const candidate of [source, bytes]) {
    const format = audioFormats.find((one) => one.sniff(candidate))
    if (format !== undefined) return { format, bytes: candidate }
  }
  const name =
    foreignName(source) ??
    foreignName(bytes) ??
    (startsLikeMpegLayer1or2(bytes) ? 'MPEG layer I or II (MP2)' : undefined)
  if (name !== undefined) return { refusal: unsupported(known, name, file) }
  const text = textKind(bytes)
  if (text !== undefined) {
    throw damaged(
      `Expected audio, found ${text}.`,
      file,
      text.startsWith('a pointer')
        ? 'The recording itself was not fetched: fetch it (git lfs pull, git annex get, dvc pull).'
        : 'It is not a recording, whatever its name: download it again, or leave it out.',
    )
  }
  const start = firstMp3Frame(bytes, 0, { within: longestJunk, chain: 4 })
  if (start !== undefined) return { format: mp3, bytes: bytes.subarray(start) }
  const refusal = damaged(
    `Expected ${known}, found bytes that start with "${ascii(bytes, 0, 16)}".`,
    file,
    'It is not an audio file or its beginning is damaged: leave it out, or export it again.',
  )
  return { refusal }
}
