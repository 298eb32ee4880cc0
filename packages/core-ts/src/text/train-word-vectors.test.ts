import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { beforeAll, describe, expect, it } from 'vitest'
import { row } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { describeWithRealData } from '../testing/real-data/index.js'
import { embeddingTable } from './embedding-table.js'
import { tokenize } from './tokenize.js'
import { trainWordVectors } from './train-word-vectors.js'
import { Vocabulary } from './vocabulary.js'
import type { WordVectors } from './word-vectors.js'

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0]
  for (let d = 0; d < a.length; d++) {
    ab += a[d]! * b[d]!
    aa += a[d]! ** 2
    bb += b[d]! ** 2
  }
  return ab / Math.sqrt(aa * bb)
}

function vectorOf({ words, vectors }: WordVectors, word: string): Float32Array {
  return row(vectors, words.indexOf(word))
}

function neighbours(trained: WordVectors, word: string, k: number): string[] {
  const query = vectorOf(trained, word)
  return trained.words
    .map((other, i): [string, number] => [other, cosine(query, row(trained.vectors, i))])
    .filter(([other]) => other !== word)
    .sort(([, a], [, b]) => b - a)
    .slice(0, k)
    .map(([other]) => other)
}

/** Captions of a small grammar: what sounds and what it does belong together. */
function grammar(count: number): string[][] {
  const rng = new Rng(3, 'grammar')
  const sounds = [
    ['dog', ['barks', 'growls', 'howls']],
    ['rain', ['falls', 'patters', 'pours']],
    ['clock', ['ticks', 'chimes', 'strikes']],
    ['engine', ['hums', 'idles', 'roars']],
  ] as const
  return Array.from({ length: count }, () => {
    const [a, b] = rng.shuffle([...sounds])
    return ['a', a![0], rng.pick(a![1]), rng.pick(['while', 'then']), 'the', b![0], rng.pick(b![1])]
  })
}

describe('trainWordVectors', () => {
  it('puts words that stand together side by side', async () => {
    const trained = await trainWordVectors(grammar(400), { seed: 1 })
    for (const [what, verbs] of Object.entries({
      dog: ['barks', 'growls', 'howls'],
      rain: ['falls', 'patters', 'pours'],
      clock: ['chimes', 'strikes', 'ticks'],
    })) {
      expect(neighbours(trained, what, 3).sort()).toEqual(verbs)
    }
    expect(cosine(vectorOf(trained, 'dog'), vectorOf(trained, 'barks'))).toBeGreaterThan(0.3)
    for (const other of ['clock', 'ticks', 'rain', 'the']) {
      expect(cosine(vectorOf(trained, 'dog'), vectorOf(trained, other))).toBeLessThan(0.15)
    }
  })

  it('fills dimensions that the captions cannot support with zeros', async () => {
    const trained = await trainWordVectors(grammar(50), { seed: 1 })
    expect(trained.vectors.cols).toBe(300)
    const used = trained.words.length
    expect(used).toBeLessThan(30)
    trained.words.forEach((_, i) => {
      const vector = row(trained.vectors, i)
      expect(vector.every(Number.isFinite)).toBe(true)
      expect([...vector.subarray(used)].every((x) => x === 0)).toBe(true)
    })
    const table = embeddingTable(Vocabulary.build(grammar(50)), trained, { seed: 1 })
    expect(table.missing).toEqual([])
  })

  it('same captions, options and seed give the same bits', async () => {
    const options = { seed: 9, dim: 12 }
    const a = await trainWordVectors(grammar(60), options)
    expect(await trainWordVectors(grammar(60), options)).toEqual(a)
  })

  it('sets words that only stand alone apart, and refuses captions without two words', async () => {
    const trained = await trainWordVectors([['dog'], ['rain'], ['dog']], { seed: 1, dim: 5 })
    expect(cosine(vectorOf(trained, 'dog'), vectorOf(trained, 'rain'))).toBeLessThan(0)
    await expect(trainWordVectors([['dog'], ['dog', 'dog']], { seed: 1 })).rejects.toThrow(/several words/)
    await expect(trainWordVectors([], { seed: 1 })).rejects.toMatchObject({ code: 'INVALID_DATA' })
    await expect(trainWordVectors(grammar(5), { seed: 1, dim: 0 })).rejects.toThrow(/dim/)
  })

  it('stops when the signal fires', async () => {
    const long = Array.from({ length: 60 }, (_, i) =>
      Array.from({ length: 60 }, (_, j) => `w${(i * 17 + j * j) % 500}`),
    )
    await expect(trainWordVectors(long, { seed: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})

describeWithRealData('word vectors of real captions', (data) => {
  const read = (name: string) =>
    parse(readFileSync(join(data, 'ratings', name)), { columns: true }) as Record<string, string>[]
  let trained: WordVectors
  let rows: Record<string, string>[]
  beforeAll(async () => {
    rows = read('development_text.csv')
    trained = await trainWordVectors(
      rows.map((r) => tokenize(r.text!)),
      { seed: 1, dim: 100 },
    )
  })

  it.each([
    ['dog', ['barks', 'barking']],
    ['rain', ['falls', 'falling']],
    ['car', ['vehicle', 'motorcycle']],
    ['birds', ['chirp', 'chirping', 'bird']],
    ['thunder', ['rain', 'storm', 'thunderstorm', 'rumbles']],
  ])('neighbours of %s', (word, expected) => {
    const found = neighbours(trained, word, 5)
    expect(found.filter((w) => expected.includes(w)).length, found.join(' ')).toBeGreaterThanOrEqual(2)
  })

  it('the likeness of captions by mean word vector follows human ratings (Pearson at least 0.65 over 3,400 pairs)', () => {
    const { vectors } = embeddingTable(Vocabulary.build([trained.words]), trained, { seed: 1 })
    const vocabulary = Vocabulary.build([trained.words])
    const meanOf = (text: string) => {
      const sum = new Float64Array(vectors.cols)
      for (const token of vocabulary.encode(tokenize(text)))
        row(vectors, token).forEach((x, d) => (sum[d]! += x))
      return sum
    }
    const means = new Map(rows.map((r) => [r.tid!, meanOf(r.text!)]))
    const captionsOf = Map.groupBy(rows, (r) => r.fid!)
    const pairs = read('development_relevances.csv').map(({ tid, fid, rating }): [number, number] => {
      const others = captionsOf.get(fid!)!.filter((r) => r.tid !== tid)
      return [Math.max(...others.map((r) => cosine(means.get(tid!)!, means.get(r.tid!)!))), Number(rating)]
    })
    expect(pairs).toHaveLength(3400)
    const mean = [0, 1].map((i) => pairs.reduce((sum, p) => sum + p[i]!, 0) / pairs.length)
    const centred = [0, 1].map((i) => pairs.map((p) => p[i]! - mean[i]!))
    expect(cosine(centred[0]!, centred[1]!)).toBeGreaterThan(0.65)
  })
})
