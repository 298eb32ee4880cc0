import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../backend/open.js'
import { referenceBackend } from '../backend/reference/index.js'
import { type Matrix, matrix, type NamedTensor, Rng, row, writeSafetensors } from '../base/index.js'
import { evaluateHits, evaluateScores } from '../metrics/index.js'
import {
  captionScorer,
  clipScorer,
  createIndex,
  EmbeddingIndex,
  loadIndex,
  searchByScore,
  type Scorer,
} from './index.js'

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-retrieval-'))))
afterAll(() => rm(folder, { recursive: true }))

const reference = referenceBackend()

/** Small whole numbers, so that every score is exact and ties are many. */
function grid(rng: Rng, rows: number, cols: number): Matrix {
  return matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => rng.int(5) - 2),
  )
}

function names(count: number, prefix = 'clip'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** The definition: sort everything. */
function sorted(scores: readonly number[], k: number): [number, number][] {
  return scores
    .map((score, index): [number, number] => [index, score])
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, k)
}

describe('an index', () => {
  test('finds what sorting all scores finds, in the same order, with ties to the item added first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(),
          n: fc.integer({ min: 1, max: 40 }),
          q: fc.integer({ min: 0, max: 6 }),
          d: fc.integer({ min: 1, max: 6 }),
          k: fc.integer({ min: 1, max: 50 }),
          cut: fc.nat(40),
        }),
        async ({ seed, n, q, d, k, cut }) => {
          const rng = new Rng(seed)
          const items = grid(rng, n, d)
          const queries = grid(rng, q, d)
          const first = Math.min(cut, n)
          const ids = names(n)
          // Added in two goes: the index grows.
          const index = createIndex({ dim: d, backend: reference })
            .add(matrix(first, d, items.data.slice(0, first * d)), ids.slice(0, first))
            .add(matrix(n - first, d, items.data.slice(first * d)), ids.slice(first))
          const hits = await index.search(queries, { k })
          expect(hits).toHaveLength(q)
          hits.forEach((list, i) => {
            const scores = ids.map((_, j) => dot(row(queries, i), row(items, j)))
            expect(list.map((hit) => [hit.index, hit.score])).toEqual(sorted(scores, k))
            expect(list.map((hit) => hit.rank)).toEqual(list.map((_, r) => r + 1))
            for (const hit of list) expect(hit.id).toBe(ids[hit.index])
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each(['cpu', 'sealed'] as const)('on the device %s equals the reference, before and after growing', async (device) => {
    const rng = new Rng(4)
    const [first, second, queries] = [grid(rng, 300, 20), grid(rng, 50, 20), grid(rng, 1100, 20)]
    using there = createIndex({ dim: 20, backend: openBackend({ device }) })
    using here = createIndex({ dim: 20, backend: reference })
    for (const [items, ids] of [[first, names(300)], [second, names(50, 'more')]] as const) {
      expect(await there.add(items, ids).search(queries, { k: 7 })).toEqual(await here.add(items, ids).search(queries, { k: 7 }))
    }
  }) // prettier-ignore

  test('finds the same, bit for bit, through narrow items: numbers of any size, alike, broken off, added in goes', async () => {
    const backend = openBackend({ device: 'cpu' })
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(),
          n: fc.integer({ min: 1, max: 700 }),
          q: fc.integer({ min: 1, max: 6 }),
          d: fc.integer({ min: 1, max: 70 }),
          k: fc.integer({ min: 1, max: 30 }),
          scale: fc.constantFrom(1, 1, 1e-5, 1e6, 1e-18, 1e-30, 1e12),
          alike: fc.constantFrom(0, 1e-3, 1e-6, 1),
          precision: fc.constantFrom('int8' as const, 'float16' as const),
        }),
        async ({ seed, n, q, d, k, scale, alike, precision }) => {
          const rng = new Rng(seed)
          const centre = Float32Array.from({ length: d }, () => rng.normal())
          const near = (rows: number, spread: number) =>
            matrix(rows, d, Float32Array.from({ length: rows * d }, (_, i) => scale * (centre[i % d]! + spread * rng.normal())))
          const [items, queries] = [near(n, alike), near(q, 1)]
          const cut = rng.int(n + 1)
          const found = []
          for (const each of ['float32', precision] as const) {
            const index = createIndex({ dim: d, backend, precision: each })
            index.add(matrix(cut, d, items.data.subarray(0, cut * d)), names(cut))
            await index.search(queries, { k })
            index.add(matrix(n - cut, d, items.data.subarray(cut * d)), names(n - cut, 'more'))
            found.push(await index.search(queries, { k }))
          }
          expect(found[1]).toEqual(found[0])
        },
      ),
      { numRuns: 150 },
    )
  }) // prettier-ignore

  test('searches in several searches at once while items are added', async () => {
    const rng = new Rng(9)
    const [first, second] = [grid(rng, 600, 12), grid(rng, 900, 12)]
    const queries = grid(rng, 1, 12)
    const index = createIndex({ dim: 12, precision: 'int8' }).add(first, names(600))
    const early = [index.search(queries), index.search(queries)]
    index.add(second, names(900, 'more'))
    const late = [index.search(queries), index.search(queries)]
    const plain = createIndex({ dim: 12 }).add(first, names(600))
    for (const hits of early) expect(await hits).toEqual(await plain.search(queries))
    plain.add(second, names(900, 'more'))
    for (const hits of late) expect(await hits).toEqual(await plain.search(queries))
  })

  test('searches both ways and agrees with the evaluation of all scores', async () => {
    const rng = new Rng(12)
    const normal = (rows: number) => matrix(rows, 8, Float32Array.from({ length: rows * 8 }, () => rng.normal()))
    const [clips, captions] = [normal(30), normal(90)]
    const captionClip = Array.from({ length: 90 }, (_, j) => j % 30)
    for (let j = 0; j < 90; j++) row(clips, j % 30).forEach((value, c) => (captions.data[j * 8 + c]! += 0.7 * value))
    const scores = matrix(30, 90)
    for (let i = 0; i < 30; i++) for (let j = 0; j < 90; j++) scores.data[i * 90 + j] = dot(row(clips, i), row(captions, j))
    const options = { measures: ['R@1', 'R@10', 'mAP@10'] }
    const whole = evaluateScores(scores, captionClip, options)
    const clipHits = await createIndex({ dim: 8, backend: reference }).add(clips, names(30)).search(captions)
    const toAudio = evaluateHits(clipHits, captionClip.map((clip) => new Set([`clip-${clip}`])), { ...options, items: 30 })
    expect(toAudio.values).toEqual(whole.textToAudio)
    const captionHits = await createIndex({ dim: 8, backend: reference }).add(captions, names(90, 'caption')).search(clips)
    const ofClip = names(30).map((_, i) => new Set(captionClip.flatMap((clip, j) => (clip === i ? [`caption-${j}`] : []))))
    expect(evaluateHits(captionHits, ofClip, { ...options, items: 90 }).values).toEqual(whole.audioToText)
  }) // prettier-ignore

  test('an empty index gives empty lists, and a k beyond the items gives all of them', async () => {
    const index = createIndex({ dim: 2, backend: reference })
    expect(await index.search(matrix(2, 2))).toEqual([[], []])
    index.add(matrix(0, 2), [])
    expect(index.size).toBe(0)
    index.add(matrix(1, 2, Float32Array.of(3, 4)), ['a'])
    expect(await index.search(matrix(1, 2, Float32Array.of(1, 1)), { k: 1e9 })).toEqual([
      [{ id: 'a', index: 0, score: 7, rank: 1 }],
    ])
    expect(index.get('a')).toEqual(Float32Array.of(3, 4))
    expect(index.get('b')).toBeUndefined()
  })

  test('refuses what does not fit and stays as it was', async () => {
    const index = createIndex({ dim: 2, backend: reference }).add(matrix(1, 2), ['a'])
    const two = matrix(2, 2)
    expect(() => createIndex({ dim: 0 })).toThrow(/dim, got 0/)
    expect(() => createIndex({ dim: 2, precision: 'int4' as 'int8' })).toThrow(
      /float16.*precision, got "int4"/,
    )
    expect(() => index.add(matrix(1, 3), ['b'])).toThrow(/vectors of 2 numbers for embeddings, got 3.*model/)
    expect(() => index.add(two, ['b'])).toThrow(/2 ids/)
    expect(() => index.add(two, ['b', 'a'])).toThrow(/"a" twice/)
    expect(() => index.add(two, ['b', 'b'])).toThrow(/"b" twice/)
    expect(() => index.add(two, ['b', ''])).toThrow(/not empty/)
    expect(() => index.add(two, ['b', 'half \ud83d'])).toThrow(/whole characters for an id/)
    const double = { rows: 1, cols: 2, data: new Float64Array(2) as unknown as Float32Array }
    expect(() => EmbeddingIndex.over(double, ['b'], { dim: 2 })).toThrow(/Float32Array for embeddings/)
    await expect(index.search(double)).rejects.toThrow(/Float32Array for queries/)
    await expect(index.search(two, 5 as never)).rejects.toThrow(/object of options for search/)
    expect(() => index.add(matrix(2, 2, Float32Array.of(0, 0, 0, NaN)), ['b', 'c'])).toThrow(
      expect.objectContaining({ code: 'INVALID_DATA', message: expect.stringContaining('item "c"') }),
    )
    expect(index.ids).toEqual(['a'])
    await expect(index.search(matrix(1, 3))).rejects.toThrow(/vectors of 2 numbers for queries/)
    await expect(index.search(matrix(2, 2, Float32Array.of(0, 0, Infinity, 0)))).rejects.toThrow(/query 1/)
    for (const k of [0, 1.5, NaN]) await expect(index.search(two, { k })).rejects.toThrow(/k, got/)
    await expect(index.search(two, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})

describe('an index on disk', () => {
  const make = () =>
    createIndex({ dim: 3, backend: reference, model: 'abc123' }).add(grid(new Rng(1), 5, 3), [
      'ä, "b"',
      'x\ny',
      'c',
      'd',
      'e',
    ])

  test('comes back whole', async () => {
    const path = join(folder, 'whole.index')
    const made = make()
    await made.save(path)
    const loaded = await loadIndex(path, { backend: reference, model: 'abc123' })
    expect([loaded.dim, loaded.model, loaded.ids]).toEqual([3, 'abc123', made.ids])
    const queries = grid(new Rng(2), 4, 3)
    expect(await loaded.search(queries)).toEqual(await made.search(queries))
    loaded.add(matrix(1, 3), ['f'])
    await loaded.save(path)
    expect((await loadIndex(path)).size).toBe(6)
    await createIndex({ dim: 4, backend: reference }).save(path)
    expect(await loadIndex(path)).toMatchObject({ dim: 4, size: 0, model: undefined })
  })

  test('of 0.1, with its ids in the header, is read; ids are kept as they are', async () => {
    const path = join(folder, 'first.index')
    const embeddings = { shape: [2, 1], data: Float32Array.of(1, 2) }
    const metadata = { format: 'sonotext-index-1', ids: '["b","a"]', model: 'm' }
    await writeSafetensors(path, new Map([['embeddings', embeddings]]), metadata)
    const first = await loadIndex(path, { backend: reference })
    expect([first.ids, first.model, first.get('a')]).toEqual([['b', 'a'], 'm', Float32Array.of(2)])
    const odd = ['\ufeffmark', 'é', 'e\u0301', '😀', ' ']
    await createIndex({ dim: 1, backend: reference }).add(matrix(5, 1), odd).save(path)
    expect((await loadIndex(path, { backend: reference })).ids).toEqual(odd)
  })

  test('made with another model is refused', async () => {
    const path = join(folder, 'model.index')
    await make().save(path)
    await expect(loadIndex(path, { model: 'other' })).rejects.toMatchObject({
      code: 'INVALID_DATA',
      file: path,
      message: expect.stringMatching(
        /made with the model other, got one made with abc123.*Embed the clips again/,
      ),
    })
    await createIndex({ dim: 3, backend: reference }).save(path)
    await expect(loadIndex(path, { model: 'other' })).rejects.toThrow(/names no model/)
    await expect(loadIndex(path, { precision: 'int4' as 'int8' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  test('cut short anywhere, damaged or of another kind is refused by name', async () => {
    const path = join(folder, 'damaged.index')
    await make().save(path)
    const bytes = await readFile(path)
    for (const length of [0, 7, 40, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length))
      await expect(loadIndex(path), `${length} bytes`).rejects.toMatchObject({
        code: 'INVALID_FILE',
        file: path,
      })
    }
    const embeddings = { shape: [2, 1], data: Float32Array.of(1, 2) }
    const format = 'sonotext-index-1'
    for (const [tensor, metadata] of [
      [embeddings, { format: 'other', ids: '["a","b"]' }],
      [embeddings, { format, ids: '["a"]' }],
      [embeddings, { format, ids: '["a","a"]' }],
      [embeddings, { format, ids: '[1,2]' }],
      [embeddings, { format, ids: 'nonsense' }],
      [embeddings, { format }],
      [
        { shape: [2], data: Float32Array.of(1, 2) },
        { format, ids: '["a","b"]' },
      ],
      [
        { shape: [2, 1], data: Float32Array.of(1, NaN) },
        { format, ids: '["a","b"]' },
      ],
      [
        { shape: [2, 1], data: Float64Array.of(1, 2) },
        { format, ids: '["a","b"]' },
      ],
    ] as const) {
      await writeSafetensors(path, new Map([['embeddings', tensor]]), metadata)
      await expect(loadIndex(path), JSON.stringify(metadata)).rejects.toMatchObject({
        code: 'INVALID_FILE',
        file: path,
      })
    }
    const ids = { shape: [2], data: Uint8Array.of(97, 98) }
    for (const lengths of [[1], [1, 2], [2, 2], [1, 0]]) {
      const idLengths = { shape: [lengths.length], data: Uint32Array.from(lengths) }
      const tensors = new Map<string, NamedTensor>(Object.entries({ embeddings, ids, idLengths }))
      await writeSafetensors(path, tensors, { format: 'sonotext-index-2' })
      await expect(loadIndex(path), String(lengths)).rejects.toMatchObject({
        code: 'INVALID_FILE',
        file: path,
      })
    }
    await expect(loadIndex(join(folder, 'none'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })

  test('a save that cannot be written leaves the earlier file', async () => {
    const path = join(folder, 'kept.index')
    await make().save(path)
    await expect(make().save(join(path, 'below-a-file'))).rejects.toMatchObject({ code: 'WRITE_FAILED' })
    expect((await loadIndex(path)).size).toBe(5)
  })
})

describe('search by a scorer', () => {
  const clips = (rng: Rng, count: number, d = 3) =>
    Array.from({ length: count }, () => grid(rng, rng.int(6), d))

  test.each(['STSQ', 'MTSQ', 'MQST'] as const)('%s over blocks equals the definition, both ways', async (reduction) => {
    const rng = new Rng(8)
    const [audio, text] = [clips(rng, 11), clips(rng, 5)]
    const scoreOf = (frames: Matrix, words: Matrix) => {
      if (frames.rows === 0 || words.rows === 0) return 0
      const relu = Array.from({ length: frames.rows }, (_, t) =>
        Array.from({ length: words.rows }, (_, w) => Math.max(0, dot(row(frames, t), row(words, w)))),
      )
      const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length
      if (reduction === 'STSQ') return mean(relu.flat())
      if (reduction === 'MQST') return mean(relu.map((line) => Math.max(...line)))
      return mean(relu[0]!.map((_, w) => Math.max(...relu.map((line) => line[w]!))))
    }
    for (const block of [1, 4, 64]) {
      const options = { k: 6, block }
      const toAudio = await searchByScore(clipScorer(audio, { reduction, backend: reference }), text, { ...options, ids: names(11) })
      toAudio.forEach((hits, j) => expectHits(hits, sorted(audio.map((clip) => scoreOf(clip, text[j]!)), 6)))
      const toText = await searchByScore(captionScorer(text, { reduction, backend: reference }), audio, { ...options, ids: names(5, 'c') })
      toText.forEach((hits, i) => expectHits(hits, sorted(text.map((caption) => scoreOf(audio[i]!, caption)), 6)))
      expect(toText[0]![0]!.id).toMatch(/^c-/)
    }
  }) // prettier-ignore

  test.each(['cpu', 'sealed'] as const)('on the device %s finds the same', async (device) => {
    const rng = new Rng(9)
    const [audio, text] = [clips(rng, 20, 16), clips(rng, 6, 16)]
    const search = (scorer: Scorer<Matrix>) => searchByScore(scorer, text, { ids: names(20), block: 7 })
    const there = await search(clipScorer(audio, { backend: openBackend({ device }) }))
    const here = await search(clipScorer(audio, { backend: reference }))
    there.forEach((hits, q) => expectHits(hits, here[q]!.map((hit) => [hit.index, hit.score])))
  }) // prettier-ignore

  test('asks for blocks in order and stops when told to', async () => {
    const asked: [number, number][] = []
    const stop = new AbortController()
    const scorer: Scorer<string> = {
      size: 10,
      score: async (queries, first, count) => {
        asked.push([first, count])
        if (first === 4) stop.abort()
        return matrix(queries.length, count, new Float32Array(queries.length * count).fill(first))
      },
    }
    const hits = await searchByScore(scorer, ['a'], { ids: names(10), block: 4, k: 3 })
    expect(hits[0]!.map((hit) => hit.index)).toEqual([8, 9, 4])
    expect(asked).toEqual([[0, 4], [4, 4], [8, 2]]) // prettier-ignore
    asked.length = 0
    await expect(
      searchByScore(scorer, ['a'], { ids: names(10), block: 4, signal: stop.signal }),
    ).rejects.toMatchObject({ code: 'ABORTED' })
    expect(asked).toEqual([])
    expect(await searchByScore(scorer, [], { ids: names(10) })).toEqual([])
  })

  test('refuses NaN scores, wrong sizes and sequences that do not fit', async () => {
    const scorer = (scores: Matrix): Scorer<string> => ({ size: 2, score: async () => scores })
    const ids = ['a', 'b']
    await expect(
      searchByScore(scorer(matrix(1, 2, Float32Array.of(1, NaN))), ['q'], { ids }),
    ).rejects.toThrow(/"b", got NaN for query 0/)
    await expect(searchByScore(scorer(matrix(2, 1)), ['q'], { ids })).rejects.toThrow(/scores of 1×2/)
    await expect(searchByScore(scorer(matrix(1, 2)), ['q'], { ids: ['a'] })).rejects.toThrow(/2 ids/)
    await expect(searchByScore(scorer(matrix(1, 2)), ['q'], { ids, k: 0 })).rejects.toThrow(/k, got 0/)
    await expect(searchByScore(scorer(matrix(1, 2)), ['q'], { ids, block: 0 })).rejects.toThrow(
      /block, got 0/,
    )
    const two = [matrix(1, 2), matrix(1, 2)]
    expect(() => clipScorer([...two, matrix(1, 3)], { backend: reference })).toThrow(
      /vectors of 2 numbers for clips\[2\], got 3/,
    )
    expect(() => clipScorer([matrix(1, 1, Float32Array.of(NaN))], { backend: reference })).toThrow(
      /clips\[0\]/,
    )
    expect(() => clipScorer(two, { backend: reference, reduction: 'stsq' as 'STSQ' })).toThrow(
      /one of STSQ, MTSQ, MQST/,
    )
    const clip = clipScorer(two, { backend: reference })
    await expect(searchByScore(clip, [matrix(1, 3)], { ids })).rejects.toThrow(/queries\[0\], got 3/)
  })
})

function expectHits(
  hits: readonly { index: number; score: number }[],
  want: readonly (readonly [number, number])[],
): void {
  expect(hits.map((hit) => hit.index)).toEqual(want.map(([index]) => index))
  hits.forEach((hit, r) => expect(hit.score).toBeCloseTo(want[r]![1], 5))
}
