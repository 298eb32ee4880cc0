import { Family } from '../registry/index.js'
import { crnnPart } from './crnn.js'
import type {
  AudioEncoder,
  AudioEncoderSetting,
  AudioEncoderSpec,
  EncoderConfig,
  SavedEncoder,
  TextEncoder,
  TextEncoderSetting,
  TextEncoderSpec,
} from './encoder.js'
import { frozenPart } from './frozen.js'
import { projectionPart } from './projection.js'
import { sentenceParts } from './sentence-parts.js'
import { meanWordsPart, wordsPart } from './words.js'

/** What turns features of clips into vectors. */
export const audioEncoders = new Family<AudioEncoderSpec, AudioEncoderSetting, SavedEncoder<AudioEncoder>>(
  'audio-encoder',
  [crnnPart, projectionPart, frozenPart],
)

/** What turns captions into vectors. */
export const textEncoders = new Family<
  TextEncoderSpec | Promise<TextEncoderSpec>,
  TextEncoderSetting,
  SavedEncoder<TextEncoder>
>('text-encoder', [wordsPart, meanWordsPart, ...sentenceParts])

/** The encoder a model file describes. Throws as `Family.get` does; `plugin` is the one it came from. */
export function savedAudioEncoder({ kind, ...options }: EncoderConfig, plugin?: string): AudioEncoderSpec {
  return audioEncoders.get(kind, { plugin }).fromSaved(options)
}

/** The encoder a model file describes. Throws as `Family.get` does; `plugin` is the one it came from. */
export function savedTextEncoder({ kind, ...options }: EncoderConfig, plugin?: string): TextEncoderSpec {
  return textEncoders.get(kind, { plugin }).fromSaved(options)
}
