import { createHash, type Hash } from 'node:crypto'
import { checkStream } from '../audio.js'
import type { ByteSource } from '../byte-source.js'
import { flacFile, type FlacFile, selfContained } from './flac-frames.js'
import type { AudioFormat, AudioStream, Reading } from './format.js'
import { decoding, optionalDecoder } from './optional-decoder.js'
import { unsupported } from './refusals.js'
import { beginsLike } from './text.js'

/** Samples of all channels that are decoded at once, roughly: a few bytes can stand for 65,535 of them. */
const PIECE = 1 << 19

/** FLAC of 8, 16 or 24 bits through the optional decoder. */
export const flac: AudioFormat = {
  name: 'FLAC',
  sniff: (bytes) => beginsLike(bytes, /^fLaC/),
  open: async (source, reading) => flacStream(source, await flacFile(source, reading), reading),
}

/** Frames are found by their checksums, and the samples must have the count and the MD5 that the header declares. */
async function flacStream(
  source: ByteSource,
  { info, frames, samples }: FlacFile,
  reading: Reading,
): Promise<AudioStream> {
  const { sampleRate, channels, bits } = info
  checkStream(sampleRate, channels, reading.file)
  if (info.samples > 0 && samples !== info.samples) {
    const what = `Expected ${info.samples} samples as the header says, found ${samples}.`
    if (samples > info.samples) throw reading.damaged(what)
    reading.cut(what)
  }
  if (![8, 16, 24].includes(bits)) throw unsupported('FLAC of 8, 16 or 24 bits', `${bits} bits`, reading.file)
  const { FLACDecoder } = await optionalDecoder('@wasm-audio-decoders/flac', reading.file)
  // The MD5 is that of the whole recording.
  const md5 = reading.cutShort !== undefined || /^0+$/.test(info.md5) ? undefined : createHash('md5')
  async function* blocks() {
    const decoder = new FLACDecoder()
    await decoder.ready
    try {
      for (let at = 0; at < frames.length;) {
        reading.throwIfAborted()
        const end = pieceEnd(frames, at, channels)
        const piece = frames.slice(at, end)
        const [first, last] = [piece[0]!, piece.at(-1)!]
        const bytes = await source.read(first.start, last.start + last.length - first.start)
        const output = await decoding(reading, 'FLAC frames', () =>
          decoder.decodeFrames(
            piece.map(({ start, length }) =>
              selfContained(bytes.subarray(start - first.start, start - first.start + length), bits),
            ),
          ),
        )
        const wanted = piece.reduce((sum, frame) => sum + frame.samples, 0)
        const { channelData, samplesDecoded } = output
        if (channelData.length !== channels || samplesDecoded !== wanted) {
          throw reading.damaged(
            `Expected ${channels} × ${wanted} samples, decoded ${channelData.length} × ${samplesDecoded}.`,
          )
        }
        rescale(channelData, bits, md5)
        yield channelData
        at = end
      }
    } finally {
      decoder.free()
    }
    const found = md5?.digest('hex') ?? info.md5
    if (md5 !== undefined && found !== info.md5)
      throw reading.damaged(`Expected samples with MD5 ${info.md5} as the header says, decoded ${found}.`)
  }
  return { sampleRate, channels, encoding: `FLAC ${bits}-bit`, samples, blocks: blocks() }
}

/** Index behind the frames that fit into one piece: at least one. */
function pieceEnd(frames: FlacFile['frames'], from: number, channels: number): number {
  let end = from
  for (let samples = 0; end < frames.length && samples < PIECE; end++)
    samples += frames[end]!.samples * channels
  return end
}

/**
 * The decoder divides by 2^(bits-1) - 1: restores the integers, divides by 2^(bits-1) as everywhere else, and hashes the
 * integers as FLAC defines it.
 */
function rescale(channels: readonly Float32Array[], bits: number, hash: Hash | undefined): void {
  const scale = 2 ** (bits - 1)
  const width = bits / 8
  const samples = channels[0]!.length
  const block = 1 << 16
  const bytes = Buffer.alloc(Math.min(block, samples) * channels.length * width)
  for (let start = 0; start < samples; start += block) {
    const end = Math.min(start + block, samples)
    let at = 0
    for (let i = start; i < end; i++) {
      for (const channel of channels) {
        const integer = Math.round(channel[i]! * (scale - 1))
        channel[i] = integer / scale
        at = bytes.writeIntLE(integer, at, width)
      }
    }
    hash?.update(bytes.subarray(0, at))
  }
}
