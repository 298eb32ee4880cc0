import type { Backend } from '../backend/port.js'
import type { Matrix } from '../base/matrix.js'
import type { Rng } from '../base/rng.js'
import type { PaddedTokens } from '../data/index.js'
import type { Module } from '../nn/module.js'
import type { Tape } from '../nn/tape.js'
import type { Tensor } from '../nn/tensor.js'
import type { OnnxGraph } from '../onnx/index.js'
import { type Json, partOf } from '../registry/index.js'
import type { EmbeddedBatch } from '../similarity/index.js'
import type { Sentence } from '../text/index.js'
import type { StandardizedMap } from './start/canonical-correlations.js'

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
  /** Takes a map [dim × bands] as its weights, for encoders that are one; its vectors are those of the map, at unit length. */
  begin?(map: StandardizedMap): void
  /** Writes itself into an ONNX graph: from features [n, t, bands] to unit vectors [n, t, dim]. Left out, it cannot be exported. */
  toOnnx?(graph: OnnxGraph, features: string): string
}

/** A caption as it goes to a text encoder: its text, or with the id and tokens of a manifest. */
export type CaptionInput = string | (Sentence & { readonly tokens?: readonly string[] | undefined })

/** Turns captions into vectors. */
export interface TextEncoder extends Module {
  readonly dim: number
  /** Words of a caption text; an encoder of whole sentences takes it as one. */
  tokenize(text: string): readonly string[]
  /** Their indices. */
  encode(tokens: readonly string[]): Int32Array
  forward(tape: Tape, batch: PaddedTokens): EmbeddedBatch
  /**
   * For encoders behind a pretrained model of whole sentences: asks it for the vectors of these captions, which `encode` and `forward` know
   * from then on. Left out where there is none.
   */
  prepare?(captions: readonly Sentence[], options?: PrepareCaptionsOptions): Promise<void>
  /** For encoders that take something from the training captions: called once before training, and its result kept with the weights. */
  fit?(captions: readonly Sentence[], options?: PrepareCaptionsOptions): Promise<void>
  /** Length of the vectors of that model; left out where there is none. */
  readonly inputs?: number
  /** The vectors themselves, as the model gives them, one a row; the captions have to be prepared. Left out where there is no such model. */
  towerVectors?(captions: readonly Sentence[]): Matrix
  /** For encoders behind vectors of a tower with at most one linear layer: what a start needs of them. */
  readonly behindVectors?: BehindVectors | undefined
  /**
   * Writes itself into an ONNX graph with an input of its own, `sentences` [n, inputs] or `tokens` [n, words] (0 behind the last): to unit vectors
   * of captions [n, dim]. Left out, it cannot be exported.
   */
  toOnnx?(graph: OnnxGraph): string
}

/** A text encoder as its vectors and a linear map of them. */
export interface BehindVectors {
  /** Numbers of the tower's vector that come first in what the encoder gives, 0 or all. */
  readonly kept: number
  /** Numbers that the map gives, behind them; 0 without one. */
  readonly headed: number
  /** Takes a map [headed × inputs] as its weights. */
  begin(map: StandardizedMap): void
}

/** Options of an encoder's preparation of captions before training begins. */
export interface PrepareCaptionsOptions {
  /** Where vectors are kept, beside the features of clips. Without one they are made each time. */
  cacheFolder?: string | undefined
  signal?: AbortSignal | undefined
}

/** Everything but the weights, as JSON: `kind` is the name of its row in the family. */
export interface EncoderConfig {
  readonly kind: string
  readonly [option: string]: Json
}

/** A plain description of an encoder; {@link build} makes it with its own weights on a backend. */
export interface EncoderSpec<E> {
  readonly config: EncoderConfig
  /** Length of the vectors it gives. */
  readonly dim: number
  build(backend: Backend, rng: Rng): E
}

/** A plain description of an audio encoder. */
export type AudioEncoderSpec = EncoderSpec<AudioEncoder>
/** A plain description of a text encoder. */
export type TextEncoderSpec = EncoderSpec<TextEncoder>

/** What an audio encoder must fit. */
export interface AudioEncoderSetting {
  /** Numbers in one feature frame. */
  readonly bands: number
  /** Length of the vectors it is to give: that of the text encoder. */
  readonly dim: number
}

/** What a text encoder can learn from before training. */
export interface TextEncoderSetting {
  /** Tokens of every caption that is trained on. */
  readonly captions: readonly (readonly string[])[]
  readonly seed: number
  readonly signal?: AbortSignal
}

/** What the row of an encoder has besides: a model file holds its `config`, with what it took from the data. */
export interface SavedEncoder<E> {
  /** Makes it again from the `config` of a spec that `fromConfig` gave; weights are loaded afterwards. */
  fromSaved(config: { readonly [option: string]: Json }): EncoderSpec<E>
}

/** For an encoder's row in its family, next to its code. */
export const audioEncoderPart = partOf<AudioEncoderSpec, AudioEncoderSetting, SavedEncoder<AudioEncoder>>()
export const textEncoderPart = partOf<
  TextEncoderSpec | Promise<TextEncoderSpec>,
  TextEncoderSetting,
  SavedEncoder<TextEncoder>
>()
