import { SonotextError } from '../base/errors.js'

export type AudioContainer = 'wav' | 'flac' | 'ogg-vorbis' | 'mp3'

const convert = (file: string) =>
  `Convert it first, for example: ffmpeg -i ${JSON.stringify(file)} -c:a pcm_s16le out.wav`

/** ASCII text of `length` bytes; bytes that are not printable become dots. */
export function ascii(bytes: Uint8Array, offset: number, length: number): string {
  let text = ''
  for (let i = offset; i < Math.min(offset + length, bytes.length); i++) {
    text += bytes[i]! >= 32 && bytes[i]! < 127 ? String.fromCharCode(bytes[i]!) : '.'
  }
  return text
}

/** Length of an ID3v2 tag at `offset`, 0 when there is none. */
export function id3Length(bytes: Uint8Array, offset = 0): number {
  if (ascii(bytes, offset, 3) !== 'ID3' || offset + 10 > bytes.length) return 0
  const size = [6, 7, 8, 9].reduce((sum, i) => sum * 128 + (bytes[offset + i]! & 0x7f), 0)
  const footer = (bytes[offset + 5]! & 0x10) !== 0 ? 10 : 0
  return 10 + size + footer
}

/**
 * What the bytes are, by content: extensions lie. Throws INVALID_FILE for what is not audio and UNSUPPORTED, with the way
 * out, for audio in a container this library does not read.
 */
export function sniff(bytes: Uint8Array, file: string): AudioContainer {
  if (bytes.length === 0) {
    throw new SonotextError('INVALID_FILE', 'Expected audio, found an empty file.', {
      file,
      remedy: 'Copy or download it again, or leave it out.',
    })
  }
  const start = id3Length(bytes)
  const head = ascii(bytes, start, 16)
  if (/^(RIFF|RF64|BW64)....WAVE/.test(head)) return 'wav'
  if (head.startsWith('fLaC')) return 'flac'
  if (head.startsWith('OggS')) return sniffOgg(bytes.subarray(start), file)
  if (looksLikeMp3(bytes, start)) return 'mp3'
  const known = knownAs(head)
  if (known !== undefined) {
    throw new SonotextError('UNSUPPORTED', `Expected WAV, FLAC, MP3 or Ogg Vorbis, found ${known}.`, {
      file,
      remedy: convert(file),
    })
  }
  throw new SonotextError(
    'INVALID_FILE',
    `Expected WAV, FLAC, MP3 or Ogg Vorbis audio, found bytes that start with "${head}".`,
    {
      file,
      remedy: 'It is not an audio file or its beginning is damaged: leave it out, or export it again.',
    },
  )
}

function sniffOgg(bytes: Uint8Array, file: string): AudioContainer {
  const packet = 27 + (bytes[26] ?? 0)
  const head = ascii(bytes, packet, 8)
  if (head.startsWith('.vorbis')) return 'ogg-vorbis'
  if (head.length < 8) {
    throw new SonotextError('INVALID_FILE', 'Expected an Ogg stream, found only its first bytes.', {
      file,
      remedy: 'The file is cut short: copy or download it again, or leave it out.',
    })
  }
  const codec = ['OpusHead', 'Speex', '.FLAC', '.theora'].find((name) => head.startsWith(name)) ?? head
  throw new SonotextError('UNSUPPORTED', `Expected Vorbis in the Ogg container, found "${codec}".`, {
    file,
    remedy: convert(file),
  })
}

function looksLikeMp3(bytes: Uint8Array, start: number): boolean {
  if (start > 0) return true
  return bytes.length > 4 && bytes[0] === 0xff && (bytes[1]! & 0xe0) === 0xe0 && (bytes[1]! & 0x06) !== 0
}

function knownAs(head: string): string | undefined {
  if (head.startsWith('RIFX')) return 'a big-endian WAV (RIFX)'
  if (/^RIFF....AVI /.test(head)) return 'an AVI video'
  if (/^FORM....AIF/.test(head)) return 'AIFF'
  if (/^....ftyp/.test(head)) return 'MP4 or M4A (AAC or ALAC)'
  if (head.startsWith('caff')) return 'Apple Core Audio (CAF)'
  if (head.startsWith('.snd')) return 'Sun audio (AU)'
  if (head.startsWith('#!AMR')) return 'AMR'
  if (head.startsWith('wvpk')) return 'WavPack'
  if (head.startsWith('MAC ')) return "Monkey's Audio"
  if (head.startsWith('.E..')) return 'Matroska or WebM'
  return undefined
}
