import type { AlignmentPair } from './alignment-pair.js'
import type { ScoreCurve } from './frame-labels.js'
import { type DetectionClip, type Psds, psds, psdsScenarios } from './psds.js'

/** PSDS 1 and 2 of pairs, and what was taken as the classes. */
export interface PairsPsds {
  readonly over: 'phrases' | 'pairs'
  readonly psds1: Psds
  readonly psds2: Psds
}

/**
 * Where every phrase is asked of every clip, on the same frames, phrases are the classes. Otherwise (each clip has phrases of its own) a pair
 * is a clip of one class, whatever its words: there are no cross-triggers then.
 */
export async function pairsPsds(
  pairs: readonly Pick<AlignmentPair, 'clip' | 'phrase' | 'duration' | 'truth'>[],
  curves: readonly ScoreCurve[],
): Promise<PairsPsds> {
  const phrases = [...new Set(pairs.map(({ phrase }) => phrase))]
  const byClip = [...Map.groupBy(pairs.keys(), (pair) => pairs[pair]!.clip)]
  const whole = byClip.every(
    ([, own]) =>
      own.length === phrases.length && own.every((pair) => sameFrames(curves[pair]!, curves[own[0]!]!)),
  )
  if (!whole) {
    const clips = pairs.map(({ clip, duration, truth }, pair): DetectionClip => ({
      id: clip,
      duration,
      ...framesOf(curves[pair]!),
      events: truth.map((span) => ({ ...span, label: 'pair' })),
    }))
    const groups = pairs.map(({ clip }) => clip)
    const read = (): Float32Array[] => curves.map(({ scores }) => scores)
    return { over: 'pairs', ...(await both(clips, ['pair'], read, groups)) }
  }
  const clips = byClip.map(([id, own]): DetectionClip => ({
    id,
    duration: pairs[own[0]!]!.duration,
    ...framesOf(curves[own[0]!]!),
    events: own.flatMap((pair) =>
      pairs[pair]!.truth.map((span) => ({ ...span, label: pairs[pair]!.phrase })),
    ),
  }))
  const pairOf = byClip.map(([, own]) => new Map(own.map((pair) => [pairs[pair]!.phrase, pair])))
  const read = (phrase: string): Float32Array[] => pairOf.map((own) => curves[own.get(phrase)!]!.scores)
  return { over: 'phrases', ...(await both(clips, phrases, read)) }
}

async function both(
  clips: readonly DetectionClip[],
  classes: readonly string[],
  read: (label: string) => Float32Array[],
  groups: readonly string[] = clips.map(({ id }) => id),
): Promise<{ psds1: Psds; psds2: Psds }> {
  const of = (scenario: (typeof psdsScenarios)[keyof typeof psdsScenarios]): Promise<Psds> =>
    psds(clips, classes, read, { scenario, interval: true, groups })
  return { psds1: await of(psdsScenarios.psds1), psds2: await of(psdsScenarios.psds2) }
}

function framesOf({
  scores,
  frameStep,
  start,
}: ScoreCurve): Pick<DetectionClip, 'frames' | 'frameStep' | 'start'> {
  return { frames: scores.length, frameStep, start }
}

function sameFrames(a: ScoreCurve, b: ScoreCurve): boolean {
  return a.scores.length === b.scores.length && a.frameStep === b.frameStep && a.start === b.start
}
