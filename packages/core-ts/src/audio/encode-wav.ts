import { expected, SonotextError } from '../base/errors.js'
import { writeFileAtomic } from '../base/files.js'
import { maxChannels, sampleRateLimits } from './audio.js'

/** Options of {@link encodeWav}. */
export interface WavOptions {
  /** 'pcm16' rounds to 16-bit integers and clips what lies outside [-1, 32767/32768]; 'float32' keeps every bit. Default 'pcm16'. */
  format?: 'pcm16' | 'float32'
}

/** The bytes of a WAV file. */
export interface EncodedWav {
  readonly bytes: Uint8Array
  /** How many samples lay outside the range of the format and were clipped. */
  readonly clipped: number
}

/**
 * Encodes one or more channels of equal length as a WAV. pcm16 divides and multiplies by 32768, so decoding and encoding again
 * changes nothing.
 * @throws SonotextError INVALID_ARGUMENT for channels of different lengths, rates out of range or a WAV of 4 GiB or more,
 *   INVALID_DATA for samples that are not finite
 */
export function encodeWav(
  audio: Float32Array | readonly Float32Array[],
  sampleRate: number,
  options: WavOptions = {},
): EncodedWav {
  const { format = 'pcm16' } = options
  const channels = audio instanceof Float32Array ? [audio] : audio
  if (format !== 'pcm16' && format !== 'float32') throw expected("'pcm16' or 'float32'", 'format', format)
  const { min, max } = sampleRateLimits
  if (!Number.isInteger(sampleRate) || sampleRate < min || sampleRate > max) {
    throw expected(`an integer from ${min} to ${max} Hz`, 'sampleRate', sampleRate)
  }
  if (channels.length < 1 || channels.length > maxChannels)
    throw expected(`1 to ${maxChannels} channels`, 'audio', channels)
  const samples = channels[0]!.length
  if (channels.some((channel) => channel.length !== samples))
    throw expected('channels of equal length', 'audio', channels)
  const width = format === 'pcm16' ? 2 : 4
  const dataBytes = samples * channels.length * width
  if (dataBytes > 0xffffffff - 64) throw expected('less than 4 GiB of samples', 'audio', `${dataBytes} bytes`)

  const bytes = header(format, channels.length, sampleRate, samples, dataBytes)
  const at = bytes.length - dataBytes
  const clipped = format === 'pcm16' ? fillInt16(bytes, at, channels) : fillFloat32(bytes, at, channels)
  return { bytes, clipped }
}

/** Encodes and writes atomically; returns how many samples were clipped. */
export async function writeWav(
  path: string,
  audio: Float32Array | readonly Float32Array[],
  sampleRate: number,
  options: WavOptions = {},
): Promise<{ clipped: number }> {
  const { bytes, clipped } = encodeWav(audio, sampleRate, options)
  await writeFileAtomic(path, bytes)
  return { clipped }
}

function header(
  format: 'pcm16' | 'float32',
  channels: number,
  rate: number,
  samples: number,
  dataBytes: number,
): Uint8Array {
  const float = format === 'float32'
  const width = float ? 4 : 2
  const dataAt = float ? 58 : 44
  const bytes = new Uint8Array(dataAt + dataBytes)
  const view = new DataView(bytes.buffer)
  const text = (at: number, value: string) => bytes.set(Buffer.from(value, 'latin1'), at)
  text(0, 'RIFF')
  view.setUint32(4, bytes.length - 8, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, float ? 18 : 16, true)
  view.setUint16(20, float ? 3 : 1, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, rate, true)
  view.setUint32(28, rate * channels * width, true)
  view.setUint16(32, channels * width, true)
  view.setUint16(34, 8 * width, true)
  if (float) {
    text(38, 'fact')
    view.setUint32(42, 4, true)
    view.setUint32(46, samples, true)
  }
  text(dataAt - 8, 'data')
  view.setUint32(dataAt - 4, dataBytes, true)
  return bytes
}

function fillInt16(bytes: Uint8Array, at: number, channels: readonly Float32Array[]): number {
  const out = new Int16Array(bytes.buffer, at)
  let clipped = 0
  for (const [c, channel] of channels.entries()) {
    for (let i = 0, o = c; i < channel.length; i++, o += channels.length) {
      const integer = Math.round(channel[i]! * 32768)
      if (!Number.isFinite(integer)) throw notFinite(channel[i]!, i, c)
      out[o] = integer > 32767 ? 32767 : integer < -32768 ? -32768 : integer
      if (out[o] !== integer) clipped++
    }
  }
  return clipped
}

function fillFloat32(bytes: Uint8Array, at: number, channels: readonly Float32Array[]): number {
  const view = new DataView(bytes.buffer, at)
  for (const [c, channel] of channels.entries()) {
    for (let i = 0, o = 4 * c; i < channel.length; i++, o += 4 * channels.length) {
      if (!Number.isFinite(channel[i]!)) throw notFinite(channel[i]!, i, c)
      view.setFloat32(o, channel[i]!, true)
    }
  }
  return 0
}

function notFinite(value: number, index: number, channel: number): SonotextError {
  return new SonotextError(
    'INVALID_DATA',
    `Expected finite samples, got ${value} at sample ${index} of channel ${channel}.`,
  )
}
