/**
 * TensorBoard's event format, as far as scalars need it: protocol-buffer messages (tensorflow/core/util/event.proto)
 * framed as TFRecords with masked CRC-32C checksums.
 */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  wallTime: number
  step: number
  /** First event of a file: 'brain.Event:2'. */
  fileVersion?: string
  scalars?: readonly { tag: string; value: number }[]
  /** A run (re)starts here: events of earlier files from this step on are void. */
  sessionStart?: boolean
}

/** Event: 1 double wall_time, 2 int64 step, 3 string file_version, 5 Summary, 7 SessionLog. */
export function encodeEvent({
  wallTime,
  step,
  fileVersion,
  scalars,
  sessionStart,
}: TensorBoardEvent): Uint8Array {
  const parts = [double(1, wallTime), varintField(2, step)]
  if (fileVersion !== undefined) parts.push(bytesField(3, Buffer.from(fileVersion)))
  if (scalars !== undefined) {
    // Summary: repeated Value = 1; Value: 1 string tag, 2 float simple_value.
    const values = scalars.map(({ tag, value }) =>
      bytesField(1, Buffer.concat([bytesField(1, Buffer.from(tag)), float(2, value)])),
    )
    parts.push(bytesField(5, Buffer.concat(values)))
  }
  if (sessionStart) parts.push(bytesField(7, varintField(1, 1)))
  return Buffer.concat(parts)
}

/** uint64 length, masked CRC of it, the data, masked CRC of the data; all little-endian. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = Buffer.alloc(16 + data.length)
  record.writeBigUInt64LE(BigInt(data.length), 0)
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8)
  record.set(data, 12)
  record.writeUInt32LE(maskedCrc(data), 12 + data.length)
  return record
}

/** CRC-32C (Castagnoli, reflected polynomial 0x82f63b78). */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of data) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc >>> 0
})

function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}

const key = (field: number, wireType: number): Buffer => varint(field * 8 + wireType)
const varintField = (field: number, value: number): Buffer => Buffer.concat([key(field, 0), varint(value)])
const bytesField = (field: number, data: Uint8Array): Buffer =>
  Buffer.concat([key(field, 2), varint(data.length), data])

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([key(field, 1), bytes])
}

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return Buffer.concat([key(field, 5), bytes])
}
