import { checkStream } from '../audio.js'
import { type ByteSource } from '../byte-source.js'
import type { AudioFormat, AudioStream, Reading } from './format.js'
import { mp3FrameHeader, mp3Stream, type Mp3Run } from './mp3-frames.js'
import { decoding, optionalDecoder } from './optional-decoder.js'
import { unsupported } from './refusals.js'

/** Bytes given to the decoder at once: 16 s of the lowest bit rate. */
const PIECE = 1 << 14

/** More bytes than two frames of layer I or II have. */
const TWO_FRAMES = 1 << 13

/** MP3 (MPEG layer III) through the optional decoder. */
export const mp3: AudioFormat = {
  name: 'MP3',
  sniff: (bytes) => mp3FrameHeader(bytes) !== undefined,
  open: openMpeg,
}

/** The frames are walked first: they say how many samples there are, and the decoder must give as many. */
export async function openMpeg(source: ByteSource, reading: Reading): Promise<AudioStream> {
  if (startsLikeMpegLayer1or2(await source.read(0, TWO_FRAMES)))
    throw unsupported('MPEG layer III', 'MPEG layer I or II (MP2)', reading.file)
  const { runs, gaps, decoded, ...stream } = await mp3Stream(source, reading)
  checkStream(stream.sampleRate, stream.channels, reading.file)
  const { MPEGDecoder } = await optionalDecoder('mpg123-decoder', reading.file)
  async function* blocks() {
    const decoder = new MPEGDecoder({ enableGapless: false })
    await decoder.ready
    let at = 0
    try {
      for await (const piece of piecesOf(source, runs)) {
        reading.throwIfAborted()
        const { channelData, samplesDecoded } = await decoding(reading, 'MP3 frames', () =>
          decoder.decode(piece),
        )
        // The decoder always gives two channels; those of a mono file are equal.
        for (const [from, to] of kept(gaps, at, at + samplesDecoded))
          yield channelData.slice(0, stream.channels).map((channel) => channel.subarray(from - at, to - at))
        at += samplesDecoded
      }
    } finally {
      decoder.free()
    }
    if (at !== decoded) throw reading.damaged(`Expected ${decoded} samples in the frames, decoded ${at}.`)
  }
  return { ...stream, encoding: 'MP3', blocks: blocks() }
}

async function* piecesOf(source: ByteSource, runs: readonly Mp3Run[]): AsyncGenerator<Uint8Array> {
  for (const { start, end, short } of runs) {
    for (let at = start; at < end; at += PIECE) yield await source.read(at, Math.min(PIECE, end - at))
    if (short) yield Uint8Array.of(0)
  }
}

/** The parts of `from` … `to` outside the gaps. */
function* kept(
  gaps: readonly (readonly [number, number])[],
  from: number,
  to: number,
): Generator<readonly [number, number]> {
  let at = from
  for (const [start, end] of gaps) {
    if (start > at) yield [at, Math.min(start, to)]
    at = Math.max(at, end)
    if (at >= to) return
  }
  if (at < to) yield [at, to]
}

/** Two frames of layer I or II one behind the other, or one that ends the file. */
export function startsLikeMpegLayer1or2(bytes: Uint8Array): boolean {
  const first = lowerLayerFrame(bytes, 0)
  return first !== undefined && (first === bytes.length || lowerLayerFrame(bytes, first) !== undefined)
}

const layer1 = [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448]
const layer2 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]
const lowRate1 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256]
const lowRate2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]

/** Bytes of the layer I or II frame at `at`; undefined when there is none. */
function lowerLayerFrame(bytes: Uint8Array, at: number): number | undefined {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return undefined
  const version = (bytes[at + 1]! >> 3) & 3
  const layer = 4 - ((bytes[at + 1]! >> 1) & 3)
  const bitIndex = bytes[at + 2]! >> 4
  const rateIndex = (bytes[at + 2]! >> 2) & 3
  if (version === 1 || layer > 2 || bitIndex === 0 || bitIndex === 15 || rateIndex === 3) return undefined
  const rate = [44100, 48000, 32000][rateIndex]! / (version === 3 ? 1 : version === 2 ? 2 : 4)
  const table = version === 3 ? (layer === 1 ? layer1 : layer2) : layer === 1 ? lowRate1 : lowRate2
  const padding = (bytes[at + 2]! >> 1) & 1
  const bitRate = table[bitIndex]! * 1000
  return layer === 1
    ? 4 * (Math.floor((12 * bitRate) / rate) + padding)
    : Math.floor((144 * bitRate) / rate) + padding
}
