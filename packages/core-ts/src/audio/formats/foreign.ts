import { ascii } from './text.js'

/** Unprintable bytes are dots. Short marks end in one, so that words of a text are not taken for them. */
const magics: readonly (readonly [RegExp, string])[] = [
  [/^RIFX....WAVE/, 'a big-endian WAV (RIFX)'],
  [/^RIFF....AVI /, 'an AVI video'],
  [/^riff\./, 'Sony Wave64 (W64)'],
  [/^FORM....8SVX/, 'Amiga 8SVX'],
  [/^....ftyp(M4A|M4B)/, 'MP4 or M4A (AAC or ALAC)'],
  [/^....ftypqt/, 'a QuickTime movie'],
  [/^....ftyp3g/, '3GP (AMR or AAC)'],
  [/^....ftyp/, 'MP4 or M4A (AAC or ALAC)'],
  [/^....(moov|mdat|wide|free|skip)/, 'a QuickTime movie'],
  [/^ADIF/, 'AAC (ADIF)'],
  [/^#!AMR/, 'AMR'],
  [/^#!SILK|^.#!SILK/, 'SILK'],
  [/^wvpk/, 'WavPack'],
  [/^MAC \./, 'Monkey’s Audio (APE)'],
  [/^(MPCK|MP\+)/, 'Musepack'],
  [/^TTA[12]\./, 'True Audio (TTA)'],
  [/^DSD \./, 'DSD (DSF)'],
  [/^FRM8/, 'DSD (DSDIFF)'],
  [/^OFR \./, 'OptimFROG'],
  [/^TBPK|^tBaK/, 'TAK'],
  [/^LA0[234]/, 'Lossless Audio (LA)'],
  [/^ajkg\./, 'Shorten (SHN)'],
  [/^NIST_1A/, 'NIST SPHERE'],
  [/^Creative Voice F/, 'Creative Voice (VOC)'],
  [/^\.RMF|^\.ra\./, 'RealAudio'],
  [/^FLV\./, 'Flash video'],
  [/^OPUS|^OpusHead/, 'Opus packets without their Ogg container'],
  [/^2BIT[^ ]/, 'AVR'],
  [/^PVF[12]/, 'Portable Voice Format'],
  [/^ paf|^fap /, 'Ensoniq PARIS (PAF)'],
  [/^ALawSoundFile/, 'Psion WVE'],
  [/^IMPM|^Extended Module/, 'a tracker module'],
]

const binary: readonly (readonly [readonly number[], string])[] = [
  [[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11], 'Windows Media (WMA)'],
  [[0x1a, 0x45, 0xdf, 0xa3], 'Matroska or WebM'],
  [[0x0b, 0x77], 'AC-3'],
  [[0x7f, 0xfe, 0x80, 0x01], 'DTS'],
  [[0x00, 0x00, 0x01, 0xba], 'an MPEG video'],
  [[0x64, 0xa3], 'IRCAM'],
]

/** What is no recording at all: no decoder helps. */
const others: readonly (readonly [RegExp, string])[] = [
  [/^MThd/, 'MIDI, which holds notes and no sound'],
  [/^PK\.\./, 'a ZIP archive'],
  [/^Rar!/, 'a RAR archive'],
  [/^\.HDF/, 'HDF5'],
  [/^%PDF/, 'a PDF document'],
  [/^\.PNG/, 'a PNG picture'],
  [/^GIF8/, 'a GIF picture'],
  [/^\.NUMPY/, 'a NumPy array'],
  [/^7z../, 'a 7z archive'],
  [/^BZh[1-9]/, 'a bzip2 archive'],
  [/^\.ELF|^MZ\.\./, 'a program'],
  [/^SQLite f/, 'a database'],
]

const otherBinary: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], 'a gzip archive'],
  [[0xff, 0xd8, 0xff], 'a JPEG picture'],
  [[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], 'a NumPy array'],
  [[0x89, 0x48, 0x44, 0x46], 'HDF5'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'an xz archive'],
]

/** What a file is that holds no sound, whatever its name; undefined for anything else. */
export function otherName(bytes: Uint8Array): string | undefined {
  return named(bytes, others, otherBinary)
}

function named(
  bytes: Uint8Array,
  patterns: readonly (readonly [RegExp, string])[],
  starts: readonly (readonly [readonly number[], string])[],
): string | undefined {
  const head = ascii(bytes, 0, 16)
  return (
    patterns.find(([pattern]) => pattern.test(head))?.[1] ??
    starts.find(([start]) => start.every((byte, i) => bytes[i] === byte))?.[1]
  )
}

/** The name of a format that this library does not read, told by its first bytes. */
export function foreignName(bytes: Uint8Array): string | undefined {
  return (
    named(bytes, magics, binary) ??
    (isTrueHd(bytes) ? 'TrueHD or MLP' : undefined) ??
    (isGsm(bytes) ? 'GSM 06.10 without a header' : undefined) ??
    (isAdts(bytes) ? 'AAC (ADTS)' : undefined) ??
    (isTransportStream(bytes) ? 'an MPEG transport stream' : undefined)
  )
}

/** Two AAC frames one behind the other, or one that ends the file. */
function isAdts(bytes: Uint8Array): boolean {
  const syncs = (at: number) => bytes[at] === 0xff && (bytes[at + 1]! & 0xf6) === 0xf0
  if (bytes.length < 7 || !syncs(0)) return false
  const length = ((bytes[3]! & 3) << 11) | (bytes[4]! << 3) | (bytes[5]! >> 5)
  return length >= 7 && (length === bytes.length || syncs(length))
}

/** The sync word of its first unit stands behind length and time. */
function isTrueHd(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes.subarray(4, 8)
  return a === 0xf8 && b === 0x72 && c === 0x6f && (d === 0xba || d === 0xbb)
}

/** Frames of 33 bytes that begin with the same four bits: sixteen of them are no accident. */
function isGsm(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 16 * 33 &&
    Array.from({ length: 16 }, (_, n) => bytes[33 * n]! >> 4).every((x) => x === 13)
  )
}

function isTransportStream(bytes: Uint8Array): boolean {
  return bytes.length > 376 && [0, 188, 376].every((at) => bytes[at] === 0x47)
}
