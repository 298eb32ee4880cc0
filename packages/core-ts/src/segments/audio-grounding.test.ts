import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeWithRealData } from '../testing/real-data/index.js'
import { groundedSegments, parseAudioGrounding, readAudioGrounding } from './audio-grounding.js'

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
