import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { matrix, row } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { embeddingTable, readEmbeddingTable } from './embedding-table.js'
import { lookedFor, standIns } from './variants.js'
import { PAD, UNK, Vocabulary } from './vocabulary.js'
import { type WordVectors, writeWordVectors } from './word-vectors.js'

function randomVectors(words: string[], dim: number): WordVectors {
  const rng = new Rng(5, 'test')
  return {
    words,
    vectors: matrix(
      words.length,
      dim,
      Float32Array.from({ length: words.length * dim }, () => 3 * rng.normal()),
    ),
  }
}

function unit(vector: ArrayLike<number>): number[] {
  const norm = Math.hypot(...Array.from(vector))
  return Array.from(vector, (x) => x / norm)
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0)
}

const vocabulary = Vocabulary.build([
  ['dog', 'barks', 'to', 'walkie-talkie', 'travelling', 'xyzzy', 'grue', 'tv', '10', 'null'],
])
const vectors = randomVectors(['dog', 'barks', 'To', 'walkie', 'talkie', 'traveling', 'TV', '##', 'null'], 64)
row(vectors.vectors, 8).fill(0)
const of = (word: string) => row(vectors.vectors, vectors.words.indexOf(word))

describe('embeddingTable', () => {
  const { vectors: table, missing, mapped, unknownOverlap } = embeddingTable(vocabulary, vectors, { seed: 1 })
  const at = (word: string) => row(table, vocabulary.indexOf(word))

  it('padding is zero and every other row has unit length', () => {
    expect(table.rows).toBe(vocabulary.size)
    expect([...row(table, PAD)]).toEqual(Array(64).fill(0))
    for (let i = 1; i < table.rows; i++) expect(dot(row(table, i), row(table, i))).toBeCloseTo(1, 6)
  })

  it('known words keep their direction; others are mapped to other spellings or the mean of their parts', () => {
    expect(dot(at('dog'), unit(of('dog')))).toBeCloseTo(1, 6)
    expect(dot(at('to'), unit(of('To')))).toBeCloseTo(1, 6)
    const parts = unit(of('walkie')).map((x, d) => x + unit(of('talkie'))[d]!)
    expect(dot(at('walkie-talkie'), unit(parts))).toBeCloseTo(1, 6)
    expect(Object.fromEntries(mapped)).toEqual({
      to: ['To'],
      'walkie-talkie': ['walkie', 'talkie'],
      travelling: ['traveling'],
      tv: ['TV'],
      10: ['##'],
    })
  })

  it('all missing words, also one whose vector is zero, share one unknown vector that is unlike every known one', () => {
    expect([...missing].sort()).toEqual(['grue', 'null', 'xyzzy'])
    const unknown = [...row(table, UNK)]
    for (const word of missing) expect([...at(word)]).toEqual(unknown)
    const overlaps = vocabulary.words
      .filter((w) => !missing.includes(w))
      .map((w) => Math.abs(dot(unknown, at(w))))
    expect(Math.max(...overlaps)).toBeCloseTo(unknownOverlap, 5)
    expect(unknownOverlap).toBeLessThanOrEqual(0.25)
  })

  it('depends on the seed and on nothing else', () => {
    expect(embeddingTable(vocabulary, vectors, { seed: 1 }).vectors).toEqual(table)
    expect([...row(embeddingTable(vocabulary, vectors, { seed: 2 }).vectors, UNK)]).not.toEqual([
      ...row(table, UNK),
    ])
  })

  it('takes the best draw where few dimensions make the bound impossible, and says so', () => {
    const words = Array.from({ length: 40 }, (_, i) => `w${i}`)
    const flat = embeddingTable(Vocabulary.build([[...words, 'gone']]), randomVectors(words, 2), { seed: 1 })
    expect(flat.missing).toEqual(['gone'])
    expect(flat.unknownOverlap).toBeGreaterThan(0.25)
    expect(flat.unknownOverlap).toBeLessThanOrEqual(1 + 1e-6)
    expect(dot(row(flat.vectors, UNK), row(flat.vectors, UNK))).toBeCloseTo(1, 6)
  })

  it('refuses vectors of which no word is known', () => {
    expect(() => embeddingTable(vocabulary, randomVectors(['hund'], 4), { seed: 1 })).toThrow(
      /none of the 10 words/,
    )
  })

  it('from a file gives the same as from memory', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'table-'))
    await writeWordVectors(join(folder, 'v.bin'), vectors, { format: 'word2vec-binary' })
    const read = await readEmbeddingTable(vocabulary, join(folder, 'v.bin'), { seed: 1 })
    await rm(folder, { recursive: true })
    expect(read).toEqual({ vectors: table, missing, mapped, unknownOverlap })
  })
})

it('stand-ins: the word itself wins over other spellings, and all that may be asked for is looked for', () => {
  const known = new Set(['grey', 'gray', 'color', 'And', 'high', 'USA'])
  const find = (word: string) => standIns(word, (w) => known.has(w))
  expect(find('grey')).toEqual(['grey'])
  expect(find('colour')).toEqual(['color'])
  expect(find('and')).toEqual(['And'])
  expect(find('usa')).toEqual(['USA'])
  expect(find('high-colour')).toEqual(['high', 'color'])
  expect(find('high-xyz')).toEqual(['high'])
  expect(find('-')).toEqual([])
  const asked: string[] = []
  standIns('mid-colour', (word) => (asked.push(word), false))
  expect([...lookedFor(['mid-colour'])].sort()).toEqual([...new Set(asked)].sort())
})
