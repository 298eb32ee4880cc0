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
  /** View into the file. */
  readonly bytes: Uint8Array
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
export function flacFile(bytes: Uint8Array, reading: Reading): FlacFile {
  const { info, end } = readMetadata(bytes, reading)
  const stop = tagsAtEnd(bytes)
  const frames: FlacFrame[] = []
  let samples = 0
  for (let at = end; at < stop;) {
    const header = frameHeader(bytes, at, stop)
    const length = header === undefined ? undefined : frameLength(bytes, at, stop)
    if (header === undefined || length === undefined) {
      const what = `Expected frame ${frames.length} of a FLAC stream at byte ${at}, found none that is intact.`
      // All samples are there: what follows is no frame.
      if (info.samples > 0 && samples === info.samples) break
      if (resumes(bytes, at + 1, stop)) throw reading.damaged(what)
      reading.cut(what)
      break
    }
    if (header.number !== (header.variable ? samples : frames.length)) {
      throw reading.damaged(`Expected frame ${frames.length} at byte ${at}, found another: some are missing.`)
    }
    frames.push({ bytes: bytes.subarray(at, at + length), samples: header.samples })
    samples += header.samples
    at += length
  }
  return { info, frames, samples }
}

/** Whether another intact frame follows: then the one before is damaged and not cut. */
function resumes(bytes: Uint8Array, from: number, stop: number): boolean {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at < stop; at = bytes.indexOf(0xff, at + 1)) {
    if (frameHeader(bytes, at, stop) !== undefined) return true
  }
  return false
}

function readMetadata(bytes: Uint8Array, reading: Reading): { info: FlacInfo; end: number } {
  let info: FlacInfo | undefined
  for (let at = 4; at + 4 <= bytes.length;) {
    const type = bytes[at]! & 0x7f
    const last = (bytes[at]! & 0x80) !== 0
    const body = at + 4
    const next = body + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)
    if (next > bytes.length) break
    if (type === 0 && next - body >= 34) info ??= streamInfo(bytes.subarray(body, body + 34))
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
  return crc === bytes[next] ? { variable: (bytes[at + 1]! & 1) === 1, number, samples } : undefined
}

/** A frame ends where its checksum comes out as 0 and the next header, or the end of the file, follows. */
function frameLength(bytes: Uint8Array, at: number, stop: number): number | undefined {
  let crc = 0
  for (let i = at; i < stop; i++) {
    crc = ((crc << 8) & 0xffff) ^ crc16[(crc >> 8) ^ bytes[i]!]!
    if (crc === 0 && (i + 1 === stop || frameHeader(bytes, i + 1, stop) !== undefined)) return i + 1 - at
  }
  return undefined
}
