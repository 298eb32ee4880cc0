import { createHash } from 'node:crypto'
import { openBackend } from '../backend/open.js'
import type { Backend } from '../backend/port.js'
import { expected } from '../base/errors.js'
import type { Matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { checkOptions } from '../base/options.js'
import type { PaddedFeatures, PaddedTokens } from '../data/index.js'
import { collect, freeModule, type Module, type Parameter, type Tape, type Tensor } from '../nn/index.js'
import {
  type EmbeddedBatch,
  pooled,
  type Similarity,
  type SimilarityConfig,
  savedSimilarity,
  similarities,
} from '../similarity/index.js'
import type { Json } from '../registry/index.js'
import type { AudioEncoderSpec, CaptionInput, EncoderConfig, TextEncoderSpec } from './encoder.js'
import { PreparedCaptions } from './prepared-captions.js'
import { audioEncoders, savedAudioEncoder, savedTextEncoder, textEncoders } from './registry.js'
import { AudioSide, type EmbedOptions, type PassOptions, TextSide } from './sides.js'
import { loadState, type StateDict, stateOf } from './state.js'

/** Options of {@link dualEncoder}. */
export interface DualEncoderOptions {
  audio: AudioEncoderSpec
  text: TextEncoderSpec
  /** Default {@link pooled}. */
  similarity?: Similarity
  /** How features are made of a recording; kept with the model so that search computes the same. */
  features?: Json
  /** Default: {@link openBackend}. */
  backend?: Backend
  /** Seed of the initial weights. Default 0. */
  seed?: number
}

/** Everything but the weights. */
export interface ModelConfig {
  readonly audio: EncoderConfig
  readonly text: EncoderConfig
  readonly similarity: SimilarityConfig
  readonly features: Json
}

/** A model of two encoders whose vectors are compared: `dualEncoder({ audio: crnn(), text: words({ vocabulary }) })`. */
export function dualEncoder(options: DualEncoderOptions): DualEncoder {
  checkOptions(options, 'dualEncoder')
  return new DualEncoder(options)
}

/** Which plugin each part of a model comes from; empty where all come with the library. */
export type ModelPlugins = Readonly<Partial<Record<'audio' | 'text' | 'similarity', string>>>

/** What a model file says besides {@link ModelConfig}, so that a missing plugin can be named. */
export function pluginsOf(config: Readonly<Partial<Record<string, unknown>>>): ModelPlugins {
  const families = { audio: audioEncoders, text: textEncoders, similarity: similarities }
  const from = Object.entries(families).map(([part, family]) => {
    const { kind } = (config[part] ?? {}) as { kind?: unknown }
    return [part, typeof kind === 'string' ? family.pluginOf(kind) : undefined] as const
  })
  return Object.fromEntries(from.filter(([, plugin]) => plugin !== undefined))
}

/** Options of {@link modelFromConfig}. */
export interface ModelFromConfigOptions {
  backend?: Backend
  seed?: number
  /** Where parts that are not there come from. */
  plugins?: ModelPlugins
}

/**
 * A model as its configuration describes it, with initial weights. Throws INVALID_CONFIG for parts that there are not,
 * MISSING_DEPENDENCY where it is known which plugin they come from.
 */
export function modelFromConfig(config: ModelConfig, options: ModelFromConfigOptions = {}): DualEncoder {
  const { plugins = {}, ...rest } = checkOptions(options, 'modelFromConfig')
  return dualEncoder({
    audio: savedAudioEncoder(config.audio, plugins.audio),
    text: savedTextEncoder(config.text, plugins.text),
    similarity: savedSimilarity(config.similarity, plugins.similarity),
    features: config.features,
    ...rest,
  })
}

/** Two encoders that meet in one space, and the similarity between them. */
export class DualEncoder implements Module, Disposable {
  readonly backend: Backend
  readonly config: ModelConfig
  readonly similarity: Similarity
  readonly audio: AudioSide
  readonly text: TextSide

  constructor(options: DualEncoderOptions) {
    const { audio, text, similarity = pooled(), features = null, backend = openBackend(), seed = 0 } = options
    const rng = new Rng(seed, 'weights')
    this.backend = backend
    this.similarity = similarity
    this.audio = new AudioSide(backend, audio.build(backend, rng.fork('audio')))
    this.text = new TextSide(backend, text.build(backend, rng.fork('text')))
    this.config = { audio: audio.config, text: text.config, similarity: similarity.config, features }
    const [a, t] = [this.audio.encoder.dim, this.text.encoder.dim]
    if (a !== t) {
      throw expected(`vectors of ${a} numbers like the audio encoder's`, 'the text encoder', t, {
        remedy: `Give the words vectors of that length or a projection: words({ …, project: ${a} }).`,
      })
    }
  }

  /** Length of the vectors. */
  get dim(): number {
    return this.audio.encoder.dim
  }

  /** Both sides of a batch of pairs. */
  forward(
    tape: Tape,
    batch: { readonly audio: PaddedFeatures; readonly text: PaddedTokens },
  ): { audio: EmbeddedBatch; text: EmbeddedBatch } {
    return { audio: this.audio.forward(tape, batch.audio), text: this.text.forward(tape, batch.text) }
  }

  parameters(): Map<string, Parameter> {
    return collect('parameters', { audio: this.audio.encoder, text: this.text.encoder })
  }

  buffers(): Map<string, Tensor> {
    return collect('buffers', { audio: this.audio.encoder, text: this.text.encoder })
  }

  /** Copies of all weights and running statistics. */
  state(): StateDict {
    return stateOf(this)
  }

  /** Throws INVALID_ARGUMENT when they are those of another architecture; `file` is named in the message. */
  load(state: Readonly<StateDict>, file?: string): void {
    loadState(this, state, file)
  }

  /**
   * Name of this architecture with these weights: 16 hexadecimal digits of a SHA-256. It changes when training changes a
   * weight, so that vectors of different states are never mixed.
   */
  get id(): string {
    const hash = createHash('sha256').update(JSON.stringify(this.config))
    for (const [name, { shape, data }] of this.state()) hash.update(`${name}[${shape}]`).update(data)
    return hash.digest('hex').slice(0, 16)
  }

  /**
   * Scores of every clip (features [frames × bands]) against every caption, clips × captions, by the model's similarity
   * over true lengths.
   */
  async score(
    clips: readonly Matrix[],
    captions: readonly CaptionInput[],
    options: PassOptions = {},
  ): Promise<Matrix> {
    using prepared = await this.prepareCaptions(captions, options)
    return await prepared.score(clips, options)
  }

  /** Captions encoded once, to score clips against them part by part. They hold memory of the backend: dispose of them. */
  prepareCaptions(captions: readonly CaptionInput[], options: EmbedOptions = {}): Promise<PreparedCaptions> {
    return PreparedCaptions.of(captions, this, options)
  }

  /** Gives back the memory of all weights; the model cannot be used afterwards. */
  [Symbol.dispose](): void {
    freeModule(this)
  }
}
