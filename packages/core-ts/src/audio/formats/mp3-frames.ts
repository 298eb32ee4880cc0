import type { ByteSource } from '../byte-source.js'
import type { Reading } from './format.js'
import { skipTags, tagLength } from './tags.js'
import { ascii } from './text.js'

/** What the frames of an MP3 file say before any of them is decoded. */
export interface Mp3Stream {
  readonly sampleRate: number
  readonly channels: number
  /** Frames that hold sound, without the one that describes the file, where they lie. Runs are apart where a tag stands between. */
  readonly runs: readonly Mp3Run[]
  /** Decoded samples to leave out, in order and apart: encoder delay in front, padding behind. */
  readonly gaps: readonly (readonly [from: number, to: number])[]
  /** Samples per channel, the gaps taken off. */
  readonly samples: number
  /** Samples per channel that the decoder gives for all runs. */
  readonly decoded: number
}

/** Frames one behind the other. */
export interface Mp3Run {
  readonly start: number
  readonly end: number
  /** Whether the last frame lacks its padding byte, as some encoders leave it out. */
  readonly short: boolean
}

interface FrameHeader {
  readonly version: number
  readonly sampleRate: number
  readonly channels: number
  readonly samples: number
  readonly bytes: number
  readonly padding: number
}

/** Samples by which every decoder of layer III lags behind. */
const DECODER_DELAY = 529

const bitRates = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}
const sampleRates = [44100, 48000, 32000]

/** Layer III header in the first four bytes, or undefined when they are none. */
export function mp3FrameHeader(bytes: Uint8Array): FrameHeader | undefined {
  if (bytes.length < 4 || bytes[0] !== 0xff || (bytes[1]! & 0xe0) !== 0xe0) return undefined
  const version = [2.5, 0, 2, 1][(bytes[1]! >> 3) & 3]!
  const layer3 = ((bytes[1]! >> 1) & 3) === 1
  const rateIndex = (bytes[2]! >> 2) & 3
  const bitIndex = bytes[2]! >> 4
  if (version === 0 || !layer3 || rateIndex === 3 || bitIndex === 0 || bitIndex === 15) return undefined
  const sampleRate = sampleRates[rateIndex]! / (version === 1 ? 1 : version * (version === 2 ? 1 : 1.6))
  const samples = version === 1 ? 1152 : 576
  const bitRate = bitRates[version === 1 ? 1 : 2][bitIndex]! * 1000
  const padding = (bytes[2]! >> 1) & 1
  return {
    version,
    sampleRate,
    channels: bytes[3]! >> 6 === 3 ? 1 : 2,
    samples,
    bytes: Math.floor((samples / 8) * (bitRate / sampleRate)) + padding,
    padding,
  }
}

interface InfoFrame {
  /** Frames behind this one; 0 when the encoder did not know. */
  readonly frames: number
  /** Samples that the encoder put in front and behind; undefined when the frame ends before them. */
  readonly gapless: { readonly delay: number; readonly padding: number } | undefined
}

const headerAt = async (source: ByteSource, at: number): Promise<FrameHeader | undefined> =>
  mp3FrameHeader(await source.read(at, 4))

/** What a Xing or Info frame declares, whichever encoder wrote it; undefined when these bytes of a frame are none. */
function infoFrame(bytes: Uint8Array, header: FrameHeader): InfoFrame | undefined {
  const side = header.version === 1 ? (header.channels === 1 ? 17 : 32) : header.channels === 1 ? 9 : 17
  const tag = 4 + side
  const end = bytes.length
  if (!['Xing', 'Info'].includes(ascii(bytes, tag, 4)) || tag + 8 > end) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = view.getUint32(tag + 4)
  const frames = (flags & 1) !== 0 && tag + 12 <= end ? view.getUint32(tag + 8) : 0
  const lame =
    tag + 8 + (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0)
  if (lame + 24 > end) return { frames, gapless: undefined }
  const packed = (bytes[lame + 21]! << 16) | (bytes[lame + 22]! << 8) | bytes[lame + 23]!
  return { frames, gapless: { delay: packed >> 12, padding: packed & 0xfff } }
}

/**
 * Walks the frames; tags and zeros between them are skipped. Throws INVALID_FILE for bytes that are no MP3, for a hole between
 * frames and for a stream that changes its rate; fewer frames than declared and a last frame that is cut are `reading.cut`.
 */
