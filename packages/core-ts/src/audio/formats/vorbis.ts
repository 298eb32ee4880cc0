import { checkStream } from '../audio.js'
import type { Reading } from './format.js'
import type { OggLink, OggPage, OggStream } from './ogg-pages.js'
import { oggTiming } from './ogg-timing.js'
import { decoding, optionalDecoder, type DecoderOutput } from './optional-decoder.js'
import { vorbisHeaders } from './vorbis-packets.js'

/** Samples of all channels that are decoded at once, roughly: a packet of one byte can stand for 4,096 in each. */
const PIECE = 1 << 19

/**
 * One Vorbis stream through the optional decoder. The decoder reports no error: the samples of every packet are counted first, and
 * it must give as many.
 */
export async function vorbisLink({ pages }: OggLink, reading: Reading): Promise<OggStream> {
  const headers = headersOf(pages)
  if (headers === undefined)
    throw reading.damaged(
      'Expected the three headers of a Vorbis stream at the beginning, found none that are complete.',
    )
  const { sampleRate, channels, samplesOf, audioFrom } = headers
  checkStream(sampleRate, channels, reading.file)
  const { samples, decoded, upTo, ended } = oggTiming(pages.slice(audioFrom), samplesOf)
  if (!ended) reading.remark('The Ogg stream does not say that it ends: more may have followed.')
  const { OggVorbisDecoder } = await optionalDecoder('@wasm-audio-decoders/ogg-vorbis', reading.file)
  async function* blocks() {
    const decoder = new OggVorbisDecoder()
    await decoder.ready
    let at = 0
    const kept = (output: DecoderOutput) => {
      const to = Math.max(0, Math.min(output.samplesDecoded, samples - at))
      at += output.samplesDecoded
      return output.channelData.map((channel) => channel.subarray(0, to))
    }
    const feed = (some: readonly OggPage[]) =>
      decoding(reading, 'Vorbis packets', () => decoder.decode(Buffer.concat(some.map(withoutEnd))))
    try {
      await feed(pages.slice(0, audioFrom))
      for (let first = audioFrom; first < pages.length;) {
        reading.throwIfAborted()
        const until = (upTo[first - audioFrom - 1] ?? 0) + PIECE / channels
        let end = first + 1
        while (end < pages.length && upTo[end - audioFrom]! <= until) end++
        const output = await feed(pages.slice(first, end))
        if (output.samplesDecoded > 0) yield kept(output)
        first = end
      }
      const output = await decoding(reading, 'Vorbis packets', () => decoder.flush())
      if (output.samplesDecoded > 0) yield kept(output)
    } finally {
      decoder.free()
    }
    if (at !== decoded) throw reading.damaged(`Expected ${decoded} samples in the packets, decoded ${at}.`)
  }
  return { sampleRate, channels, encoding: 'Ogg Vorbis', samples, blocks: blocks() }
}

/** The three header packets end a page: sound begins on the next. */
function headersOf(pages: readonly OggPage[]) {
  let packets: Uint8Array[] = []
  for (const [index, page] of pages.entries()) {
    packets = [...packets, ...page.packets]
    if (packets.length < 3) continue
    if (packets.length > 3) return undefined
    const headers = vorbisHeaders(packets[0]!, packets[2]!)
    return headers === undefined ? undefined : { ...headers, audioFrom: index + 1 }
  }
  return undefined
}

/** The decoder would cut the last page by a count of its own: it is not told which page that is. */
function withoutEnd({ bytes }: OggPage): Uint8Array {
  const page = Uint8Array.from(bytes)
  page[5]! &= ~4
  return page
}
