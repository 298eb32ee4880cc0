import { createHash } from 'node:crypto'
import { appendFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeWav } from '@sonotext/core/audio'
import {
  expected,
  makeFolder,
  readText,
  Rng,
  SonotextError,
  throwIfAborted,
  writeFileAtomic,
} from '@sonotext/core/base'
import { readManifest, writeManifest, type ClipInput } from '@sonotext/core/data'
import type { SoundBank } from './bank.js'
import { makeScene, type Scene } from './scene.js'
import { sceneOptions, sketchScenes, type SceneOptions } from './sketch.js'

/** Options of {@link composeScenes}. */
export interface ComposeOptions extends SceneOptions {
  readonly bank: SoundBank
  /** How many scenes for each split: { train: 800, validation: 100, test: 150 }. */
  readonly scenes: Readonly<Record<string, number>>
  /** Same seed, options and bank: the same files, bit for bit. Default 0. */
  readonly seed?: number
  readonly signal?: AbortSignal
  /** After every scene. */
  readonly onProgress?: (progress: ComposeProgress) => void
}

/** How far a composition is. */
export interface ComposeProgress {
  readonly done: number
  readonly total: number
  /** Whether the scene was there already. */
  readonly reused: boolean
}

/** What {@link composeScenes} made. */
export interface Composition {
  /** Path of the manifest. */
  readonly manifest: string
  readonly scenes: number
  /** Scenes that an earlier, interrupted run had made. */
  readonly reused: number
  /** Recordings of the bank that could not be used. */
  readonly unusable: SoundBank['unusable']
}

/** Goes into compose.json: raise it when the same options give other scenes. */
const composerVersion = 1

/**
 * Mixes sounds of a bank into scenes with known onsets, offsets and levels, and writes them to a folder: `audio/<id>.wav` (16 bit, mono),
 * `manifest.jsonl` with captions and events, `compose.json` with the options. Stopped at any point, the same call goes on where it stopped
 * and ends with the same files. Throws INVALID_DATA when the folder holds scenes of other options, WRITE_FAILED, ABORTED.
 */
export async function composeScenes(options: ComposeOptions, folder: string): Promise<Composition> {
  const { bank, signal, onProgress } = options
  const seed = options.seed ?? 0
  const scene = sceneOptions(options)
  if (!Number.isSafeInteger(seed)) throw expected('a whole number', 'seed', seed)
  const splits = Object.entries(options.scenes)
  for (const [split, count] of splits) {
    if (!Number.isSafeInteger(count) || count < 0)
      throw expected('a whole number from 0', `scenes.${split}`, count)
    if (!/^[\w.-]+$/.test(split)) throw expected('letters, digits, dots and hyphens', 'a split', split)
  }
  const total = splits.reduce((sum, [, count]) => sum + count, 0)
  if (total === 0) throw expected('at least one scene', 'scenes', JSON.stringify(options.scenes))

  const jobs = splits.flatMap(([split, count]) => {
    const rng = new Rng(seed, `scenes/${split}`)
    const sketches = sketchScenes(bank, split, count, scene, rng.fork('sketches'))
    const width = String(count).length
    return sketches.map((sketch, i) => ({
      split,
      sketch,
      rng: rng.fork(i),
      id: `${split}-${String(i + 1).padStart(width, '0')}`,
    }))
  })
  const { single, ...usual } = scene
  const settings = {
    ...{ version: composerVersion, bank: bank.id, scenes: options.scenes, seed, ...usual },
    // Folders of before there was this option stay good.
    ...(single > 0 && { single }),
  }
  await claim(folder, settings)

  const manifest = join(folder, 'manifest.jsonl')
  const journal = join(folder, 'scenes.partial.jsonl')
  const bytes = 44 + 2 * Math.round(scene.duration * scene.sampleRate)
  const made = await alreadyMade(manifest, journal)
  const clips: ClipInput[] = []
  let reused = 0
  for (const { id, split, sketch, rng } of jobs) {
    throwIfAborted(signal)
    const audio = join(folder, 'audio', `${id}.wav`)
    const earlier = made.get(id)
    const kept = earlier !== undefined && (await sizeOf(audio)) === bytes
    if (kept) {
      clips.push({ ...earlier, audio })
      reused++
    } else {
      const wanted = { ...scene, split, rng, ...(signal && { signal }) }
      const finished = await makeScene(bank, sketch, wanted)
      const clip = toClip(finished, { id, split, audio, duration: scene.duration })
      await writeFileAtomic(audio, encodeWav(finished.samples, scene.sampleRate).bytes)
      await note(journal, clip)
      clips.push(clip)
    }
    onProgress?.({ done: clips.length, total, reused: kept })
  }
  await writeManifest(manifest, clips, signal ? { signal } : {})
  await rm(journal, { force: true })
  return { manifest, scenes: total, reused, unusable: bank.unusable }
}

