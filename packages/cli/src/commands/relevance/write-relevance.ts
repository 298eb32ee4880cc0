import { readManifest, writeManifest } from '@sonotext/core/data'
import { type Relevances, withRelevance, writeRelevances } from '@sonotext/core/relevance'

/** Where relevance goes: a table, or a copy of a manifest whose captions state it. */
export async function writeRelevance(
  out: string,
  relevances: Relevances,
  manifest: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (manifest === undefined) return writeRelevances(out, relevances)
  const { clips } = await readManifest(manifest, { signal })
  await writeManifest(out, withRelevance(clips, relevances), { signal })
}
