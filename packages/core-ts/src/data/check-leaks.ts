import { type Clip, groupOf } from './manifest.js'

/** Two clips of different splits that share what they should not. */
export interface Shared {
  readonly clip: Clip
  /** A clip it shares something with. */
  readonly with: Clip
  readonly what: string
}

/** Two clips that sound the same, or share a passage. */
export interface SharedSound {
  readonly clip: Clip
  readonly with: Clip
  /** Of the passage. */
  readonly seconds: number
  /** Whether that is no chance: see NearDuplicate. */
  readonly sure: boolean
}

/**
 * Clips that bring a recording into a second split, through their file, its content, their group, the sources of their events or
 * `sounds` that were found to be shared for sure. Of the splits that share a recording the smallest keeps it, so that removing the clips found empties training data, not
 * tests. One entry a clip.
 */
export function findLeaks(
  clips: readonly Clip[],
  contents: ReadonlyMap<Clip, string>,
  sounds: readonly SharedSound[] = [],
): Shared[] {
  const sizes = Map.groupBy(clips, (clip) => clip.split)
  const sizeOf = (clip: Clip) => sizes.get(clip.split)!.length
  const holders = new Map<string, { what: string; clips: Set<Clip> }>()
  const hold = (clip: Clip, key: string, what: string) => {
    const holder = holders.get(key) ?? { what, clips: new Set() }
    holder.clips.add(clip)
    holders.set(key, holder)
  }
  for (const clip of clips) {
    if (clip.split === undefined) continue
    const content = contents.get(clip)
    hold(clip, `file ${clip.audio}`, 'the audio file')
    if (content !== undefined) hold(clip, `content ${content}`, 'the same audio')
    hold(clip, `group ${groupOf(clip)}`, `the group "${groupOf(clip)}"`)
    for (const { source } of clip.events ?? []) {
      if (source !== undefined) hold(clip, `source ${source}`, `the recording "${source}"`)
    }
  }
  for (const [number, sound] of sounds.entries()) {
    if (!sound.sure) continue
    for (const clip of [sound.clip, sound.with])
      if (clip.split !== undefined) hold(clip, `sound ${number}`, `${sound.seconds.toFixed(1)} s of sound`)
  }
  const leaks = new Map<Clip, Shared>()
  for (const { what, clips: sharing } of holders.values()) {
    const [first, ...rest] = sharing
    if (rest.every((clip) => clip.split === first!.split)) continue
    const keeper = [...sharing].reduce((best, clip) => (sizeOf(clip) < sizeOf(best) ? clip : best))
    for (const clip of sharing) {
      if (clip.split !== keeper.split && !leaks.has(clip)) leaks.set(clip, { clip, with: keeper, what })
    }
  }
  return clips.flatMap((clip) => leaks.get(clip) ?? [])
}

/** Clips whose audio is that of an earlier clip of the same split. */
export function findDuplicates(clips: readonly Clip[], contents: ReadonlyMap<Clip, string>): Shared[] {
  const first = new Map<string, Clip>()
  return clips.flatMap((clip) => {
    const content = contents.get(clip)
    if (content === undefined) return []
    const key = JSON.stringify([clip.split, content])
    const earlier = first.get(key)
    if (earlier === undefined) first.set(key, clip)
    return earlier === undefined ? [] : { clip, with: earlier, what: 'the same audio' }
  })
}

/**
 * Clips that share sound with an earlier clip of the same split, or a short sound with one of another (a beep may be like another by
 * chance: that is no leak yet). Left out are exact copies and those that are known to come from one recording by their group or the sources
 * of their events. Each is named once, with the one it shares most with.
 */
export function findNearDuplicates(
  sounds: readonly SharedSound[],
  contents: ReadonlyMap<Clip, string>,
): Shared[] {
  const longest = new Map<Clip, SharedSound>()
  for (const sound of sounds) {
    const { clip, with: other, seconds, sure } = sound
    const isLeak = clip.split !== other.split && sure
    if (isLeak || contents.get(clip) === contents.get(other) || areKnownRelatives(clip, other)) continue
    if (seconds > (longest.get(clip)?.seconds ?? 0)) longest.set(clip, sound)
  }
  return Array.from(longest, ([clip, { with: other, seconds }]) => ({
    clip,
    with: other,
    what: `${seconds.toFixed(1)} s of sound`,
  }))
}

function areKnownRelatives(clip: Clip, other: Clip): boolean {
  const sources = new Set((clip.events ?? []).flatMap(({ source = [] }) => source))
  return (
    groupOf(clip) === groupOf(other) ||
    (other.events ?? []).some(({ source }) => source !== undefined && sources.has(source))
  )
}
