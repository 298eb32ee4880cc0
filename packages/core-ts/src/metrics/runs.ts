import { expected, readTextFile, SonotextError, throwIfAborted } from '../base/index.js'
import { parseCaptionTruth, parseDcaseRun } from './dcase-run.js'
import { captionIds } from './evaluate.js'
import {
  evaluation,
  resolveMeasures,
  summarizeQueries,
  type EvaluateOptions,
  type Evaluation,
  type QueryNames,
} from './evaluation.js'
import type { RankedQuery } from './measure.js'
import { rankList } from './rankings.js'
import { parseQrels, parseTrecRun } from './trec-run.js'

/**
 * Evaluation of rankings made elsewhere. A run ranks in one direction: the other one is null everywhere. Items that a run does not list
 * count as not found, so mAP, MRR and medR see only the first `depth` ranks (as in trec_eval), and chance is cut there too.
 */
export interface RunEvaluation extends Evaluation {
  readonly format: 'dcase' | 'trec'
  /** The longest list in the run. */
  readonly depth: number
  /** Queries of the truth that the run does not answer; they count with nothing found. */
  readonly missingQueries: number
  /** Queries of the run that the truth does not know; they are ignored. */
  readonly unknownQueries: number
  /** Listed items that the truth never names; they hold their rank and are not relevant. */
  readonly unknownItems: number
}

export interface RunOptions extends EvaluateOptions {
  /** Which direction a TREC run ranks; default textToAudio. A DCASE submission is always textToAudio. */
  readonly direction?: 'textToAudio' | 'audioToText'
  /** Number of items the rankings choose from; default: the clips of the truth, for TREC all documents that run and qrels name. */
  readonly items?: number
  /** Grades of at least this count as relevant for all measures but nDCG; default: any grade above 0. */
  readonly minGrade?: number
  /**
   * TREC: cluster of each topic by its id, such as the clip of a caption. Default: topics of text → audio with exactly the same relevant
   * documents are captions of one clip, all others each on its own.
   */
  readonly clusters?: ReadonlyMap<string, string>
  readonly signal?: AbortSignal
}

/** Measures reported for a run when none are named. */
export const defaultRunMeasures = ['R@1', 'R@5', 'R@10', 'mAP@10', 'mAP', 'MRR', 'medR'] as const

/** Reads and evaluates a run file; the format is told from the first line: a DCASE submission has a CSV header, a TREC run has none. */
export async function evaluateRunFiles(
  run: string,
  truth: string,
  options: RunOptions = {},
): Promise<RunEvaluation> {
  throwIfAborted(options.signal)
  const [runText, truthText] = await Promise.all([readTextFile(run), readTextFile(truth)])
  throwIfAborted(options.signal)
  const texts = { run: runText, truth: truthText, runFile: run, truthFile: truth }
  return /^\uFEFF?\s*"?caption"?\s*,/i.test(runText)
    ? evaluateDcaseRun(texts, options)
    : evaluateTrecRun(texts, options)
}

/** Contents of a run and its truth, with file names for messages. */
export interface RunTexts {
  readonly run: string
  readonly truth: string
  readonly runFile?: string
  readonly truthFile?: string
}

/**
 * DCASE language-based audio retrieval: submission CSV `caption,file_name_1,...,file_name_n` against a caption CSV in Clotho's layout
 * `file_name,caption_1,...`. Captions are matched as strings, file names without blanks around them. Every caption of the truth is one
 * query with its own clip relevant; a caption that the truth holds several times takes the run's rows for it in turn, the last
 * one again when there are fewer.
 */
