import type { OggPage } from './ogg-pages.js'

/**
 * Counts what the packets of a stream hold, page by page, and which of it belongs to the recording. A recording cut out of a stream
 * begins at any granule position, even before 0. Only the last page takes something away, where its position lies before the end of its
 * last packet.
 */
export class OggTiming {
  /** Samples that the decoder gives in all. */
  decoded = 0
  /** Whether the stream says that it ends. */
  ended = false
  readonly #samplesOf: (packet: Uint8Array) => number
  /** Position of the page before, and the samples up to it. */
  #before = { granule: 0, decoded: 0 }
  #surplus = 0

  /** `samplesOf` says how many samples come out for the next packet. */
  constructor(samplesOf: (packet: Uint8Array) => number) {
    this.#samplesOf = samplesOf
  }

  /** Samples that belong to the recording: the first so many. */
  get samples(): number {
    return this.decoded - this.#surplus
  }

  add({ packets, granule, last }: Pick<OggPage, 'packets' | 'granule' | 'last'>): void {
    for (const packet of packets) this.decoded += this.#samplesOf(packet)
    this.ended ||= last
    if (packets.length === 0) return
    const held = this.decoded - this.#before.decoded
    const beyond = held - (granule - this.#before.granule)
    this.#surplus = beyond > 0 && beyond <= held ? beyond : 0
    this.#before = { granule, decoded: this.decoded }
  }
}
