import type { Backend } from '../backend/port.js'
import type { Rng } from '../base/rng.js'
import type { PaddedTokens } from '../data/index.js'
import type { Module } from '../nn/module.js'
import type { Tape } from '../nn/tape.js'
import type { Tensor } from '../nn/tensor.js'
import type { EmbeddedBatch } from '../similarity/index.js'

/** Turns features of clips into vectors. */
export interface AudioEncoder extends Module {
  /** Numbers in one feature frame. */
  readonly bands: number
  /** Frames a batch must have; shorter clips are padded to it. */
  readonly leastFrames: number
  /** Length of the vectors it gives. */
  readonly dim: number
  /** features [n, t, bands], zero-padded; lengths [n] true frames. */
  forward(tape: Tape, features: Tensor, lengths: Int32Array): EmbeddedBatch
}

/** Turns captions into vectors. */
export interface TextEncoder extends Module {
  readonly dim: number
  /** Words of a caption text, and their indices. */
  tokenize(text: string): readonly string[]
  encode(tokens: readonly string[]): Int32Array
  forward(tape: Tape, batch: PaddedTokens): EmbeddedBatch
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Everything but the weights, as JSON: `kind` names the architecture in its registry. */
export interface EncoderConfig {
  readonly kind: string
  readonly [option: string]: Json
}

/** A plain description of an encoder; {@link build} makes it with its own weights on a backend. */
export interface EncoderSpec<E> {
  readonly config: EncoderConfig
  build(backend: Backend, rng: Rng): E
}

export type AudioEncoderSpec = EncoderSpec<AudioEncoder>
export type TextEncoderSpec = EncoderSpec<TextEncoder>
