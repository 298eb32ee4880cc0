import { join } from 'node:path'
import { writeWav } from '../audio/index.js'
import { Rng } from '../base/rng.js'
import { type ClipInput, writeManifest } from '../data/index.js'

/** Six kinds of sound that a model can learn to tell apart in a few steps; `f` in Hz, `t` in seconds. */
const sounds: readonly (readonly [string, (t: number, f: number, rng: Rng) => number])[] = [
  ['low hum', (t, f) => Math.sin(2 * Math.PI * 0.3 * f * t)],
  ['high whistle', (t, f) => Math.sin(2 * Math.PI * 8 * f * t)],
  ['steady hiss', (_t, _f, rng) => rng.normal() / 3],
  ['rising siren', (t, f) => Math.sin(2 * Math.PI * (f + 1000 * t) * t)],
  ['beeping alarm', (t, f) => (t % 0.25 < 0.12 ? Math.sin(2 * Math.PI * 3 * f * t) : 0)],
  ['ticking clock', (t, f) => (t % 0.2 < 0.01 ? Math.sin(2 * Math.PI * 5 * f * t) : 0)],
]

/** Options of {@link writeToneClips}. */
export interface ToneClipsOptions {
  /** Clips of each split. Default 12 to train, 6 for validation and 6 to test. */
  splits?: Readonly<Record<string, number>>
  /** Default 0.5. */
  seconds?: number
  /** Hz. Default 22050. */
  sampleRate?: number
}

/**
 * Writes short clips (WAV) of synthetic sounds, two captions each, and their manifest `clips.jsonl`, for tests of whole runs.
 * Returns the path of the manifest and the clips written.
 */
export async function writeToneClips(
  folder: string,
  options: ToneClipsOptions = {},
): Promise<{ manifest: string; clips: (ClipInput & { readonly split: string })[] }> {
  const { splits = { train: 12, validation: 6, test: 6 }, seconds = 0.5, sampleRate = 22_050 } = options
  const wanted = Object.entries(splits).flatMap(([split, count]) => Array<string>(count).fill(split))
  const clips = await Promise.all(
    wanted.map(async (split, number) => {
      const [name, sound] = sounds[number % sounds.length]!
      const id = `${name.replace(' ', '-')}-${number}`
      const rng = new Rng(7, id)
      const frequency = 300 + 8 * number
      const samples = Float32Array.from(
        { length: Math.round(seconds * sampleRate) },
        (_, i) => 0.3 * sound(i / sampleRate, frequency, rng) + 1e-3 * rng.normal(),
      )
      const audio = join(folder, 'audio', `${id}.wav`)
      await writeWav(audio, samples, sampleRate)
      return { id, audio, split, captions: [`a ${name}`, `the sound of a ${name}`] }
    }),
  )
  const manifest = join(folder, 'clips.jsonl')
  await writeManifest(manifest, clips)
  return { manifest, clips }
}

/** Configuration of a run of a second over {@link writeToneClips}, without the data. */
export const tinyRun = {
  model: { text: { dim: 16 } },
  training: { epochs: 2, batchSize: 4 },
} as const
