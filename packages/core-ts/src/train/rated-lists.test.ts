import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { matrix, Rng } from '../base/index.js'
import { Batches, type BatchesOptions, type Clip } from '../data/index.js'
import { LossInput, relevanceTargets, softTargetLoss } from '../losses/index.js'
import { Tape } from '../nn/index.js'
import { Relevances } from '../relevance/index.js'
import { pooled } from '../similarity/index.js'
import { ratedLists, sources } from './index.js'

const clips: Clip[] = Array.from({ length: 9 }, (_, i) => ({
  id: `c${i}`,
  audio: `/c${i}.wav`,
  captions: [1, 2].map((k) => ({ id: `c${i}#${k}`, text: `${i} ${k}` })),
}))
const features: BatchesOptions['features'] = async () => ({
  ...{ features: matrix(4, 2), frameStep: 0.5, duration: 2 },
})
const common = { features, encode: () => Int32Array.of(2), batchSize: 4, seed: 3 }
const judged = (query: string, items: Readonly<Record<string, number>>) =>
  Object.entries(items).map(([item, relevance]) => ({
    ...{ query, item, relevance, raters: 1, deviation: null, played: null, group: null },
  }))
const relevances = new Relevances([
  ...judged('c0#1', { c0: 1, c1: 0.5, c2: 0, elsewhere: 1 }),
  ...judged('c1#2', { c1: 0.75, c0: 0.25 }),
  ...judged('c2#1', { c2: 1 }),
  ...judged('elsewhere#1', { c0: 1, c1: 1 }),
])

async function epochOf(batches: Batches) {
  const all = []
  for await (const { items } of batches.epoch()) all.push(items)
  return all
}

describe('rated lists', () => {
  it('are the judged clips of each caption, a list a group; what has no two clips in the data is left out', async () => {
    const batches = new Batches({ ...common, clips, plan: ratedLists(relevances, { queries: 2 }) })
    expect(batches.batchesPerEpoch).toBe(1)
    expect(batches.itemsPerEpoch).toBe(5)
    const [items] = await epochOf(batches)
    const shown = items!.map(({ caption, clip, group }) => `${caption.id} ${clip.id} ${group}`)
    expect(shown.toSorted()).toEqual(['c0#1 c0 0', 'c0#1 c1 0', 'c0#1 c2 0', 'c1#2 c0 1', 'c1#2 c1 1'])
  })

  it('come once an epoch each, of at most so many clips, and a restored position goes on with the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 2, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 18, maxLength: 18 }),
        async (queries, most, counts) => {
          const pairs = clips
            .flatMap(({ captions }) => captions)
            .flatMap(({ id }, q) =>
              judged(id, Object.fromEntries(clips.slice(0, counts[q]).map((clip) => [clip.id, 0.5]))),
            )
          const lists = counts.filter((count) => count >= 2).length
          if (lists === 0) return
          const make = () =>
            new Batches({
              ...{ ...common, clips },
              plan: ratedLists(new Relevances(pairs), { queries, clips: most }),
            })
          const batches = make()
          const epoch = await epochOf(batches)
          expect(epoch).toHaveLength(Math.ceil(lists / queries))
          const byGroup = Map.groupBy(epoch.flat(), ({ group }) => group)
          expect(byGroup.size).toBe(lists)
          for (const list of byGroup.values()) {
            expect(new Set(list.map(({ caption }) => caption.id)).size).toBe(1)
            expect(new Set(list.map(({ clip }) => clip.id)).size).toBe(list.length)
            const q = Number(list[0]!.caption.id[1]) * 2 + Number(list[0]!.caption.id[3]) - 1
            expect(list).toHaveLength(Math.min(most, counts[q]!))
          }
          const again = make()
          again.restore(batches.state)
          const [next, other] = [await epochOf(batches), await epochOf(again)]
          expect(other).toEqual(next)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('of other ids, or options that make no sense, are refused', () => {
    const other = new Relevances(judged('x', { y: 1, z: 0 }))
    const make = (of: Relevances, options = {}) =>
      new Batches({ ...common, clips, plan: ratedLists(of, options) })
    expect(() => make(other, { file: 'r.csv' })).toThrow(
      expect.objectContaining({
        code: 'INVALID_DATA',
        file: 'r.csv',
        remedy: expect.stringContaining('"c0#1"') as string,
      }),
    )
    expect(() => make(relevances, { queries: 0 })).toThrow(/queries/)
    expect(() => make(relevances, { clips: 1 })).toThrow(/clips/)
    const [a, b] = [make(relevances), make(relevances, { clips: 2 })]
    expect(() => b.restore(a.state)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }))
  })
})

