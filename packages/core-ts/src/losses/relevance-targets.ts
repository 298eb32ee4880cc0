import { expected } from '../base/errors.js'
import { type Matrix, matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import type { RaggedWeights } from '../base/ragged.js'
import type { PairItem } from '../negatives/index.js'
import { readRelevancesNow, type Relevances, softWeight } from '../relevance/index.js'
import { type Targets, targetsPart } from './targets.js'

/** Options of {@link relevanceTargets}. */
export interface RelevanceTargetsOptions {
  /**
   * What becomes of relevance r in [0, 1]. 'softmax': shares of exp(r / τ), the probabilities of a ranking; 'share': shares of r; 'binary':
   * every pair of at least `threshold` is a positive like the clip's own. Default 'softmax'.
   */
  form?: 'softmax' | 'share' | 'binary'
  /** τ of softmax. Default 0.05. */
  temperature?: number
  /** Least relevance of a further positive. Default 0.5. */
  threshold?: number
  /** Relevance of a clip's own caption where nobody has judged it. Default 1. */
  own?: number
  /** Relevance of other pairs that nobody has judged. Default 0. */
  unjudged?: number
  /** Where the relevance is from, for checkpoints. */
  file?: string
}

/**
 * Targets from graded relevance of captions (queries) and clips (items) by their ids: ratings, or what a model of caption similarity says. What
 * is assumed of pairs that nobody has judged is an option; with the guard `unjudged` they are left out instead.
 */
export function relevanceTargets(relevances: Relevances, options: RelevanceTargetsOptions = {}): Targets {
  const {
    form = 'softmax',
    temperature = 0.05,
    threshold = 0.5,
    own = 1,
    unjudged = 0,
    file,
  } = checkOptions(options, 'relevanceTargets')
  if (!(temperature > 0 && temperature < Infinity))
    throw expected('a number above 0', 'temperature', temperature)
  for (const [name, value] of Object.entries({ threshold, own, unjudged }))
    if (!(value >= 0 && value <= 1)) throw expected('a number from 0 to 1', name, value)
  const weightOf = {
    softmax: (r: number) => softWeight(r, temperature),
    share: (r: number) => r,
    binary: (r: number) => (r >= threshold ? 1 : 0),
  }[form]
  if (weightOf === undefined) throw expected('softmax, share or binary', 'form', form)
  return {
    name: 'relevance',
    config: { file, form, temperature, threshold, own, unjudged },
    weights({ items }) {
      const weight = (i: number, j: number, judged: ReadonlyMap<string, number>): number => {
        const isOwn = items[i]!.group === items[j]!.group
        // One positive is a pair's own whatever its rating: the caption was written for the clip.
        const r = form === 'binary' && isOwn ? 1 : judged.get(items[i]!.clip.id)
        return weightOf(r ?? (isOwn ? own : unjudged))
      }
      const judgedOf = ({ caption }: PairItem) => relevances.judged(caption.id)
      // Where pairs that nobody has judged have no share, only the others are written down: large batches have no n × n weights.
      return weightOf(unjudged) === 0 ? listed(items, judgedOf, weight) : dense(items, judgedOf, weight)
    },
  }
}

type WeightOf = (clip: number, caption: number, judged: ReadonlyMap<string, number>) => number
type JudgedOf = (item: PairItem) => ReadonlyMap<string, number>

function dense(items: readonly PairItem[], judgedOf: JudgedOf, weight: WeightOf): Matrix {
  const n = items.length
  const weights = matrix(n, n)
  for (let j = 0; j < n; j++) {
    const judged = judgedOf(items[j]!)
    for (let i = 0; i < n; i++) weights.data[i * n + j] = weight(i, j, judged)
  }
  return weights
}

/** For each clip its captions that weigh more than nothing: those of its group and judged ones. */
function listed(items: readonly PairItem[], judgedOf: JudgedOf, weight: WeightOf): RaggedWeights {
  const rowsOf = <K>(key: (item: PairItem) => K) => Map.groupBy(items.keys(), (i) => key(items[i]!))
  const [byClip, byGroup] = [rowsOf(({ clip }) => clip.id), rowsOf(({ group }) => group)]
  const lists = items.map((): [number, number][] => [])
  for (const [j, item] of items.entries()) {
    const judged = judgedOf(item)
    const clips = new Set(byGroup.get(item.group))
    // The shorter way round: what is judged of a caption may be far more than a batch holds, or far less.
    if (judged.size < byClip.size)
      for (const id of judged.keys()) for (const i of byClip.get(id) ?? []) clips.add(i)
    else for (const [id, rows] of byClip) if (judged.has(id)) for (const i of rows) clips.add(i)
    for (const i of clips) {
      const own = weight(i, j, judged)
      if (own > 0) lists[i]!.push([j, own])
    }
  }
  const offsets = new Int32Array(items.length + 1)
  for (const [i, list] of lists.entries()) offsets[i + 1] = offsets[i]! + list.length
  const flat = lists.flat()
  return {
    offsets,
    index: Int32Array.from(flat, ([caption]) => caption),
    weights: Float32Array.from(flat, ([, value]) => value),
  }
}

export const relevanceTargetsPart = targetsPart({
  name: 'relevance',
  description:
    'Graded relevance of captions and clips from a file: ratings, or what sonotext relevance apply wrote.',
  schema: {
    properties: {
      file: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description: 'CSV query,item,relevance or ratings: ids of captions and of clips.',
      },
      form: {
        enum: ['softmax', 'share', 'binary'],
        default: 'softmax',
        description:
          'softmax: shares of exp(relevance / temperature); share: of relevance; binary: pairs from the threshold on are positives.',
      },
      temperature: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 0.05,
        description: 'Of softmax: the lower, the more the most relevant pairs have.',
      },
      threshold: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0.5,
        description: 'Of binary: least relevance of a further positive.',
      },
      own: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 1,
        description: 'Relevance of a clip’s own caption where nobody has judged it.',
      },
      unjudged: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0,
        description: 'Relevance of other pairs that nobody has judged.',
      },
    },
    required: ['file'],
  },
  fromConfig: (config) => relevanceTargets(readRelevancesNow(config.file), config),
})
