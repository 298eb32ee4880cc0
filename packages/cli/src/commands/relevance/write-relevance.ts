import { readManifest, writeManifest } from '@sonotext/core/data'
import { type Relevances, withRelevance, writeRelevances } from '@sonotext/core/relevance'
import type { Terminal } from '../../terminal.js'
import { countStrange } from './known-relevance.js'

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
  const known = pairs.length - countStrange(clips, relevances, manifest, terminal)
  await writeManifest(out, withRelevance(clips, relevances), { signal })
  return known
}
