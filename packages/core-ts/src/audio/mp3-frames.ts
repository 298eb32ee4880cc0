import { damaged } from './optional-decoder.js'
import { ascii, id3Length } from './sniff.js'

/** What the frames of an MP3 file say before any of them is decoded. */
export interface Mp3Stream {
  readonly sampleRate: number
  readonly channels: number
  /** Samples per channel, encoder delay and padding taken off when the file says how long they are. */
  readonly samples: number
  /** Bytes from the first frame to the end of the last. */
  readonly start: number
  readonly end: number
}

interface FrameHeader {
  readonly version: number
  readonly sampleRate: number
  readonly channels: number
  readonly samples: number
  readonly bytes: number
}

const bitRates = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}
const sampleRates = [44100, 48000, 32000]

/** Layer III header at `at`, or undefined when these four bytes are none. */
function frameHeader(bytes: Uint8Array, at: number): FrameHeader | undefined {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return undefined
  const version = [2.5, 0, 2, 1][(bytes[at + 1]! >> 3) & 3]!
  const layer3 = ((bytes[at + 1]! >> 1) & 3) === 1
  const rateIndex = (bytes[at + 2]! >> 2) & 3
  const bitIndex = bytes[at + 2]! >> 4
  if (version === 0 || !layer3 || rateIndex === 3 || bitIndex === 0 || bitIndex === 15) return undefined
  const sampleRate = sampleRates[rateIndex]! / (version === 1 ? 1 : version * (version === 2 ? 1 : 1.6))
  const samples = version === 1 ? 1152 : 576
  const bitRate = bitRates[version === 1 ? 1 : 2][bitIndex]! * 1000
  const padding = (bytes[at + 2]! >> 1) & 1
  return {
    version,
    sampleRate,
    channels: bytes[at + 3]! >> 6 === 3 ? 1 : 2,
    samples,
    bytes: Math.floor((samples / 8) * (bitRate / sampleRate)) + padding,
  }
}

/** Frames and gapless lengths that a Xing or Info frame declares; undefined when the frame at `at` is none. */
function infoFrame(bytes: Uint8Array, at: number, header: FrameHeader) {
  const side = header.version === 1 ? (header.channels === 1 ? 17 : 32) : header.channels === 1 ? 9 : 17
  const tag = at + 4 + side
  if (!['Xing', 'Info'].includes(ascii(bytes, tag, 4)) || tag + 8 > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = view.getUint32(tag + 4)
  const frames = (flags & 1) !== 0 && tag + 12 <= bytes.length ? view.getUint32(tag + 8) : undefined
  const lame =
    tag + 8 + (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0)
  const hasGapless =
    lame + 24 <= Math.min(bytes.length, at + header.bytes) && /^(LAME|Lavf|Lavc)/.test(ascii(bytes, lame, 4))
  const packed = hasGapless ? (bytes[lame + 21]! << 16) | (bytes[lame + 22]! << 8) | bytes[lame + 23]! : 0
  return { frames, delay: packed >> 12, padding: packed & 0xfff }
}

/**
 * Walks the frames. Throws INVALID_FILE for bytes that are no MP3, for a hole between frames, for a stream that changes its
 * rate, and for one with fewer frames than its header declares or a cut last frame.
 */
export function mp3Stream(bytes: Uint8Array, file: string): Mp3Stream {
  const start = firstFrame(bytes, id3Length(bytes))
  if (start === undefined) throw damaged('Expected MP3 frames, found none.', file)
  const first = frameHeader(bytes, start)!
  const info = infoFrame(bytes, start, first)
  let frames = 0
  let at = start
  for (
    let header: FrameHeader | undefined;
    (header = frameHeader(bytes, at)) !== undefined;
    at += header.bytes
  ) {
    if (header.sampleRate !== first.sampleRate || header.version !== first.version) {
      throw damaged(
        `Expected frames of ${first.sampleRate} Hz, found ${header.sampleRate} Hz at byte ${at}.`,
        file,
      )
    }
    if (at + header.bytes > bytes.length) {
      if (info?.frames !== undefined && frames - 1 >= info.frames) break
      throw damaged(
        `Expected ${header.bytes} bytes of the frame at byte ${at}, found ${bytes.length - at}.`,
        file,
      )
    }
    frames++
  }
  const resumed = firstFrame(bytes, at)
  if (resumed !== undefined)
    throw damaged(`Expected an MP3 frame at byte ${at}, found ${resumed - at} other bytes.`, file)
  const sounding = info === undefined ? frames : frames - 1
  if (info?.frames !== undefined && sounding < info.frames) {
    throw damaged(`Expected ${info.frames} frames as the header says, found ${sounding}.`, file)
  }
  const samples = sounding * first.samples - (info === undefined ? 0 : info.delay + info.padding)
  return { sampleRate: first.sampleRate, channels: first.channels, samples, start, end: at }
}

/** First place from `from` on where two frames, or one that ends the file, follow each other. */
function firstFrame(bytes: Uint8Array, from: number): number | undefined {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const header = frameHeader(bytes, at)
    if (header === undefined) continue
    const next = at + header.bytes
    if (next === bytes.length) return at
    const follower = frameHeader(bytes, next)
    if (follower !== undefined && follower.sampleRate === header.sampleRate) return at
  }
  return undefined
}
