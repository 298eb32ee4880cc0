import { type Clip, groupOf } from './manifest.js'

/** Two clips of different splits that share what they should not. */
export interface Shared {
  readonly clip: Clip
  /** A clip it shares something with. */
  readonly with: Clip
  readonly what: string
}

/**
 * Clips that bring a recording into a second split, through their file, its content, their group or the sources of their events. Of
 * the splits that share a recording the smallest keeps it, so that removing the clips found empties training data, not
 * tests. One entry a clip.
 */
export function findLeaks(clips: readonly Clip[], contents: ReadonlyMap<Clip, string>): Shared[] {
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
