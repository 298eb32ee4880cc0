import { ascii } from './text.js'

/** Length of the ID3v2 tag at `offset`, 0 when there is none. */
export function id3Length(bytes: Uint8Array, offset = 0): number {
  if (ascii(bytes, offset, 3) !== 'ID3' || offset + 10 > bytes.length) return 0
  const size = [6, 7, 8, 9].reduce((sum, i) => sum * 128 + (bytes[offset + i]! & 0x7f), 0)
  const footer = (bytes[offset + 5]! & 0x10) !== 0 ? 10 : 0
  return 10 + size + footer
}

/** Length of the tag at `offset`, whichever kind it is (ID3v2, ID3v1 with its extension, APE, Lyrics3); 0 when there is none. */
export function tagLength(bytes: Uint8Array, offset: number): number {
  const head = ascii(bytes, offset, 11)
  if (head.startsWith('ID3')) return id3Length(bytes, offset)
  if (head.startsWith('TAG+')) return 227
  if (head.startsWith('TAG')) return 128
  if (head.startsWith('APETAGEX')) return apeLength(bytes, offset)
  if (head === 'LYRICSBEGIN') {
    const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(
      'LYRICS200',
      offset,
      'latin1',
    )
    return end < 0 ? 0 : end + 9 - offset
  }
  return 0
}

/** An APE tag has a header and a footer of 32 bytes each, one of which may be missing; its size counts the footer alone. */
function apeLength(bytes: Uint8Array, offset: number): number {
  if (offset + 32 > bytes.length) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 32)
  const isHeader = (view.getUint32(20, true) & 0x20000000) !== 0
  return isHeader ? 32 + view.getUint32(12, true) : 32
}

/** End of the tags, and of zeros, that begin at `offset`. */
export function skipTags(bytes: Uint8Array, offset: number): number {
  let at = offset
  for (let length = 1; length > 0 && at < bytes.length;) {
    while (bytes[at] === 0) at++
    length = tagLength(bytes, at)
    at += length
  }
  return Math.min(at, bytes.length)
}

/** Where the tags begin that end the file (ID3v1, APE, Lyrics3), or its length when there is none. */
export function tagsAtEnd(bytes: Uint8Array): number {
  let end = bytes.length
  for (;;) {
    if (end >= 128 && ascii(bytes, end - 128, 3) === 'TAG') end -= 128
    else if (end >= 32 && ascii(bytes, end - 32, 8) === 'APETAGEX') end -= apeLengthFromFooter(bytes, end)
    else return end
  }
}

function apeLengthFromFooter(bytes: Uint8Array, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + end - 32, 32)
  const hasHeader = (view.getUint32(20, true) & 0x80000000) !== 0
  const length = view.getUint32(12, true) + (hasHeader ? 32 : 0)
  return length <= end ? Math.max(32, length) : 32
}