export function evaluateDcaseRun(texts: RunTexts, options: RunOptions = {}): RunEvaluation {
  const run = parseDcaseRun(texts.run, texts.runFile)
  const { clips, captions } = parseCaptionTruth(texts.truth, texts.truthFile)
  const used = new Map<string, number>()
  const known = new Set(clips)
  const unknown = new Set<string>()
  let missing = 0
  let depth = 0
  for (const lists of run.values()) {
    for (const list of lists) {
      depth = Math.max(depth, list.length)
      for (const clip of list) if (!known.has(clip)) unknown.add(clip)
    }
  }
  const queries = captions.map(({ text, clip }): RankedQuery => {
    const lists = run.get(text)
    if (!lists) {
      missing++
      return { ranks: [], relevant: 1 }
    }
    const turn = used.get(text) ?? 0
    used.set(text, turn + 1)
    return rankList(
      lists[Math.min(turn, lists.length - 1)]!,
      new Set([clip]),
      undefined,
      `the caption "${text}"`,
    )
  })
  if (missing === captions.length) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected rows for the captions of the truth, got none of its ${captions.length}.`,
      {
        ...(texts.runFile === undefined ? {} : { file: texts.runFile }),
        remedy: 'The captions must be written exactly as in the caption file.',
      },
    )
  }
  const items = options.items ?? clips.length
  const row = new Map(clips.map((clip, i) => [clip, i]))
  const names = {
    ids: captionIds(
      clips,
      captions.map(({ clip }) => row.get(clip)!),
    ),
    clusters: captions.map(({ clip }) => clip),
  }
  const measures = resolveMeasures(options.measures ?? defaultRunMeasures)
  const summary = summarizeQueries(queries, measures, { items, depth }, names, options)
  return {
    ...evaluation(
      { textToAudio: summary, audioToText: null },
      { split: options.split, queries: captions.length, items },
    ),
    format: 'dcase',
    depth,
    missingQueries: missing,
    unknownQueries: [...run.keys()].filter((text) => !used.has(text)).length,
    unknownItems: unknown.size,
  }
}

/**
 * TREC run (`topic Q0 document rank score tag`) against qrels (`topic 0 document grade`, grades may be any number). Documents are
 * ordered by score descending, ties by the rank column, then by line; trec_eval breaks ties by document name instead. Topics whose
 * qrels hold nothing relevant are left out and counted in `withoutRelevant`.
 */
export function evaluateTrecRun(texts: RunTexts, options: RunOptions = {}): RunEvaluation {
  const run = parseTrecRun(texts.run, texts.runFile)
  const qrels = parseQrels(texts.truth, texts.truthFile)
  const judged = new Set([...qrels.values()].flatMap((grades) => [...grades.keys()]))
  const listed = new Set([...run.values()].flat())
  const topics = [...qrels.keys()]
  const missing = topics.filter((topic) => !run.has(topic)).length
  if (missing === topics.length) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected topics of the qrels, got none of its ${missing} topics.`,
      {
        ...(texts.runFile === undefined ? {} : { file: texts.runFile }),
        remedy: 'The first column of both files must hold the same topic ids.',
      },
    )
  }
  const queries = topics.map((topic) =>
    rankList(run.get(topic) ?? [], qrels.get(topic)!, options.minGrade, `topic ${topic}`),
  )
  const items = options.items ?? new Set([...judged, ...listed]).size
  const depth = [...run.values()].reduce((most, list) => Math.max(most, list.length), 0)
  const toAudio = (options.direction ?? 'textToAudio') === 'textToAudio'
  const measures = resolveMeasures(options.measures ?? defaultRunMeasures)
  const names = topicNames(topics, qrels, toAudio, options.clusters)
  const summary = summarizeQueries(queries, measures, { items, depth }, names, options)
  return {
    ...evaluation(
      { textToAudio: toAudio ? summary : null, audioToText: toAudio ? null : summary },
      {
        split: options.split,
        queries: toAudio ? topics.length : items,
        items: toAudio ? items : topics.length,
      },
    ),
    format: 'trec',
    depth,
    missingQueries: missing,
    unknownQueries: [...run.keys()].filter((topic) => !qrels.has(topic)).length,
    unknownItems: [...listed].filter((document) => !judged.has(document)).length,
  }
}

function topicNames(
  topics: readonly string[],
  qrels: ReadonlyMap<string, ReadonlyMap<string, number>>,
  toAudio: boolean,
  given: ReadonlyMap<string, string> | undefined,
): QueryNames {
  if (given) {
    const clusters = topics.map((topic) => {
      const cluster = given.get(topic)
      if (cluster === undefined)
        throw expected('a cluster for each topic', 'clusters', `none for topic ${topic}`)
      return cluster
    })
    return { ids: topics, clusters, unit: 'group' }
  }
  if (!toAudio) return { ids: topics, clusters: topics, unit: 'clip' }
  const clusters = topics.map((topic) => {
    const relevant = [...qrels.get(topic)!].filter(([, grade]) => grade > 0).map(([document]) => document)
    return relevant.length > 0 ? relevant.sort().join(' ') : topic
  })
  return { ids: topics, clusters, unit: new Set(clusters).size < topics.length ? 'clip' : 'query' }
}
