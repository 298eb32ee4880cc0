import { expected } from '../base/index.js'

/** Pearson's product-moment correlation; null where either side is constant or there are fewer than two pairs. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  const n = paired(x, y)
  let [meanX, meanY] = [0, 0]
  for (let i = 0; i < n; i++) {
    meanX += x[i]! / n
    meanY += y[i]! / n
  }
  let [xy, xx, yy] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const [dx, dy] = [x[i]! - meanX, y[i]! - meanY]
    xy += dx * dy
    xx += dx * dx
    yy += dy * dy
  }
  // Differences from the mean of equal numbers are rounding.
  const isConstant = (squares: number, values: ArrayLike<number>) =>
    squares === 0 || Array.from(values).every((value) => value === values[0])
  if (n < 2 || isConstant(xx, x) || isConstant(yy, y)) return null
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)))
}

/** Spearman's ρ: Pearson's correlation of the ranks, equal values sharing the mean of theirs. null as {@link pearson}. */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  paired(x, y)
  return pearson(averageRanks(x), averageRanks(y))
}

/**
 * Kendall's τ-b (Kendall 1945): (concordant − discordant) / √((pairs not tied in x)·(pairs not tied in y)). In n log n (Knight 1966). null
 * where all of x or all of y are tied.
 */
export function kendall(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  const n = paired(x, y)
  const order = Int32Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => compare(x[a]!, x[b]!) || compare(y[a]!, y[b]!),
  )
  const all = (n * (n - 1)) / 2
  const tied = (same: (a: number, b: number) => boolean): number => {
    let pairs = 0
    for (let i = 1, run = 1; i <= n; i++) {
      if (i < n && same(order[i - 1]!, order[i]!)) run++
      else {
        pairs += (run * (run - 1)) / 2
        run = 1
      }
    }
    return pairs
  }
  const tiedX = tied((a, b) => x[a] === x[b])
  const tiedBoth = tied((a, b) => x[a] === x[b] && y[a] === y[b])
  const values = Float64Array.from(order, (i) => y[i]!)
  const exchanges = sortCounting(values)
  order.sort((a, b) => compare(y[a]!, y[b]!))
  const tiedY = tied((a, b) => y[a] === y[b])
  if (n < 2 || tiedX === all || tiedY === all) return null
  const lead = all - tiedX - tiedY + tiedBoth - 2 * exchanges
  return Math.max(-1, Math.min(1, lead / Math.sqrt(all - tiedX) / Math.sqrt(all - tiedY)))
}

/** Ranks from 1, equal values sharing the mean of theirs. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = Int32Array.from({ length: values.length }, (_, i) => i).sort((a, b) =>
    compare(values[a]!, values[b]!),
  )
  const ranks = new Float64Array(values.length)
  for (let start = 0; start < order.length;) {
    let end = start
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++
    for (let i = start; i < end; i++) ranks[order[i]!] = (start + 1 + end) / 2
    start = end
  }
  return ranks
}

/** Sorts by merging and counts the pairs that stood the wrong way round. */
function sortCounting(values: Float64Array): number {
  let exchanges = 0
  let from = values
  let to: Float64Array = new Float64Array(values.length)
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const middle = Math.min(start + width, values.length)
      const end = Math.min(start + 2 * width, values.length)
      let [left, right] = [start, middle]
      for (let at = start; at < end; at++) {
        if (right >= end || (left < middle && from[left]! <= from[right]!)) to[at] = from[left++]!
        else {
          exchanges += middle - left
          to[at] = from[right++]!
        }
      }
    }
    ;[from, to] = [to, from]
  }
  return exchanges
}

/** Not a difference: two infinite ranks are equal. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function paired(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) throw expected(`${x.length} numbers`, 'y', y)
  for (let i = 0; i < x.length; i++)
    if (Number.isNaN(x[i]) || Number.isNaN(y[i])) throw expected('numbers', 'what is correlated', Number.NaN)
  return x.length
}
