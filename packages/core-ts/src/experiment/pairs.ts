import type { Clip } from '../data/index.js'

/** All captions of some clips in order, and the index of the clip each belongs to. */
export function pairsOf(clips: readonly Clip[]): { captions: string[]; captionClip: Int32Array } {
  const captions = clips.flatMap((clip) => clip.captions.map(({ text }) => text))
  const captionClip = Int32Array.from(clips.flatMap((clip, index) => clip.captions.map(() => index)))
  return { captions, captionClip }
}
