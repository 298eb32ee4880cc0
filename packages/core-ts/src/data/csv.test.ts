import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CsvOptions, readCsv, requireColumns } from './csv.js'

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csv-'))
  path = join(folder, 'x.csv')
})
afterAll(() => rm(folder, { recursive: true }))

async function read(contents: string | Uint8Array, options?: CsvOptions) {
  await writeFile(path, contents)
  return readCsv(path, options)
}

describe('readCsv', () => {
  it('reads quotes, CR LF, a byte order mark, blank lines and blanks around column names', async () => {
    const table = await read('\uFEFFa , b\r\n1,"x, ""y""\r\nz"\r\n\r\n2,\r\n')
    expect(table.columns).toEqual(['a', 'b'])
    expect(table.rows.map((row) => [row.line, row.get('a'), row.get('b'), row.get('none')])).toEqual([
      [3, '1', 'x, "y"\nz', ''],
      [5, '2', '', ''],
    ])
  })

  it('gives back any cells', async () => {
    const cell = fc
      .string({ unit: 'grapheme' })
      .filter((text) => text.trim() !== '' && !text.includes('\r\n'))
    const rows = fc.array(fc.tuple(cell, cell), { minLength: 1 })
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
    await fc.assert(
      fc.asyncProperty(rows, async (all) => {
        const table = await read(['a,b', ...all.map((row) => row.map(quote).join(','))].join('\n'))
        expect(table.rows.map((row) => [row.get('a'), row.get('b')])).toEqual(all)
      }),
      { numRuns: 60 },
    )
  })

  it('takes other delimiters and encodings when told', async () => {
    expect((await read('a;b\n1;2\n', { delimiter: ';' })).rows[0]!.get('b')).toBe('2')
    expect((await read(Buffer.from('a\né\n', 'latin1'), { encoding: 'latin1' })).rows[0]!.get('a')).toBe('é')
    await writeFile(join(folder, 'x.tsv'), 'a\tb\n1\t2\n')
    expect((await readCsv(join(folder, 'x.tsv'))).rows[0]!.get('b')).toBe('2')
  })

  it.each<[string, string | Uint8Array, RegExp]>([
    ['empty', '', /expected a CSV file with a header/],
    ['another encoding', Buffer.from('a,b\n1,\xe9\n', 'latin1'), /x\.csv:2: .*ISO-8859-1.*iconv/],
    ['UTF-16', Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le'), /UTF-16/],
    [
      'a row too long',
      'a,b\n1,2\n1,2,3\n',
      /x\.csv:3: expected 2 cells as in the header, got 3.*double quotes/,
    ],
    ['a row too short', 'a,b\n1\n', /x\.csv:2: expected 2 cells as in the header, got 1/],
    ['an open quote', 'a,b\n1,"2\n3,4\n', /x\.csv(:\d+)?: the CSV is broken/],
    ['a quote inside a cell', 'a,b\n1,"2"3\n', /x\.csv:2: the CSV is broken/],
    ['a column twice', 'a,b,a\n1,2,3\n', /x\.csv:1: the column "a" occurs twice/],
  ])('refuses: %s', async (_name, contents, message) => {
    await expect(read(contents)).rejects.toThrow(message)
    await expect(read(contents)).rejects.toMatchObject({ name: 'SonotextError', code: 'INVALID_FILE' })
  })
})

describe('requireColumns', () => {
  it('names what is missing, what was found and the likely reason', async () => {
    requireColumns(await read('a,b\n'), ['b', 'a'])
    const near = await read('File_Name,captoin\n')
    expect(() => requireColumns(near, ['file_name', 'caption'])).toThrow(
      /missing: file_name, caption; found: File_Name, captoin\..*"File_Name" may be meant as "file_name", "captoin".*"caption"/,
    )
    const semicolons = await read('file;caption\n')
    expect(() => requireColumns(semicolons, ['file'])).toThrow(/separated by ";": name that as the delimiter/)
    const other = await read('x,y\n')
    expect(() => requireColumns(other, ['file'])).toThrow(/Check that this is the right file/)
  })
})
