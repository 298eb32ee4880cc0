import { describe, expect, it } from 'vitest'
import { align, scoreClip } from '../align/index.js'
import { referenceBackend } from '../backend/reference/index.js'
import { openBackend } from '../backend/index.js'
import { type Matrix, matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import type { ClipWindow } from '../corpus/index.js'
import { frameWord, pooled } from '../similarity/index.js'
import { Vocabulary } from '../text/index.js'
import type { AudioEncoderSpec } from './encoder.js'
import { crnn, type DualEncoder, dualEncoder, frameScorer, meanWords, projection, words } from './index.js'

const vocabulary = Vocabulary.build([['a', 'dog', 'barks', 'rain', 'falls']])
const backend = openBackend()
const frameStep = 0.02

const features = (rows: number, cols: number, level = 1): Matrix => {
  const rng = new Rng(1)
  return matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => rng.between(-level, level)),
  )
}

/** Windows of `length` frames every `hop`; as a corpus cuts them. */
async function* windows(clip: Matrix, length = clip.rows, hop = length): AsyncGenerator<ClipWindow> {
  for (let from = 0, index = 0; from < clip.rows; from += hop, index++) {
    const until = Math.min(clip.rows, from + length)
    const data = clip.data.slice(from * clip.cols, until * clip.cols)
    const part = matrix(until - from, clip.cols, data)
    yield { index, start: from * frameStep, end: until * frameStep, features: part, frameStep }
    if (until === clip.rows) return
  }
}

const scores = async (model: DualEncoder, clip: Matrix, phrases: string[], length?: number, hop?: number) => {
  const margin = length === undefined ? 0 : ((length - hop!) / 2) * frameStep
  const scorer = frameScorer<Matrix>(model, { windows: (given) => windows(given, length, hop), margin })
  using prepared = await scorer.prepare(phrases)
  return scoreClip(prepared, clip)
}

const model = (audio: AudioEncoderSpec, { text = words, similarity = frameWord() } = {}) =>
  dualEncoder({ audio, text: text({ vocabulary, dim: audio.dim }), similarity, backend, seed: 3 })

const worst = (a: Matrix, b: Matrix): number =>
  a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i]!)), 0)

