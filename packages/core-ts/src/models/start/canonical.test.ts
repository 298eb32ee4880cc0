import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { openBackend } from '../../backend/open.js'
import { type Matrix, matrix, row } from '../../base/matrix.js'
import { Rng } from '../../base/rng.js'
import { dualEncoder } from '../dual-encoder.js'
import { projection } from '../projection.js'
import { sentences } from '../sentences.js'
import { canonicalStart } from './canonical.js'
import { correlatedMaps, type StandardizedMap } from './canonical-correlations.js'

const rng = new Rng(1, 'pairs')
const normals = (rows: number, cols: number): Matrix =>
  matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => rng.normal()),
  )

/** Clips of 6 numbers, two captions each of 5: two of the numbers are shared, the first with less noise than the second. */
function pairs(n: number) {
  const audio = normals(n, 6)
  const text = normals(2 * n, 5)
  const clipOf = Int32Array.from({ length: 2 * n }, (_, j) => j >> 1)
  for (const [j, clip] of clipOf.entries()) {
    const heard = row(audio, clip)
    const said = row(text, j)
    said[3] = 2 * heard[1]! + 0.2 * said[3]!
    said[0] = 5 + heard[4]! + said[0]!
  }
  for (let i = 0; i < n; i++) row(audio, i)[1]! *= 100
  return { audio, text, clipOf }
}

const applied = ({ means, scales, weight }: StandardizedMap, x: Float32Array): number[] =>
  Array.from({ length: weight.rows }, (_, k) =>
    row(weight, k).reduce((sum, w, i) => sum + (w * (x[i]! - means[i]!)) / scales[i]!, 0),
  )

