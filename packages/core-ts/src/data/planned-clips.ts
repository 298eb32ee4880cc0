import { createHash } from 'node:crypto'
import { SonotextError } from '../base/errors.js'
import type { InPieces } from '../base/turn.js'
import type { CaptionWriter } from '../text/index.js'
import { hasOneGroup, type PlannedClip, type PlanOptions } from './batch-plan.js'
import { type Caption, type Clip, groupOf } from './manifest.js'

/** What batches are planned from. */
export interface PlannedClips {
  /** Those with a caption that has words. */
  readonly clips: readonly PlannedClip[]
  /** Pairs of clip and caption. */
  readonly pairs: number
  /** Captions without words, left out. */
  readonly emptyCaptions: number
  /** Clips without any caption that has words, left out. */
  readonly captionlessClips: number
  /** Of clips, captions and options. */
  readonly fingerprint: string
}

/** Options that decide which numbers a batch holds. */
export interface FingerprintOptions extends PlanOptions {
  readonly seed: number
  readonly maxFrames: number
  readonly crop: 'random' | 'start'
  readonly padValue: number
  readonly leastFrames: number
  readonly writer?: CaptionWriter | undefined
}

/** Clips encoded between two places where the work may pause. */
const piece = 200

/** Encodes every caption. Throws INVALID_DATA when no pair is left or all clips share one group. */
export function* plannedClips(
  given: readonly Clip[],
  encode: (caption: Caption) => Int32Array,
  options: FingerprintOptions,
): InPieces<PlannedClips> {
  const groups = new Map<string, number>()
  const clips: PlannedClip[] = []
  const hash = createHash('sha256').update(describeOptions(options))
  let [pairs, captions] = [0, 0]
  for (const [i, clip] of given.entries()) {
    if (i % piece === piece - 1) yield
    const name = groupOf(clip)
    const group = groups.get(name) ?? groups.size
    groups.set(name, group)
    const encoded = clip.captions
      .map((caption) => ({ caption, tokens: encode(caption) }))
      .filter(({ tokens }) => tokens.length > 0)
    captions += clip.captions.length
    if (encoded.length === 0) continue
    pairs += encoded.length
    clips.push({ clip, group, captions: encoded })
    const ids = encoded.map(({ caption, tokens }) => [caption.id, ...tokens])
    hash.update(JSON.stringify([clip.id, group, ids]))
  }
  refuseOneGroup(clips, given.length)
  return {
    ...{ clips, pairs, emptyCaptions: captions - pairs, captionlessClips: given.length - clips.length },
    fingerprint: hash.digest('hex').slice(0, 32),
  }
}

function refuseOneGroup(clips: readonly PlannedClip[], given: number): void {
  const [first] = clips
  if (first === undefined) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected clips with captions for the batches, got ${given} clips without any.`,
      {
        remedy: 'Check that the manifest has captions in this split.',
      },
    )
  }
  if (hasOneGroup(clips)) {
    throw new SonotextError(
      'INVALID_DATA',
      `all ${clips.length} clips share the group "${groupOf(first.clip)}", and a batch whose clips share one group has no negatives.`,
      { remedy: 'Give clips of different recordings different groups.' },
    )
  }
}

function describeOptions(options: FingerprintOptions): string {
  const { batchSize, seed, items, shuffle, dropLast, maxFrames, crop, padValue, leastFrames } = options
  const { order, writer } = options
  return JSON.stringify([
    ...[batchSize, seed, items, shuffle, dropLast, String(maxFrames), crop, padValue, leastFrames],
    // Absent where there are none, as before there were any.
    ...(order === undefined ? [] : [{ order: order.config }]),
    ...(writer === undefined ? [] : [{ writer: writer.config }]),
  ])
}
