import {
  type AlignedSegment,
  type AlignOptions,
  type AlignScorer,
  calibrate,
  decodeSegments,
  type PhraseCalibration,
  phrasesOf,
  scoreClip,
  type ScoreMap,
  type WordReduction,
} from '../align/index.js'
import { checkOptions } from '../base/options.js'
import type { Corpus, CorpusClip } from '../corpus/index.js'
import { frameScorer } from '../models/index.js'
import type { CaptionPhrases } from '../text/index.js'
import type { OpenRun } from './run-folder.js'

export interface RunAlignerOptions {
  /** Seconds of a recording that are scored at once. Default 30. */
  window?: number
  /** Seconds of context at both ends of a window, which are heard and not used. Default 2. */
  margin?: number
  /** How the scores of a phrase's words become one. Default mean. */
  words?: WordReduction
  /** Recordings without labels by which thresholds are found; none for min–max over the clip. Default none. */
  unlabelled?: readonly CorpusClip[]
  /** Where features are kept; left out, they are not. */
  cacheFolder?: string
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

/** So many phrases are calibrated in one pass over the recordings without labels. */
const phrasesAtOnce = 256

/** Aligns recordings with the model of a run. To be closed. */
export async function openRunAligner(run: OpenRun, options: RunAlignerOptions = {}): Promise<RunAligner> {
  const { window = 30, margin = 2, cacheFolder, onNote, signal } = checkOptions(options, 'openRunAligner')
  const corpus = await run.corpus({
    windows: { seconds: window + 2 * margin, hop: window },
    ...(cacheFolder === undefined ? {} : { cacheFolder }),
    ...(onNote === undefined ? {} : { onNote }),
    ...(signal === undefined ? {} : { signal }),
  })
  const scorer = frameScorer<CorpusClip>(run.model, {
    windows: (clip, inner) => corpus.windows(clip, inner),
    margin,
  })
  return new RunAligner(scorer, corpus, options)
}

export class RunAligner implements AsyncDisposable {
  readonly scorer: AlignScorer<CorpusClip>
  readonly corpus: Corpus
  readonly #options: RunAlignerOptions
  readonly #calibrated = new Map<string, PhraseCalibration>()

  /** @internal */
  constructor(scorer: AlignScorer<CorpusClip>, corpus: Corpus, options: RunAlignerOptions) {
    this.scorer = scorer
    this.corpus = corpus
    this.#options = options
  }

  /** As {@link align} does; phrases are calibrated once. */
  async align(
    clip: CorpusClip,
    captionOrPhrases: string | readonly string[],
    { joint = true, words: _, signal, ...decoding }: AlignOptions = {},
  ): Promise<ClipAlignment> {
    const { phrases, relations, split } = phrasesOf(captionOrPhrases)
    const abortable = signal === undefined ? {} : { signal }
    const calibration = await this.calibration(phrases, abortable)
    const map = await this.scores(clip, phrases, abortable)
    const known = calibration === undefined ? {} : { calibration }
    const segments = decodeSegments(map, phrases, {
      ...known,
      ...decoding,
      relations: joint ? relations : [],
    })
    return { phrases, segments, map, ...known, ...(split === undefined ? {} : { split }) }
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
      using prepared = await this.scorer.prepare(missing.slice(first, first + phrasesAtOnce), options)
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.corpus[Symbol.asyncDispose]()
  }

  get #reduction(): { words?: WordReduction } {
    const { words } = this.#options
    return words === undefined ? {} : { words }
  }
}

/** At most so many of the clips, evenly from all of them, in their order. */
export function someClips<C>(clips: readonly C[], count: number): C[] {
  const length = Math.min(count, clips.length)
  return Array.from({ length }, (_, i) => clips[Math.floor((i * clips.length) / length)]!)
}
