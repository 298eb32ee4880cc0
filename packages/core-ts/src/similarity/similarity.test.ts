import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { Rng } from '../base/rng.js'
import { gradcheck } from '../nn/gradcheck.js'
import { Tape } from '../nn/tape.js'
import { Parameter } from '../nn/tensor.js'
import { smallBatch } from '../testing/small-batch.js'
import {
  type EmbeddedBatch,
  frameWord,
  pooled,
  poolEmbedded,
  type Similarity,
  savedSimilarity,
  toMatrix,
} from './index.js'

const backend = referenceBackend()
const { n, frames, words, d } = smallBatch

function sequence(
  tape: Tape,
  rows: number,
  steps: number,
  values: ArrayLike<number>,
  lengths?: number[],
): EmbeddedBatch {
  return {
    values: tape.constant([rows, steps, values.length / rows / steps], values),
    lengths: Int32Array.from(lengths ?? new Array<number>(rows).fill(steps)),
  }
}

const goldenPair = (tape: Tape) => ({
  audio: sequence(tape, n, frames, smallBatch.audio()),
  text: sequence(tape, n, words, smallBatch.text()),
})

const offDiagonal = (values: ArrayLike<number>): number[] =>
  Array.from(values).filter((_, e) => e % (n + 1) !== 0)

function close(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-5): void {
  expect(actual.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++)
    expect(Math.abs(actual[i]! - wanted[i]!), `element ${i}`).toBeLessThan(tolerance)
}

describe('against the NumPy golden', () => {
  it('frame × word scores and both within-modality planes', () => {
    using tape = new Tape(backend)
    const { audio, text } = goldenPair(tape)
    close(frameWord().score(tape, audio, text).toArray(), smallBatch.audioText.data)
    close(offDiagonal(frameWord().within(text).data), offDiagonal(smallBatch.textText.data))
    close(offDiagonal(frameWord().within(audio).data), offDiagonal(smallBatch.audioAudio.data))
  })
})

/** The definitions as plain loops over given lengths. */
function scoreLoop(reduction: string, a: number[][], b: number[][]): number {
  const products = a.map((x) =>
    b.map((y) =>
      Math.max(
        0,
        x.reduce((sum, value, k) => sum + value * y[k]!, 0),
      ),
    ),
  )
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  if (reduction === 'STSQ') return mean(products.flat())
  if (reduction === 'MQST') return mean(products.map((row) => Math.max(...row)))
  return mean(b.map((_, w) => Math.max(...products.map((row) => row[w]!))))
}

