import { abortedError } from '../../base/abort.js'
import { nextTurn } from '../../base/turn.js'
import type { ByteSource } from '../byte-source.js'
import type { SonotextError } from '../../base/errors.js'
import { damaged } from './refusals.js'

/** A recording that is open: what it is, and its samples as they are decoded. */
export interface AudioStream {
  /** Hz. */
  readonly sampleRate: number
  readonly channels: number
  /** What it is stored as, for example 'WAV PCM 16-bit'. */
  readonly encoding: string
  /** Samples per channel that the file states or its frames add up to; undefined where only decoding tells. */
  readonly samples: number | undefined
  /** Whether samples are finite, as integers are, or looked at as they are read. Left out, each is looked at. */
  readonly finite?: boolean
  /** Consecutive pieces of bounded length, each one array per channel. To be read once, to its end or not. */
  readonly blocks: AsyncIterable<readonly Float32Array[]>
  /**
   * The same pieces, written where they belong in one array of all `samples` per channel, as views of it: spares whoever wants the whole
   * a copy. In place of `blocks`; left out where the decoder makes arrays of its own.
   */
  readonly blocksInto?: (channels: readonly Float32Array[]) => AsyncIterable<readonly Float32Array[]>
  /**
   * The mean of the channels (summed in float64, in their order) block by block in place of `blocks`, where that takes less than all of
   * them; as views of an array of all `samples` where one is given. Samples are finite.
   */
  readonly mono?: (into?: Float32Array) => AsyncIterable<readonly [Float32Array]>
}

/** Interleaved samples as the op `pcm` reads them. */
export interface Interleaved {
  readonly channels: number
  /** Bytes of a sample. */
  readonly width: 2 | 3 | 4
  readonly floats: boolean
  readonly bigEndian: boolean
}

/**
 * Reads the frames of a block: `rows[r]` is the mean of `count` channels from channel r·count on, for 1 the channel itself. False: some
 * samples may not be finite.
 */
export type SampleReader = (bytes: Uint8Array, rows: readonly Float32Array[], count: number) => boolean

/** A kind of file: one row of the registry. */
export interface AudioFormat {
  readonly name: string
  /** Whether `bytes`, tags in front of them taken off, begin like a file of this kind. */
  sniff(bytes: Uint8Array): boolean
  /** Reads what stands before the samples and checks it. Nothing is allocated by what a header claims. */
  open(source: ByteSource, reading: Reading): AudioStream | Promise<AudioStream>
}

/** Chunks, blocks and tags that may stand before the samples. Each is a step of its own, however few bytes it has. */
const MOST_PARTS = 10_000

/** Bytes that are walked through at a time: some milliseconds. */
const PAUSE = 1 << 21

interface ReadingOptions {
  readonly signal?: AbortSignal | undefined
  readonly acceptCut?: boolean
  readonly samples?: Reading['samples']
}

/** One file that is being read: its name for messages, what the caller accepts, and what was accepted. */
export class Reading {
  readonly file: string
  readonly signal: AbortSignal | undefined
  /** Why the recording may end too early, when that was accepted. */
  cutShort: string | undefined
  /** What reads samples faster than TypeScript does, with the same bits; undefined where nothing does. */
  readonly samples: ((layout: Interleaved) => SampleReader | undefined) | undefined
  readonly #acceptCut: boolean
  #pause = PAUSE
  #parts = 0

  constructor(file: string, { signal, acceptCut = false, samples }: ReadingOptions = {}) {
    this.file = file
    this.signal = signal
    this.samples = samples
    this.#acceptCut = acceptCut
  }

  /** The end of the file is missing: refused, unless the caller takes what is there. */
  cut(what: string): void {
    if (!this.#acceptCut) throw damaged(what, this.file, cutRemedy)
    this.remark(what)
  }

  /** Something that looks like a cut and is no reason to refuse. */
  remark(what: string): void {
    this.cutShort ??= what
  }

  /** Called for each part before the samples: a file of nothing but empty ones is given up. */
  part(): void {
    if (++this.#parts > MOST_PARTS)
      throw this.damaged(`Expected at most ${MOST_PARTS} chunks before the samples, found more.`)
  }

  throwIfAborted(): void {
    if (this.signal?.aborted === true) throw abortedError(this.signal)
  }

  /** Called with the position of a walk through the file: now and then the event loop has its turn. */
  async walked(position: number): Promise<void> {
    if (position < this.#pause) return
    this.#pause = position + PAUSE
    await nextTurn()
    this.throwIfAborted()
  }

  damaged(what: string): SonotextError {
    return damaged(what, this.file)
  }
}

const cutRemedy =
  'The file is cut short: copy or download it again, or take what is there with acceptCut (--accept-cut).'
