import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readManifest } from './manifest.js'
import schema from './manifest.schema.json' with { type: 'json' }

const guide = new URL('../../../../docs/guide/data.md', import.meta.url)

it('the manifest in the guide is one, and the guide tells of every field', async () => {
  const text = await readFile(guide, 'utf8')
  const folder = await mkdtemp(join(tmpdir(), 'guide-'))
  const path = join(folder, 'm.jsonl')
  await writeFile(path, /```jsonl\n([^`]*)```/.exec(text)![1]!)
  const { clips } = await readManifest(path)
  await rm(folder, { recursive: true })
  expect(clips.map(({ captions }) => captions.length)).toEqual([1, 2, 1])
  for (const field of [...Object.keys(schema.properties), ...Object.keys(schema.$defs.event.properties)]) {
    expect(text, field).toContain(`\`${field}\``)
  }
})
