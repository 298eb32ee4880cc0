import { type CsvRow, parseCsv, requireColumns, SonotextError } from '../base/index.js'
import { checked, checkTimes, type LabelledSegment, type SegmentFormat } from './recording-segments.js'

const columns = ['audio', 'phrase', 'onset', 'offset', 'score', 'confidence'] as const

/** A segment a line: `audio,phrase,onset,offset,score,confidence`. A recording without a segment leaves no line. */
export const csvSegments: SegmentFormat = {
  name: 'csv',
  description: 'spreadsheets: a segment a line, with its score',
  extension: '.csv',
  several: true,
  keeps: 'everything',
  write: (recordings) =>
    [
      columns.join(','),
      ...checked(recordings).flatMap(({ recording, segments }) =>
        segments.map(({ phrase, onset, offset, score, confidence }) =>
          [quoted(recording), quoted(phrase), onset, offset, score ?? '', confidence ?? ''].join(','),
        ),
      ),
      '',
    ].join('\n'),
  read(text, file) {
    const table = parseCsv(text, file, { delimiter: ',' })
    requireColumns(table, columns.slice(0, 4))
    const byRecording = Map.groupBy(table.rows, (row) => row.get('audio'))
    return Array.from(byRecording, ([recording, rows]) => ({
      recording,
      segments: rows.map((row): LabelledSegment => {
        const at = `${file}:${row.line}`
        const [onset, offset] = [numberOf(row, 'onset', at), numberOf(row, 'offset', at)]
        checkTimes(onset, offset, at)
        const score = row.get('score') === '' ? {} : { score: numberOf(row, 'score', at) }
        const confidence = row.get('confidence') === '' ? {} : { confidence: numberOf(row, 'confidence', at) }
        return { phrase: row.get('phrase'), onset, offset, ...score, ...confidence }
      }),
    }))
  },
}

function quoted(text: string): string {
  // Control characters are no text to any reader of a CSV; tabs and line ends stay.

  const plain = text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' ')
  return `"${plain.replaceAll('"', '""')}"`
}

/** A cell as a number. Throws INVALID_FILE. */
export function numberOf(row: CsvRow, column: string, at: string): number {
  const cell = row.get(column).trim()
  const value = cell === '' ? Number.NaN : Number(cell)
  if (Number.isFinite(value)) return value
  throw new SonotextError('INVALID_FILE', `expected a number for ${column}, got "${cell.slice(0, 40)}".`, {
    file: at,
  })
}
