import { encodeWav, logMel, type MonoAudio, resample } from '../../audio/index.js'
import {
  type AlignedSegment,
  type PhraseCalibration,
  type ScoreMap,
  type SegmentOptions,
  segmentSettings,
  smoothedScores,
} from '../../align/index.js'
import { expected, SonotextError } from '../../base/errors.js'
import { checkOptions } from '../../base/options.js'
import type { CaptionPhrase, CaptionRelation } from '../../text/index.js'
import { dataTable, interactive, section } from '../blocks.js'
import { type Html, html } from '../html.js'
import { renderPage } from '../page.js'
import { playerScript } from './player-script.js'
import { playerStyle } from './player-style.js'

/** Options of {@link alignmentPage}. */
export interface AlignmentPageOptions {
  readonly title: string
  readonly audio: MonoAudio
  readonly phrases: readonly string[]
  readonly segments: readonly AlignedSegment[]
  /** [frames × phrases] */
  readonly map: ScoreMap
  readonly calibration?: readonly PhraseCalibration[]
  /** The caption, where the phrases stand in it, and its order words. */
  readonly split?: {
    readonly caption: string
    readonly phrases: readonly CaptionPhrase[]
    readonly relations?: readonly CaptionRelation[]
  }
  /** What the segments were cut by. */
  readonly settings?: Omit<SegmentOptions, 'calibration' | 'relations' | 'order'>
  /** Whether the order words bind the segments. Default false. */
  readonly joint?: boolean
  /** The recordings without labels that the calibration comes from, where it is known how many. */
  readonly thresholds?: { readonly recordings: number } | null
  readonly footer?: string
}

/** Longest recording that a page holds, seconds; beyond a minute its sound has 16 kHz. */
const mostSeconds = 1200
const fullRateSeconds = 60
const mostColumns = 1200
const bands = 64

/**
 * A page on which an alignment can be seen, heard and tried: spectrogram, a lane of scores for each phrase with its segments, the caption
 * with its phrases in the same colours, the sound, and a threshold to move. One file; usable with keyboard and screen reader.
 * @throws SonotextError TOO_LONG for more than 20 minutes of sound; INVALID_ARGUMENT for a map that does not fit the phrases
 */
export async function alignmentPage(options: AlignmentPageOptions): Promise<string> {
  const { title, audio, phrases, segments, map, calibration, split, footer } = checkOptions(
    options,
    'alignmentPage',
  )
  const notes = [thresholdNote(options), orderNote(options)].filter((note) => note !== '')
  const settings = segmentSettings(options.settings ?? {})
  if (phrases.length !== map.scores.cols) throw expected(`${map.scores.cols} phrases`, 'phrases', phrases)
  const duration = audio.samples.length / audio.sampleRate
  if (duration > mostSeconds) {
    throw new SonotextError(
      'TOO_LONG',
      `a page holds ${mostSeconds / 60} minutes of sound, this is ${(duration / 60).toFixed(0)}.`,
      {
        remedy: 'Cut out the part that is of interest, or write the segments as labels.',
      },
    )
  }
  if (duration === 0) throw expected('sound', 'audio', 'no samples')
  const own = (phrase: string) => segments.filter((segment) => segment.phrase === phrase)
  const smooth = smoothedScores(map, { median: settings.median, ...(calibration && { calibration }) })
  const data = {
    duration,
    frameStep: map.frameStep,
    start: map.start,
    settings,
    spectrum: await spectrumOf(audio),
    phrases: phrases.map((text, p) => ({
      text,
      scores: base64(Uint8Array.from(smooth[p]!, (value) => Math.round(255 * value))),
      segments: own(text).map(({ onset, offset }) => [onset, Math.min(duration, offset)]),
    })),
  }
  const player = interactive({
    markup: html`<div class="al">${captionMarkup(split, phrases)}<audio controls src="${await soundOf(audio)}"></audio>${timeMarkup(phrases, duration)}${settingsMarkup(settings, notes)}</div>`,
    script: playerScript,
    style: playerStyle,
    data,
  })
  const number = (value: number | undefined, digits: number) =>
    value === undefined ? '' : value.toFixed(digits)
  const table = dataTable<AlignedSegment>({
    caption: 'Segments as they were found, in seconds',
    columns: [
      { title: 'phrase', cell: ({ phrase }) => phrase },
      { title: 'from', cell: ({ onset }) => number(onset, 2) },
      { title: 'to', cell: ({ offset }) => number(offset, 2) },
      { title: 'score', cell: ({ score }) => number(score, 3) },
      { title: 'confidence', cell: ({ confidence }) => number(confidence, 2) },
    ],
    rows: segments,
  })
  return renderPage({
    title,
    blocks: [player, section('Segments', segments.length === 0 ? 'None of the phrases was found.' : table)],
    ...(footer === undefined ? {} : { footer }),
  })
}

const colour = (phrase: number): string => `--c: var(--series-${(phrase % 8) + 1})`

