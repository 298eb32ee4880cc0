import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWithRealData } from '../testing/real-data/index.js'
import { tokenize } from './tokenize.js'

describe('tokenize', () => {
  it('lowers case, drops punctuation, keeps hyphens and dashes', () => {
    expect(tokenize("A dog's bark, then: RAIN!")).toEqual(['a', 'dog', 's', 'bark', 'then', 'rain'])
    expect(tokenize('a walkie-talkie—loud')).toEqual(['a', 'walkie-talkie—loud'])
    expect(tokenize('!"#$%&\'()*+,./\\:;<=>?@[]^_`{|}~ \t\n')).toEqual([])
  })

  it('is done after one time: tokens joined by blanks give the same tokens', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-composite' }), (text) => {
        const tokens = tokenize(text)
        expect(tokenize(tokens.join(' '))).toEqual(tokens)
        for (const token of tokens) expect(token).not.toMatch(/\s|[.,!?]/)
      }),
    )
  })
})

describeWithRealData('tokenize against published tokens', (data) => {
  // The rest were re-worded by hand or keep a capital ("I", "Styrofoam").
  it.each([
    ['development', 19_195, 13],
    ['validation', 5_225, 3],
  ])('%s: %i captions, all but %i equal', (split, captions, different) => {
    const file = readFileSync(join(data, 'ratings', `${split}_text.csv`))
    const rows = parse(file, { columns: true }) as { text: string; tokens: string }[]
    expect(rows).toHaveLength(captions)
    const published = (list: string) => [...list.matchAll(/'([^']*)'/g)].map((match) => match[1])
    const wrong = rows.filter((row) => tokenize(row.text).join(' ') !== published(row.tokens).join(' '))
    expect(wrong).toHaveLength(different)
    const cased = wrong.filter(
      (row) => tokenize(row.text).join(' ') === published(row.tokens).join(' ').toLowerCase(),
    )
    expect(cased).toHaveLength(split === 'development' ? 10 : 1)
  })
})