export async function mp3Stream(source: ByteSource, reading: Reading): Promise<Mp3Stream> {
  const { length } = source
  const start = await firstMp3Frame(source, await skipTags(source, 0))
  if (start === undefined) throw reading.damaged('Expected MP3 frames, found none.')
  const first = (await headerAt(source, start))!
  const info = infoFrame(await source.read(start, first.bytes), first)
  const runs: Mp3Run[] = []
  let frames = 0
  let channels = info === undefined ? first.channels : 1
  let at = info === undefined ? start : start + first.bytes
  for (let run = at; ;) {
    await reading.walked(at)
    const header = await headerAt(source, at)
    if (header !== undefined) {
      refuseChange(first, header, at, reading)
      channels = Math.max(channels, header.channels)
      const short = header.padding > 0 && (await endsEarly(source, at + header.bytes))
      const end = at + header.bytes - (short ? 1 : 0)
      if (end <= length) {
        frames++
        at = end
        if (short) {
          runs.push({ start: run, end: at, short })
          run = at
        }
        continue
      }
      // A header behind all declared frames is no frame, but the beginning of something else.
      if (info === undefined || info.frames === 0 || frames < info.frames)
        reading.cut(`Expected ${header.bytes} bytes of the frame at byte ${at}, found ${length - at}.`)
      if (at > run) runs.push({ start: run, end: at, short: false })
      break
    }
    if (at > run) runs.push({ start: run, end: at, short: false })
    const next = await skipTags(source, at)
    const resumed = await firstMp3Frame(source, next)
    if (resumed === undefined) break
    if (resumed !== next)
      throw reading.damaged(`Expected an MP3 frame at byte ${next}, found ${resumed - next} other bytes.`)
    at = run = resumed
  }
  const declared = info?.frames ?? 0
  if (frames < declared) reading.cut(`Expected ${declared} frames as the header says, found ${frames}.`)
  const decoded = frames * first.samples
  const gaps = gapsOf(info, first.samples, decoded)
  const left = gaps.reduce((sum, [from, to]) => sum + to - from, 0)
  return { sampleRate: first.sampleRate, channels, runs, gaps, samples: decoded - left, decoded }
}

/**
 * The encoder's delay, the decoder's lag, and the padding that ends the declared frames. What follows them was joined on later
 * and is kept whole; without a count nobody can say where the padding is, and nothing is left out.
 */
function gapsOf(info: InfoFrame | undefined, perFrame: number, decoded: number): [number, number][] {
  if (info === undefined || info.frames === 0 || info.gapless === undefined) return []
  const { delay, padding } = info.gapless
  const declared = info.frames * perFrame
  const front = Math.min(delay + DECODER_DELAY, decoded)
  const back = Math.max(front, declared - Math.max(0, padding - DECODER_DELAY))
  const gaps: [number, number][] = [
    [0, front],
    [Math.min(back, decoded), Math.max(front, Math.min(declared, decoded))],
  ]
  return gaps.filter(([from, to]) => to > from)
}

/** Whether the padding byte of the frame that should end at `end` was never written. */
async function endsEarly(source: ByteSource, end: number): Promise<boolean> {
  if (end === source.length + 1) return true
  return (
    (await headerAt(source, end)) === undefined &&
    (await headerAt(source, end - 1)) !== undefined &&
    (await tagLength(source, end)) === 0
  )
}

function refuseChange(first: FrameHeader, header: FrameHeader, at: number, reading: Reading): void {
  if (header.sampleRate === first.sampleRate && header.version === first.version) return
  throw reading.damaged(
    `Expected frames of ${first.sampleRate} Hz, found ${header.sampleRate} Hz at byte ${at}.`,
  )
}

/** First place from `from` on where `chain` frames follow each other, or fewer that end the file. */
export async function firstMp3Frame(
  source: ByteSource,
  from: number,
  { within = source.length, chain = 2 }: { within?: number; chain?: number } = {},
): Promise<number | undefined> {
  const last = Math.min(source.length, from + within)
  for (let start = from; start < last;) {
    const bytes = await source.read(start, Math.min(PIECE, last - start))
    for (let i = bytes.indexOf(0xff); i >= 0; i = bytes.indexOf(0xff, i + 1)) {
      if (mayFollow(bytes, i) && (await followEachOther(source, start + i, chain))) return start + i
    }
    if (bytes.length === 0) break
    start += bytes.length
  }
  return undefined
}

/** Bytes that are searched at once for a frame. */
const PIECE = 1 << 18

/** Whether a header may stand at `at` and another behind it, as far as these bytes tell: most of what looks like one is thrown out here. */
function mayFollow(bytes: Uint8Array, at: number): boolean {
  if (at + 4 > bytes.length) return true
  const header = mp3FrameHeader(bytes.subarray(at, at + 4))
  if (header === undefined) return false
  const next = at + header.bytes
  return next + 4 > bytes.length || mp3FrameHeader(bytes.subarray(next, next + 4)) !== undefined
}

async function followEachOther(source: ByteSource, start: number, chain: number): Promise<boolean> {
  const first = await headerAt(source, start)
  if (first === undefined) return false
  let at = start
  for (let n = 0; n < chain; n++) {
    const header = await headerAt(source, at)
    if (header?.sampleRate !== first.sampleRate) return n > 0 && at >= source.length
    at += header.bytes
    // One byte past the end: the padding byte of the last frame was left out.
    if (at === source.length || at === source.length + header.padding) return true
  }
  return true
}
