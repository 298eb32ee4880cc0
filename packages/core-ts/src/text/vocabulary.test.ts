import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PAD, UNK, Vocabulary } from './vocabulary.js'

const captions = [
  ['a', 'dog', 'barks'],
  ['a', 'cat', 'and', 'a', 'dog'],
]

describe('Vocabulary', () => {
  it('orders by count, then by the word; padding and unknown come first', () => {
    const vocabulary = Vocabulary.build(captions)
    expect(vocabulary.tokens).toEqual(['<pad>', '<unk>', 'a', 'dog', 'and', 'barks', 'cat'])
    expect(vocabulary.counts).toEqual([0, 0, 3, 2, 1, 1, 1])
    expect(vocabulary.size).toBe(7)
    expect(Array.from(vocabulary.encode(['a', 'wolf', 'barks']))).toEqual([2, UNK, 5])
    expect(vocabulary.decode([2, 1, 5, PAD, PAD])).toEqual(['a', '<unk>', 'barks'])
    expect(vocabulary.has('dog')).toBe(true)
    expect(vocabulary.has('<unk>')).toBe(false)
    expect(() => vocabulary.decode([7])).toThrow(/index below 7/)
  })

  it('drops rare words and keeps at most so many', () => {
    expect(Vocabulary.build(captions, { minCount: 2 }).words).toEqual(['a', 'dog'])
    expect(Vocabulary.build(captions, { maxWords: 3 }).words).toEqual(['a', 'dog', 'and'])
  })

  it('treats the reserved tokens as reserved wherever they come from', () => {
    expect(Vocabulary.build([['<pad>', 'x', '<unk>']]).words).toEqual(['x'])
    expect(Vocabulary.build([['x']]).indexOf('<pad>')).toBe(PAD)
  })

  it('refuses captions without words, bad options, and a damaged save', () => {
    expect(() => Vocabulary.build([[], []])).toThrow(/captions with words/)
    expect(() => Vocabulary.build(captions, { minCount: 0 })).toThrow(/minCount/)
    expect(() => Vocabulary.fromJSON({ words: ['a', 'a'], counts: [1, 1] })).toThrow(/distinct/)
    expect(() => Vocabulary.fromJSON({ words: ['<pad>'], counts: [1] })).toThrow(/distinct/)
    expect(() => Vocabulary.fromJSON({ words: ['a'], counts: [] })).toThrow(/1 counts/)
    expect(() => Vocabulary.fromJSON({} as never)).toThrow(/list of words/)
  })

  it('does not depend on the order of captions, and survives JSON', () => {
    const word = fc.stringMatching(/^[a-zé]{1,3}$/)
    fc.assert(
      fc.property(
        fc.array(fc.array(word), { minLength: 1 }).filter((all) => all.some((c) => c.length > 0)),
        (texts) => {
          const vocabulary = Vocabulary.build(texts)
          expect(Vocabulary.build(texts.toReversed()).tokens).toEqual(vocabulary.tokens)
          const again = Vocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary)))
          expect(again.tokens).toEqual(vocabulary.tokens)
          expect(again.counts).toEqual(vocabulary.counts)
          for (const text of texts) expect(again.decode(again.encode(text))).toEqual(text)
        },
      ),
    )
  })
})
