import { type ByteSource, find } from '../byte-source.js'
import type { Reading } from './format.js'
import { tagsAtEnd } from './tags.js'

/** What the STREAMINFO block of a FLAC file declares. */
export interface FlacInfo {
  readonly sampleRate: number
  readonly channels: number
  readonly bits: number
  /** Samples per channel; 0 when the encoder did not know. */
  readonly samples: number
  /** MD5 of the decoded samples as little-endian integers, hexadecimal; all zeros when the encoder did not know. */
  readonly md5: string
}

export interface FlacFrame {
  /** Where it lies in the file. */
  readonly start: number
  readonly length: number
  /** Samples per channel. */
  readonly samples: number
}

export interface FlacFile {
  readonly info: FlacInfo
  readonly frames: readonly FlacFrame[]
  /** Samples per channel in all frames, from their headers. */
  readonly samples: number
}

const crc8 = crcTable(8, 0x07)
const crc16 = crcTable(16, 0x8005)

function crcTable(bits: number, polynomial: number): Uint16Array {
  const top = 1 << (bits - 1)
  return Uint16Array.from({ length: 256 }, (_, i) => {
    let r = i << (bits - 8)
    for (let bit = 0; bit < 8; bit++) r = (r & top) !== 0 ? (r << 1) ^ polynomial : r << 1
    return r & (2 ** bits - 1)
  })
}

/**
 * Cuts a FLAC file into frames by its own headers and checksums. The decoder package's parser drops the last frame of some
 * intact files. Tags behind the last frame are left alone. Throws INVALID_FILE where the file stops being FLAC; a last frame that
 * is not complete is `reading.cut`.
 */
export async function flacFile(source: ByteSource, reading: Reading): Promise<FlacFile> {
  const { info, end } = await readMetadata(source, reading)
  const stop = await tagsAtEnd(source)
  const frames: FlacFrame[] = []
  let samples = 0
  for (let at = end; at < stop;) {
    await reading.walked(at)
    const frame = await frameAt(source, at, stop)
    if (frame === undefined) {
      const what = `Expected frame ${frames.length} of a FLAC stream at byte ${at}, found none that is intact.`
      // All samples are there: what follows is no frame.
      if (info.samples > 0 && samples === info.samples) break
      if (await resumes(source, at + 1, stop, reading)) throw reading.damaged(what)
      reading.cut(what)
      break
    }
    const { header, length } = frame
    if (header.number !== (header.variable ? samples : frames.length)) {
      throw reading.damaged(`Expected frame ${frames.length} at byte ${at}, found another: some are missing.`)
    }
    frames.push({ start: at, length, samples: header.samples })
    samples += header.samples
    at += length
  }
  return { info, frames, samples }
}

/** Whether another intact frame follows: then the one before is damaged and not cut. */
async function resumes(source: ByteSource, from: number, stop: number, reading: Reading): Promise<boolean> {
  for (let at = await find(source, 0xff, from, stop); at >= 0; at = await find(source, 0xff, at + 1, stop)) {
    await reading.walked(at)
    const bytes = await source.read(at, Math.min(LONGEST_HEADER, stop - at))
    if (frameHeader(bytes, 0, bytes.length) !== undefined) return true
  }
  return false
}

/** Bytes of the longest frame header: sync, sizes, a number of 7 bytes, block size, rate, checksum. */
const LONGEST_HEADER = 16
/** Bytes among which the end of a frame is looked for first, and at most: more than 8 channels of 65,535 samples take. */
const [LIKELY_FRAME, LONGEST_FRAME] = [1 << 15, 1 << 22]

async function frameAt(
  source: ByteSource,
  at: number,
  stop: number,
): Promise<{ header: FrameHeader; length: number } | undefined> {
  for (let size = LIKELY_FRAME; ; size *= 2) {
    const bytes = await source.read(at, Math.min(size, stop - at))
    const header = frameHeader(bytes, 0, bytes.length)
    if (header === undefined) return undefined
    const all = at + bytes.length === stop
    const length = frameLength(bytes, all)
    if (length !== undefined) return { header, length }
    if (all || size >= LONGEST_FRAME) return undefined
  }
}

async function readMetadata(source: ByteSource, reading: Reading): Promise<{ info: FlacInfo; end: number }> {
  let info: FlacInfo | undefined
  for (let at = 4; at + 4 <= source.length;) {
    reading.part()
    const block = await source.read(at, 4 + 34)
    const type = block[0]! & 0x7f
    const last = (block[0]! & 0x80) !== 0
    const length = (block[1]! << 16) | (block[2]! << 8) | block[3]!
    const next = at + 4 + length
    if (next > source.length) break
    if (type === 0 && length >= 34) info ??= streamInfo(block.subarray(4))
    if (last && info !== undefined) return { info, end: next }
    if (last) break
    at = next
  }
  throw reading.damaged(
    'Expected the metadata of a FLAC file with a STREAMINFO block, found none that is complete.',
  )
}

