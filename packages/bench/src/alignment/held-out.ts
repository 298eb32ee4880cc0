import {
  type AlignedSegment,
  type AlignmentPair,
  decodeSegments,
  type MomentQuery,
  momentsOf,
  type Order,
  phrasesOf,
  type PhraseCalibration,
  type ScoreMap,
} from '@sonotext/core/align'
import { matrix, Rng } from '@sonotext/core/base'
import type { Clip } from '@sonotext/core/data'
import type { RunAligner } from '@sonotext/core/runs'
import { classPhrase, labelOfPhrase } from './class-phrases.js'

const spansOf = (clip: Clip, label: string) =>
  clip.events!.filter((event) => event.label === label).map(({ onset, offset }) => ({ onset, offset }))

/** Every class asked of every clip, present or not. */
export async function classPairs(
  aligner: RunAligner,
  clips: readonly Clip[],
  labels: readonly string[],
  calibrated: boolean,
): Promise<AlignmentPair[]> {
  const phrases = labels.map(classPhrase)
  const calibration = calibrated ? await aligner.calibration(phrases) : undefined
  const pairs: AlignmentPair[] = []
  for (const clip of clips) {
    const map = await aligner.scores(clip, phrases)
    const { scores, frameStep, start } = map
    const segments = decodeSegments(map, phrases, calibration === undefined ? {} : { calibration })
    for (const [p, label] of labels.entries()) {
      const column = Float32Array.from({ length: scores.rows }, (_, t) => scores.data[t * scores.cols + p]!)
      pairs.push({
        ...{ clip: clip.id, phrase: phrases[p]!, duration: clip.duration!, truth: spansOf(clip, label) },
        curve: { scores: column, frameStep, start },
        segments: segments.filter(({ phrase }) => phrase === phrases[p]),
      })
    }
  }
  return pairs
}

export const decodings = ['alone', 'begins', 'ends'] as const
export type Decoding = (typeof decodings)[number]

/** How the phrases of a caption were found, each decoding in turn. */
export interface CaptionResult {
  readonly clip: string
  /** Mean over the phrases of how much of what is and what was found overlaps. */
  readonly iou: Readonly<Record<Decoding, number>>
  /** Whether the joint decode changes anything. */
  readonly changed: boolean
}

/** The captions of each clip, with and without their order words. Phrases whose class is not sure are left out of the measure. */
export async function captionResults(aligner: RunAligner, clips: readonly Clip[]): Promise<CaptionResult[]> {
  const results: CaptionResult[] = []
  await aligner.calibration(
    clips.flatMap(({ captions }) => captions.flatMap(({ text }) => phrasesOf(text).phrases)),
  )
  for (const clip of clips) {
    const present = [...new Set(clip.events!.map(({ label }) => label))]
    for (const { text } of clip.captions) {
      const { phrases, relations } = phrasesOf(text)
      if (relations.length === 0) continue
      const map = await aligner.scores(clip, phrases)
      const calibration = (await aligner.calibration(phrases)) as PhraseCalibration[]
      const decode = (order?: Order) =>
        decodeSegments(map, phrases, { calibration, ...(order && { relations, order }) })
      const found = { alone: decode(), begins: decode('begins'), ends: decode('ends') }
      const asked = phrases.flatMap((phrase) => {
        const label = labelOfPhrase(phrase, present)
        return label === undefined ? [] : [{ phrase, truth: spansOf(clip, label) }]
      })
      if (asked.length === 0) continue
      const iou = (segments: readonly AlignedSegment[]): number =>
        asked.reduce((sum, { phrase, truth }) => {
          const own = segments.filter((segment) => segment.phrase === phrase)
          return sum + timeIou(own, truth)
        }, 0) / asked.length
      const changed = JSON.stringify(found.alone) !== JSON.stringify(found.ends)
      results.push({
        clip: clip.id,
        iou: { alone: iou(found.alone), begins: iou(found.begins), ends: iou(found.ends) },
        changed,
      })
    }
  }
  return results
}

