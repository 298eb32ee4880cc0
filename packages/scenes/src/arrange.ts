import type { Rng } from '@sonotext/core/base'
import type { SceneDescription } from './scene-description.js'

/** Sounds of one group before they are placed. */
export interface GroupSounds {
  readonly label: string
  readonly source: string
  readonly counted: boolean
  readonly takes: readonly Float32Array[]
}

/** A group with the first sample of each of its takes. */
export interface PlacedGroup extends GroupSounds {
  readonly at: readonly number[]
}

export interface Arrangement {
  readonly groups: readonly PlacedGroup[]
  readonly relations: SceneDescription['relations']
}

/** Seconds that stay free at either end of a scene, between groups, and between repetitions at least. */
const margin = 0.2
const pause = 0.25
const breath = [0.12, 0.45] as const
/** Seconds below which a stretch is not made or cut. */
export const leastEpisode = 1

interface Draft {
  readonly sounds: GroupSounds
  takes: Float32Array[]
  /** Sample offsets of the takes from the group's start, and the group's length. */
  offsets: number[]
  length: number
}

/**
 * Places groups on the time line of `count` samples: each after the one before it has ended, or, where the relation is 'overlap', while it
 * lasts. What does not fit is made to: fewer repetitions, shorter stretches, at last fewer groups. The relations that come back
 * are those that hold.
 */
export function arrange(
  groups: readonly GroupSounds[],
  relations: SceneDescription['relations'],
  count: number,
  sampleRate: number,
  rng: Rng,
): Arrangement {
  const room = count - 2 * margin * sampleRate
  const drafts = groups.map((sounds) => draft(sounds, sounds.takes.slice(), sampleRate, rng))
  for (;;) {
    const placed = layOut(drafts, relations, sampleRate, rng)
    if (placed.length <= room) return finish(drafts, placed, room - placed.length, margin * sampleRate, rng)
    shrink(drafts, room, sampleRate, rng)
  }
}

/** Repetitions one after the other, with pauses that differ a little. */
function draft(sounds: GroupSounds, takes: Float32Array[], sampleRate: number, rng: Rng): Draft {
  const rest = rng.between(...breath)
  const offsets: number[] = []
  let length = 0
  for (const [i, take] of takes.entries()) {
    if (i > 0) length += Math.round(rest * rng.between(0.85, 1.15) * sampleRate)
    offsets.push(length)
    length += take.length
  }
  return { sounds, takes, offsets, length }
}

interface LaidOut {
  /** Start of each group with no slack. */
  readonly starts: number[]
  readonly relations: ('then' | 'overlap')[]
  readonly length: number
}

function layOut(
  drafts: readonly Draft[],
  wanted: SceneDescription['relations'],
  sampleRate: number,
  rng: Rng,
): LaidOut {
  const starts: number[] = []
  const relations: ('then' | 'overlap')[] = []
  let end = 0
  for (const [i, { length }] of drafts.entries()) {
    const before = drafts[i - 1]
    const common = before ? Math.round(Math.max(0.3 * sampleRate, 0.5 * Math.min(before.length, length))) : 0
    // Overlap must be heard as such: a clear start of the first, then both for a while.
    const latest = before ? before.length - common : 0
    const earliest = Math.round(0.25 * sampleRate)
    if (before && wanted[i - 1] === 'overlap' && latest >= earliest && length >= common) {
      relations.push('overlap')
      starts.push(starts[i - 1]! + earliest + rng.int(latest - earliest + 1))
    } else {
      if (before) relations.push('then')
      starts.push(before ? end + Math.round(pause * sampleRate) : 0)
    }
    end = Math.max(end, starts[i]! + length)
  }
  return { starts, relations, length: end }
}

/** Spreads the free time over the gaps between groups that follow each other, and both ends. */
function finish(
  drafts: readonly Draft[],
  placed: LaidOut,
  slack: number,
  first: number,
  rng: Rng,
): Arrangement {
  const gaps = placed.starts.map((_, i) =>
    i > 0 && placed.relations[i - 1] === 'overlap' ? 0 : 0.2 + rng.uniform(),
  )
  const total = gaps.reduce((sum, gap) => sum + gap, 0.2 + rng.uniform())
  let shift = first
  return {
    relations: placed.relations,
    groups: drafts.map(({ sounds, takes, offsets }, i) => {
      shift += (slack * gaps[i]!) / total
      const start = Math.floor(placed.starts[i]! + shift)
      return { ...sounds, takes, at: offsets.map((offset) => start + offset) }
    }),
  }
}

/** One step towards fitting. */
function shrink(drafts: Draft[], room: number, sampleRate: number, rng: Rng): void {
  const remake = (i: number, takes: Float32Array[]) =>
    (drafts[i] = draft(drafts[i]!.sounds, takes, sampleRate, rng))
  const longest = (of: readonly number[]) =>
    of.reduce((best, i) => (drafts[i]!.length > (drafts[best]?.length ?? 0) ? i : best), -1)
  const all = [...drafts.keys()]
  const repeated = longest(all.filter((i) => drafts[i]!.takes.length > 1))
  const cuttable = longest(
    all.filter((i) => !drafts[i]!.sounds.counted && drafts[i]!.length > leastEpisode * sampleRate),
  )
  if (repeated >= 0 && (cuttable < 0 || drafts[repeated]!.length > drafts[cuttable]!.length)) {
    remake(repeated, drafts[repeated]!.takes.slice(0, -1))
  } else if (cuttable >= 0) {
    const length = Math.max(
      Math.round(leastEpisode * sampleRate),
      Math.floor(0.75 * drafts[cuttable]!.length),
    )
    remake(cuttable, [drafts[cuttable]!.takes[0]!.slice(0, length)])
  } else if (drafts.length > 1) {
    drafts.pop()
  } else {
    remake(0, [drafts[0]!.takes[0]!.slice(0, Math.floor(room))])
  }
}
