import type { SampleBlocks } from './sample-blocks.js'

/**
 * The level of each frame's own time, of sound that passes by: frame t is heard from `start + t · step` on for one step. A frame's level is known
 * as soon as its last sample has passed.
 */
export class FrameLevels {
  readonly #step: number
  readonly #start: number
  readonly #squares: number[] = []
  readonly #sums: number[] = []
  readonly #counts: number[] = []

  /** Seconds from one frame to the next, and to the beginning of the first. */
  constructor(step: number, start: number) {
    this.#step = step
    this.#start = start
  }

  /** The same sound, listened to on its way. */
  listen({ sampleRate, blocks }: SampleBlocks): SampleBlocks {
    return { sampleRate, blocks: this.#passing(sampleRate, blocks) }
  }

  /**
   * Decibels of the frame's mean square without a constant offset, as recorders add it, 0 for that of a full-scale square wave; -Infinity where
   * nothing was heard.
   */
  level(frame: number): number {
    const count = this.#counts[frame] ?? 0
    if (count === 0) return -Infinity
    const mean = this.#sums[frame]! / count
    return 10 * Math.log10(Math.max(0, this.#squares[frame]! / count - mean * mean))
  }

  async *#passing(
    sampleRate: number,
    blocks: SampleBlocks['blocks'],
  ): AsyncGenerator<Float32Array, void, undefined> {
    const firstOf = (frame: number) => Math.round((this.#start + frame * this.#step) * sampleRate)
    let frame = -1
    let next = firstOf(0)
    let at = 0
    for await (const block of blocks) {
      // Sample by sample, so that the sums do not depend on where blocks are cut.
      for (const x of block) {
        for (; at >= next; next = firstOf(frame + 1)) {
          frame++
          this.#squares.push(0)
          this.#sums.push(0)
          this.#counts.push(0)
        }
        at++
        if (frame < 0) continue
        this.#squares[frame]! += x * x
        this.#sums[frame]! += x
        this.#counts[frame]!++
      }
      yield block
    }
  }
}
