import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { segmentFormat } from '../../segments/index.js'
import { evaluateMoments } from '../evaluation/moments.js'
import { pairUp } from '../evaluation/pair-up.js'
import {
  formatMomentLines,
  joinMoments,
  parseMomentLines,
  readMomentLines,
  writeMomentLines,
} from './moment-lines.js'
import { parseScoreLines, readScores } from './score-curves.js'

const folder = mkdtempSync(join(tmpdir(), 'align-files-'))
afterAll(() => rmSync(folder, { recursive: true }))

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
