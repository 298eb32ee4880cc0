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

  it('of many captions is counted in turns, and given up when the signal fires', async () => {
    const many = function* () {
      for (let i = 0; i < 5000; i++) {
        const until = performance.now() + 0.02
        while (performance.now() < until);
        yield [`w${i % 7}`]
      }
    }
    let turns = 0
    const tick = setInterval(() => turns++, 1)
    const vocabulary = await Vocabulary.buildAsync(many(), { minCount: 2 })
    clearInterval(tick)
    expect(turns).toBeGreaterThan(2)
    expect(vocabulary.toJSON()).toEqual(Vocabulary.build(many(), { minCount: 2 }).toJSON())
    const abort = new AbortController()
    setTimeout(() => abort.abort(), 5)
    await expect(Vocabulary.buildAsync(many(), { signal: abort.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    })
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
