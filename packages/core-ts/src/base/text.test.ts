import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decodeText, readLines, readText, type TextLine } from './text.js'

let path: string
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'text-file-')), 'x.txt')
})
afterAll(() => rm(join(path, '..'), { recursive: true }))

async function collect(lines: AsyncIterable<TextLine>): Promise<TextLine[]> {
  const all: TextLine[] = []
  for await (const line of lines) all.push(line)
  return all
}

async function linesOf(contents: string | Uint8Array, options = {}): Promise<TextLine[]> {
  await writeFile(path, contents)
  return collect(readLines(path, options))
}

it('splits any text into its lines', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }).map((s) => s.replace(/[\r\n\uFEFF]/g, ''))),
      async (lines) => {
        const read = await linesOf(lines.map((line) => `${line}\n`).join(''))
        expect(read.map((line) => line.text)).toEqual(lines)
        expect(read.map((line) => line.number)).toEqual(lines.map((_, i) => i + 1))
      },
    ),
    { numRuns: 50 },
  )
})

it('joins a line that spans chunks, also where a character is cut', async () => {
  const long = 'é'.repeat(2 ** 20)
  const read = await linesOf(`x${long}\n${long}`)
  expect(read.map((line) => [line.text.length, line.ended])).toEqual([
    [2 ** 20 + 1, true],
    [2 ** 20, false],
  ])
  expect(read[1]!.text).toBe(long)
})

it('drops a byte order mark and every kind of line end, keeps blank lines', async () => {
  expect((await linesOf('\uFEFFa\r\n\r\nb\rc')).map((line) => line.text)).toEqual(['a', '', 'b', 'c'])
  expect(await linesOf('')).toEqual([])
})

it('refuses a line without end and names the line of a bad encoding', async () => {
  await expect(linesOf('a\n'.padEnd(3e6, 'x'), { maxBytes: 1e6 })).rejects.toThrow(
    /line 2 is longer than 1000000/,
  )
  await expect(linesOf(Buffer.from('a\nb\n\xe9\n', 'latin1'))).rejects.toThrow(/x\.txt:3: .*ISO-8859-1/)
  await expect(collect(readLines(`${path}.none`))).rejects.toMatchObject({ code: 'MISSING_FILE' })
})

it('decodes whole files by the stated encoding', async () => {
  const latin = Buffer.from('one\ntw\xf6\nthree', 'latin1')
  expect(() => decodeText(latin, 'f')).toThrow(/f:2: .*line 2/)
  expect(decodeText(latin, 'f', 'latin1')).toBe('one\ntwö\nthree')
  expect(decodeText(latin, 'f', 'utf-8-or-latin1')).toBe('one\ntwö\nthree')
  expect(decodeText(Buffer.from('twö'), 'f', 'utf-8-or-latin1')).toBe('twö')
  expect(decodeText(Buffer.from('\uFEFFabc', 'utf16le'), 'f', 'latin1')).toBe('abc')
  expect(decodeText(Buffer.from('\uFEFFé'), 'f', 'latin1')).toBe('é')
  expect(() => decodeText(new Uint8Array(64), 'f')).toThrow(/binary data/)
  await expect(readText(`${path}.none`)).rejects.toMatchObject({ code: 'MISSING_FILE' })
})

it('finds the line of the first invalid byte wherever it stands', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), (before, after) => {
      const text = Buffer.concat([
        Buffer.from('é\n'.repeat(before)),
        Buffer.from([0xff, 0x41]),
        Buffer.from('\nü'.repeat(after)),
      ])
      expect(() => decodeText(text, 'f')).toThrow(`f:${before + 1}: `)
    }),
  )
})

it('reads lines of UTF-16, also where a chunk ends inside a character', async () => {
  const long = `x${'é𝄞'.repeat(2 ** 18)}`
  for (const swap of [false, true]) {
    const bytes = Buffer.from(`\uFEFF${long}\r\nend`, 'utf16le')
    const read = await linesOf(swap ? bytes.swap16() : bytes)
    expect(read.map((line) => line.text.length)).toEqual([long.length, 3])
    expect(read[0]!.text).toBe(long)
  }
  await expect(linesOf(Buffer.from('\uFEFFab\n', 'utf16le').subarray(0, -1))).rejects.toThrow(/cut short/)
})

it('names the line and column of a control character, and reads pipes up to the limit', async () => {
  await expect(linesOf('a\nbc\x07\n')).rejects.toThrow(/x\.txt:2: .*U\+0007 in line 2, column 3\. Remove/)
  expect(() => decodeText(Buffer.from('a\rb\r\n\x00'), 'f')).toThrow(/f:3: .*U\+0000 in line 3, column 1/)
  await expect(readText('/dev/zero', { maxBytes: 3e6 })).rejects.toThrow(/at most 3000000 bytes, got more/)
})
