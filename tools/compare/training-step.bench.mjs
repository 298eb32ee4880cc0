// A training step of the thesis CRNN with pooled InfoNCE beside 0.1, whose losses had other names and took the batch in another form:
//
//   npx sonotext bench check --against FOLDER_OF_A_BUILT_0.1 --functions tools/compare/training-step.bench.mjs --only training_step_of_8_clips
const seeded = (length, scale) => {
  let state = 1
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return scale * (state / 2 ** 31 - 1)
  })
}

export const training_step_of_8_clips = async ({ load }) => {
  const [clips, frames] = [8, 500]
  const { openBackend } = await load('@sonotext/core/backend')
  const { Rng } = await load('@sonotext/core/base')
  const { infoNce, infoNceLoss, LossInput, lossInput } = await load('@sonotext/core/losses')
  const { crnn } = await load('@sonotext/core/models')
  const { Tape } = await load('@sonotext/core/nn')
  const { pooled } = await load('@sonotext/core/similarity')
  const { adam } = await load('@sonotext/core/train')

  const backend = openBackend({ device: 'cpu', threads: 1 })
  const encoder = crnn({ dropout: 0.2 }).build(backend, new Rng(1))
  const optimizer = adam({ lr: 1e-4 }).start(backend, encoder.parameters())
  const objective = (infoNceLoss ?? infoNce)({ temperature: 0.07 })
  const loss = objective.build(backend)
  const rng = new Rng(2)
  const input = seeded(clips * frames * encoder.bands, 1)
  const words = seeded(clips * encoder.dim, 1 / Math.sqrt(encoder.dim))
  const lengths = new Int32Array(clips).fill(frames)
  const groups = Int32Array.from({ length: clips }, (_, i) => i)
  const items = [...groups].map((group) => {
    const clip = { id: `c${group}` }
    return { clip, caption: { id: `c${group}#1`, text: 'a sound' }, group }
  })
  const lossOf = (tape, audio, text) =>
    LossInput === undefined
      ? loss.compute(lossInput(tape, objective.needs, pooled(), { audio, text, groups, rng })).loss
      : loss.compute(new LossInput(tape, pooled(), { audio, text, items }), rng).loss

  return () => {
    const tape = new Tape(backend, { training: true, rng })
    try {
      const features = tape.constant([clips, frames, encoder.bands], input)
      const audio = encoder.forward(tape, features, lengths)
      const values = tape.constant([clips, 1, encoder.dim], words)
      const value = lossOf(tape, audio, { values, lengths: new Int32Array(clips).fill(1) })
      for (const parameter of encoder.parameters().values()) parameter.zeroGrad()
      tape.backward(value)
      optimizer.step(1e-4, optimizer.gradientNorm())
      return value.item()
    } finally {
      tape[Symbol.dispose]()
    }
  }
}
