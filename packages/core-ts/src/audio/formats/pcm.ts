import { allFinite, apart, checkFinite, checkStream, mixToMono } from '../audio.js'
import type { ByteSource } from '../byte-source.js'
import type { AudioStream, Reading, SampleReader } from './format.js'
import { g711Table } from './g711.js'
import { contradiction, unsupported } from './refusals.js'

export type SampleKind = 'signed' | 'unsigned' | 'float' | 'mu-law' | 'a-law'

/** Interleaved samples without compression, or with that of G.711, and where they lie. */
export interface PcmLayout {
  /** For `encoding`: 'WAV', 'AIFF' … */
  readonly container: string
  readonly kind: SampleKind
  /** Bits that are meant; those of a sample's bytes that are not meant are zero. */
  readonly bits: number
  readonly bigEndian?: boolean
  readonly channels: number
  readonly sampleRate: number
  /** Bytes of one sample of all channels, as the header says; left out where it does not. */
  readonly blockAlign?: number
  /** Where the sample bytes begin, and how many are there. */
  readonly offset: number
  readonly bytes: number
  /** Frames of the recording that lie before them. Default none. */
  readonly before?: number
}

/** Frames (samples of all channels) that are decoded at once. */
const BLOCK = 1 << 16
/** Frames that are mixed at once: few enough for their channels to stay in the cache. */
const MIXED = 1 << 12

/**
 * Samples of 8, 16, 24 and 32 bits, floats of 32 and 64 bits, mu-law and A-law. Nothing is allocated by what the header
 * claims, only by the bytes that are there.
 */
export function pcmStream(source: ByteSource, layout: PcmLayout, reading: Reading): AudioStream {
  const { file } = reading
  const { container, kind, bits, channels, sampleRate, before = 0 } = layout
  checkStream(sampleRate, channels, file)
  if (bits === 0) throw contradiction('Expected 1 or more bits a sample in the header, got 0.', file)
  const width = Math.ceil(bits / 8)
  const loop = loopOf(kind, width)
  if (loop === undefined) {
    const wanted = 'PCM of 8, 16, 24 or 32 bits or floats of 32 or 64'
    throw unsupported(wanted, `${bits}-bit ${kind === 'float' ? 'float' : 'PCM'}`, file)
  }
  const frame = width * channels
  if (layout.blockAlign !== undefined && layout.blockAlign !== frame) {
    throw contradiction(
      `Expected a block of ${frame} bytes for ${channels} channels of ${bits} bits, got ${layout.blockAlign}.`,
      file,
    )
  }
  const samples = Math.floor(layout.bytes / frame)
  const bigEndian = layout.bigEndian === true
  const floats = kind === 'float'
  const isCommon = floats ? width === 4 : kind === 'signed' && width > 1
  const read =
    (isCommon ? reading.samples?.({ channels, width: width as 2 | 3 | 4, floats, bigEndian }) : undefined) ??
    readerOf(loop, { width, channels, bigEndian, floats })
  /** The bytes of each block, and what its rows are written into. */
  async function* parts(into?: readonly Float32Array[]) {
    for (let from = 0; from < samples; from += BLOCK) {
      reading.throwIfAborted()
      const count = Math.min(BLOCK, samples - from)
      const bytes = await source.read(layout.offset + from * frame, count * frame)
      if (bytes.length < count * frame)
        throw reading.damaged(
          `Expected ${count * frame} bytes of samples, found ${bytes.length}: it became shorter.`,
        )
      const row = (r: number) => into?.[r]!.subarray(from, from + count) ?? new Float32Array(count)
      yield { from, bytes, row }
    }
  }
  async function* blocks(into?: readonly Float32Array[]) {
    for await (const { from, bytes, row } of parts(into)) {
      const rows = Array.from({ length: channels }, (_, c) => row(c))
      if (!read(bytes, rows, 1)) checkFinite(rows, before + from, file)
      yield rows
    }
  }
  async function* mono(into?: Float32Array) {
    for await (const { from, bytes, row } of parts(into && [into])) {
      const mean = row(0)
      if (!read(bytes, [mean], channels)) {
        // Says of which channel.
        const rows = Array.from({ length: channels }, () => new Float32Array(mean.length))
        read(bytes, rows, 1)
        checkFinite(rows, before + from, file)
      }
      yield [mean] as const
    }
  }
  const named = kind === 'signed' || kind === 'unsigned' ? `PCM ${bits}-bit` : `float ${bits}-bit`
  const law = kind === 'mu-law' ? 'mu-law' : kind === 'a-law' ? 'A-law' : named
  const encoding = `${container} ${law}`
  return { sampleRate, channels, encoding, samples, finite: true, blocks: blocks(), blocksInto: blocks, mono }
}

