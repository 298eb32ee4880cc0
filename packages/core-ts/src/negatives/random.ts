import type { Rng } from '../base/rng.js'
import { checkQuery } from './query.js'
import { fromPicks, type NegativeStrategy, strategyPart } from './strategy.js'

/** `random-NS`: one clip and, independently, one caption, uniform over the pairs that are not barred. */
export function randomNegatives(): NegativeStrategy {
  return {
    name: 'random',
    needs: [],
    select(query, rng) {
      checkQuery(query)
      const { items, barred } = query
      const n = items.length
      const audio = new Int32Array(n).fill(-1)
      const text = new Int32Array(n).fill(-1)
      const clips: number[] = []
      const captions: number[] = []
      for (let i = 0; i < n; i++) {
        clips.length = captions.length = 0
        for (let j = 0; j < n; j++) {
          if (!barred.has(j, i)) clips.push(j)
          if (!barred.has(i, j)) captions.push(j)
        }
        audio[i] = draw(clips, rng)
        text[i] = draw(captions, rng)
      }
      return fromPicks(audio, text)
    },
  }
}

export const random = strategyPart({
  name: 'random',
  description: 'A clip and, independently, a caption, drawn at random.',
  schema: { properties: {} },
  fromConfig: randomNegatives,
})

function draw(pool: readonly number[], rng: Rng): number {
  return pool.length === 0 ? -1 : rng.pick(pool)
}
