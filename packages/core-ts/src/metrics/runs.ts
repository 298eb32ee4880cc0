import {
  checkOptions,
  decodeText,
  expected,
  isNpy,
  parseCsv,
  readBytes,
  readText,
  SonotextError,
  throwIfAborted,
  atOnce,
  type InPieces,
  inTurns,
} from '../base/index.js'
import { csvRun, csvTruth } from './csv-rankings.js'
import {
  evaluation,
  resolveMeasures,
  summarizeQueries,
  type EvaluateOptions,
  type Evaluation,
  type QueryNames,
} from './evaluation.js'
import type { RankedQuery } from './measure.js'
import {
  badRanking,
  formatNames,
  relevantItems,
  type Run,
  type RunFormat,
  type Truth,
  type TruthFormat,
} from './ranking.js'
import { checkGradeOptions, rankList, type Unjudged } from './rankings.js'
import { refuseRepeatedIds, scoreRun, type ScoreIds } from './score-matrix.js'
import { isTrecLine, qrels, trecRun } from './trec-run.js'

/**
 * Evaluation of rankings made elsewhere. A run ranks in one direction: the other one is null everywhere. Items that a run does not list
 * count as not found, so mAP, MRR and medR see only the first `depth` ranks (as in trec_eval), and chance is cut there too.
 */
export interface RunEvaluation extends Evaluation {
  /** What the files were recognised as. */
  readonly format: RunFormat
  readonly truthFormat: TruthFormat
  /** The longest list in the run. */
  readonly depth: number
  /** Queries of the truth that the run does not answer; they count with nothing found. */
  readonly missingQueries: number
  /** Queries of the run that the truth does not know; they are ignored. */
  readonly unknownQueries: number
  /** Listed items that the truth never names; they hold their rank and are not relevant. */
  readonly unknownItems: number
}

/** Options of {@link evaluateRunFiles}. */
export interface RunOptions extends EvaluateOptions {
  /** Which direction a run ranks; default textToAudio. A DCASE submission is always textToAudio. */
  readonly direction?: 'textToAudio' | 'audioToText'
  /**
   * Number of items the rankings choose from; default: the clips of a caption CSV, the columns of a score matrix, else all that run
   * and truth name.
   */
  readonly items?: number
  /** Grades of at least this count as relevant for all measures but the graded ones; default: any grade above 0. */
  readonly minGrade?: number
  /** The largest grade there is, which all are divided by; default: 1 is divided by, and ratings are up to 100, relevance up to 1. */
  readonly gradeScale?: number
  /** Default irrelevant; of use only where the truth has grades. */
  readonly unjudged?: Unjudged
  /**
   * Cluster of each query by its id: of a topic or query by its name, of a caption of a caption CSV by `<clip>#<number from 1>`. Default:
   * queries of text → audio with exactly the same relevant items are captions of one clip, all others each on its own.
   */
  readonly clusters?: ReadonlyMap<string, string>
  readonly signal?: AbortSignal
}

/** Files that name the rows and columns of a score matrix, one id a line. */
export interface RunFilesOptions extends RunOptions {
  readonly rowIds?: string
  readonly columnIds?: string
}

/** Measures reported for a run when none are named. */
export const defaultRunMeasures = ['R@1', 'R@5', 'R@10', 'mAP@10', 'mAP', 'MRR', 'medR'] as const

/**
 * Reads and evaluates a run file. What run and truth are is told from their contents, see {@link evaluateRunTexts}; a truth may be a text that
 * is known already, with the name of its file for messages.
 */
