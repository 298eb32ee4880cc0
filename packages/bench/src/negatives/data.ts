import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { logMel, readMono, resample } from '@sonotext/core/audio'
import type { Backend } from '@sonotext/core/backend'
import { type Matrix, matrix, readSafetensors, writeSafetensors } from '@sonotext/core/base'
import { type Clip, clipsOfSplit, readManifest } from '@sonotext/core/data'
import { composeScenes, folderBank, proceduralBank, type SoundBank } from '@sonotext/scenes'
import type { Tower } from './towers.js'

/** Scenes to train on and to be tested on, with what is heard of each clip. */
export interface StudyData {
  readonly bank: string
  readonly train: readonly Clip[]
  /** Scenes for the learning curve. */
  readonly validation: readonly Clip[]
  /** What is measured in the end: scenes of held-out sounds, and single held-out sounds. */
  readonly tests: Readonly<Record<TestName, readonly Clip[]>>
  features(clip: Pick<Clip, 'id'>): Matrix
  /** Numbers in a frame, and seconds between frames. */
  readonly cols: number
  readonly frameStep: number
  /** The classes that clips are made of, by id. */
  readonly classes: ReadonlyMap<string, ReadonlySet<string>>
}

export const testNames = ['scenes', 'singles'] as const
export type TestName = (typeof testNames)[number]

export interface BankSource {
  readonly name: string
  open(): Promise<SoundBank>
}

export const proceduralSource: BankSource = { name: 'procedural', open: async () => proceduralBank() }

/** ESC-style folders of labelled recordings: folds 1 to 3 to train on, 4 for the curve, 5 for the tests. */
export function recordedSource(folder: string, csv: string | undefined): BankSource {
  const splits = { train: ['1', '2', '3'], validation: ['4'], test: ['5'] }
  return {
    name: 'recorded',
    open: () => folderBank(folder, { ...(csv === undefined ? {} : { csv, splits }) }),
  }
}

export interface StudySize {
  readonly scenes: Readonly<Record<'train' | 'validation' | 'test' | 'singles', number>>
  /** Seconds. */
  readonly duration: number
}

/** What encoders are given: vectors of a frozen tower, or log-mel frames for one that is trained from scratch. */
export type Hearing = Tower | 'log-mel'

/** Composes what is not there yet, and computes features once for each hearing. */
export async function studyData(
  source: BankSource,
  hearing: Hearing,
  { scenes, duration }: StudySize,
  folder: string,
  backend: Backend,
): Promise<StudyData> {
  const bank = await source.open()
  const sampleRate = 16_000
  const common = { bank, duration, sampleRate, seed: 1 }
  const place = join(folder, `${source.name}-${duration}s-${Object.values(scenes).join('-')}`)
  const { train, validation, test } = scenes
  const mixed = await composeScenes({ ...common, scenes: { train, validation, test } }, join(place, 'scenes'))
  // One sound a clip, once, with nothing behind it.
  const alone = { groups: [1, 1], background: 0, repeats: 1 } as const
  const single = await composeScenes(
    { ...common, ...alone, scenes: { test: scenes.singles } },
    join(place, 'singles'),
  )
  const [manifest, singles] = [await readManifest(mixed.manifest), await readManifest(single.manifest)]
  const named = singles.clips.map((clip) => ({ ...clip, id: `single-${clip.id}` }))
  const clips = [...manifest.clips, ...named]
  const split = (name: string) => clipsOfSplit(manifest, name)
  const file = join(place, `${hearing === 'log-mel' ? hearing : hearing.id}.safetensors`)
  if (!existsSync(file)) await computeFeatures(clips, hearing, file, backend)
  const { tensors } = await readSafetensors(file)
  const frames = new Map(
    [...tensors].map(([id, { shape, data }]) => [id, matrix(shape[0]!, shape[1]!, data as Float32Array)]),
  )
  if (hearing !== 'log-mel') standardise(frames, split('train'))
  const classesOf = ({ events = [] }: Clip) => new Set(events.map(({ label }) => label))
  return {
    bank: source.name,
    train: split('train'),
    validation: split('validation'),
    tests: { scenes: split('test'), singles: named },
    features: ({ id }) => frames.get(id)!,
    cols: frames.get(clips[0]!.id)!.cols,
    frameStep: hearing === 'log-mel' ? 0.02 : 0.48,
    classes: new Map(clips.map((clip) => [clip.id, classesOf(clip)])),
  }
}

async function computeFeatures(clips: readonly Clip[], hearing: Hearing, file: string, backend: Backend) {
  const rate = hearing === 'log-mel' ? 16_000 : hearing.sampleRate
  const mel = hearing === 'log-mel' ? logMel('thesis', { sampleRate: rate }, { backend }) : null
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>()
  for (const { id, audio } of clips) {
    const { samples, sampleRate } = await readMono(audio)
    const heard = sampleRate === rate ? samples : await resample(samples, sampleRate, rate, { backend })
    const { rows, cols, data } = await (mel === null ? (hearing as Tower).embed(heard) : mel.compute(heard))
    tensors.set(id, { shape: [rows, cols], data: data as Float32Array })
  }
  await writeSafetensors(file, tensors)
}

/** Every number to mean 0 and deviation 1 over the training clips; in place. */
function standardise(frames: ReadonlyMap<string, Matrix>, train: readonly Clip[]): void {
  const own = train.map(({ id }) => frames.get(id)!)
  const { cols } = own[0]!
  const count = own.reduce((sum, { rows }) => sum + rows, 0)
  for (let k = 0; k < cols; k++) {
    let [sum, squares] = [0, 0]
    for (const { rows, data } of own) {
      for (let r = 0; r < rows; r++) {
        const x = data[r * cols + k]!
        sum += x
        squares += x * x
      }
    }
    const mean = sum / count
    const deviation = Math.sqrt(Math.max(1e-12, squares / count - mean * mean))
    for (const { rows, data } of frames.values())
      for (let r = 0; r < rows; r++) data[r * cols + k] = (data[r * cols + k]! - mean) / deviation
  }
}
