import { damaged } from './optional-decoder.js'
import { ascii } from './sniff.js'

/** CRC-32 of the Ogg framing: polynomial 0x04c11db7, not reflected, starting from 0. */
const crcTable = Uint32Array.from({ length: 256 }, (_, i) => {
  let r = i << 24
  for (let bit = 0; bit < 8; bit++) r = (r & 0x80000000) !== 0 ? (r << 1) ^ 0x04c11db7 : r << 1
  return r >>> 0
})

function pageCrc(page: Uint8Array): number {
  let crc = 0
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : page[i]!
    crc = ((crc << 8) ^ crcTable[(crc >>> 24) ^ byte]!) >>> 0
  }
  return crc
}

/**
 * Walks all pages of an Ogg file with one logical stream and returns its length in samples (the granule position of the last
 * page). Throws INVALID_FILE on a missing, damaged or repeated page and when the end is missing: the decoder reports none of it.
 */
export function oggSamples(bytes: Uint8Array, file: string): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  let granule = 0
  let serial: number | undefined
  for (let sequence = 0; ; sequence++) {
    if (offset + 27 > bytes.length || ascii(bytes, offset, 4) !== 'OggS') {
      throw damaged(`Expected page ${sequence} of an Ogg stream at byte ${offset}, found none.`, file)
    }
    const segments = bytes[offset + 26]!
    let length = 27 + segments
    for (let s = 0; s < segments; s++) length += bytes[offset + 27 + s] ?? 0
    if (offset + length > bytes.length) {
      throw damaged(
        `Expected ${length} bytes of the page at byte ${offset}, found ${bytes.length - offset}.`,
        file,
      )
    }
    serial ??= view.getUint32(offset + 14, true)
    if (view.getUint32(offset + 14, true) !== serial || view.getUint32(offset + 18, true) !== sequence) {
      throw damaged(`Expected page ${sequence} of one stream at byte ${offset}, found another.`, file)
    }
    if (view.getUint32(offset + 22, true) !== pageCrc(bytes.subarray(offset, offset + length))) {
      throw damaged(`Expected an intact page at byte ${offset}, its checksum differs.`, file)
    }
    const position = Number(view.getBigInt64(offset + 6, true))
    if (position >= 0) granule = position
    const last = (bytes[offset + 5]! & 4) !== 0
    offset += length
    if (last) break
  }
  if (ascii(bytes, offset, 4) === 'OggS') {
    throw damaged(`Expected one stream, found another behind it at byte ${offset}.`, file)
  }
  return granule
}
