import { checkOptions, expected, type Matrix, Rng, SonotextError } from '../../base/index.js'

/** Options of {@link retrievalPools}. */
export interface RetrievalPoolsOptions {
  /** Candidates of each query, its own answer among them. Default 30. */
  readonly pool?: number
  /** How often all is drawn anew. Default 20. */
  readonly repeats?: number
  /** Ranks within which the answer is a hit. Default 1 and 5. */
  readonly ranks?: readonly number[]
  /** Default 17. */
  readonly seed?: number
}

/** Mean over the draws, and their standard deviation (population). */
export interface PooledRecall {
  readonly mean: number
  readonly deviation: number
  /** rank / pool */
  readonly chance: number
}

/** Recall within pools of clips. */
export interface RetrievalPools {
  readonly clips: number
  /** By `R@k`. */
  readonly audioToText: Readonly<Record<string, PooledRecall>>
  readonly textToAudio: Readonly<Record<string, PooledRecall>>
}

/**
 * Retrieval in small pools (Xie et al. 2022): for each clip one of its captions is drawn, and other clips with one caption each, without
 * replacement; the clip is asked against the captions of the pool, and its caption against the clips. Ties count against the answer.
 * `scores` is [clips × captions], larger = more alike; `captionClip[j]` the clip that caption j belongs to.
 * @throws SonotextError INVALID_ARGUMENT on sizes that do not fit, INVALID_DATA with fewer clips with captions than a pool holds or NaN scores
 */
export function retrievalPools(
  scores: Matrix,
  captionClip: ArrayLike<number>,
  options: RetrievalPoolsOptions = {},
): RetrievalPools {
  const { pool = 30, repeats = 20, ranks = [1, 5], seed = 17 } = checkOptions(options, 'retrievalPools')
  const whole = [
    ['pool', pool],
    ['repeats', repeats],
    ...ranks.map((rank) => ['ranks', rank] as const),
  ] as const
  for (const [name, value] of whole)
    if (!Number.isSafeInteger(value) || value < 1) throw expected('a whole number from 1', name, value)
  if (captionClip.length !== scores.cols)
    throw expected(`${scores.cols} clips, one a caption`, 'captionClip', captionClip)
  const captionsOf = Array.from({ length: scores.rows }, (): number[] => [])
  for (let caption = 0; caption < scores.cols; caption++) {
    const own = captionsOf[captionClip[caption]!]
    if (own === undefined)
      throw expected(`a clip below ${scores.rows}`, `captionClip[${caption}]`, captionClip[caption])
    own.push(caption)
  }
  const clips = captionsOf.flatMap((captions, clip) => (captions.length > 0 ? [clip] : []))
  if (clips.length < pool) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected ${pool} clips with captions for a pool, got ${clips.length}.`,
      {
        remedy: 'Ask for smaller pools.',
      },
    )
  }
  if (scores.data.some(Number.isNaN)) {
    throw new SonotextError('INVALID_DATA', 'Expected scores that are numbers, got NaN.')
  }
  const rng = new Rng(seed, 'retrieval-pools')
  const runs = Array.from({ length: repeats }, () => drawn(scores, clips, captionsOf, { pool, ranks }, rng))
  const summary = (of: (run: PoolHits) => readonly number[]): Record<string, PooledRecall> =>
    Object.fromEntries(
      ranks.map((rank, i) => {
        const values = runs.map((run) => of(run)[i]! / clips.length)
        const mean = values.reduce((sum, value) => sum + value, 0) / repeats
        const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
        return [
          `R@${rank}`,
          { mean, deviation: Math.sqrt(squares / repeats), chance: Math.min(1, rank / pool) },
        ]
      }),
    )
  return {
    clips: clips.length,
    audioToText: summary(({ audioToText }) => audioToText),
    textToAudio: summary(({ textToAudio }) => textToAudio),
  }
}

/** Hits within each of the ranks. */
interface PoolHits {
  readonly audioToText: number[]
  readonly textToAudio: number[]
}

function drawn(
  { cols, data }: Matrix,
  clips: readonly number[],
  captionsOf: readonly (readonly number[])[],
  { pool, ranks }: { pool: number; ranks: readonly number[] },
  rng: Rng,
): PoolHits {
  const hits: PoolHits = { audioToText: ranks.map(() => 0), textToAudio: ranks.map(() => 0) }
  const others = clips.slice()
  for (const clip of clips) {
    const caption = rng.pick(captionsOf[clip]!)
    const own = data[clip * cols + caption]!
    let [captionsBefore, clipsBefore] = [0, 0]
    for (let taken = 0, at = 0; taken < pool - 1; at++) {
      const swap = at + rng.int(others.length - at)
      const other = others[swap]!
      others[swap] = others[at]!
      others[at] = other
      if (other === clip) continue
      taken++
      if (data[clip * cols + rng.pick(captionsOf[other]!)]! >= own) captionsBefore++
      if (data[other * cols + caption]! >= own) clipsBefore++
    }
    for (const [i, rank] of ranks.entries()) {
      if (captionsBefore < rank) hits.audioToText[i]!++
      if (clipsBefore < rank) hits.textToAudio[i]!++
    }
  }
  return hits
}
