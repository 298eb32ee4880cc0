// A loss and its gradient for a training loop of somebody else: embeddings of a batch go in, the value and its derivative by every
// number come out, on the CPU or a GPU; what the other framework does with them is its own.
import { infoNceLoss, openBackend, pooled, Rng, strategies, tripletLoss } from '@sonotext/core'
import { LossInput } from '@sonotext/core/losses'
import { Tape } from '@sonotext/core/nn'

const backend = openBackend()
const [n, d] = [8, 16]

/** `{ value, audio, text }`: the gradients have the layout of the embeddings, [n × d]. */
function lossAndGradient(loss, audioValues, textValues, items) {
  using tape = new Tape(backend, { training: true })
  const audio = tape.variable([n, d], audioValues)
  const text = tape.variable([n, d], textValues)
  const sides = { audio: { values: audio, lengths: null }, text: { values: text, lengths: null } }
  const input = new LossInput(tape, pooled(), { ...sides, items })
  const output = loss.compute(input, new Rng(17))
  const { loss: value } = output.statistics()
  tape.backward(output.loss)
  // Copied: the memory goes back when the tape ends.
  const [a, t] = [audio, text].map((tensor) => Float32Array.from(tape.gradientOf(tensor)))
  return { value, audio: a, text: t }
}

const rng = new Rng(3)
const vectors = () => {
  const values = Float32Array.from({ length: n * d }, () => rng.normal())
  for (let i = 0; i < n; i++) {
    const row = values.subarray(i * d, (i + 1) * d)
    const norm = Math.hypot(...row)
    row.forEach((x, k) => (row[k] = x / norm))
  }
  return values
}
const [audio, text] = [vectors(), vectors()]
const items = Array.from({ length: n }, (_, i) => ({
  ...{ clip: { id: `clip-${i}` }, caption: { id: `clip-${i}#1`, text: `sound ${i}` }, group: i },
}))
for (const loss of [
  infoNceLoss({ temperature: 0.1 }),
  tripletLoss({ negatives: strategies.build('hard'), margin: 0.5 }),
]) {
  const part = loss.build(backend)
  const before = lossAndGradient(part, audio, text, items)
  const step = (values, gradient) => values.map((x, i) => x - 0.05 * gradient[i])
  const after = lossAndGradient(part, step(audio, before.audio), step(text, before.text), items)
  console.log(loss.name, before.value.toFixed(4), 'a step along the gradient:', after.value.toFixed(4))
}
