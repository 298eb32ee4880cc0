import { checkStream } from '../audio.js'
import type { ByteSource } from '../byte-source.js'
import type { Reading } from './format.js'
import { type OggLink, type OggPage, pagesOf } from './ogg-pages.js'
import { OggTiming } from './ogg-timing.js'
import type { OggStream, OggTrack } from './ogg-track.js'
import { decoding, optionalDecoder, type DecoderOutput } from './optional-decoder.js'
import { vorbisHeaders, type VorbisHeaders } from './vorbis-packets.js'

/** Samples of all channels that are decoded at once, roughly: a packet of one byte can stand for 4,096 in each. */
const PIECE = 1 << 19

/**
 * One Vorbis stream through the optional decoder. The decoder reports no error: the samples of every packet are counted first, and
 * it must give as many.
 */
export class VorbisTrack implements OggTrack {
  /** The three headers, as far as they have come. */
  readonly #headers: Uint8Array[] = []
  /** Pages that hold them: the third ends a page, sound begins on the next. */
  #headerPages = 0
  #known: { readonly headers: VorbisHeaders; readonly timing: OggTiming } | undefined

  add(page: OggPage): void {
    if (this.#known !== undefined) this.#known.timing.add(page)
    if (this.#headers.length >= 3) return
    this.#headers.push(...page.packets)
    this.#headerPages++
    if (this.#headers.length !== 3) return
    const headers = vorbisHeaders(this.#headers[0]!, this.#headers[2]!)
    if (headers !== undefined) this.#known = { headers, timing: new OggTiming(headers.samplesOf) }
  }

  async open(source: ByteSource, link: OggLink, reading: Reading): Promise<OggStream> {
    if (this.#known === undefined)
      throw reading.damaged(
        'Expected the three headers of a Vorbis stream at the beginning, found none that are complete.',
      )
    const { headers, timing } = this.#known
    const { sampleRate, channels } = headers
    checkStream(sampleRate, channels, reading.file)
    const { samples, decoded } = timing
    if (!timing.ended) reading.remark('The Ogg stream does not say that it ends: more may have followed.')
    const { OggVorbisDecoder } = await optionalDecoder('@wasm-audio-decoders/ogg-vorbis', reading.file)
    const pieces = () => this.#pieces(pagesOf(source, link), channels)
    async function* blocks() {
      const decoder = new OggVorbisDecoder()
      await decoder.ready
      let at = 0
      const kept = (output: DecoderOutput) => {
        const to = Math.max(0, Math.min(output.samplesDecoded, samples - at))
        at += output.samplesDecoded
        return output.channelData.map((channel) => channel.subarray(0, to))
      }
      try {
        for await (const pages of pieces()) {
          reading.throwIfAborted()
          const bytes = Buffer.concat(pages.map(withoutEnd))
          const output = await decoding(reading, 'Vorbis packets', () => decoder.decode(bytes))
          if (output.samplesDecoded > 0) yield kept(output)
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

  /** The pages of the headers, then pages with as many samples as are decoded at once: one at least. */
  async *#pieces(pages: AsyncIterable<OggPage>, channels: number): AsyncGenerator<OggPage[]> {
    const timing = new OggTiming(vorbisHeaders(this.#headers[0]!, this.#headers[2]!)!.samplesOf)
    let headerPages = this.#headerPages
    let piece: OggPage[] = []
    let until = 0
    for await (const page of pages) {
      if (headerPages > 0) {
        piece.push(page)
        if (--headerPages > 0) continue
        yield piece
        piece = []
        until = PIECE / channels
        continue
      }
      const before = timing.decoded
      timing.add(page)
      if (piece.length > 0 && timing.decoded > until) {
        yield piece
        piece = []
        until = before + PIECE / channels
      }
      piece.push(page)
    }
    if (piece.length > 0) yield piece
  }
}

/** The decoder would cut the last page by a count of its own: it is not told which page that is. */
function withoutEnd({ bytes }: OggPage): Uint8Array {
  const page = Uint8Array.from(bytes)
  page[5]! &= ~4
  return page
}
