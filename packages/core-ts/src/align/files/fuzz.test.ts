import { describe, expect, it } from 'vitest'
import { decodeText, isSonotextError, Rng } from '../../base/index.js'
import { mutate } from '../../testing/mutate-text.js'
import { parseAudioGrounding } from '../../segments/audio-grounding.js'
import { segmentFormats } from '../../segments/formats.js'
import { parseMomentLines } from './moment-lines.js'
import type { RecordingSegments } from '../../segments/recording-segments.js'
import { parseScoreLines, parseScoreTable } from './score-curves.js'

/** Changed files are read or refused with the library's own error, naming the file in a sentence or two. SONOTEXT_FUZZ: how many of each. */
const inputs = Number(process.env.SONOTEXT_FUZZ ?? 2000)

const sample: RecordingSegments = {
  recording: 'a/ü.wav',
  duration: 10,
  text: 'a "dog" barks & rain falls',
  phrases: ['a "dog" barks', 'rain'],
  segments: [
    { phrase: 'a "dog" barks', onset: 0.5, offset: 1.25, score: 0.75, confidence: 0.5 },
    { phrase: '<rain>', onset: 0, offset: 9.5, score: -1 },
    { phrase: 'a "dog" barks', onset: 1, offset: 3 },
  ],
}

const readers: Record<string, { seeds: string[]; read(text: string, file: string): unknown }> = {
  ...Object.fromEntries(
    segmentFormats.map(({ name, write, read }) => [name, { seeds: [write([sample])], read }]),
  ),
  'strong-labels lists': {
    seeds: ['a.wav\tstreet\t0.25\t2\tcar\na.wav\tstreet\t2.25\t3\tdog\n', '0.25\t2\tcar\n'],
    read: segmentFormats.find(({ name }) => name === 'strong-labels')!.read,
  },
  'audio-grounding': {
    seeds: [
      '{"audiocap_id":{"0":5,"1":5},"filename":{"0":"a.wav","1":"a.wav"},"caption":{"0":"a cat meows","1":"a cat meows"},"tokens":{"0":["a","cat","meows"],"1":["a","cat","meows"]},"soundtag":{"0":"a cat","1":"meows"},"start_word":{"0":0,"1":2},"timestamps":{"0":[[0.5,1.5]],"1":[[1.25,2],[3,4]]}}',
      '[{"audiocap_id":1,"audio_id":"Ya.wav","tokens":"a cat meows","phrases":[{"phrase":"cat meows","start_index":1,"end_index":2,"segments":[[1,2]]}]}]',
    ],
    read: parseAudioGrounding,
  },
  moments: {
    seeds: [
      '{"qid":1,"query":"a dog","vid":"v_1","duration":150,"relevant_windows":[[10,20]]}\n{"qid":2,"query":"x","vid":"v_1","duration":150,"relevant_windows":[]}\n',
      '{"qid":1,"query":"a dog","vid":"v_1","pred_relevant_windows":[[10,20,0.5],[1,2,0.25]]}\n',
    ],
    read: parseMomentLines,
  },
  'score lines': {
    seeds: ['{"clip":"a","phrases":["x","y"],"frameStep":0.5,"start":0,"scores":[[0.5,1],[0.25,0]]}\n'],
    read: parseScoreLines,
  },
  'score table': {
    seeds: ['onset\toffset\tdog\tcat\n0.0\t0.5\t0.25\t1\n0.5\t1.0\t0.5\t0\n1.0\t1.5\t0.5\t0.125\n'],
    read: parseScoreTable,
  },
}

describe.each(Object.entries(readers))('%s', (name, { seeds, read }) => {
  it(`${inputs} changed files are read or refused`, () => {
    const rng = new Rng(31, name)
    const all = seeds.map((seed) => Buffer.from(seed))
    for (const seed of all) read(decodeText(seed, 'whole'), 'whole')
    let refused = 0
    for (let i = 0; i < inputs; i++) {
      const bytes = mutate(rng.pick(all), rng)
      try {
        read(decodeText(bytes, 'changed file'), 'changed file')
      } catch (error) {
        refused++
        const message = `input ${i}: ${Buffer.from(bytes).toString('base64')}`
        if (!isSonotextError(error)) throw new Error(message, { cause: error })
        expect(error.code, message).toBe('INVALID_FILE')
        expect(error.message, message).toContain('changed file')
        expect(error.message.length, message).toBeLessThan(600)
      }
    }
    expect(refused).toBeGreaterThan(inputs / 20)
  })
})

it('hostile sizes take no more than their length', () => {
  const deep = '['.repeat(100_000)
  for (const { read } of Object.values(readers))
    for (const text of [
      deep,
      '<a>'.repeat(50_000),
      '"'.repeat(100_001),
      '\t'.repeat(100_000),
      '\n'.repeat(100_000),
      '&'.repeat(100_000),
      `<a ${'b="c" '.repeat(20_000)}`,
      `WEBVTT\n${'<'.repeat(100_000)}`,
    ]) {
      try {
        read(text, 'hostile file')
      } catch (error) {
        if (!isSonotextError(error)) throw error
        expect(error.message.length).toBeLessThan(600)
      }
    }
})
