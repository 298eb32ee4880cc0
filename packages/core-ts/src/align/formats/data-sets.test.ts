import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { describeWithRealData } from '../../testing/real-data/index.js'
import { readManifest, writeManifest } from '../../data/index.js'
import { evaluateMoments } from '../evaluation/moments.js'
import { pairUp } from '../evaluation/pair-up.js'
import { groundedSegments, parseAudioGrounding, readAudioGrounding } from './audio-grounding.js'
import { readAlignmentTruth } from './evaluation-files.js'
import { segmentFormat } from './formats.js'
import { importAudioGrounding, importSegments } from './labelled-clips.js'
import {
  formatMomentLines,
  joinMoments,
  parseMomentLines,
  readMomentLines,
  writeMomentLines,
} from './moment-lines.js'
import { parseScoreLines, readScores } from './score-curves.js'

const folder = mkdtempSync(join(tmpdir(), 'align-data-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('AudioGrounding', () => {
  const rows = {
    audiocap_id: { 0: 7, 1: 7, 2: 7 },
    filename: { 0: 'a_1.000_11.000.wav', 1: 'a_1.000_11.000.wav', 2: 'a_1.000_11.000.wav' },
    caption: { 0: 'an owl, an owl hoots', 1: 'an owl, an owl hoots', 2: 'an owl, an owl hoots' },
    tokens: Object.fromEntries([0, 1, 2].map((row) => [row, ['an', 'owl', 'an', 'owl', 'hoots']])),
    soundtag: { 0: 'an owl', 1: 'an owl', 2: 'owl hoots' },
    start_word: { 0: 0, 1: 2, 2: 3 },
    timestamps: { 0: [[0.5, 2]], 1: [[0, 0]], 2: [[1, 3]] },
  }

  it('version 1: phrases that occur twice stand where their words do', () => {
    const [one, ...rest] = parseAudioGrounding(JSON.stringify(rows), 'v1.json')
    expect(rest).toEqual([])
    expect(one!.phrases).toEqual([
      { phrase: 'an owl', start: 0, end: 6, spans: [{ onset: 0.5, offset: 2 }] },
      { phrase: 'an owl', start: 8, end: 14, spans: [] },
      { phrase: 'owl hoots', start: 11, end: 20, spans: [{ onset: 1, offset: 3 }] },
    ])
    expect(groundedSegments([one!])).toEqual([
      {
        recording: 'a_1.000_11.000.wav',
        text: 'an owl, an owl hoots',
        phrases: ['an owl', 'owl hoots'],
        segments: [
          { phrase: 'an owl', onset: 0.5, offset: 2 },
          { phrase: 'owl hoots', onset: 1, offset: 3 },
        ],
      },
    ])
  })

  it('version 2: a caption as text or as words, the last word counted or not', () => {
    const item = (tokens: unknown, end: number) => [
      {
        audiocap_id: 1,
        audio_id: 'Yx.wav',
        tokens,
        phrases: [{ phrase: 'a dog barks', start_index: 2, end_index: end, segments: [[1, 2]] }],
      },
    ]
    for (const tokens of ['rain  and a dog barks', ['rain', 'and', 'a', 'dog', 'barks']]) {
      for (const end of [4, 5]) {
        const [{ caption, phrases, audio }] = parseAudioGrounding(
          JSON.stringify(item(tokens, end)),
          'v2.json',
        ) as [ReturnType<typeof parseAudioGrounding>[0]]
        expect(audio).toBe('Yx.wav')
        expect(caption.slice(phrases[0]!.start, phrases[0]!.end)).toBe('a dog barks')
      }
    }
  })

  it('refuses words that are not where it says, naming the row', () => {
    const bad: [object, RegExp][] = [
      [
        { ...rows, start_word: { ...rows.start_word, 1: 1 } },
        /v1\.json, row 1: the phrase "an owl" does not stand at word 1/,
      ],
      [{ ...rows, tokens: { ...rows.tokens, 2: ['cat'] } }, /row 2: the word "cat" is not in the caption/],
      [{ ...rows, timestamps: { ...rows.timestamps, 0: [[2, 1]] } }, /row 0: expected 0 ≤ onset < offset/],
      [{ ...rows, caption: undefined }, /missing: caption/],
      [
        [
          {
            audiocap_id: 1,
            audio_id: 'x',
            tokens: 'a b',
            phrases: [{ phrase: 'c', start_index: 0, end_index: 0, segments: [] }],
          },
        ],
        /item 1, phrase 1: the phrase "c"/,
      ],
    ]
    for (const [value, message] of bad)
      expect(() => parseAudioGrounding(JSON.stringify(value), 'v1.json')).toThrow(message)
  })

  describeWithRealData('version 1, train', (data) => {
    it('all 12,373 phrases with the characters they stand at', async () => {
      const captions = await readAudioGrounding(join(data, 'phrases/audiogrounding_v1_train.json'))
      const phrases = captions.flatMap((one) =>
        one.phrases.map((phrase) => ({ ...phrase, caption: one.caption })),
      )
      expect([captions.length, phrases.length, phrases.flatMap(({ spans }) => spans).length]).toEqual([
        4489,
        12_373,
        20_196 - 383,
      ])
      expect(phrases.filter(({ spans }) => spans.length === 0)).toHaveLength(383)
      expect(
        phrases.filter(({ caption, start, end, phrase }) => caption.slice(start, end) !== phrase),
      ).toEqual([])
      // Not only some place of these words: before it stand the letters of the words before it.
      const table = JSON.parse(
        readFileSync(join(data, 'phrases/audiogrounding_v1_train.json'), 'utf8'),
      ) as Record<string, Record<string, never>>
      const rows = Map.groupBy(Object.keys(table.soundtag!), (row) =>
        JSON.stringify([table.filename![row], table.audiocap_id![row], table.caption![row]]),
      )
      const lettersBefore = [...rows.values()]
        .flat()
        .map((row) => (table.tokens![row] as string[]).slice(0, table.start_word![row]).join('').length)
      expect(phrases.map(({ caption, start }) => caption.slice(0, start).replace(/\s/g, '').length)).toEqual(
        lettersBefore,
      )
    })
  })
})

