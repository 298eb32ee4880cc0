import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { matrix, writeNpy } from '@sonotext/core/base'
import type { Evaluation } from '@sonotext/core/metrics'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

let folder: string
const write = async (name: string, lines: string[]): Promise<string> => {
  await writeFile(join(folder, name), lines.map((line) => `${line}\n`).join(''))
  return join(folder, name)
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-metrics-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(notBuilt !== null)(`sonotext metrics${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('scores a DCASE submission against a Clotho caption file', async () => {
    const clips = Array.from({ length: 20 }, (_, i) => `clip ${i}.wav`)
    const truth = await write('truth.csv', [
      'file_name,caption_1,caption_2',
      ...clips.map((name, i) => `${name},"sound ${i}, near",sound ${i} far`),
    ])
    // Near captions find their clip first, far ones in third place.
    const listed = (i: number, place: number): string[] => {
      const others = clips.filter((_, j) => j !== i).slice(0, 9)
      return others.toSpliced(place, 0, clips[i]!)
    }
    const run = await write('submission.csv', [
      ['caption', ...Array.from({ length: 10 }, (_, i) => `file_name_${i + 1}`)].join(','),
      ...clips.flatMap((_, i) => [
        `"sound ${i}, near",${listed(i, 0).join(',')}`,
        `sound ${i} far,${listed(i, 2).join(',')}`,
      ]),
    ])
    const result = await cliJson<Evaluation>(['metrics', '--run', run, '--truth', truth])
    expect(result).toMatchObject({ split: null, queries: 40, items: 20, audioToText: null })
    expect(result.textToAudio).toEqual({
      'R@1': 0.5,
      'R@5': 1,
      'R@10': 1,
      'mAP@10': expect.closeTo(2 / 3) as number,
      MRR: expect.closeTo(2 / 3) as number,
      medR: 2,
    })
    const harmonic = Array.from({ length: 10 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b)
    expect(result.chance.textToAudio).toMatchObject({
      'R@1': expect.closeTo(0.05) as number,
      'R@10': expect.closeTo(0.5) as number,
      'mAP@10': expect.closeTo(harmonic / 20) as number,
    })
    expect(Object.keys(result.chance.textToAudio!)).toEqual(Object.keys(result.textToAudio!))

    const table = await cli(['metrics', '--run', run, '--truth', truth, '--measures', 'R@1,mAP@10'])
    expect(table.code).toBe(0)
    expect(table.stdout).toMatch(/^40 captions, 20 clips\n +text → audio +95 % +chance +×\n/)
    // Each clip has one caption that is found first and one that is not: a caption more or less tells nothing, a clip does.
    expect(table.stdout).toMatch(/\nR@1 +0\.500 +0\.288–0\.712 +0\.0500 +10\.0\nmAP@10 /)
    expect(table.stdout).toMatch(/\n95 % intervals by clip: 20 clips\n$/)
    const args = [
      'metrics',
      '--run',
      run,
      '--truth',
      truth,
      '--measures',
      'R@1',
      '--interval',
      'query-jackknife',
    ]
    const byQuery = await cli(args)
    expect(byQuery.stdout).toMatch(/\nR@1 +0\.500 +0\.343–0\.657 /)
    expect(byQuery.stdout).toMatch(/\n95 % intervals by query \(jackknife\): 40 queries\n$/)
    const { perQuery } = await cliJson<Evaluation>([...args, '--per-query'])
    expect(perQuery.textToAudio!.ids.slice(0, 3)).toEqual(['clip 0.wav#1', 'clip 0.wav#2', 'clip 1.wav#1'])
    expect(perQuery.textToAudio!.values['R@1']!.slice(0, 3)).toEqual([1, 0, 1])
    expect('perQuery' in result).toBe(false)
    expect(result.intervalsOver.textToAudio).toEqual({ method: 'cluster', unit: 'clip', count: 20 })
  })

  it('scores a TREC run against qrels, in either direction', async () => {
    const run = await write('run.txt', [
      'q1 Q0 a 1 0.9 x',
      'q1 Q0 b 2 0.8 x',
      'q2 Q0 c 1 0.7 x',
      'q2 Q0 b 2 0.6 x',
    ])
    const qrels = await write('qrels.txt', ['q1 0 b 1', 'q2 0 b 2', 'q2 0 d 1', 'q3 0 a 1'])
    const args = ['metrics', '--run', run, '--truth', qrels, '--measures', 'R@1,R@5,MRR']
    const { code, stdout, stderr } = await cli([...args, '--json'])
    expect(code).toBe(0)
    expect(stderr).toBe(
      'run: a TREC run (topic Q0 document rank score tag); truth: TREC qrels (topic 0 document grade)\nwarning: 1 query of the truth not in the run: counted as not found\nwarning: 1 listed item not in the truth: kept in place, never relevant\n',
    )
    const result = JSON.parse(stdout) as Evaluation
    expect(result).toMatchObject({ queries: 3, items: 4, audioToText: null })
    expect(result.textToAudio).toEqual({
      'R@1': 0,
      'R@5': expect.closeTo((1 + 0.5) / 3) as number,
      MRR: expect.closeTo(1 / 3) as number,
    })
    const other = await cliJson<Evaluation>([...args, '--direction', 'audioToText', '--items', '10'])
    expect(other).toMatchObject({ queries: 10, items: 3, textToAudio: null })
    expect(other.audioToText).toEqual(result.textToAudio)
    const strict = await cliJson<Evaluation>([...args, '--min-grade', '2'])
    expect(strict.textToAudio!['R@5']).toBe(1)
  })

  it('scores matrices with lists of ids, and several matches a query', async () => {
    const scores = join(folder, 'scores.npy')
    await writeNpy(scores, matrix(2, 3, Float32Array.of(0.1, 0.9, 0.5, 0.7, 0.2, 0.3)))
    const rows = await write('rows.txt', ['rain falls', 'a dog barks'])
    const columns = await write('columns.txt', ['a.wav', 'b.wav', 'c.wav'])
    const truth = await write('matches.csv', [
      'query,audio_filenames',
      `rain falls,"['b.wav', 'a.wav']"`,
      "a dog barks,['c.wav']",
    ])
    const args = ['metrics', '--run', scores, '--truth', truth, '--measures', 'mAP@16']
    const ids = ['--row-ids', rows, '--column-ids', columns]
    const found = await cliJson<Evaluation>([...args, ...ids])
    expect(found).toMatchObject({ format: 'scores', truthFormat: 'matches', queries: 2, items: 3 })
    expect(found.textToAudio!['mAP@16']).toBeCloseTo(((1 + 2 / 3) / 2 + 1 / 2) / 2, 12)
    const bare = await cli(args)
    expect([bare.code, bare.stderr]).toEqual([
      2,
      expect.stringMatching(/2 × 3: .*--row-ids and --column-ids/),
    ])
    const graded = await cli([...args, ...ids, '--min-grade', '2'])
    expect([graded.code, graded.stderr]).toEqual([
      2,
      expect.stringMatching(/a truth with grades .* for minGrade, got "several matches/),
    ])
  })

  it('takes a manifest that states relevance for a truth, by either ending', async () => {
    const run = await write('stated-run.txt', ['q1 Q0 a 1 5 t'])
    const caption = { id: 'q1', text: 'rain', relevance: { a: 0.5 } }
    const truth = await write('stated.NDJSON', [
      JSON.stringify({ id: 'a', audio: 'a.wav', captions: [caption] }),
    ])
    const { textToAudio } = await cliJson<Evaluation>([
      ...['metrics', '--run', run, '--truth', truth, '--measures', 'nDCG@1'],
    ])
    expect(textToAudio).toEqual({ 'nDCG@1': 1 })
  })

  it('shows the measures that tell something, and says of the others why not', async () => {
    const run = await write('flat-run.txt', ['q1 Q0 a 1 5 t', 'q2 Q0 b 1 5 t'])
    const truth = await write('flat.csv', ['query,item,relevance', 'q1,a,0.5', 'q1,b,0.5', 'q2,a,0.5'])
    const args = ['metrics', '--run', run, '--truth', truth, '--measures']
    const { code, stdout } = await cli([...args, 'nDCG@1,Spearman'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/\nSpearman +– +– +– +–/)
    expect(stdout).toMatch(/\nSpearman: – where no query counts, .* of one grade\n$/)
    const { textToAudio } = await cliJson<Evaluation>([...args, 'nDCG@1,Spearman'])
    expect(textToAudio).toEqual({ 'nDCG@1': 0.5, Spearman: null })
    const none = await cli([...args, 'Spearman,Kendall'])
    expect(none).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/count for Spearman, Kendall.*nDCG/),
    })
  })

  it('refuses files of another kind and says which', async () => {
    const truth = await write('short.csv', ['file_name,caption_1', 'a.wav,a dog barks'])
    const noColumns = await write('no-columns.csv', ['caption,best', 'a dog barks,a.wav'])
    const other = await write('other.csv', ['caption,file_name_1', 'a cat,a.wav'])
    const cases: [string[], RegExp, number][] = [
      [
        ['--run', noColumns, '--truth', truth],
        /no-columns\.csv: Expected the columns caption,file_name_1/,
        1,
      ],
      [['--run', other, '--truth', truth], /other\.csv: Expected rows for the queries of the truth/, 1],
      [['--run', truth, '--truth', truth], /short\.csv/, 1],
      [
        ['--run', other, '--truth', truth, '--direction', 'sideways'],
        /Allowed choices are textToAudio, audioToText/,
        2,
      ],
    ]
    for (const [args, message, expected] of cases) {
      const { code, stdout, stderr } = await cli(['metrics', ...args, '--json'])
      expect(stderr).toMatch(message)
      expect([code, stdout]).toEqual([expected, ''])
    }
  })
})