describe('a source of a configuration', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonotext-lists-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('reads ratings from a file', async () => {
    const file = join(folder, 'r.csv')
    await writeFile(file, 'query,item,relevance\nc0#1,c0,1\nc0#1,c3,0.5\n')
    const setting = {
      clips: () => clips,
      batches: async (some: readonly Clip[], options = {}) =>
        new Batches({ ...common, ...options, clips: some }),
    }
    const source = await sources.build({ type: 'rated-lists', file, queries: 4 }, setting)
    const found = await epochOf(source as Batches)
    expect(found.flat().map(({ clip }) => clip.id)).toEqual(['c0', 'c3'])
    const none = () => sources.build({ type: 'rated-lists', file: join(folder, 'no.csv') }, setting)
    expect(none).toThrow(expect.objectContaining({ code: 'MISSING_FILE' }))
  })
})

describe('ListNet over rated lists', () => {
  const backend = referenceBackend({ precision: 'float64' })
  // Two lists that share clip b: three clips and two.
  const entries = [
    ['a', 'q', 0],
    ['b', 'q', 0],
    ['c', 'q', 0],
    ['b', 'r', 1],
    ['d', 'r', 1],
  ] as const
  const items = entries.map(([clip, caption, group]) => ({
    ...{ clip: { id: clip }, caption: { id: caption, text: caption }, group },
  }))
  const ratings = { q: { a: 1, b: 0.4, c: 0 }, r: { b: 0.9, d: 0.2 } } as Record<
    string,
    Record<string, number>
  >
  const graded = new Relevances(Object.entries(ratings).flatMap(([query, of]) => judged(query, of)))

  it('is the cross-entropy of each list by itself', () => {
    const [tauR, tau, d] = [0.2, 0.1, 4]
    const side = (names: readonly string[]) => {
      const rows = names.map((name) => {
        const rng = new Rng(5, name)
        const vector = Float64Array.from({ length: d }, () => rng.normal())
        const norm = Math.hypot(...vector)
        return vector.map((x) => x / norm)
      })
      return rows
    }
    const [audio, text] = [side(entries.map(([clip]) => clip)), side(entries.map(([, caption]) => caption))]
    using tape = new Tape(backend)
    const embedded = (rows: readonly Float64Array[]) => ({
      values: tape.constant([rows.length, 1, d], Float32Array.from(rows.flatMap((row) => [...row]))),
      lengths: new Int32Array(rows.length).fill(1),
    })
    const loss = softTargetLoss({
      targets: relevanceTargets(graded, { temperature: tauR }),
      ...{ direction: 'text-to-audio', compare: 'list', temperature: tau },
    })
    const input = new LossInput(tape, pooled(), { audio: embedded(audio), text: embedded(text), items })
    const { loss: value } = loss.build(backend).compute(input, new Rng(1))

    const shares = (xs: readonly number[]) => {
      const powers = xs.map(Math.exp)
      const sum = powers.reduce((a, b) => a + b)
      return powers.map((x) => x / sum)
    }
    let wanted = 0
    for (const [j, [, caption, group]] of entries.entries()) {
      const list = entries.flatMap(([clip, , own], i) => (own === group ? [{ clip, i }] : []))
      const p = shares(list.map(({ clip }) => ratings[caption]![clip]! / tauR))
      const q = shares(list.map(({ i }) => audio[i]!.reduce((s, x, k) => s + x * text[j]![k]!, 0) / tau))
      wanted -= p.reduce((sum, share, k) => sum + share * Math.log(q[k]!), 0) / entries.length
    }
    expect(value.item()).toBeCloseTo(wanted, 5)
    expect(loss.valueOfEqualScores(5)).toBeNull()
    expect(() => softTargetLoss({ targets: relevanceTargets(graded), compare: 'rows' as never })).toThrow(
      /list/,
    )
  })
})
