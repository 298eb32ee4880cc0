import { throwIfAborted } from '../base/abort.js'
import { expected, SonotextError } from '../base/errors.js'
import { type Matrix, matrix, row } from '../base/matrix.js'
import type { ScoreMap } from './score-map.js'

interface Abortable {
  readonly signal?: AbortSignal
}

/** Phrases ready to be looked for in clips. */
export interface PhraseScorer<Clip> extends Disposable {
  readonly phrases: readonly string[]
  /** For each column of the maps the phrase it belongs to, ascending: one for each word, or one for the phrase as a whole. */
  readonly columns: Int32Array
  /**
   * Scores of a clip's frames, in pieces that follow each other without gaps; one piece at a time, so that a recording may be of
   * any length. Nothing at all for a clip without frames.
   */
  score(clip: Clip, options?: Abortable): AsyncIterable<ScoreMap>
}

/** What compares the frames of clips with words: a model, or anything else that gives numbers. */
export interface AlignScorer<Clip> {
  prepare(phrases: readonly string[], options?: Abortable): Promise<PhraseScorer<Clip>>
}

/** How the scores of a phrase's words become one. */
export type WordReduction = 'mean' | 'max'

/** Options of scoring the phrases of one clip. */
export interface ScoreClipOptions extends Abortable {
  /** How the scores of a phrase's words become one. Default mean. */
  readonly words?: WordReduction
  /**
   * Seconds of a running mean over the scores of each phrase, for frames that hear more than their step, such as the patches of a frozen
   * tower. From 0 to 60; default 0: none.
   */
  readonly smooth?: number
}

/** A longer mean would say of a recording what is heard in it, and not when. */
const longestSmooth = 60

/** Throws INVALID_ARGUMENT for a running mean over no time that can be meant. */
export function checkSmooth(smooth: number): void {
  if (smooth >= 0 && smooth <= longestSmooth) return
  throw expected(`from 0 to ${longestSmooth} seconds`, 'smooth', smooth)
}

/**
 * Scores of a clip's frames against whole phrases, [frames × phrases]. A phrase without columns (no word of it is known) scores 0
 * everywhere. What is held is 4 bytes a frame and phrase: 7 MB for ten phrases over an hour of 20 ms frames.
 * @throws SonotextError INVALID_DATA for a score that is not finite, or pieces that leave gaps
 */
export async function scoreClip<Clip>(
  scorer: PhraseScorer<Clip>,
  clip: Clip,
  { words = 'mean', smooth = 0, ...options }: ScoreClipOptions = {},
): Promise<ScoreMap> {
  checkSmooth(smooth)
  const parts: Matrix[] = []
  let first: ScoreMap | undefined
  let frames = 0
  let end: number | undefined
  for await (const piece of scorer.score(clip, options)) {
    throwIfAborted(options.signal)
    first ??= piece
    const due = first.start + frames * first.frameStep
    if (piece.frameStep !== first.frameStep || Math.abs(piece.start - due) > 0.5 * first.frameStep)
      throw expected(`scores from ${due} s on`, 'the next piece of a clip', `those from ${piece.start} s on`)
    frames += piece.scores.rows
    end = piece.end
    parts.push(phraseScores(piece.scores, scorer.columns, scorer.phrases.length, words))
  }
  const scores = matrix(frames, scorer.phrases.length)
  let at = 0
  for (const { data } of parts) {
    scores.data.set(data, at)
    at += data.length
  }
  const { frameStep, start } = first ?? { frameStep: 0, start: 0 }
  if (smooth > 0 && frameStep > 0) runningMean(scores, Math.round(smooth / frameStep) >> 1)
  return { scores, frameStep, start, ...(end === undefined ? {} : { end }) }
}

/** Each column in place: the mean of up to `half` frames before and behind each one, of those that there are. */
function runningMean({ rows, cols, data }: Matrix, half: number): void {
  if (half === 0) return
  for (let p = 0; p < cols; p++) {
    // Sums in double precision: what went in comes out again over hours of frames.
    const before = new Float64Array(rows + 1)
    for (let t = 0; t < rows; t++) before[t + 1] = before[t]! + data[t * cols + p]!
    for (let t = 0; t < rows; t++) {
      const [from, to] = [Math.max(0, t - half), Math.min(rows, t + half + 1)]
      data[t * cols + p] = (before[to]! - before[from]!) / (to - from)
    }
  }
}

/** The columns of each phrase as one: [frames × columns] → [frames × phrases]. */
export function phraseScores(
  scores: Matrix,
  columns: ArrayLike<number>,
  phrases: number,
  words: WordReduction = 'mean',
): Matrix {
  if (columns.length !== scores.cols)
    throw expected(`${scores.cols} entries, one for each column`, 'columns', columns)
  const counts = new Float64Array(phrases)
  for (const p of Array.from(columns)) counts[p]!++
  const out = matrix(scores.rows, phrases)
  const sums = new Float64Array(phrases)
  for (let t = 0; t < scores.rows; t++) {
    sums.fill(words === 'mean' ? 0 : -Infinity)
    for (const [c, value] of row(scores, t).entries()) {
      if (!Number.isFinite(value))
        throw new SonotextError('INVALID_DATA', `Expected finite scores, got ${value} in frame ${t}.`, {
          remedy: 'Check the features and weights for NaN.',
        })
      const p = columns[c]!
      if (words === 'mean') sums[p]! += value
      else if (value > sums[p]!) sums[p] = value
    }
    for (let p = 0; p < phrases; p++)
      out.data[t * phrases + p] = counts[p] === 0 ? 0 : words === 'mean' ? sums[p]! / counts[p]! : sums[p]!
  }
  return out
}