function toClip(
  scene: Scene,
  about: { id: string; split: string; audio: string; duration: number },
): ClipInput {
  const { description, captions, events, sampleRate } = scene
  const round = (value: number, digits: number) => Number(value.toFixed(digits))
  return {
    id: about.id,
    audio: about.audio,
    split: about.split,
    duration: about.duration,
    sampleRate,
    captions: captions.map((caption) => caption.text),
    tags: [...new Set(events.map((event) => event.label))],
    events: events.map(({ label, onset, offset, level, source }) => ({
      label,
      onset: round(onset, 4),
      offset: round(Math.min(offset, about.duration), 4),
      level: round(level, 2),
      source,
    })),
    extra: { scene: description },
  }
}

/** The folder belongs to these settings from now on, or did already. */
async function claim(folder: string, settings: object): Promise<void> {
  const file = join(folder, 'compose.json')
  const text = `${JSON.stringify(settings, null, 2)}\n`
  const there = await readText(file).catch(() => undefined)
  if (there === text) return
  if (there !== undefined) {
    throw new SonotextError(
      'INVALID_DATA',
      `the folder holds scenes made otherwise (${difference(there, settings)}).`,
      {
        file,
        remedy: 'Name another folder, or delete this one.',
      },
    )
  }
  if ((await sizeOf(join(folder, 'manifest.jsonl'))) !== undefined) {
    throw new SonotextError('INVALID_DATA', 'the folder holds a manifest that was not composed here.', {
      file: folder,
      remedy: 'Name another folder.',
    })
  }
  await makeFolder(join(folder, 'audio')).catch((cause: NodeJS.ErrnoException) => {
    throw new SonotextError('WRITE_FAILED', `could not make the folder (${cause.code}).`, {
      file: folder,
      remedy: 'Check that its parent exists and can be written.',
      cause,
    })
  })
  await writeFileAtomic(file, text)
}

/** Names the first setting that differs. */
function difference(there: string, settings: object): string {
  try {
    const old = JSON.parse(there) as Record<string, unknown>
    const [name, value] =
      Object.entries(settings).find(([key, v]) => JSON.stringify(v) !== JSON.stringify(old[key])) ?? []
    const short = (v: unknown) => {
      const json = JSON.stringify(v) ?? 'nothing'
      return json.length > 60 ? createHash('sha256').update(json).digest('hex').slice(0, 8) : json
    }
    return name === undefined ? 'older settings' : `${name} was ${short(old[name])}, now ${short(value)}`
  } catch {
    return 'its compose.json cannot be read'
  }
}

/** Scenes by id from a finished manifest or from the journal of an interrupted run; a line cut short by a kill is ignored. */
async function alreadyMade(manifest: string, journal: string): Promise<Map<string, ClipInput>> {
  const made = new Map<string, ClipInput>()
  if ((await sizeOf(manifest)) !== undefined) {
    for (const clip of (await readManifest(manifest)).clips) made.set(clip.id, clip)
  }
  const lines = (await readText(journal).catch(() => '')).split('\n')
  for (const line of lines) {
    try {
      const clip = JSON.parse(line) as ClipInput
      made.set(clip.id, clip)
    } catch {
      continue
    }
  }
  return made
}

async function note(journal: string, clip: ClipInput): Promise<void> {
  // On a line of its own even after a line that was cut short.
  await appendFile(journal, `\n${JSON.stringify(clip)}\n`).catch((cause: NodeJS.ErrnoException) => {
    throw new SonotextError('WRITE_FAILED', `could not note the finished scene (${cause.code}).`, {
      file: journal,
      remedy: 'Free some disk space and run again: what is done is kept.',
      cause,
    })
  })
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    (info) => info.size,
    () => undefined,
  )
}
