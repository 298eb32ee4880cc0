import { type Moment, type MomentLine, phrasesOf } from '../align/index.js'
import type { SonotextError } from '../base/errors.js'
import type { CorpusClip } from '../corpus/index.js'
import { isAboutCaption } from './align-clips.js'
import type { RunAligner, RunMomentOptions } from './run-aligner.js'
import { isAboutClip } from '../data/index.js'

/** A query to a recording with the parts that answer it, best first. */
export interface AnsweredQuery {
  readonly line: MomentLine
  readonly moments: readonly Moment[]
}

/** Options of answering queries with moments of recordings. */
export interface AnswerQueriesOptions extends RunMomentOptions {
  /** Told of a recording that cannot be read, and of queries in which nothing is asked; the others go on. */
  onBad?: (lines: readonly MomentLine[], error: SonotextError) => void
}

/**
 * Queries to recordings, recording by recording: `recordingOf` gives the one that a line's `vid` names. All phrases to recordings that are
 * there are calibrated at the beginning, in one pass, and a recording goes through the encoder once for all its queries. Without `onBad` what
 * cannot be answered ends it.
 */
export async function* answerQueries(
  aligner: RunAligner,
  lines: readonly MomentLine[],
  recordingOf: (vid: string) => CorpusClip,
  { onBad, ...options }: AnswerQueriesOptions = {},
): AsyncGenerator<AnsweredQuery, void, undefined> {
  const bad = (some: readonly MomentLine[], error: unknown): void => {
    if (onBad === undefined || !(isAboutClip(error) || isAboutCaption(error))) throw error
    onBad(some, error)
  }
  const asked = lines.filter((line) => {
    try {
      return phrasesOf(line.query).phrases.length > 0
    } catch (error) {
      bad([line], error)
      return false
    }
  })
  const { signal } = options
  const phrases = asked
    .filter(({ vid }) => aligner.has(recordingOf(vid)))
    .flatMap(({ query }) => phrasesOf(query).phrases)
  await aligner.calibration(phrases, signal === undefined ? {} : { signal })
  for (const [vid, own] of Map.groupBy(asked, (line) => line.vid)) {
    try {
      const queries = own.map(({ query }) => query)
      const found = await aligner.momentsEach(recordingOf(vid), queries, options)
      for (const [q, moments] of found.entries()) yield { line: own[q]!, moments }
    } catch (error) {
      bad(own, error)
    }
  }
}
