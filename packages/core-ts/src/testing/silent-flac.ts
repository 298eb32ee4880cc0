/**
 * A FLAC file of zeros (44.1 kHz, 16 bits): 11 bytes and 3 for each channel for 65,535 samples. `rateCode` and `sizeCode` stand in the
 * frame headers, 0 for "as STREAMINFO says".
 */
export function silentFlac(samples: number, { channels = 1, rateCode = 9, sizeCode = 4 } = {}): Buffer {
  const frames = Math.ceil(samples / 65_535)
  const info = Buffer.alloc(42)
  info.write('fLaC')
  info.writeUInt32BE(0x80000022, 4)
  info.writeUInt16BE(65_535, 8)
  info.writeUInt16BE(65_535, 10)
  info.writeBigUInt64BE((44_100n << 44n) | (BigInt(channels - 1) << 41n) | (15n << 36n) | BigInt(samples), 18)
  return Buffer.concat([
    info,
    ...Array.from({ length: frames }, (_, n) =>
      frame(n, Math.min(65_535, samples - n * 65_535), [
        0x70 | rateCode,
        ((channels - 1) << 4) | (sizeCode << 1),
      ]),
    ),
  ])
}

/** Fixed block size, its length in 16 bits behind the header; a subframe for each channel that is constant 0. */
function frame(number: number, samples: number, codes: readonly [number, number]): Buffer {
  const index = number < 128 ? [number] : [0xc0 | (number >> 6), 0x80 | (number & 63)]
  const head = [0xff, 0xf8, ...codes, ...index, (samples - 1) >> 8, (samples - 1) & 255]
  const body = [...head, crc(head, 8, 0x07), ...new Uint8Array(3 * ((codes[1] >> 4) + 1))]
  const check = crc(body, 16, 0x8005)
  return Buffer.from([...body, check >> 8, check & 255])
}

export function crc(bytes: Iterable<number>, width: number, polynomial: number): number {
  const top = 1 << (width - 1)
  let value = 0
  for (const byte of bytes) {
    value ^= byte << (width - 8)
    for (let bit = 0; bit < 8; bit++) value = (value & top) !== 0 ? (value << 1) ^ polynomial : value << 1
    value &= 2 ** width - 1
  }
  return value
}
