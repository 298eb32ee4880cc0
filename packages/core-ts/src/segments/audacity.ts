import { SonotextError } from '../base/index.js'
import {
  checked,
  checkTimes,
  oneLine,
  rounded,
  type SegmentFormat,
  single,
  stemOf,
} from './recording-segments.js'

/** A label track of Audacity: `onset TAB offset TAB label`, seconds with six digits. It names no recording. */
export const audacityLabels: SegmentFormat = {
  name: 'audacity',
  description: 'Audacity: File > Import > Labels',
  extension: '.txt',
  several: false,
  keeps: 'lines',
  write: (recordings) =>
    single(checked(recordings), 'Audacity labels')
      .segments.map((segment) => {
        const { from, to } = rounded(segment, 1e-6)
        return `${(from / 1e6).toFixed(6)}\t${(to / 1e6).toFixed(6)}\t${oneLine(segment.phrase)}\n`
      })
      .join(''),
  read: (text, file) => [
    {
      recording: stemOf(file),
      segments: text.split('\n').flatMap((line, i) => {
        // A line that begins with a backslash gives the frequencies of the label above it.
        if (line.trim() === '' || line.startsWith('\\')) return []
        const at = `${file}:${i + 1}`
        const [first = '', second = '', ...label] = line.split('\t')
        const [onset, offset] = [secondsOf(first), secondsOf(second)]
        if (Number.isNaN(onset) || Number.isNaN(offset)) {
          throw new SonotextError(
            'INVALID_FILE',
            `expected onset, tab, offset, tab, label, got "${line.slice(0, 60)}".`,
            {
              file: at,
              remedy: 'Export labels from Audacity, with a point as the decimal mark.',
            },
          )
        }
        checkTimes(onset, offset, at)
        return [{ phrase: label.join(' ').trim(), onset, offset }]
      }),
    },
  ],
}

function secondsOf(cell: string): number {
  return cell.trim() === '' ? Number.NaN : Number(cell)
}
