import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeNpy, matrix } from '../base/index.js'
import { evaluateRunFiles, evaluateRunTexts } from './index.js'

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
    const result = evaluateRunTexts(
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

  test('columns are ranks by their numbers, wherever they stand', () => {
    const run = `caption,file_name_10,file_name_2,file_name_1\nRain falls,x.wav,b.wav,a.wav\n`
    const { textToAudio } = evaluateRunTexts({ run, truth }, { measures: ['R@1'] })
    expect(textToAudio!['R@1']).toBe(1 / 6)
    const twice = run.replace('file_name_10', 'file_name_01')
    expect(() => evaluateRunTexts({ run: twice, truth })).toThrow(/one column of rank 1, got file_name_01/)
  })

  test('captions of one clip are drawn together, and keep their place in the truth as id', () => {
    const run = 'caption,file_name_1\nRain falls,c.wav\nA bell rings,b.wav\n'
    const { intervalsOver, perQuery } = evaluateRunTexts({ run, truth }, { measures: ['R@1'] })
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

  test('clusters of captions may be given by their ids', () => {
    const run = 'caption,file_name_1\nRain falls,c.wav\n'
    const ids = ['a.wav#1', 'a.wav#2', 'b.wav#1', 'b.wav#2', 'c.wav#1', 'c.wav#2']
    const clusters = new Map(ids.map((id) => [id, id.startsWith('c') ? 'evening' : 'morning']))
    const { intervalsOver } = evaluateRunTexts({ run, truth }, { measures: ['R@1'], clusters })
    expect(intervalsOver.textToAudio).toEqual({ method: 'cluster', unit: 'group', count: 2 })
  })

  test('a doubled caption with one row uses it for each of its clips', () => {
    const run = 'caption,file_name_1\nRain falls,c.wav\n'
    const result = evaluateRunTexts({ run, truth }, { measures: ['R@1'] })
    expect(result.textToAudio).toEqual({ 'R@1': 1 / 6 })
    expect(result.missingQueries).toBe(4)
  })

  test.each([
    ['wrong run columns', 'caption,files\nx,y\n', truth, /run\.csv.*file_name_1/],
    ['wrong truth columns', 'caption,file_name_1\nx,a.wav\n', 'clip,text\na,b\n', /truth\.csv.*caption_1/],
    ['no caption in common', 'caption,file_name_1\nx,a.wav\n', truth, /got none of its 6/],
    [
      'an item twice',
      'caption,file_name_1,file_name_2\nWind blows,a.wav,a.wav\n',
      truth,
      /run\.csv: .*"a.wav" twice for "Wind blows" in line 2/,
    ],
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
      evaluateRunTexts({ run, truth: badTruth, runFile: 'run.csv', truthFile: 'truth.csv' }),
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
    const result = evaluateRunTexts({ run, truth: qrels }, { measures: ['MRR', 'mAP', 'R@1', 'nDCG'] })
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
      const { intervalsOver, perQuery } = evaluateRunTexts(texts, { measures: ['R@1'], ...options })
      return [intervalsOver.textToAudio, (perQuery.textToAudio ?? perQuery.audioToText)!.clusters]
    }
    expect(over()).toEqual([{ method: 'cluster', unit: 'clip', count: 3 }, ['x', 'x', 'y', 'x\ty']])
    expect(over({ direction: 'audioToText' })).toEqual([null, ['c1', 'c2', 'c3', 'c4']])
    const clusters = new Map([['c1', 'p'], ['c2', 'q'], ['c3', 'q'], ['c4', 'p']]) // prettier-ignore
    expect(over({ clusters })).toEqual([{ method: 'cluster', unit: 'group', count: 2 }, ['p', 'q', 'q', 'p']])
    clusters.delete('c4')
    expect(() => over({ clusters })).toThrow(/a cluster for each query for clusters, got "none for c4"/)
  })

  test('the direction and the number of items can be given', () => {
    const result = evaluateRunTexts(
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
    [
      'no topic in common',
      'x Q0 d1 1 1 t\n',
      qrels,
      /none of its 4: the run, a TREC run .*, has "x", the truth, TREC qrels .*, "q1"/,
    ],
    [
      'a document twice',
      'q1 Q0 d1 1 1 t\nq1 Q0 d1 2 0 t\n',
      qrels,
      /run: .*"d1" twice for "q1", again in line 2/,
    ],
    ['a score in base 16', 'q1 Q0 d1 1 0x1F t\n', qrels, /number for the score in line 1, got "0x1F"/],
    ['no finite score', 'q1 Q0 d1 1 -Infinity t\n', qrels, /number for the score in line 1, got "-Infinity"/],
    ['a decimal comma', 'q1 Q0 d1 1 0,5 t\n', qrels, /score in line 1, got "0,5".*decimal comma: 0\.5/],
    ['a grade in base 16', run, 'q1 0 d1 0x10\n', /truth: .*number for the grade in line 1, got "0x10"/],
  ])('refuses %s', (_, badRun, badTruth, message) => {
    expect(() =>
      evaluateRunTexts({ run: badRun, truth: badTruth, runFile: 'run', truthFile: 'truth' }),
    ).toThrow(message)
  })
})

describe('several matches a query (DCASE 2025)', () => {
  const matches = `query,audio_filenames
rain falls,"['a.wav', ""it's.wav"", 'c, d.wav']"
a dog barks,['b.wav']
`
  test('mAP@16 divides by the number of matches; a list may be the run too', () => {
    const run = `query,audio_filenames
rain falls,"['a.wav', 'x.wav', ""it's.wav""]"
a dog barks,"[""x.wav"", ""b.wav""]"
`
    const dcase =
      "caption,fname_1,fname_2,fname_3\nrain falls,a.wav,x.wav,it's.wav\na dog barks,x.wav,b.wav,\n"
    const trec = `rain falls\tQ0\ta.wav\t1\t3\tt
rain falls\tQ0\tx.wav\t2\t2\tt
rain falls\tQ0\tit's.wav\t3\t1\tt
a dog barks Q0 x.wav 1 9 t
a dog barks Q0 b.wav 2 8 t
`
    for (const [text, format] of [
      [run, 'dcase-list'],
      [dcase, 'dcase'],
      [trec, 'trec'],
    ] as const) {
      const result = evaluateRunTexts({ run: text, truth: matches }, { measures: ['mAP@16', 'R@1'] })
      expect(result.textToAudio!['mAP@16']).toBeCloseTo(((1 + 2 / 3) / 3 + 1 / 2) / 2, 12)
      expect(result.textToAudio!['R@1']).toBeCloseTo(1 / 3 / 2, 12)
      expect(result).toMatchObject({ format, truthFormat: 'matches', queries: 2, items: 5, unknownItems: 1 })
    }
  })

  test('queries with the same matches are drawn together, in whatever order these are written', () => {
    const same = `${matches}it pours,"['c, d.wav', ""it's.wav"", 'a.wav']"\n`
    const run = 'caption,file_name_1\nrain falls,a.wav\n'
    const { intervalsOver, perQuery } = evaluateRunTexts({ run, truth: same }, { measures: ['HR@1'] })
    expect(intervalsOver.textToAudio).toEqual({ method: 'cluster', unit: 'clip', count: 2 })
    const three = "a.wav\tc, d.wav\tit's.wav"
    expect(perQuery.textToAudio).toEqual({
      ids: ['rain falls', 'a dog barks', 'it pours'],
      clusters: [three, 'b.wav', three],
      values: { 'HR@1': [1, 0, 0] },
    })
    const alone = evaluateRunTexts({ run, truth: matches }, { measures: ['HR@1'] })
    expect(alone.intervalsOver.textToAudio).toEqual({ method: 'cluster', unit: 'query', count: 2 })
  })

  test.each([
    ['a cell that is no list', 'query,audio_filenames\nx,a.wav\n', /list such as .* in line 2, got "a\.wav"/],
    ['a list that breaks off', `query,audio_filenames\nx,"['a.wav', 'b"\n`, /got "\['a\.wav', 'b"/],
    ['no query at all', 'query,audio_filenames\n', /at least one query/],
  ])('refuses %s', (_, truthText, message) => {
    expect(() => evaluateRunTexts({ run: 'caption,file_name_1\nx,a\n', truth: truthText })).toThrow(message)
  })
})

describe('graded relevances', () => {
  const ratings = 'tid,fid,fid_group,rating\nt1,f1,TP,100\nt1,f2,C15,40\nt1,f3,TN,0\nt2,f1,TP,80\n'
  test('ratings are grades', () => {
    const run = 't1 Q0 f2 1 0.9 x\nt1 Q0 f1 2 0.8 x\nt1 Q0 f3 3 0.7 x\nt2 Q0 f3 1 1 x\n'
    const result = evaluateRunTexts({ run, truth: ratings }, { measures: ['nDCG', 'mAP'], minGrade: 50 })
    const ndcg = (40 + 100 / Math.log2(3)) / (100 + 40 / Math.log2(3))
    expect(result.textToAudio!['nDCG']).toBeCloseTo(ndcg / 2, 12)
    expect(result.textToAudio!['mAP']).toBeCloseTo((1 / 2 + 0) / 2, 12)
    expect(result).toMatchObject({ format: 'trec', truthFormat: 'ratings', queries: 2, items: 3 })
  })

  test('topics with the same items of a grade above 0 are drawn together; clusters may be given', () => {
    const run = 't1 Q0 f1 1 0.9 x\n'
    const truth = `${ratings}t2,f3,C15,0\nt3,f2,TP,10\nt3,f1,TP,90\n`
    const over = (options = {}) => evaluateRunTexts({ run, truth }, { measures: ['R@1'], ...options })
    expect(over().perQuery.textToAudio!.clusters).toEqual(['f1\tf2', 'f1', 'f1\tf2'])
    expect(over().intervalsOver.textToAudio).toEqual({ method: 'cluster', unit: 'clip', count: 2 })
    const clusters = new Map(['t1', 't2', 't3'].map((topic) => [topic, 'all']))
    expect(over({ clusters }).intervalsOver.textToAudio).toEqual({
      method: 'cluster',
      unit: 'group',
      count: 1,
    })
  })

  test.each([
    ['a rating that is none', 't1,f1,TP,\n', /number for rating in line 2, got ""/],
    ['two ratings', 't1,f1,TP,1\nt1,f1,TN,2\n', /one rating of f1 for t1, got 1 and 2 \(line 3\).*mean/],
  ])('refuses %s', (_, rows, message) => {
    const truthText = `tid,fid,fid_group,rating\n${rows}`
    expect(() => evaluateRunTexts({ run: 't1 Q0 f2 1 0.9 x\n', truth: truthText })).toThrow(message)
  })
})

describe('score matrices', () => {
  const npy = (type: string, shape: string, body: Uint8Array, order = 'False') => {
    const header = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${shape}), }`.padEnd(117) + '\n'
    const head = Buffer.alloc(10)
    head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0])
    head.writeUInt16LE(header.length, 8)
    return Buffer.concat([head, Buffer.from(header), body])
  }
  const bytesOf = (data: Float32Array | Float64Array) => new Uint8Array(data.buffer)
  const ids = { rows: ['q1', 'q2'], columns: ['a', 'b', 'c'] }
  const truthText = 'q1 0 b 1\nq2 0 c 1\n'

  test('rows are ranked by score, then by column; float64 to the last bit', () => {
    // Rounded to float32 the first two scores would be equal.
    const f8 = npy('<f8', '2, 3', bytesOf(Float64Array.of(1, 1 + 1e-12, 0, 5, 4, 4)))
    const turned = npy('<f8', '2, 3', bytesOf(Float64Array.of(1, 5, 1 + 1e-12, 4, 0, 4)), 'True')
    for (const run of [f8, turned]) {
      const result = evaluateRunTexts({ run, truth: truthText, ids }, { measures: ['MRR'] })
      expect(result.textToAudio!['MRR']).toBeCloseTo((1 + 1 / 3) / 2, 12)
      expect(result).toMatchObject({ format: 'scores', items: 3, depth: 3 })
    }
    const f4 = npy('<f4', '2, 3', bytesOf(Float32Array.of(0, 3, 1, 0, 0, 1)))
    expect(
      evaluateRunTexts({ run: f4, truth: truthText, ids }, { measures: ['MRR'] }).textToAudio!['MRR'],
    ).toBe(1)
  })

  test('refuses a matrix without ids, with too few, with NaN', () => {
    const good = npy('<f4', '2, 3', bytesOf(new Float32Array(6)))
    expect(() => evaluateRunTexts({ run: good, truth: truthText, runFile: 's.npy' })).toThrow(
      /s\.npy is a score matrix of 2 × 3: .*--row-ids and --column-ids/,
    )
    expect(() => evaluateRunTexts({ run: good, truth: truthText, ids: { ...ids, rows: ['q1'] } })).toThrow(
      /Expected 2 ids for the rows of the score matrix, got 1/,
    )
    const nan = npy('<f4', '2, 3', bytesOf(Float32Array.of(0, 0, 0, 0, NaN, 0)))
    expect(() => evaluateRunTexts({ run: nan, truth: truthText, ids })).toThrow(/NaN in row 2, column 2/)
  })
})

describe('TREC names with blanks', () => {
  const truthText = 'a dog barks 0 my clip.wav 1\nq2\t0\tx y z.wav\t1\n'
  test('are read by tabs, or around the field Q0', () => {
    const run =
      'a dog barks Q0 other.wav 1 2.5 my-tag\na dog barks Q0 my clip.wav 2 1.5 my-tag\nq2\tQ0\tx y z.wav\t1\t1\tt\n'
    const { textToAudio } = evaluateRunTexts({ run, truth: truthText }, { measures: ['MRR'] })
    expect(textToAudio!['MRR']).toBe(0.75)
  })
  test('are refused with the way out where they cannot be told', () => {
    const run = 'a dog barks my clip.wav 1 2.5 tag\n'
    expect(() => evaluateRunTexts({ run, truth: truthText })).toThrow(/line 1, got "a dog.*put tabs between/)
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
    const wide = await file(
      'wide.csv',
      Buffer.from('\uFEFFcaption;file_name_1\r\nRain falls;c.wav\r\n', 'utf16le'),
    )
    expect((await evaluateRunFiles(wide, await file('truth.csv', truth))).textToAudio!['R@1']).toBe(1 / 6)
    const scores = await file('scores.npy', Buffer.from(encodeNpy(matrix(1, 2, Float32Array.of(1, 2)))))
    const [rowIds, columnIds] = [
      await file('rows.txt', 'Wind blows\r\n'),
      await file('columns.txt', 'a.wav\nc.wav\n'),
    ]
    const found = await evaluateRunFiles(scores, await file('truth.csv', truth), {
      rowIds,
      columnIds,
      measures: ['R@1'],
    })
    expect(found).toMatchObject({ format: 'scores', truthFormat: 'captions', textToAudio: { 'R@1': 1 / 6 } })
    const twice = await file('twice.txt', 'a.wav\na.wav\n')
    await expect(
      evaluateRunFiles(scores, await file('truth.csv', truth), { rowIds, columnIds: twice }),
    ).rejects.toThrow(/twice\.txt: Expected each id once, got "a.wav" again in line 2/)
    const two = await file('two.npy', Buffer.from(encodeNpy(matrix(2, 2, Float32Array.of(1, 2, 3, 4)))))
    const again = await file('again.txt', 'Wind blows\nWind blows\n')
    await expect(
      evaluateRunFiles(two, await file('truth.csv', truth), { rowIds: again, columnIds }),
    ).rejects.toThrow(/again\.txt: Expected each id once, got "Wind blows" again in line 2/)
    // Two clips share the caption: a row for each of them is what the truth has.
    const shared = await file('shared.txt', 'Rain falls\nRain falls\n')
    expect(
      (await evaluateRunFiles(two, await file('truth.csv', truth), { rowIds: shared, columnIds })).format,
    ).toBe('scores')
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

describe('a long run', () => {
  test('leaves the event loop its turns, and stops when it is told to', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sonotext-long-'))
    try {
      const lines = (line: (topic: number, rank: number) => string) =>
        Array.from({ length: 200_000 }, (_, i) => line(Math.floor(i / 500), i % 500)).join('\n')
      const [run, truth] = [join(folder, 'run.txt'), join(folder, 'qrels.txt')]
      await writeFile(
        run,
        lines((topic, rank) => `t${topic} Q0 d${rank} ${rank + 1} ${500 - rank} x`),
      )
      await writeFile(
        truth,
        lines((topic, rank) => `t${topic} 0 d${rank} ${rank === topic % 7 ? 1 : 0}`),
      )
      let turns = 0
      const timer = setInterval(() => turns++, 1)
      const whole = await evaluateRunFiles(run, truth, { measures: ['R@1'] })
      clearInterval(timer)
      expect(whole.textToAudio!['R@1']).toBeCloseTo(1 / 7, 2)
      expect(turns).toBeGreaterThan(3)
      const abort = new AbortController()
      setTimeout(() => abort.abort(), 1)
      await expect(evaluateRunFiles(run, truth, { signal: abort.signal })).rejects.toMatchObject({
        code: 'ABORTED',
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