interface Span {
  readonly onset: number
  readonly offset: number
}

/** Time in both over time in either; spans of one list may overlap each other. */
function timeIou(a: readonly Span[], b: readonly Span[]): number {
  const edges = [...a, ...b].flatMap(({ onset, offset }) => [onset, offset]).sort((x, y) => x - y)
  let [both, either] = [0, 0]
  const inside = (spans: readonly Span[], time: number) =>
    spans.some(({ onset, offset }) => time > onset && time < offset)
  for (let i = 1; i < edges.length; i++) {
    const [from, to] = [edges[i - 1]!, edges[i]!]
    const [inA, inB] = [inside(a, (from + to) / 2), inside(b, (from + to) / 2)]
    if (inA && inB) both += to - from
    if (inA || inB) either += to - from
  }
  return either === 0 ? 1 : both / either
}

/**
 * Recordings of 2 to 5 minutes, made of scenes that follow each other, and a caption of each of their scenes as the query: its moment is the
 * scene. Scenes are scored one by one and their scores put together.
 */
export async function momentQueries(
  aligner: RunAligner,
  clips: readonly Clip[],
  { recordings, calibrated, seed = 17 }: { recordings: number; calibrated: boolean; seed?: number },
): Promise<MomentQuery[]> {
  const queries: MomentQuery[] = []
  for (let r = 0; r < recordings; r++) {
    const rng = new Rng(seed, `recording-${r}`)
    const scenes = Array.from({ length: 12 + rng.int(19) }, () => clips[rng.int(clips.length)]!)
    const texts = scenes.map(({ captions }) => captions[rng.int(captions.length)]!.text)
    const asked = texts.map((text) => phrasesOf(text).phrases)
    const phrases = [...new Set(asked.flat())]
    const maps: ScoreMap[] = []
    for (const scene of scenes) maps.push(await aligner.scores(scene, phrases))
    const length = scenes[0]!.duration!
    const whole = joined(maps, length)
    const duration = scenes.length * length
    for (const [s, own] of asked.entries()) {
      const columns = own.map((phrase) => phrases.indexOf(phrase))
      const { rows, cols, data } = whole.scores
      const scores = matrix(rows, columns.length)
      for (let t = 0; t < rows; t++)
        for (const [c, p] of columns.entries()) scores.data[t * columns.length + c] = data[t * cols + p]!
      const calibration = calibrated ? ((await aligner.calibration(own)) as PhraseCalibration[]) : undefined
      // The order of ten parts is measured, not whether the query is answered.
      const found = momentsOf(
        { ...whole, scores, end: duration },
        { threshold: 0, ...(calibration && { calibration }) },
      )
      queries.push({
        ...{ id: `recording-${r}/scene-${s}`, recording: `recording-${r}`, duration },
        truth: [{ onset: s * length, offset: (s + 1) * length }],
        found: found.map(({ start, end, score }) => ({ onset: start, offset: end, score })),
      })
    }
  }
  return queries
}

/** Seconds between the frames of a long recording. */
const longStep = 0.1

/** Maps of scenes of one length, one behind the other; each frame takes the scene's own frame at its middle. */
function joined(maps: readonly ScoreMap[], length: number): ScoreMap {
  const { cols } = maps[0]!.scores
  const rows = Math.round(length / longStep)
  const all = matrix(rows * maps.length, cols)
  for (const [m, { scores, frameStep, start }] of maps.entries())
    for (let t = 0; t < rows; t++) {
      const own = Math.floor(((t + 0.5) * longStep - start) / frameStep)
      const from = Math.min(scores.rows - 1, Math.max(0, own)) * cols
      all.data.set(scores.data.subarray(from, from + cols), (m * rows + t) * cols)
    }
  return { scores: all, frameStep: longStep, start: 0 }
}
