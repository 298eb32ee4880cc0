import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Rng } from '../base/rng.js'
import { atOnce } from '../base/turn.js'
import { neighbouringCaptions } from './index.js'

const golden = JSON.parse(
  readFileSync(new URL('../../test-data/negatives/neighbours.json', import.meta.url), 'utf8'),
) as { readonly captions: readonly string[]; readonly cosines: readonly (readonly number[])[] }

const orderOf = (cluster: number, captions: readonly string[], batchSize: number, seed: number) =>
  atOnce(neighbouringCaptions(cluster).order(captions, batchSize, new Rng(seed)))

describe('neighbouring captions', () => {
  it.each([2, 3, 4])('are those that NumPy finds nearest, %i at a time', (cluster) => {
    const { captions, cosines } = golden
    const order = [...orderOf(cluster, captions, 12, 5)]
    const clusters = Array.from({ length: Math.floor(captions.length / cluster) }, (_, k) =>
      order.slice(k * cluster, (k + 1) * cluster),
    )
    // Whoever was still free when a cluster was made is in a later one or in none; in which order they were made is not told, so that a
    // member must be nearer than all that are in no cluster, which were free all the time.
    const loose = order.slice(clusters.length * cluster)
    for (const [head, ...members] of clusters) {
      const of = (place: number): number => cosines[head!]![place]!
      for (const [i, member] of members.entries()) {
        if (i > 0) expect(of(member)).toBeLessThanOrEqual(of(members[i - 1]!) + 1e-9)
        for (const free of loose) expect(of(free)).toBeLessThanOrEqual(of(member) + 1e-9)
      }
    }
    // The first one made takes the nearest of all.
    const nearest = (head: number): number => Math.max(...cosines[head]!.filter((_, place) => place !== head))
    expect(clusters.some(([head, first]) => Math.abs(cosines[head!]![first!]! - nearest(head!)) < 1e-9)).toBe(
      true,
    )
  })

  it('keeps topics together', () => {
    const topics = [
      'dog barks in the yard',
      'rain falls on a roof',
      'church bell rings far away',
      'engine starts and stalls',
    ]
    const captions = Array.from(
      { length: 64 },
      (_, i) => `${topics[i % 4]} ${'abcdefghijklmnop'.charAt(i / 4)}`,
    )
    const order = orderOf(8, captions, 16, 1)
    for (let at = 0; at < 64; at += 8)
      expect(new Set([...order.subarray(at, at + 8)].map((place) => place % 4)).size).toBe(1)
  })

  it('has every place once, the same for the same stream, whatever the captions', () => {
    const captions = fc.array(fc.oneof(fc.constantFrom('a dog', 'a dog barks', 'rain', ''), fc.string()), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(
        captions,
        fc.integer({ min: 2, max: 9 }),
        fc.integer({ min: 2, max: 20 }),
        fc.nat(),
        (all, cluster, batch, seed) => {
          const order = orderOf(cluster, all, batch, seed)
          expect([...order].sort((a, b) => a - b)).toEqual([...all.keys()])
          expect(orderOf(cluster, all, batch, seed)).toEqual(order)
        },
      ),
    )
  })

  it('refuses clusters of one', () => expect(() => neighbouringCaptions(1)).toThrow(/cluster/))
})
