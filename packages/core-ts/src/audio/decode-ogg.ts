import { throwIfAborted } from '../base/abort.js'
import { checkStream, type DecodedAudio } from './audio.js'
import { oggSamples } from './ogg-pages.js'
import { damaged, joinPieces, optionalDecoder, quietly, type DecoderOutput } from './optional-decoder.js'
import { id3Length } from './sniff.js'

const PIECE = 1 << 20

/** Decodes Ogg Vorbis through the optional decoder; pages are checked first and the sample count afterwards. */
export async function decodeOggVorbis(
  source: Uint8Array,
  file: string,
  signal?: AbortSignal,
): Promise<DecodedAudio> {
  const bytes = source.subarray(id3Length(source))
  const expectedSamples = oggSamples(bytes, file)
  const head = 27 + bytes[26]!
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < head + 16) throw damaged('Expected a Vorbis header at the beginning, found none.', file)
  const sampleRate = view.getUint32(head + 12, true)
  checkStream(sampleRate, bytes[head + 11]!, file)
  const { OggVorbisDecoder } = await optionalDecoder('@wasm-audio-decoders/ogg-vorbis', file)
  const decoder = new OggVorbisDecoder()
  await decoder.ready
  const pieces: DecoderOutput[] = []
  try {
    for (let offset = 0; offset < bytes.length; offset += PIECE) {
      throwIfAborted(signal)
      pieces.push(await quietly(() => decoder.decode(bytes.subarray(offset, offset + PIECE))))
    }
    pieces.push(await quietly(() => decoder.flush()))
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw damaged(`Expected an intact Vorbis stream, got: ${String(cause)}.`, file)
  } finally {
    decoder.free()
  }
  const channels = joinPieces(pieces)
  const samples = channels[0]?.length ?? 0
  if (samples !== expectedSamples) {
    throw damaged(`Expected ${expectedSamples} samples as the last page says, decoded ${samples}.`, file)
  }
  return { channels, sampleRate, encoding: 'Ogg Vorbis' }
}