export async function evaluateRunFiles(
  run: string,
  truth: string | { readonly file: string; readonly text: string },
  options: RunFilesOptions = {},
): Promise<RunEvaluation> {
  checkOptions(options, 'evaluateRunFiles')
  const { signal, rowIds, columnIds } = options
  throwIfAborted(signal)
  const ids = async (file: string) => idsOf(await readText(file, { signal }))
  const [bytes, truthText, rows, columns] = await Promise.all([
    readBytes(run, { maxBytes: maxRunBytes, signal }),
    typeof truth === 'string' ? readText(truth, { signal }) : truth.text,
    rowIds === undefined ? undefined : ids(rowIds),
    columnIds === undefined ? undefined : ids(columnIds),
  ])
  const scores =
    rows === undefined || columns === undefined
      ? {}
      : { ids: { rows, columns, rowsFile: rowIds!, columnsFile: columnIds! } }
  const runText = isNpy(bytes) ? bytes : decodeText(bytes, run)
  const texts = {
    run: runText,
    truth: truthText,
    runFile: run,
    truthFile: typeof truth === 'string' ? truth : truth.file,
    ...scores,
  }
  return inTurns(evaluated(texts, options), signal)
}

/** A score matrix of 10,000 × 10,000 fits. */
const maxRunBytes = 2 ** 30

function idsOf(text: string): string[] {
  const ids = text.split('\n').map((line) => line.trim())
  while (ids.at(-1) === '') ids.pop()
  return ids
}

/** Contents of a run and its truth, with file names for messages. */
export interface RunTexts {
  /** Text, or the bytes of an NPY score matrix. */
  readonly run: string | Uint8Array
  readonly truth: string
  readonly runFile?: string
  readonly truthFile?: string
  /** What the rows (queries) and columns (items) of a score matrix are. */
  readonly ids?: ScoreIds
}

/**
 * Rankings are a DCASE submission `caption,file_name_1,...`, a CSV `query,audio_filenames` with a list of file names in a cell, a TREC run
 * (`topic Q0 document rank score tag`) or an NPY score matrix [queries × items]; the truth is a caption CSV in Clotho's layout
 * `file_name,caption_1,...`, several matches `query,audio_filenames`, graded relevances `tid,fid,fid_group,rating` from 0 to 100 (or
 * `query,item,relevance` from 0 to 1; of another scale with `gradeScale`) or qrels (`topic 0 document grade`, grades may be any number up to
 * `gradeScale`). Any run can be held against any truth: queries and items are matched as strings
 * without blanks around.
 *
 * Every caption of a caption CSV is one query with its own clip relevant; a caption that occurs several times takes the run's rows for
 * it in turn, the last one again when there are fewer. Documents of a TREC run are ordered by score descending, ties by the rank
 * column, then by line; trec_eval breaks ties by document name instead. Queries with nothing relevant are left out and counted in
 * `withoutRelevant`.
 */
export function evaluateRunTexts(texts: RunTexts, options: RunOptions = {}): RunEvaluation {
  checkOptions(options, 'evaluateRunTexts')
  return atOnce(evaluated(texts, options))
}

function* evaluated(texts: RunTexts, options: RunOptions): InPieces<RunEvaluation> {
  const run = yield* parseRun(texts)
  checkGradeOptions(options)
  const truth = yield* parseTruth(texts, options)
  refuseUnfit(truth, options)
  if (run.format === 'scores') refuseRepeatedIds(texts.ids!, truth)
  const used = new Map<string, number>()
  let missing = 0
  const queries: RankedQuery[] = []
  for (const { query, relevance } of truth.queries) {
    const lists = run.lists.get(query)
    if (lists === undefined) missing++
    const turn = used.get(query) ?? 0
    if (lists !== undefined) used.set(query, turn + 1)
    const list = lists?.[Math.min(turn, lists.length - 1)] ?? []
    queries.push(rankList(list, relevance, options, `"${query}"`))
    if (queries.length % 64 === 0) yield
  }
  if (missing === queries.length) throw nothingShared(run, truth, texts)
  const listed = new Set<string>()
  let depth = 0
  for (const lists of run.lists.values()) {
    yield
    for (const list of lists) {
      depth = Math.max(depth, list.length)
      for (const item of list) listed.add(item)
    }
  }
  const all = truth.complete ? truth.items.size : (run.items ?? new Set([...truth.items, ...listed]).size)
  const items = options.items ?? all
  const toAudio = (options.direction ?? 'textToAudio') === 'textToAudio'
  const measures = resolveMeasures(options.measures ?? defaultRunMeasures)
  const names = queryNames(truth, toAudio, options.clusters)
  const summary = summarizeQueries(queries, measures, { items, depth }, names, options)
  return {
    ...evaluation(
      { textToAudio: toAudio ? summary : null, audioToText: toAudio ? null : summary },
      {
        split: options.split,
        queries: toAudio ? queries.length : items,
        items: toAudio ? items : queries.length,
      },
    ),
    format: run.format,
    truthFormat: truth.format,
    depth,
    missingQueries: missing,
    unknownQueries: [...run.lists.keys()].filter((query) => !used.has(query)).length,
    unknownItems: [...listed].filter((item) => !truth.items.has(item)).length,
  }
}

