import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { matrix, row } from '../base/matrix.js'
import {
  type ReadWordVectorsOptions,
  readWordVectors,
  type WordVectors,
  writeWordVectors,
} from './word-vectors.js'

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vectors-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(contents: string | Uint8Array, ending = 'vec'): Promise<string> {
  const path = join(folder, `${count++}.${ending}`)
  await writeFile(path, contents)
  return path
}

/** The vectors as an object, for reading in assertions. */
async function read(contents: string | Uint8Array, options: ReadWordVectorsOptions = {}, ending = 'vec') {
  return plain(await readWordVectors(await file(contents, ending), options))
}

function plain({ words, vectors }: WordVectors): Record<string, number[]> {
  return Object.fromEntries(words.map((word, i) => [word, [...row(vectors, i)]]))
}

function binary(
  rows: [string, number[]][],
  header = `${rows.length} ${rows[0]![1].length}\n`,
  ending = '\n',
): Buffer {
  const parts = rows.map(([word, values]) => [
    Buffer.from(`${word} `),
    Buffer.from(new Float32Array(values).buffer),
    Buffer.from(ending),
  ])
  return Buffer.concat([Buffer.from(header), ...parts.flat()])
}

describe('formats', () => {
  it('a field of very many digits is looked at once', async () => {
    const path = join(folder, 'digits.vec')
    await writeFile(path, `word ${'1'.repeat(200_000)}x 2\n`)
    // Looked at anew from every digit it would take hours.
    await expect(readWordVectors(path)).rejects.toMatchObject({ code: 'INVALID_FILE' })
  })

  it('word2vec text, fastText .vec (blank at the end of a line, no-break space in a word)', async () => {
    expect(await read('2 3\ndog 1 -0.5 2e-3 \nc\u00A0t 0 .5 1.\n')).toEqual({
      dog: [1, -0.5, Math.fround(2e-3)],
      'c\u00A0t': [0, 0.5, 1],
    })
  })

  it('GloVe: no header, words with blanks, and the first field of such a word is not taken for the word', async () => {
    const glove = 'the 1 2 3\n. . . 4 5 6\nat name@x.com 7 8 9\nat 1 1 1\n'
    expect(await read(glove)).toEqual({
      the: [1, 2, 3],
      '. . .': [4, 5, 6],
      'at name@x.com': [7, 8, 9],
      at: [1, 1, 1],
    })
    expect(await read(glove, { words: ['at'] })).toEqual({ at: [1, 1, 1] })
    expect(await read('a b 1 2\n', { dim: 2 })).toEqual({ 'a b': [1, 2] })
  })

  it('GloVe whose first word is a number is not mistaken for a header', async () => {
    expect(await read('7 1 2\n8 3 4\n')).toEqual({ 7: [1, 2], 8: [3, 4] })
  })

  it.each([['\n'], ['']])('word2vec binary, with %j after a row', async (ending) => {
    const rows: [string, number[]][] = [
      ['dog', [1, 2, -3.5]],
      ['café', [0.25, 0, 1e-30]],
    ]
    expect(await read(binary(rows, undefined, ending))).toEqual({
      dog: [1, 2, -3.5],
      café: [0.25, 0, Math.fround(1e-30)],
    })
  })

  it('word2vec binary with blanks and control characters in words: read by the ends of the rows', async () => {
    const rows: [string, number[]][] = [
      ['a b', [10, 2.5, 1]],
      ['new york', Array.from({ length: 3 }, (_, i) => i + 0.1)],
      ['x\x01y', [1, 2, 3]],
      ['. . .', [4, 5, 6]],
      ['end', [7, 8, 9]],
    ]
    const expected = Object.fromEntries(rows.map(([word, values]) => [word, [...Float32Array.from(values)]]))
    expect(await read(binary(rows), { format: 'word2vec-binary' })).toEqual(expected)
  })

  it('word2vec binary whose numbers hold line feeds and blanks of their own', async () => {
    // 0x0a and 0x20 in every place of a row, so that every way to misread one occurs.
    const values = Array.from(new Float32Array(new Uint8Array(64).fill(0x0a).fill(0x20, 17, 40).buffer))
    const rows = ['new york', 'one', 'two three four', 'x'].map((word): [string, number[]] => [word, values])
    const found = await read(binary(rows), { format: 'word2vec-binary' })
    expect(found).toEqual(Object.fromEntries(rows))
  })

  it('word2vec binary with a blank in a word and no row ends is refused with the place', async () => {
    const rows = ['first', 'new york', 'lost', 'last'].map((word): [string, number[]] => [
      word,
      [0.3, -0.7, 2e-9],
    ])
    await expect(read(binary(rows, undefined, ''))).rejects.toThrow(
      /at byte 38: expected word 3 of 4, got bytes that are no text; the word before it, "new", may hold a blank.*as text/,
    )
  })

  it('binary floats that look like text are read when the format is named', async () => {
    const rows: [string, number[]][] = [['x', [0]]]
    const bytes = binary(rows)
    Buffer.from('1 1\n').copy(bytes, bytes.length - 5)
    expect(Object.keys(await read(bytes, { format: 'word2vec-binary' }))).toEqual(['x'])
  })

  it('text with a byte order mark, in UTF-16, with CR as line end', async () => {
    for (const text of ['2 2\ndög 1 2\ncat 3 4\n', 'dög 1 2\ncat 3 4\n']) {
      const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le')
      const same = [`\uFEFF${text}`, utf16, Buffer.from(utf16).swap16(), text.replaceAll('\n', '\r')]
      for (const contents of same) expect(await read(contents)).toEqual({ dög: [1, 2], cat: [3, 4] })
    }
  })

  it('gzip', async () => {
    expect(await read(gzipSync('1 2\ndog 1 2\n'), {}, 'vec.gz')).toEqual({ dog: [1, 2] })
    expect(await read(gzipSync(binary([['dog', [1, 2]]])), {}, 'bin.gz')).toEqual({ dog: [1, 2] })
  })

  it('keeps the first of two vectors of one word, and CR LF is no part of a number', async () => {
    expect(await read('2 1\r\ndog 1\r\ndog 2\r\n')).toEqual({ dog: [1] })
  })

  it('keeps only the wanted words and the first so many rows', async () => {
    const text = '4 1\na 1\nb 2\nc 3\nd 4\n'
    expect(await read(text, { words: ['c', 'a', 'zz'] })).toEqual({ a: [1], c: [3] })
    expect(await read(text, { limit: 2 })).toEqual({ a: [1], b: [2] })
    expect(
      await read(
        binary([
          ['a', [1]],
          ['b', [2]],
          ['c', [3]],
        ]),
        { words: ['b'] },
      ),
    ).toEqual({ b: [2] })
  })

  it('rows that span many chunks', async () => {
    const dim = 300
    const rows = Array.from({ length: 3000 }, (_, i): [string, number[]] => [
      `w${i}`,
      Array.from({ length: dim }, (_, d) => (i * 7 + d) % 11),
    ])
    const wanted = ['w0', 'w1234', 'w2999']
    const expected = Object.fromEntries(rows.filter(([word]) => wanted.includes(word)))
    expect(await read(binary(rows), { words: wanted })).toEqual(expected)
    const text = rows.map(([word, values]) => `${word} ${values.join(' ')}\n`).join('')
    expect(await read(text, { words: wanted })).toEqual(expected)
  })

  it('writing and reading gives the same words and bits', async () => {
    const vector = fc.tuple(
      ...Array.from({ length: 3 }, () => fc.float({ noNaN: true, noDefaultInfinity: true })),
    )
    const words = fc.stringMatching(/^[^\s]{1,6}$/)
    const rows = fc.uniqueArray(fc.tuple(words, vector), {
      selector: ([word]) => word,
      minLength: 1,
      maxLength: 9,
    })
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.constantFrom('word2vec-text' as const, 'word2vec-binary' as const),
        async (all, format) => {
          const vectors = matrix(all.length, 3, Float32Array.from(all.flatMap(([, values]) => values)))
          const path = join(folder, 'round')
          await writeWordVectors(path, { words: all.map(([word]) => word), vectors }, { format })
          const again = await readWordVectors(path, { format })
          expect(again.words).toEqual(all.map(([word]) => word))
          expect(Buffer.from(again.vectors.data.buffer)).toEqual(Buffer.from(vectors.data.buffer))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('does not write a word that could not be read', async () => {
    await expect(
      writeWordVectors(join(folder, 'x'), { words: ['a b'], vectors: matrix(1, 1) }),
    ).rejects.toThrow(/white space/)
  })
})

describe('a bad file is refused with its name, the place and a remedy', () => {
  const three: [string, number[]][] = [
    ['a', [1, 2]],
    ['b', [3, 4]],
    ['c', [5, 6]],
  ]
  it.each<[string, string | Uint8Array, RegExp, ReadWordVectorsOptions?]>([
    ['empty', '', /the file is empty/],
    ['prose', 'hello world\nmore words\n', /:1: expected a word followed by numbers/],
    [
      'too few fields',
      '2 3\na 1 2 3\nb 1 2\n',
      /:3: expected a word and 3 numbers, got 3 fields.*get it again/,
    ],
    [
      'too few fields in a row nobody wants',
      'a 1 2\nb 1 2\nc 1 2\nd 1\n',
      /:4: expected a word and 2 numbers/,
      { words: ['a', 'd'] },
    ],
    [
      'a last number cut in a row nobody wants',
      'a 1 2\nb 1 2\nd 1 -',
      /:3: expected numbers for the word "d", got "-"/,
      { words: ['a', 'none'] },
    ],
    ['tabs', 'a\t1\t2\nb\t1\t2\n', /:1: .*got "a\t1\t2"\. Put single blanks in place of the tabs/],
    ['tabs below a header', '1 2\na\t1\t2\n', /:2: .*in place of the tabs/],
    ['decimal commas', 'a 1,5 2,5\n', /:1: .*got "a 1,5 2,5"\. Write points in place of the decimal commas/],
    ['a decimal comma further on', 'a 1.5 2\nb 1,5 2\n', /:2: .*got "1,5"\. Write a point .*: 1\.5/],
    ['no number', '2 2\na 1 2\nb 1 2x\n', /:3: expected numbers for the word "b", got "2x"/],
    ['a blank too many', '2 2\na 1 2\nb 1  2\n', /:3: expected numbers for the word "b  ?1?", got ""|:3: /],
    ['not finite', '1 2\na 1 nan\n', /expected/, { format: 'word2vec-text' }],
    ['infinite', 'a 1 2\nb 1 1e999\n', /:2: expected finite numbers for the word "b", got Infinity/],
    ['text cut short', '3 1\na 1\nb 2\n', /:3: the file ends after 2 of 3 vectors/],
    ['text with more rows than promised', '1 1\na 1\nb 2\n', /:3: the header promises 1 vectors/],
    ['a header of nonsense', '5 0\na\n', /a sensible count and length, got "5 0"/],
    [
      'no header where one is needed',
      'a 1 2\n',
      /:1: expected a first line with the number/,
      { format: 'word2vec-text' },
    ],
    [
      'binary cut short in a number',
      binary(three).subarray(0, -4),
      /at byte 33: the file ends after 2 of 3 vectors/,
    ],
    ['binary cut short in a word', binary(three).subarray(0, 15), /the file ends after 1 of 3/],
    [
      'binary with more than promised',
      binary(three, '2 2\n'),
      /at byte 26: expected the end after 2 vectors/,
    ],
    [
      'binary, garbled word',
      Buffer.concat([binary(three, '4 2\n'), Buffer.alloc(9000, 1)]),
      /expected word 4 of 4/,
    ],
    [
      'binary, not a number',
      binary([['a', [Number.NaN]]]),
      /\(byte 6\): expected finite numbers for the word "a", got NaN/,
    ],
    ['a fastText model', Buffer.from([0xba, 0x16, 0x4f, 0x2f, 12, 0, 0, 0]), /fastText model.*\.vec/],
    ['a zip archive', Buffer.from('PK\x03\x04....'), /zip archive.*Unpack/],
    ['gzip under another name', gzipSync('x'), /end in \.gz/],
    [
      'none of the words',
      'a 1\nb 2\n',
      /none of the 1 words looked for is among its 2 vectors/,
      { words: ['dog'] },
    ],
  ])('%s', async (_name, contents, message, options) => {
    const path = await file(contents)
    const error: Error = await readWordVectors(path, options).then(
      () => expect.unreachable('the file was accepted'),
      (reason) => reason,
    )
    expect(error.name, String(error.stack)).toBe('SonotextError')
    expect(error.message).toContain(path)
    expect(error.message).toMatch(message)
  })

  it('gzip cut short', async () => {
    const path = await file(gzipSync(Buffer.from('1 2\ndog 1 2\n'.padEnd(500, '\n'))).subarray(0, -12), 'gz')
    await expect(readWordVectors(path)).rejects.toThrow(/gzip data is cut short/)
  })

  it('a missing file, a signal', async () => {
    await expect(readWordVectors(join(folder, 'none'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
    const signal = AbortSignal.abort()
    await expect(readWordVectors(await file('a 1\n'), { signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
