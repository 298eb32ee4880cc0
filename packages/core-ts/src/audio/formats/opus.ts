import { checkStream } from '../audio.js'
import type { Reading } from './format.js'
import type { OggLink, OggPage, OggStream } from './ogg-pages.js'
import { oggTiming } from './ogg-timing.js'
import { decoding, optionalDecoder } from './optional-decoder.js'
import { ascii } from './text.js'

/** Opus always decodes to 48 kHz; the rate in the header is that of the recording before it was encoded. */
const RATE = 48_000

/** Samples of all channels that are decoded at once, roughly. */
const PIECE = 1 << 19

/** Samples of the longest packet: 120 ms. */
const LONGEST = 5760

/** One Opus stream through the optional decoder (RFC 7845): pre-skip, end and gain as its header says. */
export async function opusLink({ pages }: OggLink, reading: Reading): Promise<OggStream> {
  const head = headOf(pages[0]?.packets[0])
  const audio = audioPages(pages)
  if (head === undefined || audio === undefined)
    throw reading.damaged(
      'Expected the two headers of an Opus stream at the beginning, found none that are complete.',
    )
  checkStream(RATE, head.channels, reading.file)
  const timing = oggTiming(audio, opusSamples)
  if (!timing.ended) reading.remark('The Ogg stream does not say that it ends: more may have followed.')
  const skip = head.preSkip
  const samples = Math.max(0, timing.samples - head.preSkip)
  const { OpusDecoder } = await optionalDecoder('opus-decoder', reading.file)
  const packets = audio.flatMap((page) => page.packets)
  async function* blocks() {
    const { channels, streamCount, coupledStreamCount, channelMappingTable } = head!
    const decoder = new OpusDecoder({ channels, streamCount, coupledStreamCount, channelMappingTable })
    await decoder.ready
    const size = Math.max(1, Math.floor(PIECE / (LONGEST * channels)))
    let at = 0
    try {
      for (let first = 0; first < packets.length && at < skip + samples; first += size) {
        reading.throwIfAborted()
        const piece = packets.slice(first, first + size)
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

/** The pages behind the two headers. */
function audioPages(pages: readonly OggPage[]): readonly OggPage[] | undefined {
  let packets = 0
  for (const [index, page] of pages.entries()) {
    if (packets === 1 && page.packets[0] !== undefined && ascii(page.packets[0], 0, 8) !== 'OpusTags')
      return undefined
    packets += page.packets.length
    if (packets >= 2) return packets === 2 ? pages.slice(index + 1) : undefined
  }
  return undefined
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
