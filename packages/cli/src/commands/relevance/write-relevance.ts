import { SonotextError } from '@sonotext/core/base'
import { readManifest, writeManifest } from '@sonotext/core/data'
import { type Relevances, strangePairs, withRelevance, writeRelevances } from '@sonotext/core/relevance'
import { plural } from '../../plural.js'
import type { Terminal } from '../../terminal.js'

/**
 * Where relevance goes: a table, or a copy of a manifest whose captions state it. Says how many pairs have no place in the manifest, and
 * gives the number of those that were written. Throws INVALID_DATA where none has.
 */
export async function writeRelevance(
  out: string,
  relevances: Relevances,
  manifest: string | undefined,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<number> {
  const { pairs } = relevances
  if (manifest === undefined) {
    await writeRelevances(out, relevances)
    return pairs.length
  }
  const { clips } = await readManifest(manifest, { signal })
  const strange = strangePairs(clips, relevances)
  const [first] = strange
  const such = first === undefined ? '' : `such as "${first.query}" with "${first.item}"`
  if (first !== undefined && strange.length === pairs.length) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected captions and clips of the manifest, found none, ${such}.`,
      {
        file: manifest,
        remedy:
          'Give the manifest of the data that was rated: its ids of captions and clips must be those of the table.',
      },
    )
  }
  if (first !== undefined)
    terminal.warn(
      `${plural(strange.length, 'pair')} left out, whose caption or clip ${manifest} does not have, ${such}.`,
    )
  await writeManifest(out, withRelevance(clips, relevances), { signal })
  return pairs.length - strange.length
}
