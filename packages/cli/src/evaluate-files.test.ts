import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AlignmentEvaluation, MomentsEvaluation } from '@sonotext/core/align'
import { describeWithRealData } from '@sonotext/core/testing/real-data'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-evaluate-'))
})
afterAll(() => rm(folder, { recursive: true }))

const file = async (name: string, lines: readonly (string | object)[]): Promise<string> => {
  const path = join(folder, name)
  await writeFile(
    path,
    lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
  )
  return path
}

describe.skipIf(notBuilt !== null)(
  `sonotext evaluate of files${notBuilt === null ? '' : ` (${notBuilt})`}`,
  () => {
    it('alignment: events of a manifest against scores over time, with segments beside', async () => {
      const truth = await file('manifest.jsonl', [
        {
          id: 'one',
          audio: 'one.wav',
          duration: 2,
          split: 'test',
          events: [{ label: 'dog', onset: 0.5, offset: 1 }],
        },
        {
          id: 'two',
          audio: 'two.wav',
          duration: 2,
          split: 'test',
          events: [{ label: 'cat', onset: 0, offset: 1.5 }],
        },
        { id: 'three', audio: 'three.wav', duration: 2, split: 'test' },
        {
          id: 'four',
          audio: 'four.wav',
          duration: 2,
          split: 'train',
          events: [{ label: 'cat', onset: 0, offset: 1.5 }],
        },
      ])
      const line = (clip: string, dog: number[], cat: number[]) => ({
        clip,
        phrases: ['dog', 'cat'],
        frameStep: 0.5,
        scores: [dog, cat],
      })
      const scores = await file('scores.jsonl', [
        line('one', [0.1, 0.9, 0.2, 0.1], [0.1, 0.2, 0.1, 0.3]),
        line('two', [0.2, 0.1, 0.4, 0.1], [0.9, 0.8, 0.7, 0.1]),
        line('elsewhere', [0, 0, 0, 0], [0, 0, 0, 0]),
      ])
      const args = ['evaluate', '--task', 'alignment', '--truth', truth, '--predictions', scores]
      const { code, stdout, stderr } = await cli(args)
      expect(stderr).toBe(
        'warning: 1 recording of the truth not in the predictions: nothing found, such as "three"\nwarning: 1 recording of the predictions not in the truth: ignored, such as "elsewhere"\n',
      )
      expect(code).toBe(0)
      expect(stdout).toMatch(/^2 recordings, 2 phrases, 4 pairs\n +value +95 % +random +clip level\n/)
      expect(stdout).toMatch(/\nAUROC +1\.000 +1\.000–1\.000 /)
      expect(stdout).toMatch(
        /\nPSDS over the phrases as classes\n95 % intervals by recording: 2 recordings\n$/,
      )
      const segments = await file('segments.csv', [
        'audio,phrase,onset,offset',
        'one,dog,0.5,1',
        'two,cat,0,1.5',
      ])
      const both = await cliJson<AlignmentEvaluation>([...args, '--predictions', segments, '--per-query'])
      expect(both.measures['segment IoU']!.value).toBeLessThan(1)
      expect(both.perPhrase.map(({ phrase, values }) => [phrase, values.AUROC])).toEqual([
        ['dog', 1],
        ['cat', 1],
      ])
      const alone = await cliJson<AlignmentEvaluation>([
        'evaluate',
        '--task',
        'alignment',
        '--truth',
        truth,
        '--predictions',
        segments,
      ])
      expect(alone.measures['event F1']!.value).toBe(1)
      expect([alone.measures.AUROC, alone.perPhrase]).toEqual([undefined, undefined])
    })

    it('says what has no length, and takes recordings of other names for those of the truth', async () => {
      const truth = await file('office.txt', ['1\t2\tdrawer', '3\t3\tspeech', '4\t4\tspeech'])
      const found = await file('office_detected.txt', ['1\t2\tdrawer', '5\t5\tdrawer'])
      const args = ['evaluate', '--task', 'alignment', '--truth', truth, '--predictions', found]
      const apart = await cli(args)
      expect([apart.code, apart.stderr]).toEqual([1, expect.stringContaining('`sonotext evaluate --map`')])
      const { code, stdout, stderr } = await cli([...args, '--map', 'office_detected=office'])
      expect([code, stderr]).toEqual([
        0,
        'warning: 2 events of the truth without a length left out\nwarning: 1 event of the predictions without a length left out\n',
      ])
      expect(stdout).toMatch(/\nsegment IoU +1\.000/)
    })

    it('moments: JSONL of QVHighlights', async () => {
      const truth = await file('truth.jsonl', [
        { qid: 1, query: 'a dog', vid: 'a', duration: 100, relevant_windows: [[10, 20]] },
        { qid: 2, query: 'rain', vid: 'b', duration: 100, relevant_windows: [[50, 90]] },
        { qid: 3, query: 'a cat', vid: 'b', duration: 100, relevant_windows: [] },
      ])
      const found = await file('found.jsonl', [
        {
          qid: 1,
          query: 'a dog',
          vid: 'a',
          pred_relevant_windows: [
            [10, 20, 0.9],
            [0, 5, 0.1],
          ],
        },
      ])
      const args = ['evaluate', '--task', 'moments', '--truth', truth, '--predictions', found]
      const { stdout, stderr, code } = await cli(args)
      expect([stderr, code]).toEqual(['warning: 2 queries of the truth not answered: nothing found\n', 0])
      expect(stdout).toMatch(
        /^2 queries, 2 recordings\n.*random +whole\n[^]*\nmAP +0\.500 [^]*1 query without a true window left out/,
      )
      const { measures } = await cliJson<MomentsEvaluation>(args)
      expect(measures['R1@0.7'].value).toBe(0.5)
    })

    it('refuses what does not fit', async () => {
      const broken = await file('broken.jsonl', ['{"clip":"a","scores":[[1]],"phrases":["x"],"frameStep":0}'])
      const truth = await file('labels.tsv', ['filename\tonset\toffset\tevent_label', 'a\t0\t1\tx'])
      const other = await file('labels.doc', ['a\t0\t1\tx'])
      const cases: [string[], RegExp, number][] = [
        [[], /Give a run, or --audio and --text/, 2],
        [['--task', 'alignment'], /Give --truth and --predictions with --task alignment/, 2],
        [['run', '--task', 'moments'], /takes --truth and --predictions, no run: leave out run/, 2],
        [
          ['--task', 'alignment', '--truth', truth, '--predictions', broken],
          /broken\.jsonl:1: expected seconds above 0 for frameStep/,
          1,
        ],
        [
          ['--task', 'alignment', '--truth', truth, '--predictions', 'none.csv'],
          /none\.csv: there is no such file/,
          1,
        ],
        [['--task', 'alignment', '--truth', truth, '--predictions', other], /file ending in .*\.jams/, 2],
        // What is not there is said to be missing, whatever its name ends in.
        [
          ['--task', 'alignment', '--truth', truth, '--predictions', 'none.doc'],
          /none\.doc: there is no such file/,
          1,
        ],
        [
          ['--task', 'alignment', '--truth', 'none.xyz', '--predictions', truth],
          /none\.xyz: there is no such file/,
          1,
        ],
        [
          ['--task', 'alignment', '--truth', truth, '--predictions', truth, '--map', 'b=a'],
          /The predictions have no "b" to --map, only such as "a"/,
          2,
        ],
        [
          ['--task', 'alignment', '--truth', truth, '--predictions', truth, '--map', 'a'],
          /Expected --map NAME=NAME/,
          2,
        ],
        [
          ['--task', 'moments', '--truth', truth, '--predictions', truth, '--map', 'a=b'],
          /matched by qid/,
          2,
        ],
        [['--task', 'moments', '--truth', truth, '--predictions', truth], /labels\.tsv:1: not JSON/, 1],
      ]
      for (const [args, message, want] of cases) {
        const { code, stdout, stderr } = await cli(['evaluate', ...args])
        expect(stderr).toMatch(message)
        expect([code, stdout]).toEqual([want, ''])
      }
    })
  },
)

describeWithRealData('annotations of people and systems', (data) => {
  it.skipIf(notBuilt !== null)('events of sed_vis: the F1 that sed_eval gives', async () => {
    const of = (name: string): string => join(data, 'annotations/sed_vis', name)
    const { measures } = await cliJson<AlignmentEvaluation>([
      ...['evaluate', '--task', 'alignment', '--truth', of('a001.ann')],
      ...['--predictions', of('a001_system_output.ann')],
    ])
    expect(measures['event F1']!.value).toBeCloseTo(0.02469135802469136, 12)
  })
})
