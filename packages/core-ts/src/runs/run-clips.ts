import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SonotextError } from '../base/errors.js'
import { writeFileAtomic } from '../base/files.js'
import { readText } from '../base/text.js'
import { type Clip, clipsOfSplit, findLeaks, type Manifest, splitsOf } from '../data/index.js'
import type { RunConfig } from './config.js'
import { runFiles } from './run-folder.js'

/** The clips of a run, by what they are for. */
export interface RunClips {
  /** Of `data.trainSplit`, and of the splits that sources of further objectives name. */
  readonly training: readonly Clip[]
  /** Empty: the training loss picks the best epoch. */
  readonly validation: readonly Clip[]
}

/**
 * The clips that a configuration names. Without a word about validation it is the split of that name, where there is one of two clips or
 * more.
 * @throws SonotextError INVALID_DATA for a split that is not there or too small, INVALID_CONFIG for a number that only validation gives
 */
export function runClipsOf(
  { data, validation, objectives, training: { epochs } }: RunConfig,
  manifest: Manifest,
  onNote: (note: string) => void,
): RunClips {
  // Each split once, under the first key that names it.
  const splits = new Map([[data.trainSplit, 'data.trainSplit']])
  objectives.forEach(({ source }, index) => {
    const split = source?.['split']
    if (typeof split === 'string' && !splits.has(split))
      splits.set(split, `objectives[${index}].source.split`)
  })
  const training = [...splits].flatMap(([split, key]) => clipsOfSplit(manifest, split, key))
  const named = data.validationSplit
  const usual = splitsOf(manifest.clips).includes('validation') ? 'validation' : null
  const split = named === undefined ? usual : named
  const clips = split === null ? [] : clipsOfSplit(manifest, split, 'data.validationSplit')
  if (named && clips.length < 2) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected two clips or more in the split ${named}, got ${clips.length}.`,
      {
        file: manifest.path,
        remedy: 'Name another split, or none: data.validationSplit=null.',
      },
    )
  }
  const trained = new Set(training)
  const both = clips.filter((clip) => trained.has(clip)).length
  if (both > 0)
    onNote(
      `${both} of ${clips.length} validation clips are trained on: what they say is not of unseen clips.`,
    )
  if (clips.length >= 2) return { training, validation: clips }
  const { monitor, watch = monitor } = validation
  if (monitor !== 'loss' || watch !== 'loss') {
    throw new SonotextError(
      'INVALID_CONFIG',
      `validation.monitor and validation.watch can only be loss without validation clips, got ${monitor} and ${watch}.`,
      {
        remedy: `Name a split of ${manifest.path} (${splitsOf(manifest.clips).join(', ')}) in data.validationSplit.`,
      },
    )
  }
  if (named === undefined && epochs > 0)
    onNote('There is no split named validation: the training loss picks the best epoch.')
  return { training, validation: [] }
}

/**
 * What the clips trained on share with those that are held out, for validation or in `others` for later tests, as sentences; with the
 * contents of the recordings also which are the same.
 */
export function leakNotes(
  { training, validation }: RunClips,
  { others = [], contents = new Map() }: LeakNotesOptions = {},
): string[] {
  const used = new Set(training)
  return [
    { held: validation, teller: 'validation' },
    { held: others, teller: 'a test on them' },
  ].flatMap(({ held, teller }) => {
    const splits = new Set(held.map(({ split }) => split))
    // Where the same clips stand in both on purpose, nothing is to be said of each.
    const leaks = findLeaks([...training, ...held.filter((clip) => !used.has(clip))], contents).filter(
      (leak) => splits.has(leak.clip.split) !== splits.has(leak.with.split),
    )
    if (leaks.length === 0) return []
    const [first] = leaks
    const [shares, share] = leaks.length === 1 ? ['clip', 'shares'] : ['clips', 'share']
    const about = `${leaks.length} ${shares} of ${first!.clip.split} ${share} recordings with ${first!.with.split}, such as ${first!.clip.id} and ${first!.with.id} (${first!.what})`
    return [`${about}: what ${teller} says of the model will be too good. sonotext check names all.`]
  })
}

/** Options of {@link leakNotes}. */
interface LeakNotesOptions {
  /** Clips that the run does not use. */
  readonly others?: readonly Clip[]
  /** Hashes of recordings. */
  readonly contents?: ReadonlyMap<Clip, string>
}

/** A clip of a run as `clips.jsonl` keeps it. */
interface KeptClip {
  readonly use: keyof RunClips
  readonly id: string
  /** Hash of its recording. */
  readonly content: string
}

/** Writes which clips a run uses, and the hash of each recording. */
export async function keepClips(
  folder: string,
  clips: RunClips,
  contents: ReadonlyMap<Clip, string>,
): Promise<void> {
  const lines = keptOf(clips, contents).map((clip) => JSON.stringify(clip))
  await writeFileAtomic(join(folder, runFiles.clips), `${lines.join('\n')}\n`)
}

/**
 * Refuses to go on with other clips or other recordings than the run was started with. A run of which nothing was kept is taken as it is.
 * @throws SonotextError INVALID_DATA naming what differs
 */
export async function refuseOtherClips(
  folder: string,
  clips: RunClips,
  contents: ReadonlyMap<Clip, string>,
): Promise<void> {
  const file = join(folder, runFiles.clips)
  if (!existsSync(file)) return
  const keyOf = ({ use, id }: KeptClip): string => JSON.stringify([use, id])
  const before = new Map(parseClips(await readText(file), file).map((clip) => [keyOf(clip), clip]))
  const now = new Map(keptOf(clips, contents).map((clip) => [keyOf(clip), clip]))
  const differences = (['training', 'validation'] as const).flatMap((use) => {
    const ofUse = (all: ReadonlyMap<string, KeptClip>) => [...all].filter(([, clip]) => clip.use === use)
    const gone = ofUse(before).filter(([key]) => !now.has(key))
    const added = ofUse(now).filter(([key]) => !before.has(key))
    const changed = ofUse(now).filter(
      ([key, { content }]) => (before.get(key)?.content ?? content) !== content,
    )
    const said = (some: readonly (readonly [string, KeptClip])[], what: string): string[] =>
      some.length === 0 ? [] : [`${some.length} ${use} clips ${what}, such as ${some[0]![1].id}`]
    return [
      ...said(gone, 'are no longer there'),
      ...said(added, 'are new'),
      ...said(changed, 'have another recording'),
    ]
  })
  if (differences.length === 0) return
  throw new SonotextError('INVALID_DATA', `the run was started with other data: ${differences.join('; ')}.`, {
    file,
    remedy: 'Go on with the data of the run, or start a new run in another folder.',
  })
}

function keptOf(clips: RunClips, contents: ReadonlyMap<Clip, string>): KeptClip[] {
  return (['training', 'validation'] as const).flatMap((use) =>
    clips[use].map((clip) => ({ use, id: clip.id, content: contents.get(clip) ?? '' })),
  )
}

function parseClips(text: string, file: string): KeptClip[] {
  try {
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as KeptClip)
  } catch (cause) {
    throw new SonotextError('INVALID_FILE', 'the list of the clips of the run is damaged.', {
      file,
      remedy: 'Remove it to go on without comparing recordings.',
      cause,
    })
  }
}