describe('scores of frames against phrases', () => {
  it('are means of the rectified products of frames and words', async () => {
    using own = dualEncoder({
      audio: projection({ inputs: 4, dim: 6 }),
      text: words({ vocabulary, dim: 6 }),
      similarity: frameWord(),
      backend: referenceBackend(),
    })
    const clip = features(5, 4)
    const { scores: found } = await scores(own, clip, ['a dog', 'rain'])
    const frames = await own.audio.frames(clip)
    for (const [p, phrase] of ['a dog', 'rain'].entries()) {
      const vectors = await Promise.all(phrase.split(' ').map((word) => own.text.embed([word])))
      for (let t = 0; t < 5; t++) {
        const products = vectors.map(({ data }) =>
          data.reduce((sum, value, k) => sum + value * frames.data[t * 6 + k]!, 0),
        )
        const wanted = products.reduce((sum, value) => sum + Math.max(0, value), 0) / products.length
        expect(found.data[t * 2 + p]!).toBeCloseTo(wanted, 5)
      }
    }
  })

  it('are cosines with the whole phrase where the model makes one vector of it', async () => {
    for (const options of [
      { text: meanWords },
      { similarity: pooled() },
      { text: meanWords, similarity: pooled() },
    ] as const) {
      using own = model(projection({ inputs: 4, dim: 6 }), options as never)
      const clip = features(5, 4)
      const { scores: found } = await scores(own, clip, ['a dog', 'rain falls'])
      const [frames, phrases] = [await own.audio.frames(clip), await own.text.embed(['a dog', 'rain falls'])]
      for (let t = 0; t < 5; t++)
        for (let p = 0; p < 2; p++) {
          let cosine = 0
          for (let k = 0; k < 6; k++) cosine += frames.data[t * 6 + k]! * phrases.data[p * 6 + k]!
          const wanted = own.similarity.name === 'pooled' ? cosine : Math.max(0, cosine)
          expect(found.data[t * 2 + p]!).toBeCloseTo(wanted, 5)
        }
    }
  })

  it('leave out words the model does not know, and are 0 for a phrase of such words', async () => {
    for (const text of [words, meanWords]) {
      using own = model(projection({ inputs: 4, dim: 6 }), { text })
      const clip = features(5, 4)
      const all = ['a quokka zithers', 'quokka', 'rain', 'rain zithers', 'a']
      const { data } = (await scores(own, clip, all)).scores
      const column = (p: number) => [...data].filter((_, i) => i % all.length === p)
      const alone = async (phrase: string) => [...(await scores(own, clip, [phrase])).scores.data]
      // An article says nothing of what is looked for.
      for (const unknown of [0, 1]) expect(column(unknown)).toEqual([0, 0, 0, 0, 0])
      expect(column(2)).toEqual(await alone('rain'))
      if (text === words) expect(column(3)).toEqual(column(2))
      expect(column(4)).toEqual(await alone('a'))
      expect(column(4).some((score) => score !== 0)).toBe(true)
    }
  })

  it('are the same in windows as in one piece, for an encoder without recurrence', async () => {
    using own = model(projection({ inputs: 4, dim: 6 }))
    const clip = features(101, 4)
    const whole = await scores(own, clip, ['a dog barks', 'rain'])
    expect(whole).toMatchObject({ start: 0, frameStep, end: 101 * frameStep })
    for (const [length, hop] of [
      [30, 30],
      [30, 20],
      [40, 10],
      [7, 3],
      [200, 100],
    ] as const) {
      const parts = await scores(own, clip, ['a dog barks', 'rain'], length, hop)
      expect(parts.scores.rows).toBe(101)
      expect(worst(parts.scores, whole.scores)).toBeLessThan(1e-6)
    }
  })

  it('are nearly the same in windows for a GRU, the nearer the wider the margin', async () => {
    using own = model(crnn({ hidden: 8 }))
    // Quiet, so that the gates are not saturated: a GRU that keeps its state for good needs all of the recording.
    const clip = features(600, 64, 0.02)
    const whole = await scores(own, clip, ['a dog barks'])
    const off = async (margin: number) =>
      worst((await scores(own, clip, ['a dog barks'], 200 + 2 * margin, 200)).scores, whole.scores)
    const [none, some, wide] = [await off(0), await off(20), await off(100)]
    expect(none).toBeGreaterThan(some)
    expect(some).toBeGreaterThan(wide)
    expect(wide).toBeLessThan(1e-5)
  })

  it('of a clip of one frame are those of one frame', async () => {
    using own = model(crnn({ hidden: 4 }))
    const found = await scores(own, features(1, 64), ['rain'])
    expect(found.scores.rows).toBe(1)
    expect(Number.isFinite(found.scores.data[0])).toBe(true)
    expect((await scores(own, features(0, 64), ['rain'])).scores.rows).toBe(0)
  })

  it('come later where a frame hears more than its own time', async () => {
    using own = model(projection({ inputs: 4, dim: 6 }))
    const clip = features(10, 4)
    const [plain, led] = await Promise.all(
      [0, 0.05].map(async (lead) => {
        using prepared = await frameScorer<Matrix>(own, { windows: (given) => windows(given), lead }).prepare(
          ['rain'],
        )
        return scoreClip(prepared, clip)
      }),
    )
    // Two frames and a half: the first is there three times, from 0.01 s on, and what would lie past the end is not.
    expect(led!.start).toBeCloseTo(0.01, 9)
    expect([...led!.scores.data.subarray(0, 5)]).toEqual([0, 0, 0, 1, 2].map((t) => plain!.scores.data[t]))
    expect(led!.scores.rows).toBe(10)
    expect(led!.end).toBe(plain!.end)
  })

  it('of patches reach to the end of the recording, and as far as the last one hears', async () => {
    using own = model(projection({ inputs: 4, dim: 6 }))
    const scored = async (frames: number, end: number) => {
      const clip = features(frames, 4)
      const scorer = frameScorer<Matrix>(own, {
        // Patches of 0.96 s every 0.24 s.
        async *windows(given) {
          yield { index: 0, start: 0, end, features: given, frameStep: 0.24 }
        },
        lead: 0.36,
      })
      using prepared = await scorer.prepare(['rain'])
      return scoreClip(prepared, clip)
    }
    const whole = await scored(38, 10)
    expect(whole).toMatchObject({ end: 10, frameStep: 0.24 })
    expect(whole.start + whole.scores.rows * 0.24).toBeGreaterThanOrEqual(10)
    expect(whole.start + (whole.scores.rows - 1) * 0.24).toBeLessThan(10)
    expect(whole.scores.data.at(-1)).toBe(whole.scores.data[38])
    // Features that cover a part of what they are said to be of tell nothing of the rest.
    expect((await scored(4, 10)).scores.rows).toBe(1 + 4 + 3)
    // A clip that is shorter than the way to the middle of its only patch.
    expect(await scored(1, 0.02)).toMatchObject({ start: 0, end: 0.02, scores: { rows: 1 } })
  })

  it('are refused where there is no time', async () => {
    using own = model(projection({ inputs: 4, dim: 6 }))
    const flat = frameScorer<Matrix>(own, {
      async *windows(clip) {
        yield { index: 0, start: 0, end: 0, features: clip, frameStep: 0 }
      },
    })
    await expect(align(flat, features(1, 4), ['rain'])).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const frames = projection({ inputs: 4, dim: 6 })
    using wholeClips = model({
      ...frames,
      build(on, rng) {
        const built = frames.build(on, rng)
        return {
          ...built,
          forward: (tape, x, lengths) => pooled().prepare(tape, built.forward(tape, x, lengths)),
        }
      },
    })
    await expect(scores(wholeClips, features(3, 4), ['rain'])).rejects.toThrow(/one vector for a whole clip/)
  })
})
