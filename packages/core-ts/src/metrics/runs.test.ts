import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { evaluateDcaseRun, evaluateRunFiles, evaluateTrecRun } from './index.js'

const truth = `file_name,caption_1,caption_2
a.wav,"A dog barks, twice",Rain falls
 b.wav ,A bell rings,A dog barks
c.wav,Wind blows,Rain falls
`

describe('DCASE submissions', () => {
  test('every caption of the truth is a query; missing ones count, doubled ones take their rows in turn', () => {
    const run = `caption,file_name_1,file_name_2
"A dog barks, twice",a.wav,b.wav
Rain falls,b.wav,a.wav
Rain falls, c.wav,a.wav
A bell rings,x.wav,b.wav
A dog barks,c.wav,
Never heard,a.wav,b.wav
`
    const result = evaluateDcaseRun(
      { run, truth },
      { split: 'test', measures: ['R@1', 'R@2', 'mAP@10', 'MRR', 'medR'] },
    )
    // a dog barks, twice: 1; rain falls (a): 2; bell: 2; dog: none; wind: missing; rain falls (c): 1
    expect(result.textToAudio).toEqual({ 'R@1': 2 / 6, 'R@2': 4 / 6, 'mAP@10': 3 / 6, MRR: 3 / 6, medR: 2 })
    expect(result).toMatchObject({
      split: 'test',
      queries: 6,
      items: 3,
      audioToText: null,
      chance: {
        textToAudio: { 'R@1': 1 / 3, 'R@2': 2 / 3, MRR: (1 + 1 / 2) / 3, medR: expect.closeTo(2, 0) },
        audioToText: null,
      },
      format: 'dcase',
      depth: 2,
      missingQueries: 1,
      unknownQueries: 1,
      unknownItems: 1,
    })
  })

  test('captions of one clip are drawn together, and keep their place in the truth as id', () => {
    const run = 'caption,file_name_1\nRain falls,c.wav\nA bell rings,b.wav\n'
    const { intervalsOver, perQuery } = evaluateDcaseRun({ run, truth }, { measures: ['R@1'] })
    expect(intervalsOver).toEqual({
      textToAudio: { method: 'cluster', unit: 'clip', count: 3 },
      audioToText: null,
    })
    expect(perQuery.textToAudio).toEqual({
      ids: ['a.wav#1', 'a.wav#2', 'b.wav#1', 'b.wav#2', 'c.wav#1', 'c.wav#2'],
      clusters: ['a.wav', 'a.wav', 'b.wav', 'b.wav', 'c.wav', 'c.wav'],
      values: { 'R@1': [0, 0, 1, 0, 0, 1] },
    })
  })

  test('a doubled caption with one row uses it for each of its clips', () => {
    const run = 'caption,file_name_1\nRain falls,c.wav\n'
    const result = evaluateDcaseRun({ run, truth }, { measures: ['R@1'] })
    expect(result.textToAudio).toEqual({ 'R@1': 1 / 6 })
    expect(result.missingQueries).toBe(4)
  })

  test.each([
    ['wrong run columns', 'caption,files\nx,y\n', truth, /run\.csv.*file_name_1/],
    ['wrong truth columns', 'caption,file_name_1\nx,a.wav\n', 'clip,text\na,b\n', /truth\.csv.*caption_1/],
    ['no caption in common', 'caption,file_name_1\nx,a.wav\n', truth, /got none of its 6/],
    ['an item twice', 'caption,file_name_1,file_name_2\nWind blows,a.wav,a.wav\n', truth, /"a.wav" twice/],
    ['ragged rows', 'caption,file_name_1\nx,a.wav,b.wav\n', truth, /run\.csv/],
    ['an open quote', 'caption,file_name_1\n"x,a.wav\n', truth, /run\.csv/],
    ['an empty truth', 'caption,file_name_1\nx,a.wav\n', '', /truth\.csv.*empty/],
    [
      'a truth without captions',
      'caption,file_name_1\nx,a.wav\n',
      'file_name,caption_1\na,\n',
      /at least one caption/,
    ],
  ])('refuses %s', (_, run, badTruth, message) => {
    expect(() =>
      evaluateDcaseRun({ run, truth: badTruth, runFile: 'run.csv', truthFile: 'truth.csv' }),
    ).toThrow(message)
  })
})

