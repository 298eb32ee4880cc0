import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/files.js'
import { matrix, type Matrix } from '../base/matrix.js'

/** Features of one clip. */
export interface ClipFeatures {
  /** [frames × bands] */
  readonly features: Matrix
  /** Seconds between frames. */
  readonly frameStep: number
  /** Length of the clip in seconds. */
  readonly duration: number
}

const MAGIC = 'SNTXFTR1'
const HEADER = 64 // magic 8, rows u32, cols u32, frameStep f64, duration f64, SHA-256 of these and the numbers 32

/**
 * Features on disk, one file per clip and configuration, named by the hashes of both: a changed clip or option is a new entry,
 * a clip under two names is one. Entries are written whole or not at all and carry a checksum, so a killed run loses nothing
 * and several processes may share a folder.
 */
export class FeatureCache {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  path(config: string, content: string): string {
    return join(this.folder, config, content.slice(0, 2), `${content}.features`)
  }

  /** The entry, or undefined when there is none or what is there is damaged or unreadable: then it is to be made again. */
  async get(config: string, content: string): Promise<ClipFeatures | undefined> {
    const bytes = await readFile(this.path(config, content)).catch(() => undefined)
    return bytes === undefined ? undefined : decodeEntry(bytes)
  }

  /** @throws SonotextError WRITE_FAILED, for example when the disk is full; what was there before is kept. */
  async put(config: string, content: string, clip: ClipFeatures): Promise<void> {
    await writeFileAtomic(this.path(config, content), encodeEntry(clip), { durable: false })
  }
}

/** Name of file contents: SHA-256, hexadecimal. */
export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function encodeEntry({ features, frameStep, duration }: ClipFeatures): readonly Uint8Array[] {
  const header = Buffer.alloc(HEADER)
  header.write(MAGIC, 'latin1')
  header.writeUInt32LE(features.rows, 8)
  header.writeUInt32LE(features.cols, 12)
  header.writeDoubleLE(frameStep, 16)
  header.writeDoubleLE(duration, 24)
  const body = new Uint8Array(features.data.buffer, features.data.byteOffset, features.data.byteLength)
  header.set(checksum(header, body), 32)
  return [header, body]
}

function decodeEntry(bytes: Buffer): ClipFeatures | undefined {
  if (bytes.length < HEADER || bytes.toString('latin1', 0, 8) !== MAGIC) return undefined
  const rows = bytes.readUInt32LE(8)
  const cols = bytes.readUInt32LE(12)
  const body = bytes.subarray(HEADER)
  if (body.length !== 4 * rows * cols || !checksum(bytes, body).equals(bytes.subarray(32, HEADER)))
    return undefined
  const data = new Float32Array(new Uint8Array(body).buffer)
  return {
    features: matrix(rows, cols, data),
    frameStep: bytes.readDoubleLE(16),
    duration: bytes.readDoubleLE(24),
  }
}

function checksum(header: Buffer, body: Uint8Array): Buffer {
  return createHash('sha256').update(header.subarray(0, 32)).update(body).digest()
}
