import type { Matrix } from '@sonotext/core/base'
import type { Clip } from '@sonotext/core/data'

/** What the first hit of every caption has in common with the scene the caption is about. */
export interface Confusions {
  readonly queries: number
  /** Shares of all queries by the sounds of the first hit. */
  readonly firstHit: {
    readonly rightScene: number
    /** Another scene with exactly the same classes of sound: order, count or overlap decided wrongly. */
    readonly sameClasses: number
    /** Some of the classes, or all and more. */
    readonly someClasses: number
    readonly noClass: number
  }
  /** For each class: captions of scenes that hold it, and the share whose first hit holds it too. */
  readonly classes: readonly { label: string; queries: number; found: number }[]
  /** Class that the first hit lacks, and what it has instead, most frequent first. */
  readonly mistaken: readonly { wanted: string; got: string; count: number }[]
}

/** `scores` [clips × captions], `captionClip[j]` the row of caption j's clip. */
export function confusionsOf(
  scores: Matrix,
  captionClip: ArrayLike<number>,
  clips: readonly Clip[],
): Confusions {
  const classes = clips.map((clip) => new Set(clip.events?.map(({ label }) => label)))
  const counts = { rightScene: 0, sameClasses: 0, someClasses: 0, noClass: 0 }
  const perClass = new Map<string, { queries: number; found: number }>()
  const mistaken = new Map<string, number>()
  for (let query = 0; query < scores.cols; query++) {
    const own = captionClip[query]!
    const hit = bestRow(scores, query)
    const [wanted, got] = [classes[own]!, classes[hit]!]
    const shared = [...wanted].filter((label) => got.has(label))
    if (hit === own) counts.rightScene++
    else if (shared.length === wanted.size && got.size === wanted.size) counts.sameClasses++
    else if (shared.length > 0) counts.someClasses++
    else counts.noClass++
    for (const label of wanted) {
      const entry = perClass.get(label) ?? { queries: 0, found: 0 }
      perClass.set(label, { queries: entry.queries + 1, found: entry.found + (got.has(label) ? 1 : 0) })
      if (got.has(label)) continue
      for (const other of got) {
        if (wanted.has(other)) continue
        const key = `${label}\t${other}`
        mistaken.set(key, (mistaken.get(key) ?? 0) + 1)
      }
    }
  }
  const share = (count: number): number => count / scores.cols
  return {
    queries: scores.cols,
    firstHit: {
      rightScene: share(counts.rightScene),
      sameClasses: share(counts.sameClasses),
      someClasses: share(counts.someClasses),
      noClass: share(counts.noClass),
    },
    classes: [...perClass]
      .map(([label, { queries, found }]) => ({ label, queries, found: found / queries }))
      .sort((a, b) => a.found - b.found),
    mistaken: [...mistaken]
      .map(([key, count]) => ({ wanted: key.split('\t')[0]!, got: key.split('\t')[1]!, count }))
      .sort((a, b) => b.count - a.count),
  }
}

function bestRow({ rows, cols, data }: Matrix, column: number): number {
  let best = 0
  for (let r = 1; r < rows; r++) if (data[r * cols + column]! > data[best * cols + column]!) best = r
  return best
}
