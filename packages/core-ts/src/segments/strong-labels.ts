import { SonotextError } from '../base/index.js'
import {
  checked,
  checkTimes,
  oneLine,
  rounded,
  type LabelledSegment,
  type SegmentFormat,
  stemOf,
} from './recording-segments.js'

/**
 * Strong labels as DCASE writes them: `filename TAB onset TAB offset TAB event_label`. A line with a file name alone is a recording in which
 * nothing is heard. Read as well: AudioSet's `segment_id start_time_seconds end_time_seconds label`, and lists without a header, `file onset
 * offset label`, `file scene onset offset label` or `onset offset label` of one recording. Events that end where they begin, of which
 * published references hold some, are counted and left out: nothing is heard in no time.
 */
export const strongLabels: SegmentFormat = {
  name: 'strong-labels',
  description: 'DCASE, AudioSet and sed_eval: tab-separated strong labels',
  extension: '.tsv',
  several: true,
  keeps: 'lines',
  write: (recordings) =>
    [
      'filename\tonset\toffset\tevent_label',
      ...checked(recordings).flatMap(({ recording, segments }) => {
        const name = oneLine(recording)
        if (segments.length === 0) return [`${name}\t\t\t`]
        return segments.map((segment) => {
          const { from, to } = rounded(segment, 1e-6)
          return [name, (from / 1e6).toFixed(6), (to / 1e6).toFixed(6), oneLine(segment.phrase)].join('\t')
        })
      }),
      '',
    ].join('\n'),
  read(text, file) {
    const byRecording = new Map<string, LabelledSegment[]>()
    const withoutLength = new Map<string, number>()
    const lines = text.split('\n')
    const first = lines.findIndex((line) => line.trim() !== '')
    if (first < 0)
      throw new SonotextError('INVALID_FILE', 'expected strong labels, got an empty file.', { file })
    const header = headerOf(lines[first]!)
    const width = lines[first]!.split('\t').length
    const columns = header ?? listOf(width, `${file}:${first + 1}`)
    for (const [i, line] of lines.entries()) {
      if (line.trim() === '' || (header !== undefined && i === first)) continue
      const at = `${file}:${i + 1}`
      const cells = line.split('\t')
      const recording = columns.file === undefined ? stemOf(file) : (cells[columns.file] ?? '').trim()
      const own = byRecording.get(recording) ?? []
      byRecording.set(recording, own)
      const [onset = '', offset = '', phrase = ''] = [columns.onset, columns.offset, columns.label].map((c) =>
        cells[c]?.trim(),
      )
      if (onset === '' && offset === '' && phrase === '') continue
      const [from, to] = [secondsOf(onset, at), secondsOf(offset, at)]
      if (from === to && from >= 0) {
        withoutLength.set(recording, 1 + (withoutLength.get(recording) ?? 0))
        continue
      }
      checkTimes(from, to, at)
      own.push({ phrase, onset: from, offset: to })
    }
    return Array.from(byRecording, ([recording, segments]) => {
      const left = withoutLength.get(recording)
      return { recording, segments, ...(left === undefined ? {} : { withoutLength: left }) }
    })
  },
}

interface Columns {
  readonly file: number | undefined
  readonly onset: number
  readonly offset: number
  readonly label: number
}

const names = {
  file: ['filename', 'file', 'segment_id', 'audio', 'clip'],
  onset: ['onset', 'start_time_seconds', 'start'],
  offset: ['offset', 'end_time_seconds', 'end'],
  label: ['event_label', 'label', 'class', 'phrase'],
}

function headerOf(line: string): Columns | undefined {
  const cells = line.split('\t').map((cell) => cell.trim().toLowerCase())
  const find = (candidates: readonly string[]): number => cells.findIndex((cell) => candidates.includes(cell))
  const [file, onset, offset, label] = [
    find(names.file),
    find(names.onset),
    find(names.offset),
    find(names.label),
  ]
  if (onset < 0 || offset < 0 || label < 0) return undefined
  return { file: file < 0 ? undefined : file, onset, offset, label }
}

function listOf(width: number, at: string): Columns {
  if (width === 3) return { file: undefined, onset: 0, offset: 1, label: 2 }
  if (width === 4) return { file: 0, onset: 1, offset: 2, label: 3 }
  if (width === 5) return { file: 0, onset: 2, offset: 3, label: 4 }
  throw new SonotextError(
    'INVALID_FILE',
    `expected filename, onset, offset and event_label between tabs, got ${width} cells.`,
    {
      file: at,
      remedy: 'Check that cells are separated by tabs.',
    },
  )
}

function secondsOf(cell: string, at: string): number {
  const value = cell === '' ? Number.NaN : Number(cell)
  if (Number.isFinite(value)) return value
  throw new SonotextError('INVALID_FILE', `expected seconds, got "${cell.slice(0, 40)}".`, { file: at })
}