describe('clips for a manifest', () => {
  it('of AudioGrounding: captions, and phrases as events', async () => {
    const labels = join(folder, 'grounding.json')
    const item = (tokens: string) => ({
      audiocap_id: 1,
      audio_id: 'Yx.wav',
      tokens,
      phrases: [{ phrase: 'rain', start_index: 0, end_index: 0, segments: [[1, 2]] }],
    })
    writeFileSync(labels, JSON.stringify([item('rain falls'), item('rain on a roof')]))
    expect(await importAudioGrounding({ labels, audio: '/audio', split: 'train' })).toEqual([
      {
        id: 'Yx.wav',
        audio: '/audio/Yx.wav',
        split: 'train',
        captions: [
          { id: 'Yx.wav#1', text: 'rain falls' },
          { id: 'Yx.wav#2', text: 'rain on a roof' },
        ],
        events: [
          { label: 'rain', onset: 1, offset: 2 },
          { label: 'rain', onset: 1, offset: 2 },
        ],
      },
    ])
  })

  it('of strong labels, silent ones too, and they are a manifest', async () => {
    const labels = join(folder, 'strong.TSV')
    writeFileSync(labels, 'filename\tonset\toffset\tevent_label\na.wav\t0.5\t1\tDog\nb.wav\t\t\t\n')
    const clips = await importSegments({ labels, audio: folder })
    await writeManifest(join(folder, 'strong.jsonl'), clips)
    expect((await readManifest(join(folder, 'strong.jsonl'))).clips).toEqual(clips)
    const truth = await readAlignmentTruth(join(folder, 'strong.jsonl'))
    expect(truth).toEqual(segmentFormat('strong-labels').read(readFileSync(labels, 'utf8'), labels))
  })
})

