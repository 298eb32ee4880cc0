import { type ByteSource, find } from '../byte-source.js'
import type { Reading } from './format.js'
import { ascii } from './text.js'

/** A page of one logical stream with the packets that end on it. */
export interface OggPage {
  /** Where it begins in the file. */
  readonly start: number
  /** Its bytes. */
  readonly bytes: Uint8Array
  /** Samples up to the end of the last packet that ends here; -1 when none does. */
  readonly granule: number
  readonly packets: readonly Uint8Array[]
  /** Whether the stream says that it ends here. */
  readonly last: boolean
}

/** One logical stream: the pages of one recording, and where they lie. */
export interface OggLink {
  readonly serial: number
  /** Of its first page, and of its last. */
  readonly start: number
  readonly end: number
}

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

interface Growing extends Assembly {
  readonly number: number
  readonly serial: number
  readonly start: number
  end: number
  pages: number
  /** Number of the page that must come next. */
  sequence: number
  ended: boolean
  /** Whether a page with sound has come. */
  sounding: boolean
}

/** Packets that go on over pages. */
interface Assembly {
  /** Pieces of a packet that goes on on the next page. */
  open: Uint8Array[]
}

/**
 * Walks the logical streams of an Ogg file in the order of their first pages: several at once (a video and its sound) or one behind the
 * other (chained, as radio streams are). Every page is given to `onPage` with the number of its stream. Tags and other bytes behind the
 * last page are left alone. Throws INVALID_FILE on a missing, damaged or repeated page; an end inside a page is `reading.cut`.
 */
export async function walkOgg(
  source: ByteSource,
  reading: Reading,
  onPage: (link: number, page: OggPage) => void,
): Promise<OggLink[]> {
  const links: Growing[] = []
  const current = new Map<number, Growing>()
  for (let offset = 0, number = 0; offset < source.length; number++) {
    await reading.walked(offset)
    const { bytes, length, marked } = await pageAt(source, offset)
    if (!marked) {
      if (links.length > 0 && (await find(source, 'OggS', offset)) < 0) break
      throw reading.damaged(`Expected page ${number} of an Ogg stream at byte ${offset}, found none.`)
    }
    if (bytes.length < length) {
      reading.cut(`Expected ${length} bytes of the page at byte ${offset}, found ${bytes.length}.`)
      break
    }
    const { serial, sequence, granule, flags, checksum } = fieldsOf(bytes)
    if (checksum !== oggCrc(bytes))
      throw reading.damaged(`Expected an intact page at byte ${offset}, its checksum differs.`)
    let link = current.get(serial)
    if ((flags & FIRST) !== 0) {
      const at = { number: links.length, serial, start: offset, end: offset }
      link = { ...at, pages: 0, sequence, open: [], ended: false, sounding: false }
      current.set(serial, link)
      links.push(link)
    }
    if (link === undefined || link.ended)
      throw reading.damaged(`Expected the first page of a stream at byte ${offset}, found a later one.`)
    // A stream that was tuned into keeps the numbers of its pages: they jump once, behind the headers.
    const tuned = link.pages > 0 && !link.sounding && link.open.length === 0
    if (sequence !== link.sequence && !(tuned && sequence > link.sequence)) {
      throw reading.damaged(`Expected page ${link.sequence} of one stream at byte ${offset}, found another.`)
    }
    link.sequence = sequence + 1
    link.ended = (flags & LAST) !== 0
    link.sounding ||= granule > 0
    link.pages++
    link.end = offset
    const packets = packetsOf(bytes, link)
    onPage(link.number, { start: offset, bytes, granule, packets, last: link.ended })
    offset += length
  }
  return links
}

/** The pages of a stream that was walked before, once more. */
export async function* pagesOf(source: ByteSource, link: OggLink): AsyncGenerator<OggPage, void, undefined> {
  const assembly: Assembly = { open: [] }
  for (let offset = link.start; offset <= link.end;) {
    const { bytes } = await pageAt(source, offset)
    const { serial, granule, flags } = fieldsOf(bytes)
    if (serial === link.serial)
      yield {
        start: offset,
        bytes,
        granule,
        packets: packetsOf(bytes, assembly),
        last: (flags & LAST) !== 0,
      }
    offset += bytes.length
  }
}

/** Flags of a page: it begins inside a packet, it is the first of its stream, the last. */
const [CONTINUED, FIRST, LAST] = [1, 2, 4]

/** Most bytes of what stands before the packets of a page: 255 segments. */
const HEAD = 27 + 255

/** The page at `offset`, or what is there of it; `marked`: it begins like one. */
async function pageAt(
  source: ByteSource,
  offset: number,
): Promise<{ bytes: Uint8Array; length: number; marked: boolean }> {
  const head = await source.read(offset, HEAD)
  const segments = head[26] ?? 255
  let length = 27 + segments
  for (let s = 0; s < segments; s++) length += head[27 + s] ?? 0
  return {
    bytes: await source.read(offset, length),
    length,
    marked: ascii(head, 0, 4) === 'OggS',
  }
}

function fieldsOf(page: Uint8Array) {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
  return {
    flags: page[5]!,
    granule: Number(view.getBigInt64(6, true)),
    serial: view.getUint32(14, true),
    sequence: view.getUint32(18, true),
    checksum: view.getUint32(22, true),
  }
}

/** Packets that end on the page. A segment of less than 255 bytes ends one; what is left over waits in `open`. */
function packetsOf(page: Uint8Array, assembly: Assembly): Uint8Array[] {
  const continued = (page[5]! & CONTINUED) !== 0
  const segments = page[26]!
  const packets: Uint8Array[] = []
  // The beginning of a continued packet is missing where the stream was tuned into.
  let skipping = continued && assembly.open.length === 0
  if (!continued) assembly.open = []
  let at = 27 + segments
  let start = at
  for (let s = 0; s < segments; s++) {
    const size = page[27 + s]!
    at += size
    if (size === 255) continue
    const piece = page.subarray(start, at)
    start = at
    if (skipping) skipping = false
    else packets.push(assembly.open.length === 0 ? piece : Buffer.concat([...assembly.open, piece]))
    assembly.open = []
  }
  if (start < at && !skipping) assembly.open.push(page.subarray(start, at))
  return packets
}
