import { describe, expect, it } from 'vitest'
import { matrix, Rng } from '../base/index.js'
import { rankBothWays } from './evaluate.js'
import { StreamedRanks } from './streamed-ranks.js'

const plain = (ranks: ReturnType<typeof rankBothWays>) =>
  [ranks.textToAudio, ranks.audioToText].map((queries) =>
    queries.map((query) => ({ ranks: Array.from(query.ranks), relevant: query.relevant })),
  )

function* tiles(scores: Float32Array, rows: number, cols: number, rng: Rng) {
  const cut = (n: number) => {
    const order = Array.from({ length: n }, (_, i) => i)
    rng.shuffle(order)
    const parts: number[][] = []
    while (order.length > 0) parts.push(order.splice(0, 1 + rng.int(4)))
    return parts
  }
  for (const clips of cut(rows)) {
    for (const captions of cut(cols)) {
      const some = clips.flatMap((i) => captions.map((j) => scores[i * cols + j]!))
      yield { clips, captions, scores: Float32Array.from(some) }
    }
  }
}

describe('ranks from tiles that are looked at twice', () => {
  it('are those of the whole matrix, ties and clips without captions too', () => {
    for (let seed = 0; seed < 60; seed++) {
      const rng = new Rng(seed, 'tiles')
      const [rows, cols] = [1 + rng.int(9), 1 + rng.int(14)]
      const captionClip = Int32Array.from({ length: cols }, () => rng.int(rows))
      const scores = Float32Array.from({ length: rows * cols }, () =>
        seed % 2 === 0 ? rng.int(4) / 4 : rng.uniform(),
      )
      const streamed = new StreamedRanks(rows, captionClip)
      const all = [...tiles(scores, rows, cols, rng)]
      for (const tile of all) streamed.noteRelevant(tile)
      rng.shuffle(all)
      for (const tile of all) streamed.count(tile)
      expect(plain(streamed.ranks())).toEqual(plain(rankBothWays(matrix(rows, cols, scores), captionClip)))
    }
  })

  it('a score that is no number, or was not looked at, is not counted silently', () => {
    const tile = { clips: [0, 1], captions: [0, 1], scores: Float32Array.of(1, 0, NaN, 1) }
    const ranks = new StreamedRanks(2, [0, 1])
    ranks.noteRelevant(tile)
    expect(() => ranks.count(tile)).toThrow(/got NaN for clip 1 and caption 0/)
    const own = { ...tile, scores: Float32Array.of(NaN, 0, 0, 1) }
    expect(() => new StreamedRanks(2, [0, 1]).noteRelevant(own)).toThrow(/NaN for clip 0 and caption 0/)
    expect(() => new StreamedRanks(2, [0, 1]).ranks()).toThrow(/caption 0/)
    expect(() => new StreamedRanks(2, [0, 2])).toThrow(/captionClip\[1\]/)
    expect(() => new StreamedRanks(0, [])).toThrow(/at least one clip/)
  })
})
