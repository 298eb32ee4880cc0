import { decimalNumber, decimalRemedy } from '../base/decimal.js'
import type { InPieces } from '../base/turn.js'
import { badRanking, type Run, type Truth } from './ranking.js'

const runForm = 'topic Q0 document rank score tag'
const qrelsForm = 'topic 0 document grade'
/** Lines that are read at once. */
const pieceOfLines = 1024

/** Whether a line can be one of a TREC run or of qrels: what tells them from CSV. */
export function isTrecLine(line: string): boolean {
  return runFields(line) !== undefined || qrelsFields(line) !== undefined
}

/** Document ids by topic, best first: score descending, then the rank column, then line order. */
export function* trecRun(text: string, file: string | undefined): InPieces<Run> {
  const byTopic = new Map<string, Map<string, { rank: number; score: number }>>()
  for (const [line, content] of lines(text)) {
    if (line % pieceOfLines === 0) yield
    const fields = runFields(content)
    if (fields === undefined) throw badLine(runForm, content, line, file)
    const [topic, document, rank, score] = fields
    const entry = {
      rank: numberOf(rank, 'rank', line, file),
      score: numberOf(score, 'score', line, file),
    }
    const entries = byTopic.get(topic)
    if (entries === undefined) byTopic.set(topic, new Map([[document, entry]]))
    else if (entries.has(document))
      throw badRanking(
        `Expected each item once in a ranking, got "${document}" twice for "${topic}", again in line ${line}.`,
        file,
      )
    else entries.set(document, entry)
  }
  const lists = new Map<string, string[][]>()
  for (const [topic, entries] of byTopic) {
    yield
    const order = [...entries].sort(([, a], [, b]) =>
      a.score === b.score ? a.rank - b.rank : b.score - a.score,
    )
    lists.set(topic, [order.map(([document]) => document)])
  }
  return { format: 'trec', lists }
}

/** Grades by document by topic, of at most `most`. A judgement given twice must agree. */
export function* qrels(text: string, file: string | undefined, most = Infinity): InPieces<Truth> {
  const byTopic = new Map<string, Map<string, number>>()
  for (const [line, content] of lines(text)) {
    if (line % pieceOfLines === 0) yield
    const fields = qrelsFields(content)
    if (fields === undefined) throw badLine(qrelsForm, content, line, file)
    const [topic, document, written] = fields
    const grade = numberOf(written, 'grade', line, file)
    if (grade > most)
      throw badRanking(
        `Expected a grade of at most ${most} in line ${line}, got ${grade}.`,
        file,
        'Correct it, or the largest grade that is stated: --grade-scale, or gradeScale.',
      )
    let grades = byTopic.get(topic)
    if (!grades) byTopic.set(topic, (grades = new Map()))
    const earlier = grades.get(document)
    if (earlier !== undefined && earlier !== grade) {
      throw badLine(`one grade for document ${document} of topic ${topic}`, content, line, file)
    }
    grades.set(document, grade)
  }
  const queries = Array.from(byTopic, ([query, relevance]) => ({ query, relevance }))
  const items = new Set(queries.flatMap(({ relevance }) => [...relevance.keys()]))
  return { format: 'qrels', queries, items, complete: false }
}

/**
 * Topic, document, rank and score. Fields are apart by tabs, or by blanks; then a line of more fields than usual has names with blanks:
 * the topic ends where a field `Q0` follows, and three fields stand behind the document.
 */
function runFields(line: string): [string, string, string, string] | undefined {
  const fields = split(line)
  const from = fields.length <= 6 ? 1 : fields.indexOf('Q0', 1)
  const behind = fields.length === 5 ? 2 : 3
  const [rank, score] = fields.slice(-behind)
  if (fields.length < 5 || from < 1 || !isNumberLike(rank) || !isNumberLike(score)) return undefined
  const [topic, document] = [fields.slice(0, from).join(' '), fields.slice(from + 1, -behind).join(' ')]
  return document === '' ? undefined : [topic, document, rank, score]
}

/** Topic, document and grade; where names hold blanks the topic ends where a field `0` or `Q0` follows. */
function qrelsFields(line: string): [string, string, string] | undefined {
  const fields = split(line)
  const from = fields.length <= 4 ? 1 : fields.findIndex((field, i) => i > 0 && /^(0|Q0)$/.test(field))
  const grade = fields.at(-1)
  if (fields.length < 4 || from < 1 || !isNumberLike(grade)) return undefined
  const [topic, document] = [fields.slice(0, from).join(' '), fields.slice(from + 1, -1).join(' ')]
  return document === '' ? undefined : [topic, document, grade]
}

function split(line: string): string[] {
  const byTabs = line.split('\t')
  return byTabs.length >= 4 ? byTabs.map((field) => field.trim()) : line.trim().split(/\s+/)
}

/** Line by line: of a large file a list of all lines would take its memory once more. */
function* lines(text: string): Generator<[number, string]> {
  let number = 1
  for (let at = 0; at < text.length; number++) {
    const next = text.indexOf('\n', at)
    const end = next < 0 ? text.length : next
    const line = text.slice(at, end).trim()
    if (line !== '') yield [number, line]
    at = end + 1
  }
}

/** Whether a field is meant as a number, however it is written. */
function isNumberLike(field: string | undefined): field is string {
  return field !== undefined && /^[-+]?([.,]?\d[\d.,]*(e[-+]?\d+)?|0x[\da-f]+|inf(inity)?|nan)$/i.test(field)
}

function numberOf(field: string, name: string, line: number, file: string | undefined): number {
  const value = decimalNumber(field)
  if (value !== undefined) return value
  throw badRanking(
    `Expected a number for the ${name} in line ${line}, got "${field}".`,
    file,
    decimalRemedy(field),
  )
}

function badLine(form: string, content: string, line: number, file: string | undefined): Error {
  return badRanking(
    `Expected "${form}" in line ${line}, got "${content.slice(0, 80)}".`,
    file,
    'Where names hold blanks, put tabs between the fields.',
  )
}
