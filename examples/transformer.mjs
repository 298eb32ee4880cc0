// An audio encoder of one's own: a transformer block over frames, pooled by attention. A plugin may register it (plugin.mjs).
import { Batches, dualEncoder, infoNceLoss, matrix, openBackend, Rng } from '@sonotext/core'
import { Vocabulary, words } from '@sonotext/core'
import * as nn from '@sonotext/core/nn'
import { adam, Learner } from '@sonotext/core/train'

const transformer = (inputs, dim, heads) => ({
  ...{ config: { kind: 'transformer', inputs, dim, heads }, dim },
  build(backend, rng) {
    const linear = (name, from, to) => new nn.Linear(backend, from, to, { rng: rng.fork(name) })
    const layers = {
      frames: linear('frames', inputs, dim),
      attention: new nn.MultiHeadAttention(backend, dim, { rng: rng.fork('attention'), heads, dropout: 0.1 }),
      ...{ norm1: new nn.LayerNorm(backend, dim), norm2: new nn.LayerNorm(backend, dim) },
      ...{ wide: linear('wide', dim, 4 * dim), narrow: linear('narrow', 4 * dim, dim) },
      pool: new nn.AttentionPooling(backend, dim, { rng: rng.fork('pool') }),
    }
    return {
      ...{ bands: inputs, leastFrames: 1, dim },
      forward(tape, features, lengths) {
        const x = layers.frames.forward(tape, features)
        const y = nn.add(tape, x, layers.attention.forward(tape, layers.norm1.forward(tape, x), lengths))
        const wide = nn.gelu(tape, layers.wide.forward(tape, layers.norm2.forward(tape, y)))
        const z = nn.add(tape, y, layers.narrow.forward(tape, wide))
        return { values: nn.l2Normalize(tape, layers.pool.forward(tape, z, lengths)), lengths: null }
      },
      parameters: () => nn.collect('parameters', layers),
      buffers: () => nn.collect('buffers', layers),
    }
  },
})

// Clips of 8 to 12 frames of noise, in one of which the sound of the caption is heard.
const sounds = ['dog', 'rain', 'clock', 'engine', 'bird', 'bell', 'door', 'voice']
const clipOf = (sound, id) => ({ id, captions: [{ id, text: sound }] })
const clips = sounds.flatMap((sound) => [1, 2, 3, 4].map((take) => clipOf(sound, `${sound}-${take}`)))
const features = async ({ id, captions: [{ text }] }) => {
  const [noise, sound] = [new Rng(1, id), new Rng(0, text)]
  const frames = matrix(8 + noise.int(5), 16).data.map(() => 0.5 * noise.normal())
  frames.set(
    frames.slice(0, 16).map(() => 3 * sound.normal()),
    16 * noise.int(8),
  )
  return { features: matrix(frames.length / 16, 16, frames), frameStep: 0.1, duration: frames.length / 160 }
}
const vocabulary = Vocabulary.build(sounds.map((sound) => [sound]))
const encoders = { audio: transformer(16, 16, 4), text: words({ vocabulary, dim: 16 }) }
const model = dualEncoder({ ...encoders, backend: openBackend(), seed: 17 })
const encode = ({ text }) => vocabulary.encode([text])
const source = new Batches({ clips, features, encode, batchSize: 16, seed: 17 })
const objectives = [{ source, loss: infoNceLoss({ positives: 'same-clip' }) }]
using learner = new Learner({ model, objectives, optimizer: adam({ lr: 0.005 }), seed: 17 })
for (let epoch = 0; epoch < 12; epoch++) {
  for await (const batch of source.epoch()) {
    const { loss } = learner.step(batch, { epoch })
    learner.apply(0.005)
    if (learner.steps % 4 === 0) console.log('step', learner.steps, 'loss', loss.toFixed(3))
  }
}
