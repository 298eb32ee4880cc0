import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWithRealData } from '@sonotext/core/testing/real-data'
import { describe, expect, it } from 'vitest'
import { classPhrase, labelOfPhrase } from './class-phrases.js'
import { audioGroundingV1, phraseAgreement } from './phrase-agreement.js'

const at = (caption: string, text: string, ...segments: [number, number][]) => {
  const start = caption.indexOf(text)
  return { start, end: start + text.length, segments }
}

describe('agreement of phrases', () => {
  it('counts exact, partial and missed ones, and what order words are worth', () => {
    const caption = 'a dog barks loudly, then a man speaks in a room'
    const found = phraseAgreement([
      {
        caption,
        phrases: [
          at(caption, 'a dog barks', [0, 1]),
          at(caption, 'man speaks', [2, 3]),
          at(caption, 'a room', [0, 3]),
        ],
      },
    ])
    expect(found).toMatchObject({ captions: 1, annotated: 3, found: 2, exact: 1, partial: 1, extra: 0 })
    expect(Object.entries(found.errors).map(([kind, { count }]) => [kind, count])).toEqual([
      ...[
        ['longer', 1],
        ['shorter', 0],
        ['longer and shorter', 0],
        ['missed', 1],
      ],
    ])
    expect(found.relations).toEqual([
      { kind: 'before', words: 'then', count: 1, begins: 1, ends: 1, overlap: 0 },
    ])
  })
})

describe('phrases of classes', () => {
  it('are sentences, and are told apart by their words', () => {
    expect(classPhrase('dog')).toBe('a dog barks')
    expect(labelOfPhrase('the barking of a dog', ['dog', 'rain'])).toBe('dog')
    expect(labelOfPhrase('falling rain', ['dog', 'rain'])).toBe('rain')
    expect(labelOfPhrase('a zither', ['dog', 'rain'])).toBeUndefined()
  })
})

describeWithRealData('AudioGrounding v1', (data) => {
  it('has 12,373 phrases, all at exact offsets of their captions, of which three quarters are ours', () => {
    const file = join(data, 'phrases', 'audiogrounding_v1_train.json')
    const captions = audioGroundingV1(
      JSON.parse(readFileSync(file, 'utf8')) as Parameters<typeof audioGroundingV1>[0],
    )
    const { captions: count, annotated, exact, partial } = phraseAgreement(captions)
    expect([count, annotated]).toEqual([4489, 12_373])
    expect(exact / annotated).toBeGreaterThan(0.77)
    expect((exact + partial) / annotated).toBeGreaterThan(0.91)
  })
})
