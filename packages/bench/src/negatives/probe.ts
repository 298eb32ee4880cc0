import { Rng } from '@sonotext/core/base'
import type { Clip } from '@sonotext/core/data'
import { LossInput } from '@sonotext/core/losses'
import type { DualEncoder } from '@sonotext/core/models'
import type { Guard, NegativeStrategy } from '@sonotext/core/negatives'
import { Tape } from '@sonotext/core/nn'
import { poolEmbedded } from '@sonotext/core/similarity'
import type { PairBatch } from '@sonotext/core/train'
import type { StudyData } from './data.js'
import { margin } from './plan.js'
import { alignmentOf, type Geometry, geometryOf } from './geometry.js'

/** What a strategy chooses from a model as it stands, and how the model's vectors lie. */
export interface Look extends Geometry {
  readonly alignment: number
  /** Standard deviation of the scores of all pairs: 0 when the model tells nothing apart. */
  readonly scoreSpread: number
  /** Of chosen negatives; null where nothing is chosen. */
  readonly chosen: ChosenNegatives | null
}

export interface ChosenNegatives {
  /** Share with a hinge above 0: score above that of the pair less the margin. */
  readonly violating: number
  /** Mean share of the candidates that score lower: 1 for the hardest, 0.5 for a random one. */
  readonly percentile: number
  /** Share whose clip has the same classes of sound as the anchor's: they are no negatives, but for order and count. */
  readonly false: number
  /** Mean share of the classes of both clips that are in both: how much of a negative is true of the anchor. */
  readonly overlap: number
}

/** Counts of scores in equal bins from −1 to 1. */
export interface Histograms {
  readonly positives: readonly number[]
  readonly candidates: readonly number[]
  readonly chosen: readonly number[]
}

const bins = 200

export interface ProbeOptions {
  readonly model: DualEncoder
  readonly batches: readonly PairBatch[]
  readonly strategy: NegativeStrategy | null
  readonly guards: readonly Guard[]
  readonly classes: StudyData['classes']
  readonly epoch: number
}

export function probe(options: ProbeOptions): { look: Look; histograms: Histograms } {
  const { model, batches, strategy, guards, classes, epoch } = options
  const histogram = (): number[] => new Array<number>(bins).fill(0)
  const histograms = { positives: histogram(), candidates: histogram(), chosen: histogram() }
  const count = (counts: number[], score: number): void => {
    counts[Math.min(bins - 1, Math.max(0, Math.floor(((score + 1) / 2) * bins)))]!++
  }
  const classesOf = ({ id }: Pick<Clip, 'id'>): ReadonlySet<string> => classes.get(id)!
  const all: number[] = []
  const [audio, text]: [Float32Array[], Float32Array[]] = [[], []]
  const sums = { picks: 0, violating: 0, percentile: 0, false: 0, overlap: 0 }
  for (const [index, batch] of batches.entries()) {
    using tape = new Tape(model.backend)
    const { items } = batch
    const embedded = model.forward(tape, batch)
    const input = new LossInput(tape, model.similarity, { ...embedded, items, guards, epoch })
    const { rows: n, data } = input.plane('audio-text')
    const { barred } = input
    all.push(...data)
    audio.push(Float32Array.from(poolEmbedded(tape, embedded.audio).toArray()))
    text.push(Float32Array.from(poolEmbedded(tape, embedded.text).toArray()))
    const planes = strategy === null ? {} : input.planes(strategy.needs)
    const query = { items, step: 1, epoch, planes, barred }
    const picks = strategy?.select(query, new Rng(0, 'probe').fork(index))
    for (let i = 0; i < n; i++) {
      const own = data[i * n + i]!
      count(histograms.positives, own)
      for (const side of ['audio', 'text'] as const) {
        const [at, isFree] =
          side === 'audio'
            ? [(j: number) => data[j * n + i]!, (j: number) => !barred.has(j, i)]
            : [(j: number) => data[i * n + j]!, (j: number) => !barred.has(i, j)]
        const candidates = Array.from({ length: n }, (_, j) => j).filter(isFree)
        if (side === 'text') for (const j of candidates) count(histograms.candidates, at(j))
        if (picks === undefined) continue
        const { offsets, index: chosen } = picks[side]
        for (const j of chosen.subarray(offsets[i], offsets[i + 1])) {
          const score = at(j)
          count(histograms.chosen, score)
          sums.picks++
          if (score > own - margin) sums.violating++
          const shared = jaccard(classesOf(items[j]!.clip), classesOf(items[i]!.clip))
          sums.overlap += shared
          if (shared === 1) sums.false++
          const lower = candidates.filter((k) => at(k) < score).length
          const same = candidates.filter((k) => at(k) === score).length
          sums.percentile += (lower + (same - 1) / 2) / Math.max(1, candidates.length - 1)
        }
      }
    }
  }
  const vectors = joined(audio)
  const pairs = batches.reduce((sum, { items }) => sum + items.length, 0)
  const mean = all.reduce((sum, score) => sum + score, 0) / all.length
  const look: Look = {
    ...geometryOf(vectors, pairs),
    alignment: alignmentOf(vectors, joined(text), pairs),
    scoreSpread: Math.sqrt(all.reduce((sum, score) => sum + (score - mean) ** 2, 0) / all.length),
    chosen:
      sums.picks === 0
        ? null
        : {
            violating: sums.violating / sums.picks,
            percentile: sums.percentile / sums.picks,
            false: sums.false / sums.picks,
            overlap: sums.overlap / sums.picks,
          },
  }
  return { look, histograms }
}

/** Of what is in either, the share that is in both; 1 for two of nothing. */
function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0
  for (const name of a) if (b.has(name)) shared++
  const all = a.size + b.size - shared
  return all === 0 ? 1 : shared / all
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
