import { SonotextError } from '../base/errors.js'

/** What a frame is. */
export const frameType = {
  /** From rank 0 to whoever connects: 32 random bytes. */
  challenge: 1,
  /** JSON {@link Proof} of who joins. */
  proof: 2,
  /** The joiner is in; the proof that rank 0 is who it says. */
  welcome: 3,
  /** All ranks are there. */
  ready: 4,
  /** Name and bytes of a part. */
  part: 5,
  answer: 6,
  /** JSON of what ended the run. */
  failed: 7,
  /** Says that the process lives. */
  beat: 8,
  /** The sender leaves as it should. */
  bye: 9,
} as const

export type FrameType = (typeof frameType)[keyof typeof frameType]

/** One message of a connection. */
export interface Frame {
  readonly type: FrameType
  /** Memory of its own. */
  readonly body: Uint8Array<ArrayBuffer>
}

const headerBytes = 7
const last = Math.max(...Object.values(frameType))

/** One byte of type, six of length. */
export function frameHeader(type: FrameType, length: number): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt8(type)
  header.writeUIntBE(length, 1, 6)
  return header
}

/** Takes bytes as they come and gives whole frames; memory is taken only as far as {@link limit} allows. */
export class FrameReader {
  /** Longest body that is taken, in bytes. */
  limit: number
  readonly #header = Buffer.alloc(headerBytes)
  #inHeader = 0
  #body: Uint8Array<ArrayBuffer> | null = null
  #inBody = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Throws INVALID_DATA for what is no frame, or a longer one. */
  *read(chunk: Uint8Array): Generator<Frame> {
    for (let at = 0; at < chunk.length;) {
      if (this.#body === null) {
        const taken = chunk.subarray(at, at + headerBytes - this.#inHeader)
        this.#header.set(taken, this.#inHeader)
        this.#inHeader += taken.length
        at += taken.length
        if (this.#inHeader < headerBytes) return
        this.#begin()
      } else {
        const taken = chunk.subarray(at, at + this.#body.length - this.#inBody)
        this.#body.set(taken, this.#inBody)
        this.#inBody += taken.length
        at += taken.length
      }
      if (this.#body !== null && this.#inBody === this.#body.length) {
        const body = this.#body
        this.#body = null
        this.#inHeader = 0
        yield { type: this.#header[0] as FrameType, body }
      }
    }
  }

  #begin(): void {
    const [type, length] = [this.#header[0]!, this.#header.readUIntBE(1, 6)]
    if (type < 1 || type > last || length > this.limit)
      throw new SonotextError('INVALID_DATA', 'what came over the connection is not of a data-parallel run.')
    this.#body = new Uint8Array(length)
    this.#inBody = 0
  }
}
