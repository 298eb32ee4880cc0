import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng } from '@sonotext/core/base'
import { withArticle } from './english.js'
import { captionScene } from './grammar.js'
import { canonicalLabel, isKnown, knownLabels, lexemeOf } from './lexicon.js'
import type { SceneDescription } from './scene-description.js'
import { proceduralLabels } from './sound-bank.js'

const labels = [...knownLabels, 'cowbell', '3d printer', 'Airplane_noise']

/** Every way in which a caption can name a label. */
function namesOf(label: string): string[] {
  const { clauses, nouns, unit } = lexemeOf(label)
  const said = clauses.flatMap(({ subject, verb, gerund, plural }) => [
    `${subject} ${verb}`,
    ...(gerund === '' ? [] : [`${subject} ${gerund}`, `${subject} ${plural ? 'are' : 'is'} ${gerund}`]),
  ])
  return [...said, ...nouns.map((noun) => noun.text), ...(unit ?? [])]
}

/** Where a caption names a label: [start, end), the first and there the longest; or null. Read from the words alone. */
function find(text: string, label: string): [number, number] | null {
  const spans = namesOf(label).map((name): [number, number] => {
    const at = text.search(new RegExp(`(?<![a-z])${name}(?![a-z])`, 'i'))
    return [at, at + name.length]
  })
  return spans.filter(([at]) => at >= 0).sort((a, b) => a[0] - b[0] || b[1] - a[1])[0] ?? null
}

const scene = fc
  .record({ seed: fc.nat(), groups: fc.integer({ min: 0, max: 4 }), background: fc.boolean() })
  .map(({ seed, groups, background }): { scene: SceneDescription; rng: Rng } => {
    const rng = new Rng(seed, 'scene')
    const pool = rng.shuffle(distinct(labels))
    const under = background || groups === 0 ? pool.pop()! : null
    const front = pool.slice(0, groups).map((label) => ({
      label,
      count: lexemeOf(label).unit && rng.uniform() < 0.8 ? 1 + rng.int(4) : null,
    }))
    const relations = front.slice(1).map(() => rng.pick(['then', 'overlap'] as const))
    return { scene: { background: under, groups: front, relations }, rng }
  })

/** Labels whose words do not stand inside another's ("a dog" in "a dog barks" is one label, but "the sound of ..." is many). */
function distinct(all: readonly string[]): string[] {
  const alike = [['insects', 'hum'], ['engine', 'drilling', 'chainsaw'], ['hand_saw', 'chainsaw']] // prettier-ignore
  return all.filter((label) => !alike.some((set) => set.includes(label)))
}

const then = /\b(then|followed by|before|finally|after)\b/i
const together = /\b(while|as|at the same time|together with|along with|mixed with)\b/i
const counted = /\b(once|twice|\w+ times)\b/i
const joint =
  /,|\.|\b(?:while|as|before|then|and|followed|after|with|over|against|can be|throughout|mixed|along|together)\b/
const numbers = ['', '(?:an?|one)', 'two', '(?:three|several)', '(?:four|several)']
const times = [
  '',
  '(?:once)?',
  '(?:twice|two times)',
  '(?:three times|several times)',
  '(?:four times|several times)',
]

