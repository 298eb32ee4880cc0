import { describe, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { rankBothWays } from '../metrics/index.js'
import { frameWord, pooled } from '../similarity/index.js'
import { clipFeatures, toyData, toyRun } from '../testing/toy-run.js'
import { portions, rankSplit } from './evaluate-large.js'
import { scoreSplit } from './evaluate-model.js'

const plain = (ranks: ReturnType<typeof rankBothWays>) =>
  [ranks.textToAudio, ranks.audioToText].map((queries) => queries.map((query) => Array.from(query.ranks)))

describe('a split without its matrix of scores', () => {
  it.each([
    ['pooled', 'projection', pooled(), 40],
    ['STSQ', 'crnn', frameWord(), 5],
    ['MTSQ', 'crnn', frameWord({ reduction: 'MTSQ' }), 5],
  ] as const)('%s: has the ranks of the matrix, whatever is kept', async (_, network, similarity, takes) => {
    const { model } = toyRun(openBackend(), { network, similarity })
    const toy = network === 'projection' ? toyData(1, 12, { takes }) : toyData(16, 64, { takes })
    let reads = 0
    const features = async (clip: (typeof toy.clips)[number]) => {
      reads++
      return clipFeatures(toy.features(clip))
    }
    const { scores, captionClip } = await scoreSplit(model, toy.clips, features)
    const whole = plain(rankBothWays(scores, captionClip))
    for (const [kept, times] of [
      [2 ** 29, 1],
      [0, 2],
    ] as const) {
      reads = 0
      const done: number[] = []
      const ranks = await rankSplit(model, toy.clips, features, { kept, onProgress: (n) => done.push(n) })
      expect(reads).toBe(times * toy.clips.length)
      expect(done.at(-1)).toBe(toy.clips.length)
      const streamed = plain(ranks)
      // Products of other sizes round differently in the last bit: next to nothing may change its place.
      let moved = 0
      let queries = 0
      for (const [d, direction] of streamed.entries())
        for (const [q, of] of direction.entries()) {
          queries++
          if (of.some((rank, r) => rank !== whole[d]![q]![r])) moved++
        }
      expect(moved / queries).toBeLessThan(0.01)
    }
  })

  it('stops when it is told to', async () => {
    const { model } = toyRun(openBackend())
    const toy = toyData(1, 12)
    const features = async (clip: (typeof toy.clips)[number]) => clipFeatures(toy.features(clip))
    const controller = new AbortController()
    const ranking = rankSplit(model, toy.clips, features, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    })
    await expect(ranking).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('features are asked for one portion ahead and no more', async () => {
    const toy = toyData(1, 12, { takes: 20 })
    let asked = 0
    const features = async (clip: (typeof toy.clips)[number]) => {
      asked++
      return clipFeatures(toy.features(clip))
    }
    let taken = 0
    for await (const some of portions(toy.clips, features, {})) {
      taken += some.length
      expect(asked).toBe(Math.min(toy.clips.length, taken + 64))
    }
    expect(taken).toBe(toy.clips.length)
  })
})
