import { SonotextError } from '../base/index.js'

/** Document ids by topic, best first: score descending, then the rank column, then line order. */
export function parseTrecRun(text: string, file?: string): Map<string, string[]> {
  const byTopic = new Map<string, { document: string; rank: number; score: number }[]>()
  for (const [line, fields] of lines(text)) {
    const [topic, , document, rank, score] = fields
    if (fields.length < 5 || !isNumber(rank!) || !isNumber(score!)) {
      throw badLine('topic Q0 document rank score tag', fields, line, file)
    }
    const entry = { document: document!, rank: Number(rank), score: Number(score) }
    const entries = byTopic.get(topic!)
    if (entries) entries.push(entry)
    else byTopic.set(topic!, [entry])
  }
  if (byTopic.size === 0) throw empty('run', file)
  const run = new Map<string, string[]>()
  for (const [topic, entries] of byTopic) {
    entries.sort((a, b) => (a.score === b.score ? a.rank - b.rank : b.score - a.score))
    run.set(
      topic,
      entries.map((entry) => entry.document),
    )
  }
  return run
}

/** Grades by document by topic. A judgement given twice must agree. */
export function parseQrels(text: string, file?: string): Map<string, Map<string, number>> {
  const qrels = new Map<string, Map<string, number>>()
  for (const [line, fields] of lines(text)) {
    const [topic, , document, grade] = fields
    if (fields.length !== 4 || !isNumber(grade!)) throw badLine('topic 0 document grade', fields, line, file)
    let grades = qrels.get(topic!)
    if (!grades) qrels.set(topic!, (grades = new Map()))
    const earlier = grades.get(document!)
    if (earlier !== undefined && earlier !== Number(grade)) {
      throw badLine(`one grade for document ${document} of topic ${topic}`, fields, line, file)
    }
    grades.set(document!, Number(grade))
  }
  if (qrels.size === 0) throw empty('qrels', file)
  return qrels
}

function* lines(text: string): Generator<[number, string[]]> {
  const all = text.replace(/^\uFEFF/, '').split('\n')
  for (const [i, line] of all.entries()) {
    const trimmed = line.trim()
    if (trimmed !== '') yield [i + 1, trimmed.split(/\s+/)]
  }
}

function isNumber(field: string): boolean {
  return field !== '' && !Number.isNaN(Number(field))
}

function badLine(
  form: string,
  fields: readonly string[],
  line: number,
  file: string | undefined,
): SonotextError {
  return new SonotextError(
    'INVALID_FILE',
    `Expected "${form}" in line ${line}, got "${fields.join(' ').slice(0, 80)}".`,
    {
      ...(file === undefined ? {} : { file }),
    },
  )
}

function empty(what: string, file: string | undefined): SonotextError {
  return new SonotextError('INVALID_FILE', `Expected a ${what} with at least one line, got an empty file.`, {
    ...(file === undefined ? {} : { file }),
  })
}
