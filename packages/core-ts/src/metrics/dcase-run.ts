import { parse } from 'csv-parse/sync'
import { SonotextError } from '../base/index.js'

/** One caption of the truth and the clip it describes. */
export interface TrueCaption {
  readonly text: string
  readonly clip: string
}

/** Ranked file names by caption; a caption that occurs in several rows has several lists, in row order. */
export function parseDcaseRun(csv: string, file?: string): Map<string, string[][]> {
  const { header, rows } = readCsv(csv, file)
  const columns = header.flatMap((name, i) => (/^file_?name_?\d+$/i.test(name) ? [i] : []))
  const captionColumn = header.indexOf('caption')
  if (captionColumn < 0 || columns.length === 0) {
    throw badFile(`Expected the columns caption,file_name_1,...,file_name_10, got ${header.join(',')}.`, file)
  }
  const run = new Map<string, string[][]>()
  for (const row of rows) {
    const caption = row[captionColumn]!.trim()
    const list = columns.map((column) => row[column]!.trim()).filter((name) => name !== '')
    const lists = run.get(caption)
    if (lists) lists.push(list)
    else run.set(caption, [list])
  }
  return run
}

/** Clips in file order and all their captions, from `file_name,caption_1,...,caption_5` (or one `caption` column). */
export function parseCaptionTruth(csv: string, file?: string): { clips: string[]; captions: TrueCaption[] } {
  const { header, rows } = readCsv(csv, file)
  const columns = header.flatMap((name, i) => (/^caption(_?\d+)?$/i.test(name) ? [i] : []))
  const clipColumn = header.indexOf('file_name')
  if (clipColumn < 0 || columns.length === 0) {
    throw badFile(`Expected the columns file_name,caption_1,...,caption_5, got ${header.join(',')}.`, file)
  }
  const clips = new Set<string>()
  const captions: TrueCaption[] = []
  for (const row of rows) {
    const clip = row[clipColumn]!.trim()
    clips.add(clip)
    for (const column of columns) {
      const text = row[column]!.trim()
      if (text !== '') captions.push({ text, clip })
    }
  }
  if (captions.length === 0) throw badFile('Expected at least one caption, got none.', file)
  return { clips: [...clips], captions }
}

function readCsv(csv: string, file: string | undefined): { header: string[]; rows: string[][] } {
  let records: string[][]
  try {
    records = parse(csv, { bom: true, skip_empty_lines: true, relax_column_count: false })
  } catch (cause) {
    throw badFile(`Expected a CSV file, got: ${(cause as Error).message}.`, file, cause)
  }
  const [header, ...rows] = records
  if (!header) throw badFile('Expected a CSV file with a header, got an empty file.', file)
  return { header: header.map((name) => name.trim()), rows }
}

function badFile(message: string, file: string | undefined, cause?: unknown): SonotextError {
  return new SonotextError('INVALID_FILE', message, { ...(file === undefined ? {} : { file }), cause })
}