/** The caption with its phrases in their colours; of phrases that were given a list of them. */
function captionMarkup(split: AlignmentPageOptions['split'], phrases: readonly string[]): Html {
  const marked = (text: string, p: number): Html =>
    html`<span class="al-phrase" style="${colour(p)}">${text}</span>`
  if (split === undefined)
    return html`<p class="al-caption">${phrases.map((text, p) => html`${p > 0 ? ', ' : ''}${marked(text, p)}`)}</p>`
  let at = 0
  const parts = split.phrases.map(({ text, start, end }, p) => {
    const between = split.caption.slice(at, start)
    at = end
    return html`${between}${marked(text, p)}`
  })
  return html`<p class="al-caption">“${parts}${split.caption.slice(at)}”</p>`
}

function timeMarkup(phrases: readonly string[], duration: number): Html {
  const step =
    [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300].find((seconds) => duration / seconds <= 10) ?? 600
  const ticks = Array.from({ length: Math.floor(duration / step + 1e-9) + 1 }, (_, i) => i * step)
  const lanes = phrases.map(
    (text, p) =>
      html`<div class="al-name" style="${colour(p)}">${text}</div><div class="al-lane" style="${colour(p)}"><canvas aria-hidden="true"></canvas></div>`,
  )
  return html`<div class="al-time" tabindex="0" role="slider" aria-label="Position in the recording; space plays" aria-valuemin="0" aria-valuemax="${duration.toFixed(2)}" aria-valuenow="0">
<canvas class="al-spectrum" role="img" aria-label="Spectrogram of the recording"></canvas>
<div class="al-ticks" aria-hidden="true">${ticks.map((seconds) => html`<span style="left: ${((100 * seconds) / duration).toFixed(2)}%">${Number(seconds.toFixed(1))}${seconds === 0 ? ' s' : ''}</span>`)}</div>
${lanes}<div class="al-head" aria-hidden="true"></div></div>`
}

/** What 0.5 stands for on the scale of the scores. */
function thresholdNote({ calibration, thresholds }: AlignmentPageOptions): string {
  if (calibration === undefined)
    return 'Scores run from 0 to 1 over this recording: every phrase has a best place, whether it is there or not.'
  const count = thresholds?.recordings
  const from = count === undefined ? 'recordings' : count === 1 ? '1 recording' : `${count} recordings`
  return `At 0.5 lies the threshold of each phrase, found by what it scores in ${from} without labels.`
}

/** Whether the segments keep to the order words of the caption, which moving the threshold never does. */
function orderNote({ split, joint = false }: AlignmentPageOptions): string {
  const words = [...new Set((split?.relations ?? []).map((relation) => `“${relation.words}”`))]
  if (words.length === 0) return ''
  return joint
    ? `Joint decode: what does not keep to ${words.join(', ')} is given up, and counts as not there. At another threshold every phrase is cut for itself.`
    : `Every phrase is cut for itself: without a joint decode nothing keeps the segments to ${words.join(', ')}.`
}

/** A threshold no higher than the hysteresis would let every segment go on for ever. */
function settingsMarkup(
  { threshold, hysteresis }: { threshold: number; hysteresis: number },
  notes: readonly string[],
): Html {
  const least = Math.min(threshold, hysteresis + 0.05)
  return html`<div class="al-settings"><label for="al-threshold">Threshold</label><input class="al-threshold" id="al-threshold" type="range" min="${least.toFixed(2)}" max="1" step="0.01" value="${threshold}"><output for="al-threshold">${threshold.toFixed(2)}</output></div>
${notes.map((note) => html`<p class="note">${note}</p>\n`)}<p class="al-said" role="status"></p><ul class="al-list" aria-label="Segments; each plays from its beginning"></ul>`
}

async function soundOf({ samples, sampleRate }: MonoAudio): Promise<string> {
  const long = samples.length / sampleRate > fullRateSeconds && sampleRate > 16_000
  const sound = long ? await resample(samples, sampleRate, 16_000) : samples
  const { bytes } = encodeWav(sound, long ? 16_000 : sampleRate)
  return `data:audio/wav;base64,${base64(bytes)}`
}

/** Log-mel energies of the recording, 60 dB as bytes, the loudest frame of each column. */
async function spectrumOf({ samples, sampleRate }: MonoAudio) {
  const windowLength = 2 * Math.round(0.0125 * sampleRate)
  const nFft = 2 ** Math.ceil(Math.log2(windowLength))
  const mel = logMel('librosa', {
    ...{ sampleRate, windowLength, nFft, hop: Math.max(1, Math.round(0.01 * sampleRate)), bands },
    ...{ fMin: 0, fMax: Math.min(8000, sampleRate / 2), log: 'decibel' },
  })
  const { rows, data } = await mel.compute(samples)
  const columns = Math.min(mostColumns, rows)
  const loudest = data.reduce((most, value) => Math.max(most, value), -Infinity)
  const values = new Uint8Array(columns * bands)
  for (let t = 0; t < rows; t++) {
    const c = Math.floor((t * columns) / rows)
    for (let b = 0; b < bands; b++) {
      const value = Math.max(0, 1 + (data[t * bands + b]! - loudest) / 60)
      values[c * bands + b] = Math.max(values[c * bands + b]!, Math.round(255 * value))
    }
  }
  return { columns, bands, values: base64(values) }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
