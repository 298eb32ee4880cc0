import { throwIfAborted } from '../base/abort.js'
import { checkStream, type DecodedAudio } from './audio.js'
import { mp3Stream } from './mp3-frames.js'
import { damaged, joinPieces, optionalDecoder, quietly, type DecoderOutput } from './optional-decoder.js'

const PIECE = 1 << 20

/** Decodes MP3 through the optional decoder; the frames are walked first, and the sample count must be theirs. */
export async function decodeMp3(
  bytes: Uint8Array,
  file: string,
  signal?: AbortSignal,
): Promise<DecodedAudio> {
  const stream = mp3Stream(bytes, file)
  checkStream(stream.sampleRate, stream.channels, file)
  const { MPEGDecoder } = await optionalDecoder('mpg123-decoder', file)
  const decoder = new MPEGDecoder()
  await decoder.ready
  const pieces: DecoderOutput[] = []
  try {
    for (let offset = stream.start; offset < stream.end; offset += PIECE) {
      throwIfAborted(signal)
      const piece = bytes.subarray(offset, Math.min(offset + PIECE, stream.end))
      pieces.push(quietly(() => decoder.decode(piece)))
    }
  } finally {
    decoder.free()
  }
  for (const piece of pieces) {
    if (piece.errors.length > 0)
      throw damaged(`Expected intact MP3 frames, got: ${piece.errors[0]!.message}.`, file)
  }
  // The decoder always gives two channels; those of a mono file are equal.
  const channels = joinPieces(pieces).slice(0, stream.channels)
  const samples = channels[0]?.length ?? 0
  if (samples !== stream.samples)
    throw damaged(`Expected ${stream.samples} samples, decoded ${samples}.`, file)
  return { channels, sampleRate: stream.sampleRate, encoding: 'MP3' }
}