describe('TREC runs', () => {
  const qrels = 'q1 0 d1 1\nq1 0 d2 0\nq2 0 d3 2\nq2 0 d1 1\nq3 0 d1 0\nq4 0 d2 1\n'
  const run = `q1 Q0 d2 1 0.9 tag
q1 Q0 d1 2 0.8 tag
q2 Q0 d1 1 0.5 tag
q2 Q0 d9 2 0.7 tag
q2 Q0 d3 0 0.5 tag
q9 Q0 d1 1 1 tag
`
  test('orders by score then rank, counts missing topics, leaves out topics with nothing relevant', () => {
    const result = evaluateTrecRun({ run, truth: qrels }, { measures: ['MRR', 'mAP', 'R@1', 'nDCG'] })
    // q1: d1 at 2; q2: d9, d3, d1 → 2 and 3; q3: left out; q4: missing
    const ndcg2 = (2 / Math.log2(3) + 1 / Math.log2(4)) / (2 + 1 / Math.log2(3))
    expect(result.textToAudio!['MRR']).toBeCloseTo((0.5 + 0.5 + 0) / 3, 12)
    expect(result.textToAudio!['mAP']).toBeCloseTo((0.5 + (1 / 2 + 2 / 3) / 2 + 0) / 3, 12)
    expect(result.textToAudio!['nDCG']).toBeCloseTo((1 / Math.log2(3) + ndcg2) / 3, 12)
    expect(result).toMatchObject({
      queries: 4,
      items: 4,
      audioToText: null,
      withoutRelevant: { textToAudio: 1, audioToText: null },
      format: 'trec',
      depth: 3,
      missingQueries: 2,
      unknownQueries: 1,
      unknownItems: 1,
    })
  })

  test('topics with the same relevant documents are captions of one clip, unless clusters are given', () => {
    const captions = 'c1 0 x 1\nc2 0 x 1\nc2 0 y 0\nc3 0 y 1\nc4 0 x 1\nc4 0 y 1\n'
    const texts = { run: 'c1 Q0 x 1 1 t\n', truth: captions }
    const over = (options = {}) => {
      const { intervalsOver, perQuery } = evaluateTrecRun(texts, { measures: ['R@1'], ...options })
      return [intervalsOver.textToAudio, (perQuery.textToAudio ?? perQuery.audioToText)!.clusters]
    }
    expect(over()).toEqual([{ method: 'cluster', unit: 'clip', count: 3 }, ['x', 'x', 'y', 'x y']])
    expect(over({ direction: 'audioToText' })).toEqual([null, ['c1', 'c2', 'c3', 'c4']])
    const clusters = new Map([['c1', 'p'], ['c2', 'q'], ['c3', 'q'], ['c4', 'p']]) // prettier-ignore
    expect(over({ clusters })).toEqual([{ method: 'cluster', unit: 'group', count: 2 }, ['p', 'q', 'q', 'p']])
    clusters.delete('c4')
    expect(() => over({ clusters })).toThrow(/a cluster for each topic for clusters, got "none for topic c4"/)
  })

  test('the direction and the number of items can be given', () => {
    const result = evaluateTrecRun(
      { run, truth: qrels },
      { direction: 'audioToText', items: 100, measures: ['R@1'] },
    )
    expect(result).toMatchObject({
      textToAudio: null,
      queries: 100,
      items: 4,
      chance: { audioToText: { 'R@1': 0.01 } },
    })
  })

  test.each([
    ['a short line', 'q1 Q0 d1\n', qrels, /run: Expected "topic Q0 document rank score tag" in line 1/],
    ['a score that is no number', '\nq1 Q0 d1 1 high tag\n', qrels, /in line 2, got "q1 Q0 d1 1 high tag"/],
    ['an empty run', '\n', qrels, /run: .*empty/],
    ['contradicting qrels', run, 'q1 0 d1 1\nq1 0 d1 0\n', /one grade for document d1/],
    ['no topic in common', 'x Q0 d1 1 1 t\n', qrels, /none of its 4 topics/],
    ['a document twice', 'q1 Q0 d1 1 1 t\nq1 Q0 d1 2 0 t\n', qrels, /"d1" twice for topic q1/],
  ])('refuses %s', (_, badRun, badTruth, message) => {
    expect(() =>
      evaluateTrecRun({ run: badRun, truth: badTruth, runFile: 'run', truthFile: 'truth' }),
    ).toThrow(message)
  })
})

describe('files', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonotext-runs-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const file = async (name: string, contents: string | Buffer) => {
    const path = join(folder, name)
    await writeFile(path, contents)
    return path
  }

  test('the format is told from the contents', async () => {
    const csv = await file('run.csv', '\uFEFFcaption,file_name_1\nRain falls,c.wav\n')
    expect((await evaluateRunFiles(csv, await file('truth.csv', truth))).format).toBe('dcase')
    const trec = await file('run.txt', 'q1 Q0 d1 1 1 t\n')
    expect((await evaluateRunFiles(trec, await file('qrels.txt', 'q1 0 d1 1\n'))).format).toBe('trec')
  })

  test('missing and undecodable files are named', async () => {
    const good = await file('good.txt', 'q1 0 d1 1\n')
    await expect(evaluateRunFiles(join(folder, 'none'), good)).rejects.toMatchObject({
      code: 'MISSING_FILE',
      file: join(folder, 'none'),
    })
    const bytes = await file('latin1.txt', Buffer.from([0x71, 0xe9, 0x0a]))
    await expect(evaluateRunFiles(good, bytes)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      file: `${bytes}:1`,
    })
    await expect(evaluateRunFiles(good, good, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})

// The prediction file that the DCASE 2022 baseline publishes, and the numbers that follow from it. The captions are under a
// non-commercial licence, so the two files are not shipped: SONOTEXT_DCASE2022 names a folder that holds them.
const published = process.env['SONOTEXT_DCASE2022']
const files = published && [join(published, 'test.output.csv'), join(published, 'test.gt.csv')]
const absent = !files || !files.every((path) => existsSync(path))
test.skipIf(absent)(
  `DCASE 2022 baseline on Clotho evaluation${absent ? ' (skipped: SONOTEXT_DCASE2022 names no folder with test.output.csv and test.gt.csv)' : ''}`,
  async () => {
    const result = await evaluateRunFiles(files![0]!, files![1]!)
    expect(result).toMatchObject({ queries: 5225, items: 1045, missingQueries: 0, unknownQueries: 0 })
    const { 'R@1': r1, 'R@5': r5, 'R@10': r10, 'mAP@10': map } = result.textToAudio!
    for (const [got, want] of [[r1, 0.03158], [r5, 0.10947], [r10, 0.18833], [map, 0.06793]]) expect(got).toBeCloseTo(want!, 5) // prettier-ignore
  },
)
