import type { Reading } from './format.js'
import { ascii } from './text.js'

/** What a WAV file says about itself, and where its sample bytes lie. */
export interface WavLayout {
  /** Code of the sample format; the one inside WAVE_FORMAT_EXTENSIBLE. */
  readonly tag: number
  readonly channels: number
  readonly sampleRate: number
  readonly blockAlign: number
  readonly bitsPerSample: number
  readonly samplesPerBlock: number | undefined
  /** Samples per channel that the fact chunk declares. */
  readonly factSamples: number | undefined
  readonly dataOffset: number
  /** Sample bytes that are there, and those that the header promises. */
  readonly dataBytes: number
  readonly declaredBytes: number
}

const EXTENSIBLE = 0xfffe

interface Chunk {
  readonly offset: number
  readonly size: number
}

/**
 * Finds the chunks of a WAV, in any order. A writer into a pipe cannot know the size of `data` and puts a placeholder there:
 * then all that follows is taken. Throws INVALID_FILE when `fmt ` or `data` is missing.
 */
export function wavLayout(bytes: Uint8Array, reading: Reading): WavLayout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let format: Chunk | undefined
  let data: Chunk | undefined
  let factSamples: number | undefined
  let size64: number | undefined
  for (let offset = 12; offset + 8 <= bytes.length && (format === undefined || data === undefined);) {
    const id = ascii(bytes, offset, 4)
    let size = view.getUint32(offset + 4, true)
    const body = offset + 8
    const present = bytes.length - body
    if (id === 'ds64' && size >= 16 && present >= 16) size64 = Number(view.getBigUint64(body + 8, true))
    if (id === 'fact' && size >= 4 && present >= 4) factSamples = view.getUint32(body, true)
    if (id === 'fmt ') format ??= { offset: body, size: Math.min(size, present) }
    if (id === 'data') {
      const declared = size === 0xffffffff ? declaredIn64(size64) : undefined
      size = declared ?? (isPlaceholder(bytes, body, size) ? present : size)
      data ??= { offset: body, size }
    }
    offset = nextChunk(bytes, body + size)
  }
  if (format === undefined || format.size < 16)
    throw reading.damaged(missing('fmt ', 'a format chunk of 16 bytes or more'))
  if (data === undefined) throw reading.damaged(missing('data', 'a data chunk'))
  return {
    ...readFormat(view, format),
    factSamples,
    dataOffset: data.offset,
    dataBytes: Math.min(data.size, bytes.length - data.offset),
    declaredBytes: data.size,
  }
}

/**
 * Sizes that stand for "not known yet": 0, the largest signed and unsigned numbers, and those less a header (ffmpeg, sox, lame,
 * flac, espeak-ng). A true size that large would have that many bytes behind it, and behind a true 0 comes a chunk or nothing.
 */
function isPlaceholder(bytes: Uint8Array, body: number, size: number): boolean {
  const present = bytes.length - body
  if (size === 0) return present > 0 && !/^[A-Za-z][\w ]{3}$/.test(ascii(bytes, body, 4))
  return size > present && (size >= 0xffffff00 || (size >= 0x7fffe000 && size <= 0x80000100))
}

function declaredIn64(size: number | undefined): number | undefined {
  return size === undefined || size === 0 || !Number.isSafeInteger(size) ? undefined : size
}

/** Chunks start at even offsets, but some programs leave the padding byte out. */
function nextChunk(bytes: Uint8Array, end: number): number {
  if (end % 2 === 0) return end
  const unpadded = /^(fmt |data|fact|LIST)$/.test(ascii(bytes, end, 4))
  return unpadded ? end : end + 1
}

function readFormat(view: DataView, { offset, size }: Chunk) {
  const tag = view.getUint16(offset, true)
  const extended = size >= 20 ? view.getUint16(offset + 18, true) : undefined
  return {
    tag: tag === EXTENSIBLE && size >= 26 ? view.getUint16(offset + 24, true) : tag,
    channels: view.getUint16(offset + 2, true),
    sampleRate: view.getUint32(offset + 4, true),
    blockAlign: view.getUint16(offset + 12, true),
    bitsPerSample: view.getUint16(offset + 14, true),
    samplesPerBlock: tag === EXTENSIBLE ? undefined : extended,
  }
}

function missing(id: string, what: string): string {
  return `Expected ${what} ("${id}") in the WAV file, found none.`
}
