import { SonotextError } from '../../base/index.js'
import { type RecordingSegments, stemOf } from '../../segments/index.js'
import type { RecordingScores } from '../files/score-curves.js'
import type { AlignmentPair } from './alignment-pair.js'
import type { ScoreCurve } from './frame-labels.js'
import type { TimeSpan } from '../../segments/time-span.js'

/** What a system gave: segments, scores over time, or both. */
export interface AlignmentPredictions {
  readonly segments?: readonly RecordingSegments[]
  readonly scores?: readonly RecordingScores[]
}

/** Truth and predictions of the same recordings, and those that only one side knows. */
export interface PairedUp {
  readonly pairs: readonly AlignmentPair[]
  /** Recordings of the truth for which nothing was given. */
  readonly missing: readonly string[]
  /** Recordings that were given and are not in the truth: ignored. */
  readonly unknown: readonly string[]
}

/**
 * Pairs of recording and phrase from truth and predictions. A recording is asked the phrases that the truth names for it and those that
 * the predictions name for it: one that the truth does not have there is not there. Recordings are matched by name, else by the name
 * without folders and ending. A duration that neither gives is the end of the last thing known.
 * @throws SonotextError INVALID_DATA when truth and predictions share no recording, or no phrase is asked
 */
export function pairUp(truth: readonly RecordingSegments[], predictions: AlignmentPredictions): PairedUp {
  const { segments = [], scores = [] } = predictions
  const given = new Map<string, Given>()
  const of = (recording: string): Given => {
    const own = given.get(recording) ?? {
      spans: new Map<string, TimeSpan[]>(),
      curves: new Map<string, ScoreCurve>(),
      end: 0,
      duration: 0,
    }
    given.set(recording, own)
    return own
  }
  for (const { recording, phrases = [], segments: found, duration = 0 } of segments) {
    const own = of(recording)
    own.duration = Math.max(own.duration, duration)
    for (const phrase of phrases) spansOf(own.spans, phrase)
    for (const { phrase, onset, offset } of found) {
      spansOf(own.spans, phrase).push({ onset, offset })
      own.end = Math.max(own.end, offset)
    }
  }
  for (const { recording, phrases, curves, duration = 0 } of scores) {
    const own = of(recording)
    own.duration = Math.max(own.duration, duration)
    for (const [i, curve] of curves.entries()) {
      own.curves.set(phrases[i]!, curve)
      own.end = Math.max(own.end, curve.start + curve.scores.length * curve.frameStep)
    }
  }
  const find = finder([...given.keys()])
  const taken = new Set<string>()
  const missing: string[] = []
  const pairs: AlignmentPair[] = []
  for (const [recording, lines] of Map.groupBy(truth, (one) => one.recording)) {
    const name = find(recording)
    const own = name === undefined ? undefined : given.get(name)
    if (name === undefined) missing.push(recording)
    else taken.add(name)
    const real = new Map<string, TimeSpan[]>()
    let end = own?.end ?? 0
    let known = 0
    for (const { phrases = [], segments: there, duration = 0 } of lines) {
      known = Math.max(known, duration)
      for (const phrase of phrases) spansOf(real, phrase)
      for (const { phrase, onset, offset } of there) {
        spansOf(real, phrase).push({ onset, offset })
        end = Math.max(end, offset)
      }
    }
    const duration = known || own?.duration || end
    const asked = new Set([...real.keys(), ...(own?.spans.keys() ?? []), ...(own?.curves.keys() ?? [])])
    for (const phrase of asked) {
      const curve = own?.curves.get(phrase)
      const found = own?.spans.get(phrase)
      pairs.push({
        ...{ clip: recording, phrase, duration },
        truth: onceEach(real.get(phrase) ?? []),
        ...(curve === undefined ? {} : { curve }),
        ...(found === undefined ? {} : { segments: onceEach(found) }),
      })
    }
  }
  if (taken.size === 0) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected predictions for the recordings of the truth, got none: the truth has "${truth[0]?.recording}", the predictions "${[...given.keys()][0]}".`,
      {
        remedy:
          'Both must name recordings alike, but for folders and endings; `sonotext evaluate --map` says which stands for which.',
      },
    )
  }
  return { pairs, missing, unknown: [...given.keys()].filter((name) => !taken.has(name)) }
}

interface Given {
  readonly spans: Map<string, TimeSpan[]>
  readonly curves: Map<string, ScoreCurve>
  /** Of what is known of it. */
  end: number
  duration: number
}

function spansOf(all: Map<string, TimeSpan[]>, phrase: string): TimeSpan[] {
  const own = all.get(phrase) ?? []
  all.set(phrase, own)
  return own
}

/** Two captions of a clip may have a phrase, and its times, in common. Events that touch or overlap stay events of their own. */
function onceEach(spans: readonly TimeSpan[]): TimeSpan[] {
  return [...new Map(spans.map((span) => [`${span.onset} ${span.offset}`, span])).values()]
}

/** The name that stands for another: itself, or the only one of the same stem. */
function finder(names: readonly string[]): (name: string) => string | undefined {
  const exact = new Set(names)
  const byStem = Map.groupBy(names, stemOf)
  return (name) => {
    if (exact.has(name)) return name
    const alike = byStem.get(stemOf(name)) ?? []
    return alike.length === 1 ? alike[0] : undefined
  }
}
