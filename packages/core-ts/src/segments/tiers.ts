import { type LabelledSegment, oneLine } from './recording-segments.js'

export interface Tier {
  readonly name: string
  readonly segments: readonly LabelledSegment[]
}

/** A tier for each phrase, in which nothing overlaps: what does goes into a second one of that name with a number. Times ascend. */
export function tiersOf(segments: readonly LabelledSegment[]): Tier[] {
  const names = new Set<string>()
  return [...Map.groupBy(segments, ({ phrase }) => oneLine(phrase))].flatMap(([label, own]) => {
    const tiers: LabelledSegment[][] = []
    for (const segment of own.toSorted((a, b) => a.onset - b.onset || a.offset - b.offset)) {
      const free = tiers.find((tier) => tier.at(-1)!.offset <= segment.onset)
      if (free === undefined) tiers.push([segment])
      else free.push(segment)
    }
    return tiers.map((tier) => {
      let name = label
      for (let number = 2; names.has(name); number++) name = `${label} (${number})`
      names.add(name)
      return { name, segments: tier }
    })
  })
}
