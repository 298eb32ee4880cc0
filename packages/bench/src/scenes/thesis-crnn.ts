import { parseConfig, type RunConfig } from '@sonotext/core/runs'

/**
 * The thesis CRNN and trainable word vectors started from the captions, pooled cosine, InfoNCE with a learned temperature, Adam 1e-3 with a cosine
 * to 1e-6, batch 32: what recordings of scenes are learned with where nothing is pretrained.
 */
export function thesisCrnn(options: {
  readonly manifest: string
  readonly sampleRate: number
  readonly seed: number
  readonly epochs: number
}): RunConfig {
  const { manifest, sampleRate, seed, epochs } = options
  return parseConfig({
    seed,
    data: { manifest },
    features: { preset: 'thesis', sampleRate },
    model: { text: { type: 'mean-words', trainable: true }, similarity: 'pooled' },
    loss: { type: 'info-nce', learnable: true },
    schedule: 'cosine',
    training: { epochs },
  })
}
