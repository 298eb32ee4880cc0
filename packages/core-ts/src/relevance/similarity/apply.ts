import type { Backend } from '../../backend/port.js'
import { checkOptions, expected, matrix, type Matrix, nextTurn, row } from '../../base/index.js'
import { Relevances, type JudgedPair } from '../relevances.js'
import type { CaptionedClips } from './captioned.js'
import type { SimilarityFeature } from './features.js'
import type { RelevanceModel } from './model.js'
import type { CaptionVectors } from './vectors.js'

/** Options of {@link applyRelevance}. */
export interface ApplyOptions {
  readonly backend: Backend
  /** Clips kept for each caption, the most relevant ones; default 50. */
  readonly top?: number
  /** Less relevant clips are not kept; default 0. */
  readonly least?: number
  /** Told after every block of captions. */
  readonly onProgress?: (done: number, total: number) => void
  /** Told of the captions that no feature knows a word of, if there are any: what is said of them is the same for every clip. */
  readonly onUnknown?: (captions: readonly string[]) => void
  readonly signal?: AbortSignal
}

/** Bytes of a block of products. */
const blockBytes = 2 ** 26

/**
 * The relevance of the clips for every caption of a corpus, the `top` of them: captions × clips is gone through in blocks and never held. A
 * caption is not compared with itself: for its own clip the clip's other captions count, or, where it has none, the caption itself.
 */
export async function applyRelevance(
  model: RelevanceModel,
  captioned: CaptionedClips,
  options: ApplyOptions,
): Promise<Relevances> {
  const {
    backend,
    top = 50,
    least = 0,
    onProgress,
    onUnknown,
    signal,
  } = checkOptions(options, 'applyRelevance')
  if (!Number.isInteger(top) || top < 1) throw expected('a whole number from 1', 'top', top)
  if (!(least >= 0 && least <= 1)) throw expected('a number from 0 to 1', 'least', least)
  const { captions } = captioned
  const clips = [...captioned.byClip.keys()]
  const all = await embedded(model.features, captioned, signal)
  const unknown = captions.filter((_, i) => all.every((vectors) => row(vectors, i).every((x) => x === 0)))
  if (unknown.length > 0) onUnknown?.(unknown.map(({ id }) => id))
  const sides = all.map((vectors, j) => compared(model.features[j]!, vectors, captioned))
  const kept = Math.min(top, clips.length)
  const block = Math.max(
    1,
    Math.min(512, Math.floor(blockBytes / 4 / Math.max(...sides.map(({ right }) => right.rows)))),
  )
  const predictor = new Float32Array(block * clips.length)
  const pairs: JudgedPair[] = []
  const clipOf = new Map(clips.map((clip, c) => [clip, c]))
  for (let first = 0; first < captions.length; first += block) {
    const count = Math.min(block, captions.length - first)
    predictor.fill(model.constants.intercept)
    for (const [j, side] of sides.entries()) {
      const slope = model.constants.slopes[j]!
      if (slope === 0) continue
      const products = await multiplied(backend, rowsOf(side.left, first, count), side.right, signal)
      side.add(products, count, first, slope, predictor)
    }
    for (let q = 0; q < count; q++) {
      const { id: query, clip } = captions[first + q]!
      const line = predictor.subarray(q * clips.length, (q + 1) * clips.length)
      for (const { item, value } of largest(line, kept)) {
        const relevance = model.relevanceAt(value)
        if (relevance < least) break
        const group = clipOf.get(clip) === item ? 'TP' : null
        pairs.push({ query, item: clips[item]!, relevance, raters: 0, deviation: null, played: null, group })
      }
    }
    onProgress?.(first + count, captions.length)
    await nextTurn(signal)
  }
  return new Relevances(pairs)
}

/** The vectors of all captions for each feature; features of the same vectors share them. */
async function embedded(
  features: readonly SimilarityFeature[],
  { captions }: CaptionedClips,
  signal: AbortSignal | undefined,
): Promise<Matrix[]> {
  const known = new Map<CaptionVectors, Promise<Matrix>>()
  const all: Matrix[] = []
  for (const { vectors } of features) {
    let found = known.get(vectors)
    if (found === undefined)
      known.set(vectors, (found = vectors.embed(captions, { ...(signal && { signal }) })))
    all.push(await found)
  }
  return all
}

