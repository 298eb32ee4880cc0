import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Rng } from '../base/rng.js'
import { type CaptionRuleName, captionRuleNames, captionsByRule, tokenize } from './index.js'

const written = (rule: CaptionRuleName, caption: string, others: readonly string[] = [], seed = 1) =>
  captionsByRule([rule], 1)
    .write([caption, ...others], new Rng(seed))
    .find(({ of }) => of === 0)?.text

describe('order', () => {
  it.each([
    ['A dog barks, then a bell rings.', 'A bell rings, then a dog barks.'],
    ['a dog barks before a bell rings', 'a bell rings before a dog barks'],
    [
      'A knock followed by a frog croak over an idling engine',
      'A frog croak followed by a knock over an idling engine',
    ],
    [
      'After a bell rings, a dog barks while rain falls.',
      'After a dog barks while rain falls, a bell rings.',
    ],
    ['There is a bark, then a bell, then an owl', 'There is a bell, then a bark, then an owl'],
    ['A dog barks as rain falls, then a bell rings', 'A dog barks as a bell rings, then rain falls'],
  ])('%s', (caption, wanted) => expect(written('order', caption)).toBe(wanted))

  it.each(['A dog barks while rain falls', 'a dog barks before a dog barks', 'rain', ''])(
    'has nothing to say of "%s"',
    (caption) => expect(written('order', caption)).toBeUndefined(),
  )
})

describe('count', () => {
  it('says another number, never the same', () => {
    for (let seed = 0; seed < 40; seed++) {
      expect(written('count', 'A dog barks twice.', [], seed)).toMatch(
        /^A dog barks (once|three times|four times|five times)\.$/,
      )
      expect(written('count', 'Two dogs bark', [], seed)).toMatch(/^(Three|Four|Five|Six) dogs bark$/)
      expect(written('count', 'a dog barks two times', [], seed)).not.toMatch(/twice/)
      expect(written('count', 'a dog barks several times', [], seed)).toMatch(/once|twice/)
    }
    expect(written('count', 'a dog barks')).toBeUndefined()
  })
})

describe('event', () => {
  it('takes a phrase of another caption that has nothing in common with the own one', () => {
    const others = ['a dog growls', 'thunder rumbles']
    for (let seed = 0; seed < 20; seed++)
      expect(['Thunder rumbles while rain falls', 'A dog barks while thunder rumbles']).toContain(
        written('event', 'A dog barks while rain falls', others, seed),
      )
    expect(written('event', 'a dog barks', ['a dog growls'])).toBeUndefined()
    expect(written('event', 'a dog barks')).toBeUndefined()
  })
})

describe('over many captions', () => {
  const words = ['a dog barks', 'rain falls', 'two bells ring', 'an owl calls', 'someone knocks'] as const
  const joints = [' and then ', ', followed by ', ' before ', ' while ', ' twice, then '] as const
  const caption = fc
    .tuple(fc.constantFrom(...words), fc.constantFrom(...joints), fc.constantFrom(...words))
    .map((parts) => parts.join(''))
  const batch = fc.array(fc.oneof(caption, fc.string()), { maxLength: 12 })

  it('writes at most one for each, always another one, and the same for the same stream', () => {
    fc.assert(
      fc.property(batch, fc.nat(), (captions, seed) => {
        const writer = captionsByRule(captionRuleNames, 1)
        const all = writer.write(captions, new Rng(seed))
        expect(new Set(all.map(({ of }) => of)).size).toBe(all.length)
        for (const { of, text } of all) expect(tokenize(text)).not.toEqual(tokenize(captions[of]!))
        expect(writer.write(captions, new Rng(seed))).toEqual(all)
      }),
    )
  })

  it('writes for the share that is asked for', () => {
    const captions = Array.from({ length: 2000 }, (_, i) => `a dog barks ${i % 2 ? 'twice' : 'three times'}`)
    const { length } = captionsByRule(['count'], 0.3).write(captions, new Rng(4))
    expect(Math.abs(length / 2000 - 0.3)).toBeLessThan(0.04)
  })
})

it.each([
  ['no rule', () => captionsByRule([], 0.5), /rules/],
  ['a rule that there is not', () => captionsByRule(['noise' as 'order'], 0.5), /noise/],
  ['a share of 0', () => captionsByRule(['order'], 0), /share/],
])('refuses %s', (_, make, message) =>
  expect(make).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string }),
  ),
)
