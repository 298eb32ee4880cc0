import type { HostArgs } from './host.js'

export function triplet(args: HostArgs<'triplet'>): void {
  const { scores, audioOffsets, audioIndex, textOffsets, textIndex, gradScores, stats, n, margin } = args
  const gradient = new Float64Array(n * n)
  let loss = 0
  let active = 0
  let positives = 0
  let negatives = 0
  let picks = 0
  /** Mean hinge over the cells of one anchor's picks; `cellOf` says which score a picked item stands for. */
  const hinges = (anchor: number, picked: Int32Array, cellOf: (item: number) => number): void => {
    const positive = anchor * n + anchor
    for (const item of picked) {
      const cell = cellOf(item)
      const hinge = scores[cell]! - scores[positive]! + margin
      negatives += scores[cell]!
      picks++
      if (Number.isNaN(hinge)) loss = NaN
      if (!(hinge > 0)) continue
      const weight = 1 / (n * picked.length)
      active++
      loss += weight * hinge
      gradient[cell]! += weight
      gradient[positive]! -= weight
    }
  }
  for (let i = 0; i < n; i++) {
    positives += scores[i * n + i]!
    hinges(i, audioIndex.subarray(audioOffsets[i], audioOffsets[i + 1]), (a) => a * n + i)
    hinges(i, textIndex.subarray(textOffsets[i], textOffsets[i + 1]), (t) => i * n + t)
  }
  gradScores.set(gradient)
  stats.set([loss, active / Math.max(picks, 1), positives / Math.max(n, 1), negatives / Math.max(picks, 1)])
}