describe('moments', () => {
  const truth =
    '{"qid":1,"query":"a dog","vid":"v1","duration":150,"relevant_windows":[[10,20],[30,40]],"saliency_scores":[[1]]}\n{"qid":"b","query":"\\"x\\"","vid":"v2","duration":100,"relevant_windows":[]}\n'

  it('are read, written and read again', async () => {
    const lines = parseMomentLines(truth, 'truth.jsonl')
    expect(parseMomentLines(formatMomentLines(lines), 'again')).toEqual(lines)
    const found = lines.map(({ relevant = [], ...line }) => ({
      ...line,
      found: relevant.map((span, i) => ({ ...span, score: 1 - i / 8 })),
    }))
    expect(formatMomentLines([found[0]!].map(({ duration: _, ...line }) => line))).toBe(
      '{"qid":1,"query":"a dog","vid":"v1","pred_relevant_windows":[[10,20,1],[30,40,0.875]]}\n',
    )
    await writeMomentLines(join(folder, 'found.jsonl'), found)
    const joined = joinMoments(lines, await readMomentLines(join(folder, 'found.jsonl')))
    expect(joined).toMatchObject({ missing: [], unknown: [] })
    expect(evaluateMoments(joined.queries)).toMatchObject({
      queries: 1,
      withoutTruth: 1,
      measures: { mAP: { value: 1 } },
    })
  })

  it('are joined by qid; what is missing or unknown is told', () => {
    const lines = parseMomentLines(truth, 'truth.jsonl')
    const predictions = parseMomentLines(
      '{"qid":1,"vid":"v1","pred_relevant_windows":[]}\n{"qid":"z","vid":"v9","pred_relevant_windows":[]}\n',
      'p',
    )
    expect(joinMoments(lines, predictions)).toMatchObject({ missing: ['b'], unknown: ['z'] })
    expect(() => joinMoments(lines, predictions.slice(1))).toThrow(
      /the truth asks 1, the predictions answer z/,
    )
    expect(() => joinMoments(predictions, lines)).toThrow(
      /Expected relevant_windows in the truth, query 1 has none/,
    )
  })

  it('refuse what is none, with the line', () => {
    const bad: [string, RegExp][] = [
      ['{"qid":1,"vid":"v"}\n{"qid":1,"vid":"v"}', /m\.jsonl:2: the qid 1 occurs a second time/],
      ['{"qid":1}', /m\.jsonl:1: expected a string for vid/],
      ['{"qid":1,"vid":"v","relevant_windows":[[2,1]]}', /expected 0 ≤ onset < offset/],
      ['{"qid":1,"vid":"v","pred_relevant_windows":[[1,2]]}', /expected \[start, end, score\]/],
      ['\n', /expected one query or more/],
    ]
    for (const [text, message] of bad) expect(() => parseMomentLines(text, 'm.jsonl')).toThrow(message)
  })
})

describe('scores', () => {
  it('a folder of tables, or lines', async () => {
    writeFileSync(join(folder, 'b.tsv'), 'onset\toffset\tdog\tcat\n0.0\t0.5\t0.25\t1\n0.5\t1.0\t0.5\t0\n')
    writeFileSync(join(folder, 'a.tsv'), 'onset\toffset\tdog\tcat\n0.0\t0.25\t0\t1\n')
    const tables = await readScores(folder)
    expect(tables.map(({ recording, phrases }) => [recording, phrases])).toEqual([
      ['a', ['dog', 'cat']],
      ['b', ['dog', 'cat']],
    ])
    expect(tables[1]!.curves[1]).toEqual({ scores: Float32Array.of(1, 0), frameStep: 0.5, start: 0 })
    const line = '{"clip":"b","phrases":["dog"],"frameStep":0.5,"scores":[[0.25,0.5]]}\n'
    expect(parseScoreLines(line, 'x')[0]!.curves[0]).toEqual(tables[1]!.curves[0])
    await expect(readScores(join(folder, 'none'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })

  it('truth and predictions in pairs: what either names, matched by name without folder and ending', () => {
    const truth = segmentFormat('strong-labels').read(
      'filename\tonset\toffset\tevent_label\nx/a.wav\t0\t1\tdog\nx/a.wav\t0.5\t2\tdog\nb.wav\t\t\t\nc.wav\t0\t1\tcat\n',
      't',
    )
    const scores = parseScoreLines(
      '{"clip":"a","phrases":["dog","cat"],"frameStep":0.5,"scores":[[1,1,0],[0,0,0]]}\n{"clip":"b","phrases":["dog","cat"],"frameStep":0.5,"scores":[[1],[0]]}\n{"clip":"q","phrases":[],"frameStep":1,"scores":[]}\n',
      's',
    )
    const { pairs, missing, unknown } = pairUp(truth, { scores })
    expect([missing, unknown]).toEqual([['c.wav'], ['q']])
    expect(
      pairs.map(({ clip, phrase, duration, truth: spans }) => [clip, phrase, duration, spans.length]),
    ).toEqual([
      ['x/a.wav', 'dog', 2, 2],
      ['x/a.wav', 'cat', 2, 0],
      ['b.wav', 'dog', 0.5, 0],
      ['b.wav', 'cat', 0.5, 0],
      ['c.wav', 'cat', 1, 1],
    ])
    expect(() => pairUp(truth, { segments: [{ recording: 'z', segments: [] }] })).toThrow(
      /the truth has "x\/a\.wav", the predictions "z"/,
    )
  })
})
