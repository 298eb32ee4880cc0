import { createHash } from 'node:crypto'
import { throwIfAborted } from '../base/abort.js'
import { SonotextError } from '../base/errors.js'
import { checkStream, type DecodedAudio } from './audio.js'
import { flacFile } from './flac-frames.js'
import { damaged, joinPieces, optionalDecoder, quietly, type DecoderOutput } from './optional-decoder.js'
import { id3Length } from './sniff.js'

/** Frames given to the decoder at once: between pieces an abort is noticed. */
const PIECE = 256

/**
 * Decodes FLAC of 8, 16 or 24 bits through the optional decoder. Frames are found by their checksums, and the samples must
 * have the count and the MD5 that the header declares.
 */
export async function decodeFlac(
  source: Uint8Array,
  file: string,
  signal?: AbortSignal,
): Promise<DecodedAudio> {
  const { info, frames, samples } = flacFile(source.subarray(id3Length(source)), file)
  checkStream(info.sampleRate, info.channels, file)
  if (info.samples > 0 && samples !== info.samples) {
    throw damaged(`Expected ${info.samples} samples as the header says, found ${samples}.`, file)
  }
  if (![8, 16, 24].includes(info.bits)) {
    throw new SonotextError('UNSUPPORTED', `Expected FLAC of 8, 16 or 24 bits, found ${info.bits}.`, {
      file,
      remedy: `Convert it first, for example: ffmpeg -i ${JSON.stringify(file)} -c:a pcm_s32le out.wav`,
    })
  }
  const { FLACDecoder } = await optionalDecoder('@wasm-audio-decoders/flac', file)
  const decoder = new FLACDecoder()
  await decoder.ready
  const pieces: DecoderOutput[] = []
  try {
    for (let at = 0; at < frames.length; at += PIECE) {
      throwIfAborted(signal)
      pieces.push(await quietly(() => decoder.decodeFrames(frames.slice(at, at + PIECE))))
    }
  } finally {
    decoder.free()
  }
  for (const piece of pieces) {
    if (piece.errors.length > 0)
      throw damaged(`Expected intact FLAC frames, got: ${piece.errors[0]!.message}.`, file)
  }
  const channels = joinPieces(pieces)
  if (channels.length !== info.channels || channels[0]?.length !== samples) {
    throw damaged(
      `Expected ${info.channels} × ${samples} samples, decoded ${channels.length} × ${channels[0]?.length}.`,
      file,
    )
  }
  const md5 = rescale(channels, info.bits)
  if (!/^0+$/.test(info.md5) && md5 !== info.md5) {
    throw damaged(`Expected samples with MD5 ${info.md5} as the header says, decoded ${md5}.`, file)
  }
  return { channels, sampleRate: info.sampleRate, encoding: `FLAC ${info.bits}-bit` }
}

/**
 * The decoder divides by 2^(bits-1) - 1: restores the integers, divides by 2^(bits-1) as everywhere else, and returns the MD5
 * of the integers as FLAC defines it.
 */
function rescale(channels: readonly Float32Array[], bits: number): string {
  const scale = 2 ** (bits - 1)
  const width = bits / 8
  const samples = channels[0]!.length
  const hash = createHash('md5')
  const block = 1 << 16
  const bytes = Buffer.alloc(block * channels.length * width)
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
    hash.update(bytes.subarray(0, at))
  }
  return hash.digest('hex')
}
