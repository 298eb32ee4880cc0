import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { loadModel } from './index.js'

const file = fileURLToPath(new URL('../../test-data/version-0.1/model.safetensors', import.meta.url))

it('a model of version 0.1 loads under the name it had, so that an index made with it still fits', async () => {
  const model = await loadModel(file, { backend: openBackend() })
  expect(model.id).toBe('85d294b1b987c874')
  expect(model.config).toMatchObject({
    audio: { kind: 'projection' },
    similarity: { kind: 'frame-word', reduction: 'MTSQ' },
    features: { preset: 'thesis', sampleRate: 22_050 },
  })
})
