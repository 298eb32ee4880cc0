import { readFileSync } from 'node:fs'
import { decodeText, readText, rethrowMissing } from '../base/index.js'
import { isManifestName, parseManifest } from '../data/index.js'
import { manifestRelevances } from './manifest-relevances.js'
import { parseRatings, type ReadRatingsOptions } from './read-ratings.js'
import { type AggregateOptions, aggregateRatings, type Relevances } from './relevances.js'

/**
 * Reads graded relevance: ratings of any number of raters, what {@link writeRelevances} wrote, or a manifest (`.jsonl`, `.ndjson`) whose captions
 * state it. Throws as `readRatings` and `readManifest`.
 */
export async function readRelevances(
  path: string,
  options: ReadRatingsOptions & AggregateOptions = {},
): Promise<Relevances> {
  return parseRelevances(await readText(path, { signal: options.signal }), path, options)
}

/** {@link readRelevances} at once, for parts of a configuration, which are made without waiting. */
export function readRelevancesNow(path: string): Relevances {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    rethrowMissing(path, cause)
  }
  return parseRelevances(decodeText(bytes, path), path)
}

function parseRelevances(
  text: string,
  path: string,
  options: ReadRatingsOptions & AggregateOptions = {},
): Relevances {
  if (isManifestName(path)) return manifestRelevances(parseManifest(text, path).clips, path)
  return aggregateRatings(parseRatings(text, path, options), options)
}
