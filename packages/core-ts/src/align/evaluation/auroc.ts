import { clustersOf, type Interval } from '../../metrics/index.js'
import { frameLabels, type ScoreCurve } from './frame-labels.js'
import { intervalOfPseudoValues } from './jackknife.js'
import { ScoreOrder } from './score-order.js'
import type { TimeSpan } from '../../segments/time-span.js'

/** Area under the ROC curve of frames, phrase by phrase. */
export interface AurocByPhrase {
  /** Mean over the phrases that have frames with and without them; NaN where there is none. */
  readonly value: number
  /** 95 %, clips drawn at random; null with a single clip. */
  readonly interval: Interval | null
  /** By phrase, over all frames of its pairs; NaN where all frames or none are active. */
  readonly perPhrase: ReadonlyMap<string, number>
}

/**
 * Area under the ROC curve of frames, for each phrase over all its clips, ties counting half. How sure the mean is comes from how much each
 * clip's frames contribute (placement values summed by cluster: Obuchowski 1997, Biometrics 53; of a mean of several areas they add up).
 */
export function aurocByPhrase(
  curves: readonly ScoreCurve[],
  truth: readonly (readonly TimeSpan[])[],
  names: { readonly phrases: readonly string[]; readonly clips: readonly string[] },
): AurocByPhrase {
  const clusters = clustersOf(names.clips)
  const influence = new Float64Array(clusters.count)
  const perPhrase = new Map<string, number>()
  const order = new ScoreOrder()
  let sum = 0
  let counted = 0
  for (const [phrase, pairs] of Map.groupBy(curves.keys(), (pair) => names.phrases[pair]!)) {
    const own = pairs.map((pair) => ({
      scores: curves[pair]!.scores,
      labels: frameLabels(truth[pair]!, curves[pair]!),
      cluster: clusters.of[pair]!,
    }))
    const area = placementArea(own, order)
    perPhrase.set(phrase, area.value)
    if (Number.isNaN(area.value)) continue
    sum += area.value
    counted++
    for (const [i, { cluster }] of own.entries()) influence[cluster]! += area.influence[i]!
  }
  const value = sum / counted
  const pseudo = Array.from(influence, (own) => value + (clusters.count * own) / counted)
  return { value, interval: counted === 0 ? null : intervalOfPseudoValues(pseudo), perPhrase }
}

/**
 * Area under the ROC curve of the frames of single pairs: how well time is told within a clip, whatever the clip as a whole scores. NaN for a
 * pair whose frames are all active or all not.
 */
export function timingAuroc(
  curves: readonly ScoreCurve[],
  truth: readonly (readonly TimeSpan[])[],
): Float64Array {
  const order = new ScoreOrder()
  return Float64Array.from(curves, (curve, pair) => {
    const labels = frameLabels(truth[pair]!, curve)
    return placementArea([{ scores: curve.scores, labels }], order).value
  })
}

interface LabelledFrames {
  readonly scores: Float32Array
  readonly labels: Uint8Array
}

/** The area, and what each part adds to it beyond its share: Σ (placement − area) / frames, over active and other frames. */
function placementArea(
  parts: readonly LabelledFrames[],
  sorter: ScoreOrder,
): { value: number; influence: Float64Array } {
  const frames = parts.reduce((total, { scores }) => total + scores.length, 0)
  const scores = new Float32Array(frames)
  const labels = new Uint8Array(frames)
  const of = new Uint32Array(frames)
  let at = 0
  for (const [part, { scores: own, labels: ownLabels }] of parts.entries()) {
    scores.set(own, at)
    labels.set(ownLabels, at)
    of.fill(part, at, at + own.length)
    at += own.length
  }
  const active = labels.reduce((sum, label) => sum + label, 0)
  const other = frames - active
  const influence = new Float64Array(parts.length)
  if (active === 0 || other === 0) return { value: Number.NaN, influence }
  const order = sorter.of(scores)
  let [activeAbove, otherAbove] = [0, 0]
  let area = 0
  const placements = new Float64Array(frames)
  for (let from = 0; from < frames;) {
    let to = from
    let [activeHere, otherHere] = [0, 0]
    for (; to < frames && scores[order[to]!] === scores[order[from]!]; to++) {
      if (labels[order[to]!] === 1) activeHere++
      else otherHere++
    }
    const above = (activeAbove + activeHere / 2) / active
    const below = (other - otherAbove - otherHere / 2) / other
    for (let i = from; i < to; i++) placements[order[i]!] = labels[order[i]!] === 1 ? below : above
    area += activeHere * below
    activeAbove += activeHere
    otherAbove += otherHere
    from = to
  }
  const value = area / active
  for (let i = 0; i < frames; i++)
    influence[of[i]!]! += (placements[i]! - value) / (labels[i] === 1 ? active : other)
  return { value, influence }
}