function correlation(x: readonly number[], y: readonly number[]): number {
  const centre = (values: readonly number[]) => {
    const mean = values.reduce((a, b) => a + b) / values.length
    return values.map((value) => value - mean)
  }
  const [a, b] = [centre(x), centre(y)]
  const dot = (u: readonly number[], v: readonly number[]) =>
    u.reduce((sum, value, i) => sum + value * v[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

describe('correlated maps', () => {
  const data = pairs(800)
  const options = { rank: 4, ridge: 1e-6, textRidge: 1e-6, power: 0 }
  const heard = (map: StandardizedMap) =>
    Array.from(data.clipOf, (clip) => applied(map, row(data.audio, clip)))
  const said = (map: StandardizedMap) => Array.from(data.clipOf, (_, j) => applied(map, row(data.text, j)))

  it('are those of another implementation', async () => {
    const file = new URL('../../../test-data/models/canonical.json', import.meta.url)
    const golden = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number[]> & {
      options: typeof options
    }
    const given = {
      audio: matrix(40, 5, Float32Array.from(golden['audio']!)),
      text: matrix(80, 4, Float32Array.from(golden['text']!)),
      clipOf: golden['clipOf']!,
    }
    const { audio, text, regression } = await correlatedMaps(given, golden.options)
    const product = Array.from({ length: 20 }, (_, at) => {
      const [i, j] = [Math.floor(at / 5), at % 5]
      return [0, 1, 2].reduce((sum, k) => sum + row(text.weight, k)[i]! * row(audio.weight, k)[j]!, 0)
    })
    for (const [found, wanted] of [
      [product, golden['product']!],
      [regression.weight.data, golden['regression']!],
      [audio.means, golden['means']!],
      [audio.scales, golden['scales']!],
    ] as const)
      for (const [i, value] of wanted.entries()) expect(found[i]!).toBeCloseTo(value, 5)
  })

  it('find what both sides share, the surest first, and nothing else', async () => {
    const { audio, text } = await correlatedMaps(data, options)
    const [x, y] = [heard(audio), said(text)]
    const along = (k: number) =>
      correlation(
        x.map((values) => values[k]!),
        y.map((values) => values[k]!),
      )
    // By how the pairs were made: 2 / √(4 + .04), and 1 / √2.
    expect(along(0)).toBeCloseTo(0.995, 2)
    expect(along(1)).toBeCloseTo(0.707, 1)
    expect(along(2)).toBeLessThan(0.2)
    // Canonical variates of one side do not correlate with each other.
    const across = correlation(
      x.map((values) => values[0]!),
      x.map((values) => values[1]!),
    )
    expect(Math.abs(across)).toBeLessThan(1e-3)
  })

  it('weigh directions by the power of their correlation', async () => {
    const [even, weighed] = await Promise.all(
      [0, 2].map(async (power) => (await correlatedMaps(data, { ...options, power })).audio.weight),
    )
    const ratio = (k: number) => row(weighed!, k)[0]! / row(even!, k)[0]!
    expect(ratio(1) / ratio(0)).toBeCloseTo(0.71 ** 2 / 0.995 ** 2, 1)
  })

  it('tell the captions’ own vectors by a regression', async () => {
    const { regression } = await correlatedMaps(data, options)
    const told = heard(regression)
    const values = Array.from(data.clipOf, (_, j) => row(data.text, j)[3]!)
    expect(
      correlation(
        told.map((vector) => vector[3]!),
        values,
      ),
    ).toBeCloseTo(0.995, 2)
  })

  it('have rows of zeros beyond the directions that there are', async () => {
    const { audio, text } = await correlatedMaps(data, { ...options, rank: 9 })
    expect([audio.weight.rows, text.weight.rows]).toEqual([9, 9])
    for (let k = 5; k < 9; k++) expect(row(audio.weight, k).every((value) => value === 0)).toBe(true)
  })

  it('are finite for numbers that never vary and fewer clips than numbers', async () => {
    const still = { audio: matrix(3, 6), text: normals(3, 5), clipOf: [0, 1, 2] }
    for (const { weight } of Object.values(await correlatedMaps(still, { ...options, ridge: 0.3 })))
      expect(weight.data.every(Number.isFinite)).toBe(true)
  })
})

describe('the canonical start', () => {
  const backend = openBackend()
  const data = pairs(200)
  const texts = Array.from(data.clipOf, (clip, j) => `clip ${clip}, caption ${j}`)
  const clips = Array.from({ length: 200 }, (_, i) => matrix(1, 6, Float32Array.from(row(data.audio, i))))
  const tower = async () => ({
    name: 'given',
    id: 'given',
    cols: 5,
    costly: false,
    embed: async (captions: readonly { text: string }[]) => {
      const out = matrix(captions.length, 5)
      for (const [i, { text }] of captions.entries()) row(out, i).set(row(data.text, texts.indexOf(text)))
      return out
    },
  })
  const modelOf = (
    standardize: boolean,
    head: { project?: number; gate?: number },
    hidden: number[] = [],
  ) => {
    const text = sentences({ config: { kind: 'given' }, inputs: 5, tower, ...head })
    return dualEncoder({
      audio: projection({ inputs: 6, dim: text.dim, standardize, hidden }),
      text,
      backend,
    })
  }
  const captions = clips.map((_, i) => [{ text: texts[2 * i]! }, { text: texts[2 * i + 1]! }])
  const begun = async (...of: Parameters<typeof modelOf>) => {
    const model = modelOf(...of)
    const all = captions.flat()
    await model.text.prepare(all)
    await model.text.fit(all)
    await canonicalStart().apply(
      { audio: model.audio.encoder, text: model.text.encoder },
      { clips, captions },
    )
    return model
  }
  const rankOfOwn = (scores: Matrix) => {
    let above = 0
    for (let i = 0; i < scores.rows; i++)
      for (let k = 0; k < scores.rows; k++) if (row(scores, k)[2 * i]! > row(scores, i)[2 * i]!) above++
    return above / scores.rows
  }
  afterAll(() => backend[Symbol.dispose]?.())

  it('finds clips without any step, standardising or not, to the same scores', async () => {
    using plain = await begun(false, { project: 4 })
    using standard = await begun(true, { project: 4 })
    const scores = await plain.score(clips, texts)
    // By chance 100 clips stand above the right one.
    expect(rankOfOwn(scores)).toBeLessThan(40)
    const others = await standard.score(clips, texts)
    for (const [i, score] of scores.data.entries()) expect(others.data[i]!).toBeCloseTo(score, 3)
  })

  it('aims at the tower’s vectors where they are kept, alone or beside the head', async () => {
    using alone = await begun(true, {})
    using both = await begun(true, { project: 4, gate: 2 })
    expect(both.dim).toBe(9)
    expect(rankOfOwn(await both.score(clips, texts))).toBeLessThan(60)
    const heard = await alone.audio.embed(clips)
    const first = (await both.audio.embed(clips)).data.subarray(0, 5)
    const length = Math.hypot(...first)
    for (const [i, value] of first.entries()) expect(value / length).toBeCloseTo(heard.data[i]!, 4)
  })

  it('refuses heads with hidden layers and features of several vectors, saying what to do', async () => {
    await expect(begun(true, { project: 4 }, [8])).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const model = modelOf(true, { project: 4 })
    await model.text.prepare(captions.flat())
    const encoders = { audio: model.audio.encoder, text: model.text.encoder }
    const long = clips.map(({ data: own }) => matrix(2, 6, Float32Array.of(...own, ...own)))
    await expect(canonicalStart().apply(encoders, { clips: long, captions })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      remedy: expect.stringContaining('features.pool') as string,
    })
    expect(() => canonicalStart({ ridge: 0 })).toThrow('ridge')
  })
})
