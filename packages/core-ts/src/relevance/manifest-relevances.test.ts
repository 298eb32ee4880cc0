import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readManifest, writeManifest } from '../data/index.js'
import { readRelevances, readRelevancesNow, withRelevance } from './index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-manifest-relevance-'))
})
afterAll(() => rm(folder, { recursive: true }))
const write = async (name: string, ...lines: object[]) => {
  const path = join(folder, name)
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return path
}
const clip = (id: string, relevance?: object) => ({
  ...{ id, audio: `${id}.wav` },
  captions: relevance === undefined ? [`the sound of ${id}`] : [{ text: `the sound of ${id}`, relevance }],
})

test('captions of a manifest state relevance; what they do not name nobody has judged', async () => {
  const path = await write('stated.jsonl', clip('a', { a: 1, b: 0.25 }), clip('b'), clip('c', { b: 0 }))
  for (const found of [await readRelevances(path), readRelevancesNow(path)]) {
    expect(found.of('a#1', 'b')).toBe(0.25)
    expect(found.of('c#1', 'b')).toBe(0)
    expect(found.of('b#1', 'b')).toBeUndefined()
    expect(found.queries).toEqual(['a#1', 'c#1'])
  }
})

test('relevance of a table is written into a manifest and read again', async () => {
  const table = join(folder, 'table.csv')
  await writeFile(table, 'query,item,relevance\na#1,b,0.5\na#1,elsewhere,1\nb#1,a,0.125\n')
  const plain = await write('plain.jsonl', clip('a'), clip('b'))
  const { clips } = await readManifest(plain)
  const graded = join(folder, 'graded.jsonl')
  await writeManifest(graded, withRelevance(clips, await readRelevances(table)))
  const found = await readRelevances(graded)
  expect(found.pairs.map(({ query, item, relevance }) => [query, item, relevance])).toEqual([
    ['a#1', 'b', 0.5],
    ['b#1', 'a', 0.125],
  ])
  // Without relevance a manifest is written as it was.
  const again = join(folder, 'again.jsonl')
  await writeManifest(again, clips)
  expect(await readFile(again, 'utf8')).toContain('"captions":["the sound of a"]')
})

test('off the scale, of clips that are not there, and none at all', async () => {
  const refused = async (path: string, file: string, text: RegExp) => {
    await expect(readRelevances(path)).rejects.toMatchObject({ code: 'INVALID_FILE', file })
    await expect(readRelevances(path)).rejects.toThrow(text)
    expect(() => readRelevancesNow(path)).toThrow(text)
  }
  const off = await write('off.jsonl', clip('b'), clip('a', { a: 1.5 }))
  await refused(off, `${off}:2`, /1\.5|at most 1|<= 1/)
  const strange = await write('strange.jsonl', clip('a', { x: 1 }))
  await refused(strange, strange, /"x", which is no clip/)
  const none = await write('none.jsonl', clip('a'))
  await refused(none, none, /no caption/)
})
