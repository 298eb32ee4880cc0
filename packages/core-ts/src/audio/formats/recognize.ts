import type { SonotextError } from '../../base/errors.js'
import { type ByteSource, sliceSource } from '../byte-source.js'
import { aiff } from './aiff.js'
import { au } from './au.js'
import { caf } from './caf.js'
import { flac } from './flac.js'
import { foreignName, otherName } from './foreign.js'
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
  readonly source: ByteSource
}

/** Nothing that is read here; another decoder may know it. */
export interface Unrecognized {
  readonly refusal: SonotextError
}

/** Bytes that tell what a file is. */
const HEAD = 1 << 14

/** What a file is, by content: extensions lie. Throws INVALID_FILE for what nobody can decode: nothing, tags alone, text, pictures and archives. */
export async function recognize(whole: ByteSource, file: string): Promise<Recognized | Unrecognized> {
  if (whole.length === 0) {
    const remedy = 'Copy or download it again, or leave it out.'
    throw damaged('Expected audio, found an empty file.', file, remedy)
  }
  const source = sliceSource(whole, await skipTags(whole, 0))
  if (source.length === 0) throw damaged('Expected audio, found only tags or zeros.', file)
  const [first, head] = [await whole.read(0, HEAD), await source.read(0, HEAD)]
  // As it is first: some formats begin with zeros.
  const asItIs = audioFormats.find(({ sniff }) => sniff(first))
  if (asItIs !== undefined) return { format: asItIs, source: whole }
  const format = audioFormats.find(({ sniff }) => sniff(head))
  if (format !== undefined) return { format, source }
  const name =
    foreignName(first) ??
    foreignName(head) ??
    (startsLikeMpegLayer1or2(head) ? 'MPEG layer I or II (MP2)' : undefined)
  if (name !== undefined) return { refusal: unsupported(known, name, file) }
  const text = otherName(first) ?? otherName(head) ?? textKind(head)
  if (text !== undefined) {
    throw damaged(
      `Expected audio, found ${text}.`,
      file,
      text.startsWith('a pointer')
        ? 'The recording itself was not fetched: fetch it (git lfs pull, git annex get, dvc pull).'
        : 'It is not a recording, whatever its name: download it again, or leave it out.',
    )
  }
  const start = await firstMp3Frame(source, 0, { within: longestJunk, chain: 4 })
  if (start !== undefined) return { format: mp3, source: sliceSource(source, start) }
  const refusal = damaged(
    `Expected ${known}, found bytes that start with "${ascii(head, 0, 16)}".`,
    file,
    'It is not an audio file or its beginning is damaged: leave it out, or export it again.',
  )
  return { refusal }
}
