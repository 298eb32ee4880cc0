import type { PairItem } from '../negatives/index.js'

/** Pairs of these groups: pair i is clip `c<i>` with caption `c<i>#1`. */
export function itemsOf(groups: ArrayLike<number>, texts: readonly string[] = []): PairItem[] {
  return Array.from(groups, (group, i) => ({
    clip: { id: `c${i}` },
    caption: { id: `c${i}#1`, text: texts[i] ?? `caption ${i}` },
    group,
  }))
}
