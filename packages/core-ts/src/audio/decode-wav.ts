import { SonotextError } from '../base/errors.js'
import { checkStream, type DecodedAudio } from './audio.js'
import { decodeCompandedWav } from './decode-companded-wav.js'
import { wavLayout, type WavLayout } from './wav-layout.js'

const PCM = 1
const FLOAT = 3

/**
 * Decodes a WAV: PCM of 8 (unsigned), 16, 24 and 32 bits, floats of 32 and 64 bits, mu-law, A-law and IMA-ADPCM. Nothing is
 * allocated by what a header claims: only by the bytes that are there.
 */
export function decodeWav(bytes: Uint8Array, file: string): DecodedAudio {
  const layout = wavLayout(bytes, file)
  checkStream(layout.sampleRate, layout.channels, file)
  if (layout.tag !== PCM && layout.tag !== FLOAT) return decodeCompandedWav(bytes, layout, file)
  const width = Math.ceil(layout.bitsPerSample / 8)
  const read = reader(layout.tag, width)
  if (read === undefined) {
    const kind = layout.tag === FLOAT ? 'float' : 'PCM'
    throw new SonotextError(
      'UNSUPPORTED',
      `Expected PCM of 8, 16, 24 or 32 bits or floats of 32 or 64, got ${layout.bitsPerSample}-bit ${kind}.`,
      { file, remedy: 'Convert it to 16-bit PCM or 32-bit float.' },
    )
  }
  if (layout.blockAlign !== width * layout.channels) {
    throw new SonotextError(
      'INVALID_FILE',
      `Expected a block of ${width * layout.channels} bytes for ${layout.channels} channels of ${layout.bitsPerSample} bits, ` +
        `got ${layout.blockAlign}.`,
      { file, remedy: 'The header contradicts itself: export the file again.' },
    )
  }
  const kind = layout.tag === FLOAT ? 'float' : 'PCM'
  return {
    channels: deinterleave(bytes, layout, width, read),
    sampleRate: layout.sampleRate,
    encoding: `WAV ${kind} ${layout.bitsPerSample}-bit`,
  }
}

/** One channel of interleaved samples: `first` and `step` count samples. */
type Reader = (bytes: Uint8Array, channel: Float32Array, first: number, step: number) => void

/**
 * Samples of fewer bits than their bytes hold are left-justified, so the byte width alone gives the scale. One loop for each
 * width: a shared one that calls a getter is ten times slower.
 */
function reader(tag: number, width: number): Reader | undefined {
  if (tag === FLOAT) return width === 4 ? readFloat32 : width === 8 ? readFloat64 : undefined
  return [undefined, readUint8, readInt16, readInt24, readInt32][width]
}

const readUint8: Reader = (bytes, channel, first, step) => {
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = (bytes[at]! - 128) / 128
}

const readInt16: Reader = (bytes, channel, first, step) => {
  const values = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = values[at]! / 32768
}

const readInt24: Reader = (bytes, channel, first, step) => {
  for (let i = 0, at = 3 * first; i < channel.length; i++, at += 3 * step) {
    const integer = ((bytes[at + 2]! << 24) | (bytes[at + 1]! << 16) | (bytes[at]! << 8)) >> 8
    channel[i] = integer / 8388608
  }
}

const readInt32: Reader = (bytes, channel, first, step) => {
  const values = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = values[at]! / 2147483648
}

const readFloat32: Reader = (bytes, channel, first, step) => {
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = values[at]!
}

const readFloat64: Reader = (bytes, channel, first, step) => {
  const values = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)
  for (let i = 0, at = first; i < channel.length; i++, at += step) channel[i] = values[at]!
}

function deinterleave(bytes: Uint8Array, layout: WavLayout, width: number, read: Reader): Float32Array[] {
  const { channels: count, blockAlign, dataOffset, dataBytes } = layout
  const samples = Math.floor(dataBytes / blockAlign)
  let data = bytes.subarray(dataOffset, dataOffset + samples * blockAlign)
  if (data.byteOffset % width !== 0) data = new Uint8Array(data)
  return Array.from({ length: count }, (_, c) => {
    const channel = new Float32Array(samples)
    read(data, channel, c, count)
    return channel
  })
}
