/**
 * The candidate a user most likely meant by `name`, or undefined when none is close: least edits (insert, delete, replace,
 * swap of neighbours), ignoring case and `_`/`-`, at most a third of the letters. Ties go to the earlier candidate.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(name)
  let best: string | undefined
  let bestCost = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const cost = editDistance(wanted, plain(candidate))
    if (cost < bestCost) {
      best = candidate
      bestCost = cost
    }
  }
  return best
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}

/** Optimal string alignment distance. */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const now = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let cost = Math.min(replace, last[j]! + 1, now[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1)
      now.push(cost)
    }
    before = last
    last = now
  }
  return last[b.length]!
}
