import type { Voice } from '../synth/voice.js'

/** A class of the procedural bank: every voice renders it in its own way. */
export interface ProceduralSound {
  readonly label: string
  /** How long one occurrence lasts: shortest and longest, in seconds. */
  readonly seconds: readonly [number, number]
  /** One occurrence of about the given length, mono, any level, from near silence to near silence unless it is a texture. */
  render(voice: Voice, seconds: number): Float32Array
}
