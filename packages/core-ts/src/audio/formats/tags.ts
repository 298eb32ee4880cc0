import { type ByteSource, find } from '../byte-source.js'
import { ascii } from './text.js'

/** Tags that are passed over one behind the other; real files have a handful. */
const MOST_TAGS = 1000

/** Bytes that are looked through at once for the end of zeros. */
const PIECE = 1 << 16

/** Length of the tag at `offset`, whichever kind it is (ID3v2, ID3v1 with its extension, APE, Lyrics3); 0 when there is none. */
export async function tagLength(source: ByteSource, offset: number): Promise<number> {
  const bytes = await source.read(offset, 32)
  const head = ascii(bytes, 0, 11)
  if (head.startsWith('ID3')) return id3Length(bytes)
  if (head.startsWith('TAG+')) return 227
  if (head.startsWith('TAG')) return 128
  if (head.startsWith('APETAGEX')) return apeLength(bytes)
  if (head === 'LYRICSBEGIN') {
    const end = await find(source, 'LYRICS200', offset)
    return end < 0 ? 0 : end + 9 - offset
  }
  return 0
}

/** An ID3v2 tag. */
function id3Length(bytes: Uint8Array): number {
  if (bytes.length < 10) return 0
  const size = [6, 7, 8, 9].reduce((sum, i) => sum * 128 + (bytes[i]! & 0x7f), 0)
  return 10 + size + ((bytes[5]! & 0x10) !== 0 ? 10 : 0)
}

/** An APE tag has a header and a footer of 32 bytes each, one of which may be missing; its size counts the footer alone. */
function apeLength(bytes: Uint8Array): number {
  if (bytes.length < 32) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32)
  const isHeader = (view.getUint32(20, true) & 0x20000000) !== 0
  return isHeader ? 32 + view.getUint32(12, true) : 32
}

/** End of the tags, and of zeros, that begin at `offset`. */
export async function skipTags(source: ByteSource, offset: number): Promise<number> {
  let at = offset
  for (let n = 0, length = 1; n < MOST_TAGS && length > 0 && at < source.length; n++) {
    at = await skipZeros(source, at)
    length = await tagLength(source, at)
    at += length
  }
  return Math.min(at, source.length)
}

async function skipZeros(source: ByteSource, offset: number): Promise<number> {
  for (let at = offset; ;) {
    const bytes = await source.read(at, at === offset ? 1 : PIECE)
    const other = bytes.findIndex((byte) => byte !== 0)
    if (other >= 0 || bytes.length === 0) return at + Math.max(0, other)
    at += bytes.length
  }
}

/** Where the tags begin that end the file (ID3v1, APE, Lyrics3), or its length when there is none. */
export async function tagsAtEnd(source: ByteSource): Promise<number> {
  let end = source.length
  for (let n = 0; n < MOST_TAGS; n++) {
    const [tag, ape] = [end - 128, end - 32]
    if (tag >= 0 && ascii(await source.read(tag, 3), 0, 3) === 'TAG') end = tag
    else if (ape >= 0 && ascii(await source.read(ape, 8), 0, 8) === 'APETAGEX')
      end -= apeLengthFromFooter(await source.read(ape, 32), end)
    else break
  }
  return end
}

function apeLengthFromFooter(footer: Uint8Array, end: number): number {
  const view = new DataView(footer.buffer, footer.byteOffset, 32)
  const hasHeader = (view.getUint32(20, true) & 0x80000000) !== 0
  const length = view.getUint32(12, true) + (hasHeader ? 32 : 0)
  return length <= end ? Math.max(32, length) : 32
}
