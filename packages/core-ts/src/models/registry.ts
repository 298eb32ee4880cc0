import { expected } from '../base/errors.js'
import { type SerializedVocabulary, Vocabulary } from '../text/index.js'
import { crnn, type CrnnOptions } from './crnn.js'
import type { AudioEncoderSpec, EncoderConfig, TextEncoderSpec } from './encoder.js'
import { projection, type ProjectionOptions } from './projection.js'
import { meanWords, words, type WordsOptions } from './words.js'

type Options = Omit<EncoderConfig, 'kind'>

/** Every encoder by kind, made again from its configuration; weights are loaded afterwards. A new one is a row here. */
const audioEncoders: Readonly<Record<string, (options: Options) => AudioEncoderSpec>> = {
  crnn: (options) => crnn(options as CrnnOptions),
  projection: (options) => projection(options as unknown as ProjectionOptions),
}

const textEncoders: Readonly<Record<string, (options: Options) => TextEncoderSpec>> = {
  words: (options) => words(wordsOptions(options)),
  'mean-words': (options) => meanWords(wordsOptions(options)),
}

/** Throws INVALID_ARGUMENT listing the kinds there are. */
export function audioEncoderFromConfig({ kind, ...options }: EncoderConfig): AudioEncoderSpec {
  return known(audioEncoders, 'audio.kind', kind)(options)
}

/** Throws INVALID_ARGUMENT listing the kinds there are. */
export function textEncoderFromConfig({ kind, ...options }: EncoderConfig): TextEncoderSpec {
  return known(textEncoders, 'text.kind', kind)(options)
}

function known<T>(registry: Readonly<Record<string, T>>, name: string, kind: string): T {
  if (!Object.hasOwn(registry, kind)) throw expected(`one of ${Object.keys(registry).join(', ')}`, name, kind)
  return registry[kind]!
}

function wordsOptions({ vocabulary, dim, trainable, project }: Options): WordsOptions {
  return {
    vocabulary: Vocabulary.fromJSON(vocabulary as unknown as SerializedVocabulary),
    dim: dim as number,
    trainable: trainable as boolean,
    ...(typeof project === 'number' && { project }),
  }
}
