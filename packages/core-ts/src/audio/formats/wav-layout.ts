import type { ByteSource } from '../byte-source.js'
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
export async function wavLayout(source: ByteSource, reading: Reading): Promise<WavLayout> {
  const { length } = source
  let format: Uint8Array | undefined
  let data: Chunk | undefined
  let factSamples: number | undefined
  let size64: number | undefined
  for (let offset = 12; offset + 8 <= length && (format === undefined || data === undefined);) {
    reading.part()
    const head = await source.read(offset, 8 + 40)
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
    const id = ascii(head, 0, 4)
    let size = view.getUint32(4, true)
    const body = offset + 8
    const present = length - body
    if (id === 'ds64' && size >= 16 && present >= 16) size64 = Number(view.getBigUint64(16, true))
    if (id === 'fact' && size >= 4 && present >= 4) factSamples = view.getUint32(8, true)
    if (id === 'fmt ') format ??= head.subarray(8, 8 + Math.min(size, present))
    if (id === 'data') {
      const declared = size === 0xffffffff ? declaredIn64(size64) : undefined
      size = declared ?? (isPlaceholder(head.subarray(8, 12), size, present) ? present : size)
      data ??= { offset: body, size }
    }
    offset = await nextChunk(source, body + size)
  }
  if (format === undefined || format.length < 16)
    throw reading.damaged(missing('fmt ', 'a format chunk of 16 bytes or more'))
  if (data === undefined) throw reading.damaged(missing('data', 'a data chunk'))
  return {
    ...readFormat(format),
    factSamples,
    dataOffset: data.offset,
    dataBytes: Math.min(data.size, length - data.offset),
    declaredBytes: data.size,
  }
}

/**
 * Sizes that stand for "not known yet": 0, the largest signed and unsigned numbers, and those less a header (ffmpeg, sox, lame,
 * flac, espeak-ng). A true size that large would have that many bytes behind it, and behind a true 0 comes a chunk or nothing.
 */
function isPlaceholder(following: Uint8Array, size: number, present: number): boolean {
  if (size === 0) return present > 0 && !/^[A-Za-z][\w ]{3}$/.test(ascii(following, 0, 4))
  return size > present && (size >= 0xffffff00 || (size >= 0x7fffe000 && size <= 0x80000100))
}

function declaredIn64(size: number | undefined): number | undefined {
  return size === undefined || size === 0 || !Number.isSafeInteger(size) ? undefined : size
}

/** Chunks start at even offsets, but some programs leave the padding byte out. */
async function nextChunk(source: ByteSource, end: number): Promise<number> {
  if (end % 2 === 0) return end
  const unpadded = /^(fmt |data|fact|LIST)$/.test(ascii(await source.read(end, 4), 0, 4))
  return unpadded ? end : end + 1
}

function readFormat(chunk: Uint8Array) {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  const tag = view.getUint16(0, true)
  const extended = chunk.length >= 20 ? view.getUint16(18, true) : undefined
  const [channels, blockAlign] = [view.getUint16(2, true), view.getUint16(12, true)]
  const bits = view.getUint16(14, true)
  // Some writers put the bits that are meant where those of the container belong: 24 in blocks of 4 bytes.
  const container = (8 * blockAlign) / channels
  const inside = tag === EXTENSIBLE && bits > 8 && bits < container && [16, 24, 32].includes(container)
  return {
    tag: tag === EXTENSIBLE && chunk.length >= 26 ? view.getUint16(24, true) : tag,
    channels,
    sampleRate: view.getUint32(4, true),
    blockAlign,
    bitsPerSample: inside ? container : bits,
    samplesPerBlock: tag === EXTENSIBLE ? undefined : extended,
  }
}

function missing(id: string, what: string): string {
  return `Expected ${what} ("${id}") in the WAV file, found none.`
}
