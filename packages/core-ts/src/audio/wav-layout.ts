import { SonotextError } from '../base/errors.js'
import { ascii } from './sniff.js'

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
  readonly dataBytes: number
}

const EXTENSIBLE = 0xfffe
const UNKNOWN_SIZE = 0xffffffff

interface Chunk {
  readonly offset: number
  readonly size: number
}

/**
 * Finds the chunks of a WAV, in any order. A `data` size of 0xFFFFFFFF (a stream, or RF64 without ds64 size) means up to the
 * end of the file. Throws INVALID_FILE when `fmt ` or `data` is missing or the file holds fewer sample bytes than declared.
 */
export function wavLayout(bytes: Uint8Array, file: string): WavLayout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let format: Chunk | undefined
  let data: Chunk | undefined
  let factSamples: number | undefined
  let size64: number | undefined
  for (let offset = 12; offset + 8 <= bytes.length && (format === undefined || data === undefined);) {
    const id = ascii(bytes, offset, 4)
    let size = view.getUint32(offset + 4, true)
    const body = offset + 8
    if (id === 'ds64' && size >= 16 && body + 16 <= bytes.length)
      size64 = Number(view.getBigUint64(body + 8, true))
    if (id === 'fact' && size >= 4 && body + 4 <= bytes.length) factSamples = view.getUint32(body, true)
    if (id === 'fmt ') format ??= { offset: body, size: Math.min(size, bytes.length - body) }
    if (id === 'data') {
      if (size === UNKNOWN_SIZE) size = declaredIn64(size64) ?? bytes.length - body
      data ??= { offset: body, size }
    }
    offset = nextChunk(bytes, body + size)
  }
  if (format === undefined || format.size < 16)
    throw missing('fmt ', 'a format chunk of 16 bytes or more', file)
  if (data === undefined) throw missing('data', 'a data chunk', file)
  const present = bytes.length - data.offset
  if (data.size > present) {
    throw new SonotextError(
      'INVALID_FILE',
      `Expected ${data.size} bytes of samples as the header says, found ${present}.`,
      { file, remedy: 'The file is cut short: copy or download it again, or leave it out.' },
    )
  }
  return { ...readFormat(view, format), factSamples, dataOffset: data.offset, dataBytes: data.size }
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

function missing(id: string, what: string, file: string): SonotextError {
  return new SonotextError('INVALID_FILE', `Expected ${what} ("${id}") in the WAV file, found none.`, {
    file,
    remedy: 'The file is cut short or damaged: copy or export it again.',
  })
}
