import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { logMelPresets } from '../audio/index.js'
import { openBackend } from '../backend/index.js'
import { tinyRun, writeToneClips } from '../testing/tone-clips.js'
import { evaluateRun } from './evaluate-run.js'
import { parseConfig } from './config.js'
import { openRun } from './run-folder.js'
import { trainRun } from './train-run.js'

const backend = openBackend()
let folder: string
let manifest: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-presets-'))
  ;({ manifest } = await writeToneClips(folder, { splits: { train: 6, validation: 3, test: 3 } }))
})
afterAll(() => rm(folder, { recursive: true }))

it.each([...logMelPresets, 'native'])('features of kind %s are trained on from end to end', async (kind) => {
  const features = kind === 'native' ? { sampleRate: 'native' } : { preset: kind }
  const config = parseConfig({
    ...tinyRun,
    features,
    // 80 bands are not for a CRNN, which says so.
    ...(kind === 'whisper' && { model: { ...tinyRun.model, audio: { type: 'projection' } } }),
    data: { manifest },
    training: { epochs: 1, batchSize: 6 },
  })
  await trainRun(config, { folder: join(folder, kind), backend })
  const run = await openRun(join(folder, kind), { backend })
  expect(run.model.audio.encoder.bands).toBe(
    kind === 'whisper' ? 80 : ['librosa', 'torchaudio'].includes(kind) ? 128 : 64,
  )
  expect((await evaluateRun(run)).textToAudio!['R@1']).toBeGreaterThanOrEqual(0)
})