describe.each(['STSQ', 'MTSQ', 'MQST'] as const)('%s', (reduction) => {
  it('is the definition over true lengths, whatever lies in the padding', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
        (seed, lengths) => {
          const rng = new Rng(seed)
          const values = (rows: number) => Array.from({ length: rows * 4 * 2 }, () => rng.between(-1, 1))
          const [a, b] = [values(3), values(3)]
          using tape = new Tape(backend)
          const wordLengths = [...lengths].reverse()
          const scores = frameWord({ reduction }).score(
            tape,
            sequence(tape, 3, 4, a, lengths),
            sequence(tape, 3, 4, b, wordLengths),
          )
          const item = (all: number[], i: number, length: number): number[][] =>
            Array.from({ length }, (_, t) => all.slice((i * 4 + t) * 2, (i * 4 + t + 1) * 2))
          close(
            scores.toArray(),
            [0, 1, 2].flatMap((i) =>
              [0, 1, 2].map((j) =>
                scoreLoop(reduction, item(a, i, lengths[i]!), item(b, j, wordLengths[j]!)),
              ),
            ),
          )
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('padded-compat', () => {
  it('divides by the padded number of words, so that long captions score higher', () => {
    using tape = new Tape(backend)
    const audio = sequence(tape, 1, 2, [1, 0, 1, 0])
    const text = sequence(tape, 2, 3, [1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0], [1, 3])
    close(frameWord().score(tape, audio, text).toArray(), [1, 1])
    close(frameWord({ padding: 'padded-compat' }).score(tape, audio, text).toArray(), [1 / 3, 1])
  })

  it('changes nothing where there is no padding', () => {
    using tape = new Tape(backend)
    const { audio, text } = goldenPair(tape)
    for (const make of [frameWord, pooled]) {
      const masked = make({ padding: 'masked' }).score(tape, audio, text).toArray()
      expect([...make({ padding: 'padded-compat' }).score(tape, audio, text).toArray()]).toEqual([...masked])
    }
  })
})

const all: Similarity[] = [
  pooled(),
  ...(['STSQ', 'MTSQ', 'MQST'] as const).map((reduction) => frameWord({ reduction })),
]

describe.each(all.map((similarity) => [similarity.name, similarity] as const))('%s', (_, similarity) => {
  it('has factors whose product is the score, if any', () => {
    using tape = new Tape(backend)
    const { audio, text } = goldenPair(tape)
    expect(similarity.factors !== undefined).toBe(similarity.name === 'pooled')
    if (similarity.factors === undefined) return
    const { audio: a, text: t } = similarity.factors(tape, audio, text)
    const product = new Float64Array(n * n)
    const k = a.shape[1]!
    for (let i = 0; i < n * n; i++) {
      for (let c = 0; c < k; c++)
        product[i]! += a.toArray()[Math.floor(i / n) * k + c]! * t.toArray()[(i % n) * k + c]!
    }
    close(similarity.score(tape, audio, text).toArray(), product)
  })

  it('passes the finite-difference check on both sides', () => {
    const precise = referenceBackend({ precision: 'float64' })
    const rng = new Rng(4)
    const random = (shape: number[], size: number) =>
      Parameter.from(
        precise,
        shape,
        Float64Array.from({ length: size }, () => rng.between(0.1, 1)),
      )
    const audio = random([3, 4, 2], 24)
    const text = random([2, 3, 2], 12)
    const report = gradcheck(
      new Map([
        ['audio', audio],
        ['text', text],
      ]),
      (tape) =>
        similarity.score(
          tape,
          { values: audio, lengths: Int32Array.of(4, 2, 3) },
          { values: text, lengths: Int32Array.of(3, 1) },
        ),
    )
    expect(report.worst!.error).toBeLessThan(1e-6)
  })

  it('leaves no trace of the within-modality scores on the tape', () => {
    const parameter = Parameter.from(backend, [n, frames, d], smallBatch.audio())
    const side = { values: parameter, lengths: Int32Array.of(3, 3, 2, 1) }
    const scores = similarity.within(side)
    expect([scores.rows, scores.cols]).toEqual([n, n])
    for (let i = 0; i < n; i++)
      for (let j = 0; j < i; j++) expect(scores.data[i * n + j]).toBeCloseTo(scores.data[j * n + i]!, 6)
    expect(parameter.grad).toBeNull()
  })

  it('is made again from its configuration', () => {
    expect(savedSimilarity(similarity.config).config).toEqual(similarity.config)
  })

  it('takes one vector for each item', () => {
    using tape = new Tape(backend)
    const vectors = { values: tape.constant([2, 2], [1, 0, 0.6, 0.8]), lengths: null }
    close(similarity.score(tape, vectors, vectors).toArray(), [1, 0.6, 0.6, 1])
    close(similarity.within(vectors).data, [1, 0.6, 0.6, 1])
  })
})

describe('pooling', () => {
  it('gives unit vectors of the mean over true lengths', () => {
    using tape = new Tape(backend)
    const side = sequence(tape, 2, 2, [3, 0, 0, 3, 0, 2, 9, 9], [2, 1])
    const half = Math.SQRT1_2
    close(poolEmbedded(tape, side).toArray(), [half, half, 0, 1])
  })

  it('refuses configurations it does not know', () => {
    expect(() => savedSimilarity({ kind: 'poled' })).toThrow(
      /one of frame-word, pooled, got "poled" \(did you mean pooled/,
    )
    expect(() => savedSimilarity({ kind: 'pooled', padding: 'none' })).toThrow(/similarity\.padding/)
    expect(() => savedSimilarity({ kind: 'frame-word', reduction: 'MTMQ' })).toThrow(/MTMQ/)
  })

  it('brings scores to the host as a copy', () => {
    using tape = new Tape(backend)
    const tensor = tape.constant([1, 2], [1, 2])
    const copy = toMatrix(tensor)
    tensor.toArray()[0] = 9
    expect([...copy.data]).toEqual([1, 2])
  })
})
