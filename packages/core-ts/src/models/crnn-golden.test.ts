import { describe, expect, it } from 'vitest'
import { openBackend } from '../backend/open.js'
import { referenceBackend } from '../backend/reference/index.js'
import { Rng } from '../base/rng.js'
import { reshape, similarity as products } from '../nn/functions/index.js'
import { Tape } from '../nn/tape.js'
import {
  crnnGolden,
  crnnTensors,
  digestError,
  goldenInput,
  goldenWeights,
  relativeError,
} from '../testing/crnn-golden.js'
import { lcg } from '../testing/small-batch.js'
import { crnn } from './crnn.js'
import { loadState } from './state.js'

const golden = crnnGolden()
const tensors = crnnTensors()
const { batch: n, frames: t, bands } = golden

const backends = [
  ['reference in float64', () => referenceBackend({ precision: 'float64' }), 1e-6],
  ['native', () => openBackend({ device: 'cpu' }), 1e-4],
] as const

describe.each(backends)('CRNN against PyTorch on %s', (_, open, tolerance) => {
  it('forward, running statistics, every parameter gradient, the input gradient and inference', () => {
    const backend = open()
    const encoder = crnn({ dropout: 0 }).build(backend, new Rng(0))
    loadState(encoder, goldenWeights(golden))
    const input = goldenInput(golden.input.seed, n * t * bands)
    const lengths = new Int32Array(n).fill(t)
    const close = (values: ArrayLike<number>, name: string): void =>
      expect(relativeError(values, tensors.get(name)!.data as Float32Array), name).toBeLessThan(tolerance)

    using tape = new Tape(backend, { training: true })
    const x = tape.variable([n, t, bands], input)
    const { values } = encoder.forward(tape, x, lengths)
    close(values.toArray(), 'frames')
    for (const [name, tensor] of encoder.buffers()) close(tensor.toArray(), name)

    // The golden's loss is the inner product of the frames with given numbers.
    const upstream = tape.constant(
      [1, values.size],
      Float32Array.from(lcg(golden.upstream.seed, values.size)),
    )
    const loss = products(tape, reshape(tape, values, [1, values.size]), upstream)
    expect(Math.abs(loss.item() - golden.loss) / Math.abs(golden.loss)).toBeLessThan(tolerance)
    tape.backward(reshape(tape, loss, [1]))
    const gradients = new Map([...encoder.parameters(), ['input', x] as const])
    expect([...gradients.keys()].sort()).toEqual(Object.keys(golden.gradients).sort())
    for (const [name, tensor] of gradients) {
      const gradient = tape.gradientOf(tensor)!
      const wanted = golden.gradients[name]!
      expect(digestError(gradient, wanted, golden.probeSeed), `gradient of ${name}`).toBeLessThan(tolerance)
      close(
        Array.from(gradient).filter((_, e) => e % wanted.stride === 0),
        `grad.${name}`,
      )
    }

    using inference = new Tape(backend)
    close(
      encoder.forward(inference, inference.constant([n, t, bands], input), lengths).values.toArray(),
      'inference',
    )
  })
})
