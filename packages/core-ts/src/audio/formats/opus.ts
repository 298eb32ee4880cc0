import { checkStream } from '../audio.js'
import type { ByteSource } from '../byte-source.js'
import type { Reading } from './format.js'
import { type OggLink, type OggPage, pagesOf } from './ogg-pages.js'
import { OggTiming } from './ogg-timing.js'
import type { OggStream, OggTrack } from './ogg-track.js'
import { decoding, optionalDecoder } from './optional-decoder.js'
import { ascii } from './text.js'

/** Opus always decodes to 48 kHz; the rate in the header is that of the recording before it was encoded. */
const RATE = 48_000

/** Samples of all channels that are decoded at once, roughly. */
const PIECE = 1 << 19

/** Samples of the longest packet: 120 ms. */
const LONGEST = 5760

/** One Opus stream through the optional decoder (RFC 7845): pre-skip, end and gain as its header says. */
export class OpusTrack implements OggTrack {
  readonly #timing = new OggTiming(opusSamples)
  #pages = 0
  #head: OpusHead | undefined
  /** The two headers: how many have come, whether they are whole, and on how many pages they lie. */
  #headers = { packets: 0, intact: true, pages: 0 }

  add(page: OggPage): void {
    if (this.#pages++ === 0) this.#head = headOf(page.packets[0])
    const headers = this.#headers
    if (headers.packets >= 2) {
      this.#timing.add(page)
      return
    }
    const [packet] = page.packets
    if (headers.packets === 1 && packet !== undefined && ascii(packet, 0, 8) !== 'OpusTags')
      headers.intact = false
    headers.packets += page.packets.length
    headers.pages++
    if (headers.packets > 2) headers.intact = false
  }

  async open(source: ByteSource, link: OggLink, reading: Reading): Promise<OggStream> {
    const head = this.#head
    if (head === undefined || !this.#headers.intact || this.#headers.packets < 2)
      throw reading.damaged(
        'Expected the two headers of an Opus stream at the beginning, found none that are complete.',
      )
    checkStream(RATE, head.channels, reading.file)
    if (!this.#timing.ended)
      reading.remark('The Ogg stream does not say that it ends: more may have followed.')
    const skip = head.preSkip
    const samples = Math.max(0, this.#timing.samples - skip)
    const { OpusDecoder } = await optionalDecoder('opus-decoder', reading.file)
    const size = Math.max(1, Math.floor(PIECE / (LONGEST * head.channels)))
    const pieces = () => piecesOf(pagesOf(source, link), this.#headers.pages, size)
    async function* blocks() {
      const { channels, streamCount, coupledStreamCount, channelMappingTable } = head!
      const decoder = new OpusDecoder({ channels, streamCount, coupledStreamCount, channelMappingTable })
      await decoder.ready
      let at = 0
      try {
        for await (const piece of pieces()) {
          if (at >= skip + samples) break
          reading.throwIfAborted()
          const output = await decoding(reading, 'Opus packets', () => decoder.decodeFrames(piece))
          const wanted = piece.reduce((sum, packet) => sum + opusSamples(packet), 0)
          if (output.samplesDecoded !== wanted)
            throw reading.damaged(
              `Expected ${wanted} samples in the packets, decoded ${output.samplesDecoded}.`,
            )
          const from = Math.max(skip - at, 0)
          const to = Math.max(from, Math.min(wanted, skip + samples - at))
          at += wanted
          if (to > from)
            yield output.channelData.map((channel) => amplified(channel.subarray(from, to), head!.gain))
        }
      } finally {
        decoder.free()
      }
    }
    return { sampleRate: RATE, channels: head.channels, encoding: 'Ogg Opus', samples, blocks: blocks() }
  }
}

/** The packets behind the headers, `size` at a time. */
async function* piecesOf(
  pages: AsyncIterable<OggPage>,
  headerPages: number,
  size: number,
): AsyncGenerator<Uint8Array[]> {
  let piece: Uint8Array[] = []
  let page = 0
  for await (const { packets } of pages) {
    if (page++ < headerPages) continue
    for (const packet of packets) {
      piece.push(packet)
      if (piece.length < size) continue
      yield piece
      piece = []
    }
  }
  if (piece.length > 0) yield piece
}

interface OpusHead {
  readonly channels: number
  /** Samples at the beginning that let the decoder settle. */
  readonly preSkip: number
  /** Factor. */
  readonly gain: number
  readonly streamCount: number
  readonly coupledStreamCount: number
  readonly channelMappingTable: number[]
}

function headOf(packet: Uint8Array | undefined): OpusHead | undefined {
  if (packet === undefined || packet.length < 19 || packet[8]! >> 4 !== 0) return undefined
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
  const channels = packet[9]!
  const common = {
    channels,
    preSkip: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
  }
  if (packet[18] === 0) {
    if (channels < 1 || channels > 2) return undefined
    return {
      ...common,
      streamCount: 1,
      coupledStreamCount: channels - 1,
      channelMappingTable: channels === 1 ? [0] : [0, 1],
    }
  }
  const [streamCount = 0, coupledStreamCount = 0] = packet.subarray(19, 21)
  const table = [...packet.subarray(21, 21 + channels)]
  const decoded = streamCount + coupledStreamCount
  const sound = table.every((index) => index === 255 || index < decoded)
  if (streamCount < 1 || coupledStreamCount > streamCount || decoded > 255) return undefined
  if (channels < 1 || table.length !== channels || !sound) return undefined
  return { ...common, streamCount, coupledStreamCount, channelMappingTable: table }
}

/** Samples at 48 kHz of a packet, told by its first bytes (RFC 6716, 3.1); 0 for one that is none. */
export function opusSamples(packet: Uint8Array): number {
  const [toc, second = 0] = packet
  if (toc === undefined) return 0
  const config = toc >> 3
  const perFrame =
    config < 12
      ? [480, 960, 1920, 2880][config & 3]!
      : config < 16
        ? [480, 960][config & 1]!
        : [120, 240, 480, 960][config & 3]!
  const code = toc & 3
  const frames = code === 0 ? 1 : code < 3 ? 2 : second & 63
  return frames * perFrame <= LONGEST ? frames * perFrame : 0
}

function amplified(channel: Float32Array, gain: number): Float32Array {
  return gain === 1 ? channel : channel.map((sample) => sample * gain)
}
