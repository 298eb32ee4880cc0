import { SonotextError } from '@sonotext/core/base'
import type { Clip } from '@sonotext/core/data'
import { readRelevances, type Relevances, strangePairs } from '@sonotext/core/relevance'
import { plural } from '../../plural.js'
import type { Terminal } from '../../terminal.js'

/** Reads relevance of these clips. Throws INVALID_DATA where it is of others. */
export async function readKnownRelevance(
  file: string,
  clips: readonly Clip[],
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<Relevances> {
  const relevances = await readRelevances(file, { signal })
  countStrange(clips, relevances, file, terminal)
  return relevances
}

/**
 * How many pairs have no place among the clips, which is said; throws INVALID_DATA where none has one. `file` is what the message names: the
 * manifest, or the file of relevance.
 */
export function countStrange(
  clips: readonly Clip[],
  relevances: Relevances,
  file: string,
  terminal: Terminal,
): number {
  const strange = strangePairs(clips, relevances)
  const [first] = strange
  const such = first === undefined ? '' : `such as "${first.query}" with "${first.item}"`
  if (first !== undefined && strange.length === relevances.pairs.length) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected captions and clips of the manifest, found none, ${such}.`,
      {
        file,
        remedy:
          'Give the manifest of the data that was rated: its ids of captions and clips must be those of the table.',
      },
    )
  }
  if (first !== undefined)
    terminal.warn(
      `${plural(strange.length, 'pair')} left out, whose caption or clip the manifest does not have, ${such}.`,
    )
  return strange.length
}
