import type { Socket } from 'node:net'
import { type Frame, frameHeader, FrameReader, frameType, type FrameType } from './frames.js'

/** Longest body of somebody who has not proved that it belongs to the run, bytes. */
const strangersLimit = 1024
const ranksLimit = 2 ** 40

/** Who hears of a connection. */
export interface ConnectionEvents {
  frame(frame: Frame): void
  /** Once: it is over, and why in a few words. */
  ended(why: string): void
}

/** A connection as frames. A rank that lives says so by beats, sent by this thread whatever the main one does. */
export class Connection {
  readonly #socket: Socket
  readonly #reader = new FrameReader(strangersLimit)
  #heard = performance.now()
  #beats: NodeJS.Timeout | undefined
  #why = 'its connection ended'
  #over = false

  constructor(socket: Socket, events: ConnectionEvents) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#heard = performance.now()
      try {
        for (const frame of this.#reader.read(chunk))
          if (!this.#over && frame.type !== frameType.beat) events.frame(frame)
      } catch (error) {
        this.drop((error as Error).message)
      }
    })
    socket.on('error', (error) => (this.#why = error.message))
    socket.once('close', () => {
      clearInterval(this.#beats)
      if (!this.#over) events.ended(this.#why)
      this.#over = true
    })
  }

  /** It is a rank's: parts of any size, and beats. After `silence` ms without a word it is over. */
  trust(silence: number): void {
    this.#reader.limit = ranksLimit
    this.#beats = setInterval(() => {
      this.send(frameType.beat)
      if (performance.now() - this.#heard > silence) this.drop(`it has said nothing for ${silence / 1000} s`)
    }, silence / 5)
  }

  send(type: FrameType, ...body: readonly Uint8Array[]): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return
    this.#socket.cork()
    this.#socket.write(
      frameHeader(
        type,
        body.reduce((sum, { length }) => sum + length, 0),
      ),
    )
    for (const bytes of body) this.#socket.write(bytes)
    this.#socket.uncork()
  }

  sendJson(type: FrameType, value: unknown): void {
    this.send(type, Buffer.from(JSON.stringify(value)))
  }

  /** Ends it at once. */
  drop(why: string): void {
    this.#why = why
    this.#socket.destroy()
  }

  /** Ends it behind what was sent; nothing more is heard of it. Resolves when the bytes are out, or after 2 s. */
  end(): Promise<void> {
    this.#over = true
    clearInterval(this.#beats)
    if (this.#socket.destroyed) return Promise.resolve()
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#socket.destroy(), 2_000)
      this.#socket.once('close', () => {
        clearTimeout(late)
        resolve()
      })
      this.#socket.end()
      this.#socket.resume()
    })
  }
}
