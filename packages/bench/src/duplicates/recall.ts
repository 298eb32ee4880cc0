import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeStream, type Fingerprint, fingerprint, monoBlocks, readMono } from '@sonotext/core/audio'
import { nearDuplicates, type NearDuplicate, readCsv } from '@sonotext/core/data'
import type { Transformation } from './transformations.js'

/** A real clip and what it was cut from: two clips of one source are no test of false alarms. */
export interface SourcedClip {
  /** Name in the metadata. */
  readonly name: string
  readonly path: string
  readonly source: string
}

/** The recordings of a data folder with a `metadata.csv`; of ESC-50 names the second number is the source. */
export async function realClips(data: string): Promise<SourcedClip[]> {
  const { rows } = await readCsv(join(data, 'metadata.csv'))
  return rows.map((row) => {
    const name = row.get('file')
    const [, source = name] = /(?:^|\/)\d-(\d+)-[A-Z]-\d+\.wav$/.exec(name) ?? []
    return { name, path: join(data, name), source }
  })
}

export async function fingerprintOf(path: string): Promise<Fingerprint> {
  await using stream = await decodeStream(path)
  return await fingerprint(monoBlocks(stream))
}

/** Fingerprints of a copy of every clip. The copies stay in `work`, where another run finds them. */
export async function copiesOf(
  clips: readonly SourcedClip[],
  { name, ending, make }: Transformation,
  work: string,
): Promise<Fingerprint[]> {
  const folder = join(work, name.replaceAll(/[^a-z0-9]+/gi, '-'))
  await mkdir(folder, { recursive: true })
  const prints: Fingerprint[] = []
  for (const [number, { path }] of clips.entries()) {
    const copy = join(folder, `${number}.${ending}`)
    if (!existsSync(copy)) {
      const unfinished = join(folder, `unfinished.${ending}`)
      await make(await readMono(path), path, unfinished)
      await rename(unfinished, copy)
    }
    prints.push(await fingerprintOf(copy))
  }
  return prints
}

export interface Alarm extends NearDuplicate {
  /** Names of the two; a copy's is that of its clip. */
  readonly names: readonly [string, string]
}

/** What is found in a collection of all clips and one copy of each. */
export interface Found {
  readonly name: string
  /** Clips whose copy was found, and the names of the others. */
  readonly found: number
  readonly missed: readonly string[]
  /** Pairs of clips or copies from different sources, and those of them that are said to share sound. */
  readonly pairs: number
  readonly alarms: readonly Alarm[]
}

/**
 * Seeks near-duplicates among clips and copies. `same` says of the names of two clips from different sources that they are known to hold one
 * recording all the same: such pairs count neither way.
 */
export async function findCopies(
  name: string,
  clips: readonly SourcedClip[],
  originals: readonly Fingerprint[],
  copies: readonly Fingerprint[],
  same: (one: string, other: string) => boolean = () => false,
): Promise<Found> {
  const all = [...clips, ...copies.map((_, number) => clips[number]!)]
  const related = (a: number, b: number): boolean =>
    all[a]!.source === all[b]!.source || same(all[a]!.name, all[b]!.name)
  const found = await nearDuplicates([...originals, ...copies])
  const whole = new Set(found.filter(({ a, b }) => b === a + clips.length).map(({ a }) => a))
  let pairs = 0
  for (let a = 0; a < all.length; a++) for (let b = a + 1; b < all.length; b++) if (!related(a, b)) pairs++
  return {
    name,
    found: whole.size,
    missed: copies.flatMap((_, number) => (whole.has(number) ? [] : clips[number]!.name)),
    pairs,
    alarms: found
      .filter(({ a, b }) => !related(a, b))
      .map((pair) => ({ ...pair, names: [all[pair.a]!.name, all[pair.b]!.name] as const })),
  }
}
