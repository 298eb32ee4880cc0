import { mkdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeWav, type AudioFeatures } from '@sonotext/core/audio'
import { Rng } from '@sonotext/core/base'
import type { Clip } from '@sonotext/core/data'

/** Words that captions are made of. */
const words = 'dog rain bird engine bell wind water voice door clock train cat siren step music fire'.split(
  ' ',
)
const verbs =
  'barks falls sings runs rings blows drips speaks closes ticks passes calls wails walks plays burns'.split(
    ' ',
  )

/** Recordings written at once. */
const together = 64

/** Clips that differ in everything: recordings of 64 samples, and captions of up to eight words. */
export async function generatedClips(folder: string, count: number, captions: number): Promise<Clip[]> {
  const clips = Array.from({ length: count }, (_, i) => generatedClip(folder, i, captions))
  for (let at = 0; at < count; at += together)
    await Promise.all(clips.slice(at, at + together).map(({ audio }, i) => writeRecording(audio, at + i)))
  return clips
}

function generatedClip(folder: string, i: number, captions: number): Clip {
  const id = String(i).padStart(6, '0')
  const rng = new Rng(i, 'captions')
  const texts = Array.from({ length: captions }, () => {
    const some = Array.from({ length: 1 + rng.int(3) }, () => `a ${rng.pick(words)} ${rng.pick(verbs)}`)
    return some.join(' while ')
  })
  return {
    id,
    audio: join(folder, 'audio', id.slice(0, 3), `${id}.wav`),
    captions: texts.map((text, k) => ({ id: `${id}#${k + 1}`, text })),
  }
}

/** Unless it is there. */
async function writeRecording(audio: string, i: number): Promise<void> {
  if ((await stat(audio).catch(() => null)) !== null) return
  const rng = new Rng(i, 'clip')
  const samples = Float32Array.from({ length: 64 }, () => rng.between(-0.5, 0.5))
  await mkdir(join(audio, '..'), { recursive: true })
  await writeFile(audio, encodeWav(samples, 8000, { format: 'float32' }).bytes)
  // As recordings are: not changed a moment ago.
  await utimes(audio, 1_700_000_000, 1_700_000_000)
}

/** Features of the size of real ones without the work behind them: frames of noise that the samples decide. */
export function generatedFeatures({ frames, cols }: { frames: number; cols: number }): AudioFeatures {
  const config = { frames, cols }
  return {
    name: 'generated',
    config,
    id: `generated-${frames}x${cols}`,
    cols,
    origin: { module: import.meta.url, export: 'generatedFeatures', argument: config },
    compute: ({ blocks }) => ({
      frameStep: 0.02,
      blocks: (async function* () {
        for await (const block of blocks) {
          let state = 1
          for (const x of block) state = Math.imul(state ^ Math.round(x * 2 ** 24), 0x9e3779b1) >>> 0 || 1
          const data = new Float32Array(frames * cols)
          for (let i = 0; i < data.length; i++) {
            state ^= state << 13
            state ^= state >>> 17
            state ^= state << 5
            data[i] = (state | 0) / 2 ** 30
          }
          yield { rows: frames, cols, data }
        }
      })(),
    }),
  }
}
