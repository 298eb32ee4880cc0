import { openBackend } from '../backend/open.js'
import type { Backend } from '../backend/port.js'
import { logMel } from './log-mel.js'
import type { SampleBlocks } from './sample-blocks.js'

/**
 * What a recording sounds like, in 64 bits a frame: equal but for a few bits after coding, resampling, another gain or noise, and for
 * another recording as if drawn by lot.
 */
export interface Fingerprint {
  /** One word a frame: bit b says whether the step in energy from band b to b + 1 grew over the last two frames. */
  readonly bits: Uint32Array
  /** One word a frame: bit b is set where the bands of bit b are loud enough to say so. Bits that are not heard are 0. */
  readonly heard: Uint32Array
}

/** Seconds between frames. */
export const fingerprintStep = 0.016

/** Frames between the two moments that are compared. */
const lag = 2
/** What is this much below the loudest band of the loudest frame is not heard, dB: codecs and 16 bits leave nothing of it. */
const range = 60
/** Levels are counted from here, in steps of 1 dB: energy of a band in dB, of which nothing smaller is heard. */
const quietest = -90
/** dB. */
const leastChange = 0.1
const bands = 33

/**
 * Fingerprint of a recording: signs of the differences of band energies in time and frequency, as of Haitsma and Kalker, "A highly robust
 * audio fingerprinting system" (ISMIR 2002), here of 33 Slaney bands from 100 to 7600 Hz under windows of 128 ms, each with a mask of the
 * bits that stand on sound. Memory while it is made: 8 bytes a frame for the result and 32 for levels, 9 MB an hour.
 * @throws SonotextError INVALID_DATA for no samples, ABORTED
 */
export async function fingerprint(
  audio: SampleBlocks,
  { backend = openBackend(), signal }: { backend?: Backend; signal?: AbortSignal } = {},
): Promise<Fingerprint> {
  const frontEnd = logMel(
    'thesis',
    {
      sampleRate: 16_000,
      resampleQuality: 'fast',
      windowLength: 2048,
      nFft: 2048,
      hop: 16_000 * fingerprintStep,
      bands,
      fMin: 100,
      fMax: 7600,
      log: 'decibel',
      offset: 10 ** (quietest / 10),
    },
    { backend },
  )
  const words: Uint32Array[] = []
  const levels: Uint8Array[] = []
  let loudest = 0
  /** Last frames of the block before; in front of the recording there is nothing to compare with, and nothing is heard. */
  let before = new Float32Array(lag * bands).fill(Number.NaN)
  for await (const { rows, data } of frontEnd.blocks(audio, signal === undefined ? {} : { signal })) {
    const energies = new Float32Array((lag + rows) * bands)
    energies.set(before)
    energies.set(data, lag * bands)
    const word = new Uint32Array(rows)
    const level = new Uint8Array(rows * (bands - 1))
    for (let f = 0; f < rows; f++) {
      for (let b = 0; b < bands - 1; b++) {
        const now = (lag + f) * bands + b
        const [low, high] = [energies[now]!, energies[now + 1]!]
        const [lowBefore, highBefore] = [energies[now - lag * bands]!, energies[now - lag * bands + 1]!]
        const change = low - high - lowBefore + highBefore
        if (change > 0) word[f]! |= 1 << b
        loudest = Math.max(loudest, low - quietest, high - quietest)
        // Both bands must sound, at one of the two moments at least, and change: the signs of a steady tone mean nothing.
        if (!(Math.abs(change) >= leastChange)) continue
        const heard = Math.max(Math.min(low, high), Math.min(lowBefore, highBefore)) - quietest
        level[f * (bands - 1) + b] = Math.min(Math.max(Math.round(heard), 0), 255)
      }
    }
    before = energies.slice(rows * bands)
    words.push(word)
    levels.push(level)
  }
  return masked(joined(words), levels, Math.max(loudest - range, 1))
}

function masked(bits: Uint32Array, levels: readonly Uint8Array[], floor: number): Fingerprint {
  const heard = new Uint32Array(bits.length)
  let frame = 0
  for (const level of levels) {
    for (let at = 0; at < level.length; frame++) {
      for (let b = 0; b < bands - 1; b++) if (level[at++]! >= floor) heard[frame]! |= 1 << b
      bits[frame]! &= heard[frame]!
    }
  }
  return { bits, heard }
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
