import type { OggPage } from './ogg-pages.js'

/** Which of the samples that a decoder gives for a stream belong to the recording. */
export interface OggTiming {
  /** Samples that do: the first so many. */
  readonly samples: number
  /** Samples that the decoder gives in all. */
  readonly decoded: number
  /** Samples that it gives up to the end of each page. */
  readonly upTo: readonly number[]
  /** Whether the stream says that it ends. */
  readonly ended: boolean
}

/**
 * Counts what the packets hold: a recording cut out of a stream begins at any granule position, even before 0. Only the last page takes
 * something away, where its position lies before the end of its last packet. `samplesOf` says how many samples come out for the next
 * packet.
 */
export function oggTiming(pages: readonly OggPage[], samplesOf: (packet: Uint8Array) => number): OggTiming {
  let decoded = 0
  const upTo: number[] = []
  /** Position of the page before, and the samples up to it. */
  let before = { granule: 0, decoded: 0 }
  let surplus = 0
  let ended = false
  for (const page of pages) {
    decoded += page.packets.reduce((sum, packet) => sum + samplesOf(packet), 0)
    upTo.push(decoded)
    ended ||= page.last
    if (page.packets.length === 0) continue
    const beyond = decoded - before.decoded - (page.granule - before.granule)
    surplus = beyond > 0 && beyond <= decoded - before.decoded ? beyond : 0
    before = { granule: page.granule, decoded }
  }
  return { samples: decoded - surplus, decoded, upTo, ended }
}