/** How one feature is computed in blocks. */
interface Compared {
  /** [captions × d], the queries. */
  readonly left: Matrix
  /** [clips × d] or [captions × d]. */
  readonly right: Matrix
  /** Takes slope·(1 − similarity) of each clip from the predictor of each query of a block. */
  add(products: Float32Array, queries: number, first: number, slope: number, predictor: Float32Array): void
}

/** Similarities in the mean are products with the mean of a clip's vectors; the greatest one needs those with every caption. */
function compared(
  { over }: SimilarityFeature,
  vectors: Matrix,
  { captions, byClip }: CaptionedClips,
): Compared {
  const placeOf = new Map(captions.map(({ id }, place) => [id, place]))
  const members = Array.from(byClip.values(), (some) => Int32Array.from(some, ({ id }) => placeOf.get(id)!))
  const clipOf = new Int32Array(captions.length)
  members.forEach((places, clip) => places.forEach((place) => (clipOf[place] = clip)))
  const clips = members.length
  const self = (caption: number): number => row(vectors, caption).reduce((sum, x) => sum + x * x, 0)
  if (over === 'mean') {
    const means = matrix(clips, vectors.cols)
    members.forEach((places, clip) => {
      const mean = row(means, clip)
      for (const place of places) row(vectors, place).forEach((x, d) => (mean[d]! += x / places.length))
    })
    return {
      left: vectors,
      right: means,
      add(products, queries, first, slope, predictor) {
        for (let i = 0; i < queries * clips; i++) predictor[i]! -= slope * (1 - products[i]!)
        for (let q = 0; q < queries; q++) {
          const own = clipOf[first + q]!
          const count = members[own]!.length
          if (count === 1) continue
          const at = q * clips + own
          const others = (products[at]! * count - self(first + q)) / (count - 1)
          predictor[at]! += slope * (others - products[at]!)
        }
      },
    }
  }
  return {
    left: vectors,
    right: vectors,
    add(products, queries, first, slope, predictor) {
      for (let q = 0; q < queries; q++) {
        const line = products.subarray(q * captions.length, (q + 1) * captions.length)
        for (let clip = 0; clip < clips; clip++) {
          const places = members[clip]!
          let most = -Infinity
          for (let p = 0; p < places.length; p++) {
            const place = places[p]!
            if (line[place]! > most && (place !== first + q || places.length === 1)) most = line[place]!
          }
          predictor[q * clips + clip]! -= slope * (1 - most)
        }
      }
    },
  }
}

/** left · rightᵀ on the backend. */
async function multiplied(
  backend: Backend,
  left: Matrix,
  right: Matrix,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const { memory } = backend
  const [m, n, k] = [left.rows, right.rows, left.cols]
  const [a, b, out] = [memory.alloc(m * k), memory.alloc(n * k), memory.alloc(m * n)]
  try {
    memory.upload(left.data, a)
    memory.upload(right.data, b)
    const shape = { m, n, k, transA: 0, transB: 1, alpha: 1, beta: 0, slope: 1 }
    await backend.runAsync('gemm', { a, b, bias: null, out, ...shape }, { ...(signal && { signal }) })
    return Float32Array.from(memory.download(out))
  } finally {
    for (const buffer of [a, b, out]) memory.free(buffer)
  }
}

function rowsOf(m: Matrix, first: number, count: number): Matrix {
  return matrix(count, m.cols, m.data.subarray(first * m.cols, (first + count) * m.cols))
}

/** The `count` largest values with their places, falling; of equal ones the lower place comes first. */
function largest(values: Float32Array, count: number): { item: number; value: number }[] {
  const best: { item: number; value: number }[] = []
  let least = -Infinity
  for (let item = 0; item < values.length; item++) {
    const value = values[item]!
    if (best.length === count && value <= least) continue
    if (best.length === count) best.pop()
    let at = best.length
    while (at > 0 && best[at - 1]!.value < value) at--
    best.splice(at, 0, { item, value })
    least = best.at(-1)!.value
  }
  return best
}
