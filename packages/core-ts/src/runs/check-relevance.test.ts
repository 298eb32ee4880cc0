import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Clip } from '../data/index.js'
import { openRelevance, refuseMissingFiles } from './check-relevance.js'
import { parseConfig } from './config.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-check-relevance-'))
})
afterAll(() => rm(folder, { recursive: true }))

const clips: Clip[] = ['a', 'b', 'c'].map((id) => ({
  ...{ id, audio: `${id}.wav`, captions: [{ id: `${id}#1`, text: `a sound of ${id}` }] },
}))
const both = { training: clips, validation: clips }
const relevance = async (name: string, ...rows: string[]): Promise<string> => {
  await writeFile(join(folder, name), `query,item,relevance\n${rows.join('\n')}\n`)
  return join(folder, name)
}
const config = (keys: object) => parseConfig({ data: { manifest: join(folder, 'clips.jsonl') }, ...keys })
const lists = (file: string) =>
  config({
    objectives: [{ source: { type: 'rated-lists', file }, loss: { type: 'info-nce' } }],
  })
const validation = (file: string, keys: object) => config({ validation: { relevance: file, ...keys } })

test('files that are named and not there are missed at once, wherever they are named', async () => {
  await writeFile(join(folder, 'clips.jsonl'), '')
  const none = join(folder, 'none')
  for (const keys of [
    { guards: [{ type: 'given-pairs', file: none }] },
    { model: { text: { type: 'words', vectors: none } } },
    { validation: { relevance: none } },
    { objectives: [{ source: { type: 'rated-lists', file: none }, loss: { type: 'info-nce' } }] },
  ])
    await expect(refuseMissingFiles(config(keys))).rejects.toMatchObject({ code: 'MISSING_FILE', file: none })
  // A cache is made.
  await refuseMissingFiles(config({ data: { manifest: join(folder, 'clips.jsonl'), cache: none } }))
})

describe('relevance is read at once', () => {
  test('and one of other data or off the scale is refused by the file', async () => {
    const strange = await relevance('strange.csv', 'x,y,1')
    const broken = await relevance('broken.csv', 'a#1,a,7')
    for (const [file, message] of [
      [strange, /other data: it knows "x" and "y"/],
      [broken, /from 0 to 1, got 7/],
    ] as const) {
      const named = { message: expect.stringMatching(message), file: expect.stringContaining(file) }
      const guarded = config({ guards: [{ type: 'unjudged-pairs', file }] })
      await expect(openRelevance(guarded, both, undefined)).rejects.toMatchObject(named)
      await expect(openRelevance(lists(file), both, undefined)).rejects.toMatchObject(named)
      await expect(openRelevance(validation(file, {}), both, undefined)).rejects.toMatchObject(named)
    }
  })

  test('and lists of one relevance throughout are refused', async () => {
    const flat = await relevance('flat.csv', 'a#1,a,0.5', 'a#1,b,0.5', 'b#1,c,1')
    await expect(openRelevance(lists(flat), both, undefined)).rejects.toThrow(
      /1 with one relevance throughout, such as 0\.5/,
    )
    const told = await relevance('told.csv', 'a#1,a,0.5', 'a#1,b,0.4')
    expect(await openRelevance(lists(told), both, undefined)).toEqual({})
  })

  test('and a monitor that it lets tell nothing is refused', async () => {
    const flat = await relevance('flat.csv', 'a#1,a,0.5', 'a#1,b,0.5', 'b#1,a,0.5')
    const measures = ['nDCG@10', 'Spearman']
    const refusal = (file: string, keys: object) =>
      expect(openRelevance(validation(file, { measures, ...keys }), both, undefined)).rejects
    await refusal(flat, { monitor: 'nDCG@10', unjudged: 'left-out' }).toThrow(
      /validation\.monitor: nDCG@10 is the same for every ranking.*validation\.unjudged: irrelevant/,
    )
    await refusal(flat, { monitor: 'Spearman' }).toThrow(/Spearman counts no query beside/)
    await refusal(flat, { watch: 'textToAudio.Spearman' }).toThrow(/validation\.watch: textToAudio\.Spearman/)
    const zero = await relevance('zero.csv', 'a#1,a,0', 'a#1,b,0')
    await refusal(zero, { monitor: 'audioToText.nDCG@10' }).toThrow(/counts no query/)
    // One caption for each clip: from clips to captions there is nothing to correlate.
    const oneWay = await relevance('one-way.csv', 'a#1,a,1', 'a#1,b,0.5')
    await refusal(oneWay, { monitor: 'Spearman' }).toThrow(/counts no query of one direction/)
    for (const [file, keys] of [
      [flat, { monitor: 'nDCG@10' }],
      [flat, { unjudged: 'left-out' }],
      [oneWay, { monitor: 'textToAudio.Spearman' }],
    ] as const) {
      const { relevance: read } = await openRelevance(
        validation(file, { measures, ...keys }),
        both,
        undefined,
      )
      expect(read!.judged('a#1').size).toBe(2)
    }
  })
})
