import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import english from './english.json' with { type: 'json' }
import { splitPhrases } from './index.js'

/** Phrases, and relations as "first kind second". */
function split(caption: string): { phrases: string[]; relations: string[] } {
  const { phrases, relations } = splitPhrases(caption)
  for (const { text, start, end } of phrases) expect(caption.slice(start, end)).toBe(text)
  return {
    phrases: phrases.map(({ text }) => text),
    relations: relations.map(({ first, kind, second }) => `${first} ${kind} ${second}`),
  }
}

describe('phrases of a caption', () => {
  it.each([
    [
      'A dog barks twice while rain falls, then a clock ticks.',
      ['A dog barks', 'rain falls', 'a clock ticks'],
      ['0 while 1', '0 before 2'],
    ],
    [
      'Two dog barks followed by the ticking of a clock over falling rain',
      ['dog barks', 'the ticking of a clock', 'falling rain'],
      ['0 before 1', '1 while 2'],
    ],
    ['After a dog woofs twice, a clock ticks away', ['a dog woofs', 'a clock ticks'], ['0 before 1']],
    ['Before the rain falls, a man speaks loudly', ['the rain falls', 'a man speaks'], ['1 before 0']],
    [
      'While a dog barks and rain falls, a man speaks, then he laughs',
      ['a dog barks', 'rain falls', 'a man speaks', 'laughs'],
      ['1 while 2', '2 before 3'],
    ],
    [
      'a man talks and a dog barks, after which birds chirp in the background, and a car passes by',
      ['a man talks', 'a dog barks', 'birds chirp', 'a car passes'],
      ['0 before 2', '1 before 2'],
    ],
    ['First a dog barks twice, then a baby cries.', ['a dog barks', 'a baby cries'], ['0 before 1']],
    ['A dog barks, preceded by thunder', ['A dog barks', 'thunder'], ['1 before 0']],
    ['A man speaks. Then a dog barks.', ['A man speaks', 'a dog barks'], ['0 before 1']],
    ['In the distance, a dog’s bark and a walkie-talkie', ['a dog’s bark', 'a walkie-talkie'], []],
    ['an engine runs and then stops', ['an engine runs', 'stops'], ['0 before 1']],
    ['rain', ['rain'], []],
    ['alert(1)', ['alert'], []],
    ['a dog barks, 2, then an 808 drum plays', ['a dog barks', 'an 808 drum plays'], ['0 before 1']],
  ])('%s', (caption, phrases, relations) => {
    expect(split(caption)).toEqual({ phrases, relations })
  })

  it.each(['', '   ', '?!', 'and then', 'while', '… — …', '1', '12, then (3)'])('%j has none', (caption) => {
    expect(split(caption)).toEqual({ phrases: [], relations: [] })
  })

  it('is a caption’s own text, in order and apart, whatever the text', () => {
    const words = Object.values(english)
      .flat(2)
      .flatMap((entry) => (typeof entry === 'string' ? entry.split(' ') : []))
    const piece = fc.oneof(
      fc.constantFrom(...words, 'dog', 'barks', 'İ', '狗叫', ',', '.', '\n', '’s', 'rain-drop'),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const caption = pieces.join(' ')
        const { phrases, relations } = splitPhrases(caption)
        let last = 0
        for (const { text, start, end } of phrases) {
          expect(start).toBeGreaterThanOrEqual(last)
          expect(end).toBeGreaterThan(start)
          expect(caption.slice(start, end)).toBe(text)
          last = end
        }
        for (const { first, second } of relations) {
          expect(first).not.toBe(second)
          for (const p of [first, second]) expect(p >= 0 && p < phrases.length).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('takes a caption of a hundred thousand words in its stride', () => {
    const caption = 'a dog barks loudly then rain falls in the background and '.repeat(10_000)
    expect(splitPhrases(caption).phrases).toHaveLength(20_000)
  })

  it('goes by other rules when they are given', () => {
    const german = {
      relations: { before: ['dann', 'gefolgt von'], after: ['nach'], while: ['während'] },
      ...{ heads: ['während'], separators: ['und'], places: ['im hintergrund'] },
      ...{ leading: [], trailing: ['laut'], adverbEnding: 'weise', notAdverbs: [] },
    }
    const { phrases, relations } = splitPhrases(
      'Ein Hund bellt laut, dann fällt Regen und ein Auto hupt im Hintergrund',
      german,
    )
    expect(phrases.map(({ text }) => text)).toEqual(['Ein Hund bellt', 'fällt Regen', 'ein Auto hupt'])
    expect(relations).toEqual([{ kind: 'before', first: 0, second: 1, words: 'dann' }])
  })
})
