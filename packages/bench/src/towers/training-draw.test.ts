import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readManifest } from '@sonotext/core/data'
import { proceduralBank } from '@sonotext/scenes'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DrawOptions, writeDraw } from './training-draw.js'

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-draws-'))))
afterAll(() => rm(folder, { recursive: true }))

it('draws of the training clips differ, what is held out and the recordings stay', async () => {
  const options: DrawOptions = {
    bank: proceduralBank(),
    ...{ folder, scenes: 3, heldOut: 2, single: 2, sampleRate: 8000 },
    recordings: [{ file: 'a.wav', label: 'dog', fold: '1', group: 'a' }],
    recordingsFolder: '/recordings',
  }
  const [first, second] = await Promise.all(
    [1, 2].map(async (draw) => (await readManifest(await writeDraw(draw, options))).clips),
  )
  const ids = (clips: typeof first) => clips!.map(({ id }) => id).toSorted()
  expect(ids(second)).toEqual(ids(first))
  expect(first!.map(({ split }) => split).filter((split) => split === 'test')).toHaveLength(2)
  const told = (clips: typeof first) => new Map(clips!.map(({ id, captions }) => [id, captions]))
  const [a, b] = [told(first), told(second)]
  for (const clip of first!) {
    const other = second!.find(({ id }) => id === clip.id)!
    if (clip.split === 'test') expect(other).toEqual(clip)
    else if (clip.id === 'a.wav') expect(other.audio).toBe('/recordings/a.wav')
    else expect(other.audio).not.toBe(clip.audio)
  }
  expect([...b].filter(([id, captions]) => a.get(id)![0]!.text !== captions[0]!.text).length).toBeGreaterThan(
    3,
  )
  const again = (await readManifest(await writeDraw(2, options))).clips
  expect(again).toEqual(second)
})
