import { SonotextError } from '../base/index.js'
import type { Relevance } from './rankings.js'

/** What a file of rankings was recognised as; the words are those of messages and of the printed object. */
export type RunFormat = 'dcase' | 'dcase-list' | 'scores' | 'trec'
/** What a file that says what is relevant was recognised as. */
export type TruthFormat = 'captions' | 'matches' | 'ratings' | 'qrels'

/** What each format of rankings and truths is, in words. */
export const formatNames: Readonly<Record<RunFormat | TruthFormat, string>> = {
  dcase: 'a DCASE submission (caption,file_name_1,...)',
  'dcase-list': 'lists of clips (query,audio_filenames)',
  scores: 'a score matrix (NPY)',
  trec: 'a TREC run (topic Q0 document rank score tag)',
  captions: 'captions (file_name,caption_1,...)',
  matches: 'several matches a query (query,audio_filenames)',
  ratings: 'graded relevances (tid,fid,fid_group,rating)',
  qrels: 'TREC qrels (topic 0 document grade)',
}

/** Ranked items by query, best first. A query may have several lists: a caption that occurs in several rows. */
export interface Run {
  readonly format: RunFormat
  readonly lists: ReadonlyMap<string, readonly (readonly string[])[]>
  /** How many items the rankings choose from, where the file says it. */
  readonly items?: number
}

/** A query and what is relevant to it. */
export interface TrueQuery {
  /** What tells it from the others; default: the query, which then occurs once. */
  readonly id?: string
  readonly query: string
  readonly relevance: Relevance
}

/** Queries with what is relevant to each, in file order. */
export interface Truth {
  readonly format: TruthFormat
  readonly queries: readonly TrueQuery[]
  /** Items that the truth names. */
  readonly items: ReadonlySet<string>
  /** Whether these are all items there are; else a run may list more. */
  readonly complete: boolean
}

/** The items of a grade above 0. */
export function relevantItems(relevance: Relevance): string[] {
  if (!(relevance instanceof Map)) return [...(relevance as ReadonlySet<string>)]
  return [...relevance].filter(([, grade]) => grade > 0).map(([item]) => item)
}

export function badRanking(message: string, file: string | undefined, remedy?: string): SonotextError {
  return new SonotextError('INVALID_FILE', message, {
    ...(file === undefined ? {} : { file }),
    ...(remedy === undefined ? {} : { remedy }),
  })
}
