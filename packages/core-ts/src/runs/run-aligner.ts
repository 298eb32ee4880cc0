import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import {
  type AlignedSegment,
  type AlignOptions,
  type AlignScorer,
  calibrate,
  checkSmooth,
  decodeSegments,
  type FindMomentsOptions,
  type Moment,
  momentSettings,
  momentsOf,
  type PhraseCalibration,
  phrasesOf,
  scoreClip,
  type ScoreMap,
  segmentSettings,
  type WordReduction,
} from '../align/index.js'
import { isGiven } from '../audio/index.js'
import { expected, isSonotextError } from '../base/errors.js'
import { type Matrix, matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import type { Corpus, CorpusClip } from '../corpus/index.js'
import { type Clip, clipsOfSplit, readCollection } from '../data/index.js'
import { frameScorer } from '../models/index.js'
import type { CaptionPhrases } from '../text/index.js'
import { KeptThresholds } from './kept-thresholds.js'
import { type OpenRun, readsForeign } from './run-folder.js'

/** Options of {@link openRunAligner}. */
export interface RunAlignerOptions {
  /** Seconds of a recording that are scored at once, up to an hour. Default 30. */
  window?: number
  /** Seconds of context at both ends of a window, which are heard and not used, up to ten minutes. Default 2. */
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
  /** Where thresholds are kept for the next time, by model, settings and recordings, such as in the folder of the run; left out, they are not. */
  thresholdFolder?: string
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

/** Aligns recordings with the model of a run. To be closed. Throws INVALID_ARGUMENT for times out of range. */
export async function openRunAligner(run: OpenRun, options: RunAlignerOptions = {}): Promise<RunAligner> {
  const {
    window = 30,
    margin = 2,
    words = 'mean',
    smooth = 0,
    onNote,
    signal,
  } = checkOptions(options, 'openRunAligner')
  if (!(window > 0 && window <= 3600)) throw expected('up to 3600 seconds', 'window', window)
  if (!(margin >= 0 && margin <= 600)) throw expected('from 0 to 600 seconds', 'margin', margin)
  checkSmooth(smooth)
  const { cacheFolder, unlabelledCache = cacheFolder, thresholdFolder } = options
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
  const recordings = options.unlabelled ?? []
  const kept =
    thresholdFolder === undefined || recordings.length === 0
      ? undefined
      : await KeptThresholds.open(thresholdFolder, {
          ...{ model: run.model.id, features: clips.corpus.kind.id, words, smooth, window, margin },
          acceptCut: run.decode.acceptCut ?? false,
          recordings: await Promise.all(recordings.map(stateOf)),
        })
  return new RunAligner(clips, unlabelled, options, kept)
}

/** What tells whether a recording is still the same. */
async function stateOf({ id, audio }: CorpusClip): Promise<readonly (string | number | null)[]> {
  const info = await stat(audio).catch(() => null)
  return [id, audio, info && info.size, info && info.mtimeMs]
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
  /** Left out where thresholds are not kept, or could not be. */
  #kept: KeptThresholds | undefined

  /** @internal */
  constructor(
    { scorer, corpus }: ScoredCorpus,
    unlabelled: ScoredCorpus,
    options: RunAlignerOptions,
    kept: KeptThresholds | undefined,
  ) {
    this.scorer = scorer
    this.corpus = corpus
    this.#unlabelled = unlabelled
    this.#options = options
    this.#kept = kept
  }

  /** Whether there is something of a clip to be scored; whether it can be read is not known yet. */
  has({ id, audio }: CorpusClip): boolean {
    const { kind } = this.corpus
    return isGiven(kind) ? kind.framesOf(id) !== undefined : existsSync(audio)
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
    segmentSettings(decoding)
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
    momentSettings(options)
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

  /** What phrases score in the recordings without labels; undefined where there are none. Known and kept phrases cost nothing. */
  async calibration(
    phrases: readonly string[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<PhraseCalibration[] | undefined> {
    const { unlabelled = [], onCalibrated } = this.#options
    if (unlabelled.length === 0) return undefined
    const missing = [...new Set(phrases)].filter((phrase) => !this.#knows(phrase))
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
      const found = await calibrate(prepared, told(), { ...options, ...this.#reduction })
      for (const one of found) this.#calibrated.set(one.phrase, one)
      await this.#keep(found)
    }
    return phrases.map((phrase) => this.#calibrated.get(phrase)!)
  }

  #knows(phrase: string): boolean {
    const kept = this.#kept?.get(phrase)
    if (kept !== undefined) this.#calibrated.set(phrase, kept)
    return this.#calibrated.has(phrase)
  }

  async #keep(found: readonly PhraseCalibration[]): Promise<void> {
    try {
      await this.#kept?.add(found)
    } catch (error) {
      if (!isSonotextError(error) || error.code !== 'WRITE_FAILED') throw error
      this.#kept = undefined
      this.#options.onNote?.(`thresholds are not kept, and are found again each time: ${error.message}`)
    }
  }

  /** Map and calibration of each list of phrases; the recording is scored once, and first: what is wrong with it is then said at once. */
  async #scored(
    clip: CorpusClip,
    asked: readonly (readonly string[])[],
    options: { readonly signal?: AbortSignal },
  ): Promise<{ map: ScoreMap; calibration?: PhraseCalibration[] }[]> {
    const all = [...new Set(asked.flat())]
    const whole = await this.scores(clip, all, options)
    const calibrated = await this.calibration(all, options)
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
