import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { readSafetensors, writeSafetensors } from '../base/index.js'
import { loadModel } from './index.js'

const file = fileURLToPath(new URL('../../test-data/version-0.1/model.safetensors', import.meta.url))

it('a file that describes no model is refused by name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sonotext-described-'))
  try {
    const good = await readSafetensors(file)
    const content = JSON.parse(good.metadata['content']!) as { model: { audio: object; text: object } }
    const { audio, text, ...rest } = content.model
    const described: unknown[] = [
      null,
      {},
      { model: {} },
      { model: { ...rest, audio } },
      { model: { ...rest, audio, text: { ...text, vocabulary: null } } },
      { model: { audio, text } },
    ]
    for (const body of described) {
      const path = join(folder, 'foreign.safetensors')
      await writeSafetensors(path, good.tensors, { ...good.metadata, content: JSON.stringify(body) })
      await expect(loadModel(path), JSON.stringify(body)).rejects.toMatchObject({
        code: 'INVALID_FILE',
        file: path,
      })
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('a model of version 0.1 loads under the name it had, so that an index made with it still fits', async () => {
  const model = await loadModel(file, { backend: openBackend() })
  expect(model.id).toBe('85d294b1b987c874')
  expect(model.config).toMatchObject({
    audio: { kind: 'projection' },
    similarity: { kind: 'frame-word', reduction: 'MTSQ' },
    features: { preset: 'thesis', sampleRate: 22_050 },
  })
})