/** The 34 bytes of a STREAMINFO block. */
export function streamInfo(block: Uint8Array): FlacInfo {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  const packed = view.getBigUint64(10)
  return {
    sampleRate: Number(packed >> 44n),
    channels: Number((packed >> 41n) & 7n) + 1,
    bits: Number((packed >> 36n) & 31n) + 1,
    samples: Number(packed & 0xfffffffffn),
    md5: Buffer.from(block.subarray(18, 34)).toString('hex'),
  }
}

interface FrameHeader {
  /** Where its checksum stands. */
  readonly check: number
  readonly variable: boolean
  /** Index of the frame, or of its first sample when block sizes vary. */
  readonly number: number
  readonly samples: number
}

function frameHeader(bytes: Uint8Array, at: number, stop: number): FrameHeader | undefined {
  if (at + 6 > stop || bytes[at] !== 0xff || (bytes[at + 1]! & 0xfe) !== 0xf8 || (bytes[at + 3]! & 1) !== 0)
    return undefined
  const sizeCode = bytes[at + 2]! >> 4
  const rateCode = bytes[at + 2]! & 15
  if (sizeCode === 0 || rateCode === 15) return undefined
  let next = at + 4
  const lead = bytes[next++]!
  const more = lead < 0x80 ? 0 : Math.clz32(~(lead << 24)) - 1
  if (lead >= 0x80 && (more < 1 || more > 6)) return undefined
  let number = lead < 0x80 ? lead : lead & (0x3f >> more)
  for (let i = 0; i < more; i++) number = number * 64 + (bytes[next++]! & 0x3f)
  let samples = sizeCode === 1 ? 192 : sizeCode < 6 ? 576 << (sizeCode - 2) : 256 << (sizeCode - 8)
  if (sizeCode === 6) samples = bytes[next++]! + 1
  if (sizeCode === 7) samples = bytes[next++]! * 256 + bytes[next++]! + 1
  next += rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0
  if (next >= stop) return undefined
  let crc = 0
  for (let i = at; i < next; i++) crc = crc8[crc ^ bytes[i]!]!
  return crc === bytes[next]
    ? { check: next, variable: (bytes[at + 1]! & 1) === 1, number, samples }
    : undefined
}

/** Code of 44,100 Hz in a frame header. */
const ANY_RATE = 9
/** Codes of the bits of a sample in a frame header. */
const sizeCodes: Readonly<Record<number, number>> = { 8: 1, 12: 2, 16: 4, 20: 5, 24: 6, 32: 7 }

/**
 * A frame whose header says everything itself. It may leave rate or bits (code 0) to STREAMINFO, as those of rates without a code of their own
 * do, but decoders that are given frames alone do not know that block. Samples do not depend on the rate: any code does. (RFC 9639, 9.1.)
 */
export function selfContained(frame: Uint8Array, bits: number): Uint8Array {
  const [rate, size] = [frame[2]! & 15, (frame[3]! >> 1) & 7]
  if (rate !== 0 && size !== 0) return frame
  const { check } = frameHeader(frame, 0, frame.length)!
  const whole = frame.slice()
  if (rate === 0) whole[2]! |= ANY_RATE
  if (size === 0) whole[3]! |= (sizeCodes[bits] ?? 0) << 1
  whole[check] = whole.subarray(0, check).reduce((crc, byte) => crc8[crc ^ byte]!, 0)
  const end = whole.length - 2
  let crc = 0
  for (let i = 0; i < end; i++) crc = ((crc << 8) & 0xffff) ^ crc16[(crc >> 8) ^ whole[i]!]!
  whole[end] = crc >> 8
  whole[end + 1] = crc & 255
  return whole
}

/**
 * Length of the frame that `bytes` begin with: it ends where its checksum comes out as 0 and the next header, or the end of the file,
 * follows. `all`: the file ends with these bytes. Without it, the last of them are left alone, since a header may be cut there.
 */
function frameLength(bytes: Uint8Array, all: boolean): number | undefined {
  const stop = bytes.length
  const last = all ? stop : stop - LONGEST_HEADER
  let crc = 0
  for (let i = 0; i < last; i++) {
    crc = ((crc << 8) & 0xffff) ^ crc16[(crc >> 8) ^ bytes[i]!]!
    if (crc === 0 && (i + 1 === stop || frameHeader(bytes, i + 1, stop) !== undefined)) return i + 1
  }
  return undefined
}