describe('captions', () => {
  test('five different sentences of good form', () => {
    fc.assert(
      fc.property(scene, ({ scene, rng }) => {
        const captions = captionScene(scene, { rng })
        expect(new Set(captions.map((caption) => caption.text)).size).toBe(5)
        for (const { text } of captions) {
          expect(text).toMatch(/^[A-Z0-9].*[a-z]\.$/)
          expect(text).not.toMatch(/ {2}|undefined|null| ,|,,/)
          expect(text).not.toMatch(/\ba (?!uni|one\b)[aeiou]/i)
          expect(text).not.toMatch(/\ban [^aeiou]/i)
          expect(text).not.toMatch(/\b(\w+) \1\b/i)
          expect(text.split(' ').length).toBeLessThan(48)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('name every class they say they name, and leave out at most the background, once', () => {
    fc.assert(
      fc.property(scene, ({ scene, rng }) => {
        const all = [
          ...scene.groups.map((group) => group.label),
          ...(scene.background ? [scene.background] : []),
        ]
        const captions = captionScene(scene, { rng })
        for (const [i, { text, mentions }] of captions.entries()) {
          for (const label of all)
            expect(find(text, label) !== null, `${label} in "${text}"`).toBe(mentions.includes(label))
          const omitted = all.filter((label) => !mentions.includes(label))
          expect(omitted).toEqual(
            i === 4 && scene.background && scene.groups.length > 1 ? [scene.background] : [],
          )
        }
      }),
      { numRuns: 400 },
    )
  })

  test('words of order agree with the order of events, words of overlap with overlap', () => {
    fc.assert(
      fc.property(scene, ({ scene, rng }) => {
        for (const { text } of captionScene(scene, { rng })) {
          for (const [i, relation] of scene.relations.entries()) {
            const [a, b] = [find(text, scene.groups[i]!.label)!, find(text, scene.groups[i + 1]!.label)!]
            const reversed = b[0] < a[0]
            const between = reversed ? text.slice(b[1], a[0]) : text.slice(a[1], b[0])
            if (relation === 'overlap') {
              expect(reversed, text).toBe(false)
              expect(between, text).toMatch(together)
              expect(between, text).not.toMatch(then)
            } else if (reversed) {
              expect(between, text).toMatch(/\bafter\b/)
            } else if (!(i === 0 && /^After\b/.test(text))) {
              expect(between, text).toMatch(/\b(then|followed by|before|finally)\b/)
            }
          }
        }
      }),
      { numRuns: 400 },
    )
  })

  test('counts agree', () => {
    fc.assert(
      fc.property(scene, ({ scene, rng }) => {
        for (const { text } of captionScene(scene, { rng })) {
          for (const { label, count } of scene.groups) {
            const { clauses, unit } = lexemeOf(label)
            const named = find(text, label)!
            const name = text.slice(...named)
            if (unit?.some((form) => form === name.toLowerCase() || form === name)) {
              expect(text.slice(0, named[0]), text).toMatch(new RegExp(`\\b${numbers[count ?? 0]} $`, 'i'))
              expect(name === unit[1], text).toBe(count! > 1)
              continue
            }
            // What stands between this name with its complement and the next joint: the count.
            const after = text.slice(named[1]).trimStart()
            const rests = clauses.map((clause) => clause.rest).sort((a, b) => b.length - a.length)
            const rest = rests.find((words) => after.startsWith(words)) ?? ''
            const tail = after.slice(rest.length).split(joint)[0]!.trim()
            if (count === null) expect(tail, text).not.toMatch(counted)
            else expect(tail, text).toMatch(new RegExp(`^${times[count]}$`))
          }
        }
      }),
      { numRuns: 400 },
    )
  })

  test('the same stream of random numbers gives the same captions', () => {
    const scene: SceneDescription = {
      background: 'rain',
      groups: [{ label: 'dog', count: 2 }, { label: 'clock_tick', count: null }],
      relations: ['then'],
    } // prettier-ignore
    const captions = (seed: number) =>
      captionScene(scene, { rng: new Rng(seed), count: 12 }).map((caption) => caption.text)
    expect(captions(1)).toEqual(captions(1))
    expect(captions(1)).not.toEqual(captions(2))
    const many = Array.from({ length: 600 }, (_, seed) => captions(seed)).flat()
    expect(many).toContain('A dog barks twice while rain falls, then a clock ticks.')
  })

  test('own words come first', () => {
    const lexicon = {
      cowbell: {
        role: 'event',
        clauses: ['a cowbell|clonks|clonking'],
        nouns: ['a clonking cowbell'],
        unit: 'clonk|clonks',
      },
    } as const
    const scene: SceneDescription = {
      background: null,
      groups: [{ label: 'cowbell', count: 2 }],
      relations: [],
    }
    for (const { text } of captionScene(scene, {
      rng: new Rng(1),
      lexeme: (label) => lexemeOf(label, lexicon),
    }))
      expect(text).toMatch(/clonk/)
    const broken = { cowbell: { ...lexicon.cowbell, clauses: ['a cowbell clonks'] } }
    expect(() => lexemeOf('cowbell', broken)).toThrow(/"subject\|verb\|gerund".*cowbell/)
  })

  test('refuses scenes that make no sense', () => {
    const rng = new Rng(1)
    const dog = { label: 'dog', count: 1 }
    expect(() => captionScene({ background: null, groups: [], relations: [] }, { rng })).toThrow(
      /a background or a group/,
    )
    expect(() => captionScene({ background: 'dog', groups: [dog], relations: [] }, { rng })).toThrow(
      /every label once/,
    )
    expect(() =>
      captionScene({ background: null, groups: [dog, { label: 'cat', count: 1 }], relations: [] }, { rng }),
    ).toThrow(/1 relations/)
    expect(() =>
      captionScene({ background: null, groups: [{ label: 'dog', count: 0 }], relations: [] }, { rng }),
    ).toThrow(/count from 1/)
    expect(() =>
      captionScene({ background: 'hum', groups: [], relations: [] }, { rng, count: 1000 }),
    ).toThrow(/at most \d+ captions/)
  })
})

describe('the lexicon', () => {
  test('covers the procedural bank and ESC-10', () => {
    for (const label of proceduralLabels) expect(isKnown(label), label).toBe(true)
    const esc10 =
      'chainsaw clock_tick crackling_fire crying_baby dog helicopter rain rooster sea_waves sneezing'
    for (const label of esc10.split(' ')) expect(isKnown(label), label).toBe(true)
  })

  test.each(knownLabels)('%s: subject and verb agree, articles fit', (label) => {
    const { clauses, nouns, unit } = lexemeOf(label)
    for (const { subject, verb, gerund, plural } of clauses) {
      const first = verb.split(' ')[0]!
      expect(/s$/.test(first), `${subject} ${verb}`).toBe(!plural)
      expect(gerund).toMatch(/ing\b/)
      expect(subject).not.toMatch(/^(a [aeiou]|an [^aeiou])/)
    }
    for (const noun of nouns) expect(noun.text).not.toMatch(/^(a [aeiou]|an [^aeiou])/)
    if (unit) expect(unit[0]).not.toBe(unit[1])
  })

  test('other names lead to the same words', () => {
    expect(canonicalLabel(' Dog-Bark ')).toBe('dog')
    expect(lexemeOf('Dog bark')).toEqual(lexemeOf('dog'))
    expect(isKnown('theremin')).toBe(false)
  })

  test('words for an unknown label come from the label', () => {
    const { clauses, unit, role } = lexemeOf('Electric_Theremin')
    expect(role).toBe('event')
    expect(clauses[0]).toMatchObject({ subject: 'the sound of electric theremin', verb: 'is heard' })
    expect(unit).toEqual(['electric theremin sound', 'electric theremin sounds'])
    expect(lexemeOf('brown noise').unit).toEqual(['brown noise', 'brown noises'])
  })

  test.each([
    ['owl', 'an owl'], ['dog', 'a dog'], ['hour', 'an hour'], ['horn', 'a horn'], ['unicorn', 'a unicorn'],
    ['uninvited guest', 'an uninvited guest'], ['8-bit tune', 'an 8-bit tune'], ['3d printer', 'a 3d printer'], ['x ray', 'an x ray'],
    ['ukulele', 'a ukulele'], ['engine', 'an engine'], ['euro', 'a euro'],
  ])('%s takes the article of "%s"', (noun, phrase) => {
    expect(withArticle(noun)).toBe(phrase)
  }) // prettier-ignore
})
