import { expected, SonotextError } from '../../base/errors.js'
import { hash32 } from '../../base/rng.js'
import { type Clip, groupOf } from '../manifest.js'

/**
 * Gives clips their splits by shares such as { train: 0.8, test: 0.2 }. Clips of one recording (`group`) stay together; which goes
 * where depends on the seed and the recording's name alone, not on the order of the clips. Every split gets a recording while there are enough.
 * Throws INVALID_ARGUMENT for shares that are none; INVALID_DATA where clips have a split already.
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
  const given = clips.find(({ split }) => split !== undefined)
  if (given !== undefined) {
    throw new SonotextError(
      'INVALID_DATA',
      `expected clips without a split to share out, but "${given.id}" belongs to "${given.split}".`,
      { remedy: 'Leave out the shares, or the split column or option.' },
    )
  }
  const groups = [...Map.groupBy(clips, groupOf)].sort(
    ([a], [b]) => hash32(`${seed}/${a}`) - hash32(`${seed}/${b}`) || (a < b ? -1 : 1),
  )
  const splitOf = new Map<string, string>()
  let split = 0
  let done = 0
  let upTo = shares[names[0]!]! * clips.length
  let taken = 0
  for (const [index, [group, members]] of groups.entries()) {
    const left = groups.length - index
    const last = split === names.length - 1
    // On to the next split when more than half of the recording lies past this one's share, or the rest is needed for the others.
    if (!last && taken > 0 && (done + members.length / 2 > upTo || left <= names.length - 1 - split)) {
      split++
      upTo += shares[names[split]!]! * clips.length
      taken = 0
    }
    splitOf.set(group, names[split]!)
    done += members.length
    taken++
  }
  return clips.map((clip) => ({ ...clip, split: splitOf.get(groupOf(clip))! }))
}
