import type { Rng } from '../base/rng.js'
import { checkQuery, fromPicks, type NegativeStrategy } from './strategy.js'

/** `random-NS`: one clip and, independently, one caption, uniform over the pairs of other clips. */
export function randomNegatives(): NegativeStrategy {
  return {
    name: 'random',
    needs: [],
    select(query, rng) {
      checkQuery(query)
      const { n, groups } = query
      const audio = new Int32Array(n).fill(-1)
      const text = new Int32Array(n).fill(-1)
      const pool: number[] = []
      for (let i = 0; i < n; i++) {
        pool.length = 0
        for (let j = 0; j < n; j++) if (groups[j] !== groups[i]) pool.push(j)
        audio[i] = draw(pool, rng)
        text[i] = draw(pool, rng)
      }
      return fromPicks(audio, text)
    },
  }
}

function draw(pool: readonly number[], rng: Rng): number {
  return pool.length === 0 ? -1 : rng.pick(pool)
}
