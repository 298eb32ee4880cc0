import { expected, SonotextError } from '../../base/errors.js'
import { hash32 } from '../../base/rng.js'
import { type Clip, groupOf } from '../manifest.js'

/**
 * Gives clips their splits by shares such as { train: 0.8, test: 0.2 }. Clips of one recording (`group`) stay together; which goes
 * where depends on the seed and the recording's name alone, not on the order of the clips. Every split gets a recording while there are enough.
 * A clip that has a split keeps it, and the others of its recording follow; the shares count what is there.
 * Throws INVALID_ARGUMENT for shares that are none; INVALID_DATA where every clip has a split already.
 */
export function shareSplits(
  clips: readonly Clip[],
  shares: Readonly<Record<string, number>>,
  seed = 17,
): Clip[] {
  const names = Object.keys(shares)
  const total = names.reduce((sum, name) => sum + shares[name]!, 0)
  if (
    names.length === 0 ||
    names.some((name) => name === '' || !(shares[name]! > 0)) ||
    Math.abs(total - 1) > 1e-6
  ) {
    const written = names.map((name) => `${name}=${shares[name]}`).join(',')
    throw expected(
      'shares above 0 that sum to 1',
      'shares',
      `${written} (${Number(total.toFixed(6))} together)`,
    )
  }
  const free = clips.filter(({ split }) => split === undefined)
  const [given] = clips
  if (given !== undefined && free.length === 0) {
    throw new SonotextError(
      'INVALID_DATA',
      `expected clips without a split to share out, but all have one: "${given.id}" belongs to "${given.split}".`,
      { remedy: 'Leave out the shares, or the split column or option.' },
    )
  }
  // A recording of which a clip has a split goes there as a whole.
  const splitOf = new Map<string, string>()
  for (const clip of clips) {
    const group = groupOf(clip)
    if (clip.split !== undefined && !splitOf.has(group)) splitOf.set(group, clip.split)
  }
  const bound = (clip: Clip): string | undefined => clip.split ?? splitOf.get(groupOf(clip))
  const open = clips.filter((clip) => bound(clip) === undefined)
  const room = roomOf(names, shares, clips.map(bound))
  shareOut(open, room, seed, splitOf)
  return clips.map((clip) => ({ ...clip, split: bound(clip)! }))
}

/** How many clips each split still takes: its share of those that are in none of other names, less what it has. */
function roomOf(
  names: readonly string[],
  shares: Readonly<Record<string, number>>,
  splits: readonly (string | undefined)[],
): Map<string, number> {
  const of = (wanted: string | undefined) => splits.filter((split) => split === wanted).length
  const open = of(undefined)
  const all = names.reduce((sum, name) => sum + of(name), open)
  const left = names.map((name) => [name, Math.max(0, shares[name]! * all - of(name))] as const)
  const sum = left.reduce((total, [, count]) => total + count, 0)
  return new Map(left.filter(([, count]) => count > 0).map(([name, count]) => [name, (count / sum) * open]))
}

/** Gives each recording of the clips a split. */
function shareOut(
  clips: readonly Clip[],
  room: ReadonlyMap<string, number>,
  seed: number,
  splitOf: Map<string, string>,
): void {
  const names = [...room.keys()]
  const groups = [...Map.groupBy(clips, groupOf)].sort(
    ([a], [b]) => hash32(`${seed}/${a}`) - hash32(`${seed}/${b}`) || (a < b ? -1 : 1),
  )
  let split = 0
  let done = 0
  let upTo = room.get(names[0]!)!
  let taken = 0
  for (const [index, [group, members]] of groups.entries()) {
    const left = groups.length - index
    const last = split === names.length - 1
    // On to the next split when more than half of the recording lies past this one's share, or the rest is needed for the others.
    if (!last && taken > 0 && (done + members.length / 2 > upTo || left <= names.length - 1 - split)) {
      split++
      upTo += room.get(names[split]!)!
      taken = 0
    }
    splitOf.set(group, names[split]!)
    done += members.length
    taken++
  }
}
