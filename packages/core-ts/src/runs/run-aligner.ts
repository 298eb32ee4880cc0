import {
  type AlignedSegment,
  type AlignOptions,
  type AlignScorer,
  calibrate,
  decodeSegments,
  type FindMomentsOptions,
  type Moment,
  momentsOf,
  type PhraseCalibration,
  phrasesOf,
  scoreClip,
  type ScoreMap,
  type WordReduction,
} from '../align/index.js'
import { type Matrix, matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import type { Corpus, CorpusClip } from '../corpus/index.js'
import { type Clip, clipsOfSplit, readCollection } from '../data/index.js'
import { frameScorer } from '../models/index.js'
import type { CaptionPhrases } from '../text/index.js'
import { type OpenRun, readsForeign } from './run-folder.js'

/** Options of {@link openRunAligner}. */
export interface RunAlignerOptions {
  /** Seconds of a recording that are scored at once. Default 30. */
  window?: number
  /** Seconds of context at both ends of a window, which are heard and not used. Default 2. */
  margin?: number
  /** How the scores of a phrase's words become one. Default mean. */
  words?: WordReduction
  /** Seconds of a running mean over the scores: `smooth` of scoreClip. Default 0. */
  smooth?: number
  /** Recordings without labels by which thresholds are found: see {@link unlabelledClips}. Default none: min–max over the clip. */
  unlabelled?: readonly CorpusClip[]
  /** Where features of the clips are kept; left out, they are not. */
  cacheFolder?: string
  /** The same of the recordings without labels. Default {@link cacheFolder}. */
  unlabelledCache?: string
  onNote?: (note: string) => void
  onCalibrated?: (done: number, total: number) => void
  signal?: AbortSignal
}

/** What was found in a recording, with what it was found by. */
export interface ClipAlignment {
  readonly phrases: readonly string[]
  readonly segments: readonly AlignedSegment[]
  /** [frames × phrases] */
  readonly map: ScoreMap
  readonly calibration?: readonly PhraseCalibration[]
  /** Where the phrases stand in the caption, and the relations, where a caption was given. */
  readonly split?: CaptionPhrases
}

/** Options of {@link RunAligner.align}. */
export type RunAlignOptions = Omit<AlignOptions, 'words' | 'calibration'>
/** Options of {@link RunAligner.moments}. */
export type RunMomentOptions = Omit<FindMomentsOptions, 'words' | 'calibration'>

/** So many phrases are calibrated in one pass over the recordings without labels. */
const phrasesAtOnce = 256

/** Aligns recordings with the model of a run. To be closed. */
export async function openRunAligner(run: OpenRun, options: RunAlignerOptions = {}): Promise<RunAligner> {
  const { window = 30, margin = 2, onNote, signal } = checkOptions(options, 'openRunAligner')
  const { cacheFolder, unlabelledCache = cacheFolder } = options
  const opened = async (folder: string | undefined): Promise<ScoredCorpus> => {
    const corpus = await run.corpus({
      windows: { seconds: window + 2 * margin, hop: window },
      ...(folder === undefined ? {} : { cacheFolder: folder }),
      ...(onNote === undefined ? {} : { onNote }),
      ...(signal === undefined ? {} : { signal }),
    })
    const windows = (clip: CorpusClip, inner: { signal?: AbortSignal }) => corpus.windows(clip, inner)
    const { lead = 0 } = corpus.kind
    return { corpus, scorer: frameScorer<CorpusClip>(run.model, { windows, margin, lead }) }
  }
  const clips = await opened(cacheFolder)
  const unlabelled = unlabelledCache === cacheFolder ? clips : await opened(unlabelledCache)
  return new RunAligner(clips, unlabelled, options)
}

/** A corpus, and its clips as a model scores them. */
interface ScoredCorpus {
  readonly corpus: Corpus
  readonly scorer: AlignScorer<CorpusClip>
}

/** A trained run that says where in recordings the phrases of captions are heard. */
export class RunAligner implements AsyncDisposable {
  readonly scorer: AlignScorer<CorpusClip>
  readonly corpus: Corpus
  readonly #unlabelled: ScoredCorpus
  readonly #options: RunAlignerOptions
  readonly #calibrated = new Map<string, PhraseCalibration>()

  /** @internal */
  constructor({ scorer, corpus }: ScoredCorpus, unlabelled: ScoredCorpus, options: RunAlignerOptions) {
    this.scorer = scorer
    this.corpus = corpus
    this.#unlabelled = unlabelled
    this.#options = options
  }

  /** As {@link align} does; phrases are calibrated once. */
  async align(
    clip: CorpusClip,
    captionOrPhrases: string | readonly string[],
    options: RunAlignOptions = {},
  ): Promise<ClipAlignment> {
    const [alignment] = await this.alignEach(clip, [captionOrPhrases], options)
    return alignment!
  }

  /** Several captions of one clip, whose frames go through the encoder once. */
  async alignEach(
    clip: CorpusClip,
    captions: readonly (string | readonly string[])[],
    { joint = false, signal, ...decoding }: RunAlignOptions = {},
  ): Promise<ClipAlignment[]> {
    const asked = captions.map(phrasesOf)
    const scored = await this.#scored(
      clip,
      asked.map(({ phrases }) => phrases),
      signal === undefined ? {} : { signal },
    )
    return asked.map(({ phrases, relations, split }, c) => {
      const { map, calibration } = scored[c]!
      const calibrated = calibration && { calibration }
      const segments = decodeSegments(map, phrases, {
        ...calibrated,
        ...decoding,
        relations: joint ? relations : [],
      })
      return { phrases, segments, map, ...calibrated, ...(split === undefined ? {} : { split }) }
    })
  }

  /** The parts of a recording that answer a query best, as `findMoments` does. */
  async moments(
    clip: CorpusClip,
    query: string | readonly string[],
    { signal, ...options }: RunMomentOptions = {},
  ): Promise<Moment[]> {
    const [found] = await this.momentsEach(clip, [query], { ...(signal && { signal }), ...options })
    return found!
  }

  /** Several queries to one recording, whose frames go through the encoder once. */
  async momentsEach(
    clip: CorpusClip,
    queries: readonly (string | readonly string[])[],
    { signal, ...options }: RunMomentOptions = {},
  ): Promise<Moment[][]> {
    const asked = queries.map((query) => phrasesOf(query).phrases)
    const found = await this.#scored(clip, asked, signal === undefined ? {} : { signal })
    return found.map(({ map, calibration }) =>
      momentsOf(map, { ...(calibration && { calibration }), ...options }),
    )
  }

  /** Scores of a recording's frames against phrases: [frames × phrases]. */
  async scores(
    clip: CorpusClip,
    phrases: readonly string[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<ScoreMap> {
    using prepared = await this.scorer.prepare(phrases, options)
    return scoreClip(prepared, clip, { ...options, ...this.#reduction })
  }

  /** What phrases score in the recordings without labels; undefined where there are none. Known phrases cost nothing. */
  async calibration(
    phrases: readonly string[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<PhraseCalibration[] | undefined> {
    const { unlabelled = [], onCalibrated } = this.#options
    if (unlabelled.length === 0) return undefined
    const missing = [...new Set(phrases)].filter((phrase) => !this.#calibrated.has(phrase))
    for (let first = 0; first < missing.length; first += phrasesAtOnce) {
      using prepared = await this.#unlabelled.scorer.prepare(
        missing.slice(first, first + phrasesAtOnce),
        options,
      )
      const told = function* () {
        for (const [i, clip] of unlabelled.entries()) {
          yield clip
          onCalibrated?.(i + 1, unlabelled.length)
        }
      }
      for (const found of await calibrate(prepared, told(), { ...options, ...this.#reduction }))
        this.#calibrated.set(found.phrase, found)
    }
    return phrases.map((phrase) => this.#calibrated.get(phrase)!)
  }

  /** Map and calibration of each list of phrases; the recording is scored once. */
  async #scored(
    clip: CorpusClip,
    asked: readonly (readonly string[])[],
    options: { readonly signal?: AbortSignal },
  ): Promise<{ map: ScoreMap; calibration?: PhraseCalibration[] }[]> {
    const all = [...new Set(asked.flat())]
    const calibrated = await this.calibration(all, options)
    const whole = await this.scores(clip, all, options)
    const place = new Map(all.map((phrase, p) => [phrase, p]))
    return asked.map((phrases) => {
      const columns = phrases.map((phrase) => place.get(phrase)!)
      return {
        map: { ...whole, scores: columnsOf(whole.scores, columns) },
        ...(calibrated && { calibration: columns.map((p) => calibrated[p]!) }),
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.corpus[Symbol.asyncDispose]()
    if (this.#unlabelled.corpus !== this.corpus) await this.#unlabelled.corpus[Symbol.asyncDispose]()
  }

  get #reduction(): { words?: WordReduction; smooth?: number } {
    const { words, smooth } = this.#options
    return { ...(words !== undefined && { words }), ...(smooth !== undefined && { smooth }) }
  }
}

/**
 * Recordings that show what phrases score: at most `count` clips, evenly from the training split of the run's manifest, or from another
 * manifest or folder of recordings. Labels are not needed. Throws as reading the manifest does.
 */
export async function unlabelledClips(
  run: OpenRun,
  options: { readonly count?: number; readonly manifest?: string; readonly signal?: AbortSignal } = {},
): Promise<Clip[]> {
  const { count = 64, manifest, signal } = options
  const { data } = run.config
  const collection = await readCollection(manifest ?? data.manifest, {
    foreign: readsForeign(run),
    ...(signal && { signal }),
  })
  const clips = manifest === undefined ? clipsOfSplit(collection, data.trainSplit) : collection.clips
  const length = Math.min(count, clips.length)
  return Array.from({ length }, (_, i) => clips[Math.floor((i * clips.length) / length)]!)
}

function columnsOf(scores: Matrix, columns: readonly number[]): Matrix {
  const out = matrix(scores.rows, columns.length)
  for (let t = 0; t < scores.rows; t++)
    for (const [c, p] of columns.entries())
      out.data[t * columns.length + c] = scores.data[t * scores.cols + p]!
  return out
}