/** A reader in TypeScript. */
function readerOf(
  loop: Loop,
  layout: { width: number; channels: number; bigEndian: boolean; floats: boolean },
): SampleReader {
  const { width, channels, bigEndian, floats } = layout
  let scratch: Float32Array[] = []
  return (bytes, rows, count) => {
    const data = ordered(bytes, width, bigEndian)
    if (count > scratch.length) scratch = Array.from({ length: count }, () => new Float32Array(MIXED))
    for (const [r, row] of rows.entries()) {
      if (count === 1) apart(loop, data, row, r, channels)
      for (let from = 0; count > 1 && from < row.length; from += MIXED) {
        const part = row.subarray(from, from + MIXED)
        const mixed = scratch.slice(0, count).map((channel) => channel.subarray(0, part.length))
        for (const [c, channel] of mixed.entries())
          apart(loop, data, channel, from * channels + r * count + c, channels)
        mixToMono(mixed, part)
      }
    }
    return !floats || rows.every((row) => apart(allFinite, row))
  }
}

/** The bytes in little-endian order at an address that a typed array may begin at. */
function ordered(bytes: Uint8Array, width: number, bigEndian: boolean): Uint8Array {
  if (!bigEndian || width === 1) return bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes)
  const swapped = Buffer.from(bytes)
  if (width === 2) return swapped.swap16()
  if (width === 4) return swapped.swap32()
  if (width === 8) return swapped.swap64()
  for (let at = 0; at < bytes.length; at += 3) {
    swapped[at] = bytes[at + 2]!
    swapped[at + 2] = bytes[at]!
  }
  return swapped
}

/** One channel of interleaved samples: `first` and `step` count samples. */
type Loop = (bytes: Uint8Array, channel: Float32Array, first: number, step: number) => void

/**
 * Samples of fewer bits than their bytes hold are left-justified, so the byte width alone gives the scale. One loop for each
 * width: a shared one that calls a getter is ten times slower.
 */
function loopOf(kind: SampleKind, width: number): Loop | undefined {
  if (kind === 'mu-law' || kind === 'a-law') return width === 1 ? lookUp(g711Table(kind)) : undefined
  if (kind === 'float') return width === 4 ? readFloat32 : width === 8 ? readFloat64 : undefined
  if (width === 1) return kind === 'unsigned' ? readUint8 : readInt8
  return [undefined, undefined, readInt16, readInt24, readInt32][width]
}

const lookUp =
  (table: Float32Array): Loop =>
  (bytes, channel, first, step) => {
    for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = table[bytes[at]!]!
  }

const readUint8: Loop = (bytes, channel, first, step) => {
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = (bytes[at]! - 128) / 128
}

const readInt8: Loop = (bytes, channel, first, step) => {
  for (let i = 0, at = first; i < channel.length; i++, at += step)
    channel[i] = ((bytes[at]! << 24) >> 24) / 128
}

const readInt16: Loop = (bytes, channel, first, step) => {
  const values = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = values[at]! / 32768
}

const readInt24: Loop = (bytes, channel, first, step) => {
  for (let i = 0, at = 3 * first; i < channel.length; i++, at += 3 * step) {
    const integer = ((bytes[at + 2]! << 24) | (bytes[at + 1]! << 16) | (bytes[at]! << 8)) >> 8
    channel[i] = integer / 8388608
  }
}

const readInt32: Loop = (bytes, channel, first, step) => {
  const values = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = values[at]! / 2147483648
}

const readFloat32: Loop = (bytes, channel, first, step) => {
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = values[at]!
}

const readFloat64: Loop = (bytes, channel, first, step) => {
  const values = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = values[at]!
}
