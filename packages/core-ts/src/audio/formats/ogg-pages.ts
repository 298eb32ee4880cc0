import type { AudioStream, Reading } from './format.js'
import { ascii } from './text.js'

/** A page of one logical stream with the packets that end on it. */
export interface OggPage {
  /** Its bytes in the file. */
  readonly bytes: Uint8Array
  /** Samples up to the end of the last packet that ends here; -1 when none does. */
  readonly granule: number
  readonly packets: readonly Uint8Array[]
  /** Whether the stream says that it ends here. */
  readonly last: boolean
}

/** One logical stream: the pages of one recording. */
export interface OggLink {
  readonly serial: number
  readonly pages: readonly OggPage[]
}

/** A link that is open: how long it is, is known. */
export type OggStream = Omit<AudioStream, 'samples'> & { readonly samples: number }

/** CRC-32 of the Ogg framing: polynomial 0x04c11db7, not reflected, starting from 0. */
const crcTable = Uint32Array.from({ length: 256 }, (_, i) => {
  let r = i << 24
  for (let bit = 0; bit < 8; bit++) r = (r & 0x80000000) !== 0 ? (r << 1) ^ 0x04c11db7 : r << 1
  return r >>> 0
})

export function oggCrc(page: Uint8Array): number {
  let crc = 0
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : page[i]!
    crc = ((crc << 8) ^ crcTable[(crc >>> 24) ^ byte]!) >>> 0
  }
  return crc
}

interface Growing {
  readonly serial: number
  readonly pages: OggPage[]
  /** Number of the page that must come next. */
  sequence: number
  /** Pieces of a packet that goes on on the next page. */
  open: Uint8Array[]
  ended: boolean
  /** Whether a page with sound has come. */
  sounding: boolean
}

/**
 * The logical streams of an Ogg file in the order of their first pages: several at once (a video and its sound) or one behind the
 * other (chained, as radio streams are). Tags and other bytes behind the last page are left alone. Throws INVALID_FILE on a missing,
 * damaged or repeated page; an end inside a page is `reading.cut`.
 */
export function oggLinks(bytes: Uint8Array, reading: Reading): OggLink[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const links: Growing[] = []
  const current = new Map<number, Growing>()
  for (let offset = 0, number = 0; offset < bytes.length; number++) {
    if (ascii(bytes, offset, 4) !== 'OggS') {
      if (links.length > 0 && !hasPage(bytes, offset)) break
      throw reading.damaged(`Expected page ${number} of an Ogg stream at byte ${offset}, found none.`)
    }
    const length = pageLength(bytes, offset)
    if (offset + length > bytes.length) {
      const there = bytes.length - offset
      reading.cut(`Expected ${length} bytes of the page at byte ${offset}, found ${there}.`)
      break
    }
    const page = bytes.subarray(offset, offset + length)
    if (view.getUint32(offset + 22, true) !== oggCrc(page))
      throw reading.damaged(`Expected an intact page at byte ${offset}, its checksum differs.`)
    const serial = view.getUint32(offset + 14, true)
    const sequence = view.getUint32(offset + 18, true)
    const flags = page[5]!
    let link = current.get(serial)
    if ((flags & 2) !== 0) {
      link = { serial, pages: [], sequence, open: [], ended: false, sounding: false }
      current.set(serial, link)
      links.push(link)
    }
    if (link === undefined || link.ended)
      throw reading.damaged(`Expected the first page of a stream at byte ${offset}, found a later one.`)
    // A stream that was tuned into keeps the numbers of its pages: they jump once, behind the headers.
    const tuned = link.pages.length > 0 && !link.sounding && link.open.length === 0
    if (sequence !== link.sequence && !(tuned && sequence > link.sequence)) {
      throw reading.damaged(`Expected page ${link.sequence} of one stream at byte ${offset}, found another.`)
    }
    link.sequence = sequence + 1
    link.ended = (flags & 4) !== 0
    const granule = Number(view.getBigInt64(offset + 6, true))
    link.sounding ||= granule > 0
    const continued = (flags & 1) !== 0
    link.pages.push({ bytes: page, granule, packets: packetsOf(page, link, continued), last: link.ended })
    offset += length
  }
  return links
}

function hasPage(bytes: Uint8Array, from: number): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('OggS', from, 'latin1') >= 0
}

function pageLength(bytes: Uint8Array, offset: number): number {
  const segments = bytes[offset + 26] ?? 255
  let length = 27 + segments
  for (let s = 0; s < segments; s++) length += bytes[offset + 27 + s] ?? 0
  return length
}

/** Packets that end on the page. A segment of less than 255 bytes ends one; what is left over waits in `link.open`. */
function packetsOf(page: Uint8Array, link: Growing, continued: boolean): Uint8Array[] {
  const segments = page[26]!
  const packets: Uint8Array[] = []
  // The beginning of a continued packet is missing where the stream was tuned into.
  let skipping = continued && link.open.length === 0
  if (!continued) link.open = []
  let at = 27 + segments
  let start = at
  for (let s = 0; s < segments; s++) {
    const size = page[27 + s]!
    at += size
    if (size === 255) continue
    const piece = page.subarray(start, at)
    start = at
    if (skipping) skipping = false
    else packets.push(link.open.length === 0 ? piece : Buffer.concat([...link.open, piece]))
    link.open = []
  }
  if (start < at && !skipping) link.open.push(page.subarray(start, at))
  return packets
}
