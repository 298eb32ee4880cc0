import type { ClipFeatures } from '../audio/index.js'
import type { Clip, FeatureSource } from '../data/index.js'

/** Features that are held, 64 MiB: those of ten thousands of clips that are one vector each. */
const HELD = 2 ** 26

/**
 * A source that keeps whole clips in memory until there is no more room, so that an epoch over vectors does not wait for the disk. Clips
 * beyond that are read each time, and of them a crop alone.
 */
export function heldSource(source: FeatureSource, bytes = HELD): FeatureSource {
  const held = new Map<Clip, ClipFeatures>()
  let room = bytes
  return async (clip, options) => {
    const known = held.get(clip)
    if (known !== undefined) return known
    const given = await source(clip, options)
    const size = given.features.data.byteLength
    const { crop } = options
    // A crop that is shorter than what was asked for is the whole clip.
    if ((crop === undefined || given.features.rows < crop.frames) && size <= room) {
      if (!held.has(clip)) room -= size
      held.set(clip, given)
    }
    return given
  }
}