function* parseRun({ run, runFile, ids }: RunTexts): InPieces<Run> {
  if (typeof run !== 'string') return scoreRun(run, ids, runFile)
  return looksLikeTrec(run, 'run', runFile)
    ? yield* trecRun(run, runFile)
    : csvRun(parseCsv(run, runFile ?? 'the run'), runFile)
}

function* parseTruth({ truth, truthFile }: RunTexts, { gradeScale }: RunOptions): InPieces<Truth> {
  return looksLikeTrec(truth, 'truth', truthFile)
    ? yield* qrels(truth, truthFile, gradeScale)
    : csvTruth(parseCsv(truth, truthFile ?? 'the truth'), truthFile, gradeScale)
}

/** A CSV has a header, of which no line of TREC is one. */
function looksLikeTrec(text: string, what: string, file: string | undefined): boolean {
  const first = /\S.*/.exec(text)?.[0]
  if (first === undefined)
    throw badRanking(`Expected a ${what} with at least one line, got an empty file.`, file)
  return isTrecLine(first) || !/[,;|\t]/.test(first)
}

/** Who the queries are and which belong together. */
function queryNames(
  { format, queries }: Truth,
  toAudio: boolean,
  given: ReadonlyMap<string, string> | undefined,
): QueryNames {
  const ids = queries.map(({ id, query }) => id ?? query)
  if (given) {
    const clusters = ids.map((id) => {
      const cluster = given.get(id)
      if (cluster === undefined) throw expected('a cluster for each query', 'clusters', `none for ${id}`)
      return cluster
    })
    return { ids, clusters, unit: 'group' }
  }
  if (!toAudio) return { ids, clusters: ids, unit: 'clip' }
  const clusters = queries.map(({ relevance }, q) => {
    const relevant = relevantItems(relevance)
    return relevant.length > 0 ? relevant.sort().join('\t') : ids[q]!
  })
  const together = format === 'captions' || new Set(clusters).size < ids.length
  return { ids, clusters, unit: together ? 'clip' : 'query' }
}

/** Options that a truth of this kind cannot take. */
function refuseUnfit({ format }: Truth, options: RunOptions): void {
  const { direction } = options
  if (format === 'captions' && direction === 'audioToText') {
    throw expected('textToAudio, as a caption CSV ranks clips,', 'direction', direction)
  }
  if (format !== 'captions' && format !== 'matches') return
  for (const name of ['minGrade', 'gradeScale', 'unjudged'] as const) {
    if (options[name] === undefined) continue
    throw expected('a truth with grades (qrels, or tid,fid,fid_group,rating)', name, formatNames[format])
  }
}

function nothingShared(run: Run, truth: Truth, { runFile }: RunTexts): SonotextError {
  const sample = (names: Iterable<string>) =>
    [...names].slice(0, 1).map((name) => `"${name.slice(0, 60)}"`)[0] ?? 'none'
  return new SonotextError(
    'INVALID_DATA',
    `Expected rows for the queries of the truth, got none of its ${truth.queries.length}: the run, ${formatNames[run.format]}, has ${sample(run.lists.keys())}, the truth, ${formatNames[truth.format]}, ${sample(truth.queries.map(({ query }) => query))}.`,
    {
      ...(runFile === undefined ? {} : { file: runFile }),
      remedy: 'Captions, topics and ids must be written the same in both files.',
    },
  )
}
