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

/** Subtitles of the web: a cue for each segment, times in milliseconds. It names no recording. */
export const webVtt: SegmentFormat = {
  name: 'vtt',
  description: 'browsers and players: WebVTT subtitles',
  extension: '.vtt',
  several: false,
  keeps: 'lines',
  write(recordings) {
    const { segments } = single(checked(recordings), 'WebVTT')
    const cues = segments
      .toSorted((a, b) => a.onset - b.onset || a.offset - b.offset)
      .map((segment) => {
        const { from, to } = rounded(segment, 1e-3)
        return `\n${clock(from)} --> ${clock(to)}\n${escaped(oneLine(segment.phrase))}\n`
      })
    return `WEBVTT\n${cues.join('')}`
  },
  read(text, file) {
    if (!/^WEBVTT(?=[ \t\n]|$)/.test(text)) {
      throw new SonotextError('INVALID_FILE', 'expected WEBVTT in the first line.', {
        file: `${file}:1`,
        remedy: 'Check that this is a WebVTT file.',
      })
    }
    const lines = text.split('\n')
    const segments: { phrase: string; onset: number; offset: number }[] = []
    // Blocks end with an empty line; only those with times are cues.
    for (let i = 1; i < lines.length; i++) {
      if (!lines[i]!.includes('-->')) continue
      const at = `${file}:${i + 1}`
      const [onset, offset] = timesOf(lines[i]!, at)
      const payload: string[] = []
      while (i + 1 < lines.length && lines[i + 1]!.trim() !== '') payload.push(lines[++i]!)
      checkTimes(onset, offset, at)
      segments.push({ phrase: plain(payload.join(' ')), onset, offset })
    }
    return [{ recording: stemOf(file), segments }]
  },
}

function clock(milliseconds: number): string {
  const parts = [milliseconds / 3_600_000, (milliseconds / 60_000) % 60, (milliseconds / 1000) % 60]
  const [hours, minutes, seconds] = parts.map((part) => String(Math.floor(part)).padStart(2, '0'))
  return `${hours}:${minutes}:${seconds}.${String(milliseconds % 1000).padStart(3, '0')}`
}

function timesOf(line: string, at: string): [number, number] {
  const time = String.raw`(?:(\d{1,6}):)?([0-5]\d):([0-5]\d)\.(\d{3})`
  const match = new RegExp(String.raw`^\s*${time}[ \t]+-->[ \t]+${time}(?:[ \t]|$)`).exec(line)
  if (match === null) {
    throw new SonotextError(
      'INVALID_FILE',
      `expected HH:MM:SS.mmm --> HH:MM:SS.mmm, got "${line.slice(0, 60)}".`,
      {
        file: at,
      },
    )
  }
  const seconds = (first: number): number => {
    const [hours = '0', minutes, whole, milliseconds] = match.slice(first, first + 4) as (
      string | undefined
    )[]
    return (
      (Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(whole) * 1000 + Number(milliseconds)) /
      1000
    )
  }
  return [seconds(1), seconds(5)]
}

function escaped(label: string): string {
  return label.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const entities: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  nbsp: '\u00a0',
  lrm: '\u200e',
  rlm: '\u200f',
}

/** The text of a cue without its tags. */
function plain(payload: string): string {
  return payload
    .replace(/<[^<>]*>/g, '')
    .replace(/&(amp|lt|gt|nbsp|lrm|rlm);/g, (_, name: string) => entities[name]!)
    .trim()
}
