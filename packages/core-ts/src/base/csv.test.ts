import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithRealData } from '../testing/real-data/index.js'
import { type CsvOptions, parseCsv, readCsv, requireColumns } from './csv.js'
import type { ReadTextOptions } from './text.js'

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csv-'))
  path = join(folder, 'x.csv')
})
afterAll(() => rm(folder, { recursive: true }))

async function read(contents: string | Uint8Array, options?: CsvOptions & ReadTextOptions) {
  await writeFile(path, contents)
  return readCsv(path, options)
}

describe('readCsv', () => {
  it('reads quotes, CR LF, a byte order mark, blank lines and blanks around column names', async () => {
    const table = await read('\uFEFFa , b\r\n1,"x, ""y""\r\nz"\r\n\r\n2,\r\n')
    expect(table.columns).toEqual(['a', 'b'])
    expect(table.rows.map((row) => [row.line, row.get('a'), row.get('b'), row.get('none')])).toEqual([
      [2, '1', 'x, "y"\nz', ''],
      [5, '2', '', ''],
    ])
  })

  it('columns without a name are not read, wherever they stand and whatever they hold', () => {
    const text = ',file,,caption,\n0,a.wav,x,a dog,note\n1,b.wav,,rain\n'
    const { columns, rows, has } = parseCsv(text, 'x.csv')
    expect([columns, has('')]).toEqual([['file', 'caption'], false])
    expect(rows.map(({ get }) => [get('file'), get('caption'), get('')])).toEqual([
      ['a.wav', 'a dog', ''],
      ['b.wav', 'rain', ''],
    ])
  })

  it('two columns of one name matter where one is asked for', () => {
    const { rows } = parseCsv('file,note,note,caption,Caption\na.wav,1,2,x,y\n', 'x.csv')
    const [row] = rows
    expect([row!.get('file'), row!.get('caption'), row!.all('note')]).toEqual(['a.wav', 'x', ['1', '2']])
    expect(() => row!.get('note')).toThrow(/x\.csv:1: the column "note" occurs twice/)
  })

  it('gives back any cells', async () => {
    const cell = fc
      .string({ unit: 'grapheme' })

      .filter((text) => text.trim() !== '' && !/[\r\x00-\x08\x0e-\x1f\x7f]/.test(text))
    const rows = fc.array(fc.tuple(cell, cell), { minLength: 1 })
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom(',', ';', '\t', '|'), async (all, delimiter) => {
        const lines = [['a', 'b'].join(delimiter), ...all.map((row) => row.map(quote).join(delimiter))]
        const table = await read(lines.join('\n'))
        expect(table.delimiter).toBe(delimiter)
        expect(table.rows.map((row) => [row.get('a'), row.get('b')])).toEqual(all)
      }),
      { numRuns: 100 },
    )
  })

  const plain = 'file,caption\na.wav,"a dog, twice"\nb.wav,Regen fällt\n'
  const cells = [
    ['a.wav', 'a dog, twice'],
    ['b.wav', 'Regen fällt'],
  ]
  it.each<[string, string | Uint8Array]>([
    ['UTF-8', plain],
    ['a byte order mark', `\uFEFF${plain}`],
    ['UTF-16 LE with a mark', Buffer.from(`\uFEFF${plain}`, 'utf16le')],
    ['UTF-16 LE without a mark', Buffer.from(plain, 'utf16le')],
    ['UTF-16 BE with a mark', Buffer.from(`\uFEFF${plain}`, 'utf16le').swap16()],
    ['UTF-16 BE without a mark', Buffer.from(plain, 'utf16le').swap16()],
    ['CR LF', plain.replaceAll('\n', '\r\n')],
    ['CR alone', plain.replaceAll('\n', '\r')],
    ['mixed line ends', 'file,caption\ra.wav,"a dog, twice"\r\nb.wav,Regen fällt'],
    ['semicolons', 'file;caption\na.wav;a dog, twice\nb.wav;Regen fällt\n'],
    ['tabs', 'file\tcaption\na.wav\ta dog, twice\nb.wav\tRegen fällt\n'],
    ['bars', 'file|caption\na.wav|a dog, twice\nb.wav|Regen fällt\n'],
    ["Excel's first line", 'sep=;\r\nfile;caption\r\na.wav;a dog, twice\r\nb.wav;Regen fällt\r\n'],
    ['a blank last line', `${plain}\n \n`],
    ['empty cells at the ends', 'file;caption;;\na.wav;a dog, twice;;\nb.wav;Regen fällt;;\n;;;\n'],
    ['names in capitals with blanks', `"File", Cap tion${plain.slice(plain.indexOf('\n'))}`],
    ['quoted cells behind a blank', 'file, caption\n"a.wav", "a dog, twice"\nb.wav,Regen fällt\n'],
  ])('reads the same table from %s', async (_name, contents) => {
    const table = await read(contents)
    expect(table.rows.map((row) => [row.get('file'), row.get('caption')])).toEqual(cells)
    expect(table.has('CAPTION') && !table.has('text')).toBe(true)
  })

  it('takes a delimiter that is named, another encoding when told, and a double quote inside a cell', async () => {
    expect((await read('a,b;c\n1,2;3\n', { delimiter: ';' })).rows[0]!.get('c')).toBe('3')
    expect((await read(Buffer.from('a\né\n', 'latin1'), { encoding: 'latin1' })).rows[0]!.get('a')).toBe('é')
    expect((await read('a,b\n1,a 5" pipe\n')).rows[0]!.get('b')).toBe('a 5" pipe')
    expect((await read('Case,case\n1,2\n')).rows[0]!.get('case')).toBe('2')
  })

  it.each<[string, string | Uint8Array, RegExp]>([
    ['empty', '', /expected a CSV file with a header/],
    ['another encoding', Buffer.from('a,b\n1,\xe9\n', 'latin1'), /x\.csv:2: .*ISO-8859-1.*iconv/],
    ['half a character', Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le').subarray(0, -1), /UTF-16 text is cut/],
    ['binary', Buffer.from([0, 1, 0, 0, 2, 3, 0, 0, 0, 5, 0, 0]), /got binary data/],
    ['a control character', 'a,b\n1,2\x00\n', /x\.csv:2: .*control character U\+0000 in line 2, column 4/],
    [
      'a row too long',
      'a,b\n1,2\n1,2,3\n',
      /x\.csv:3: expected 2 cells as in the header, got 3.*double quotes/,
    ],
    ['a row too short', 'a,b\n1\n', /x\.csv:2: expected 2 cells as in the header, got 1/],
    ['an open quote', 'a,b\n1,"2\n3,4\n', /x\.csv:2: the CSV is broken: the double quote opened in line 2/],
    ['a quote inside a cell', 'a,b\n1,"2"3\n', /x\.csv:2: the CSV is broken: text follows/],
    [
      'a title above the header',
      'My sounds 2024\nfile,caption,split\na,b,c\n',
      /x\.csv:2: .*"My sounds 2024"\): remove what stands above/,
    ],
    [
      'JSON Lines',
      '{"audio":"a.wav","captions":["x, y"]}\n{"audio":"b.wav"}\n',
      /found JSON Lines.*sonotext check FILE/,
    ],
  ])('refuses: %s', async (_name, contents, message) => {
    await expect(read(contents)).rejects.toThrow(message)
    await expect(read(contents)).rejects.toMatchObject({ name: 'SonotextError', code: 'INVALID_FILE' })
  })

  it('refuses a file past the limit before it is read', async () => {
    await expect(read('a,b\n1,2\n', { maxBytes: 7 })).rejects.toThrow(/at most 7 bytes/)
    expect((await read('a,b\n1,2\n', { maxBytes: 8 })).rows).toHaveLength(1)
  })

  it('goes through the text once, whatever it holds', () => {
    // A search that starts anew at every cell would take 10^10 steps here.
    for (const text of ['a\n'.repeat(1e5), `"${'""'.repeat(1e5)}"\n`, 'a,b\n1,2\n'.repeat(3e4)]) {
      parseCsv(text, 'x.csv', { delimiter: '|' })
    }
  })
})

describe('requireColumns', () => {
  it('names what is missing, what was found and the likely reason', async () => {
    requireColumns(await read('a,b\n'), ['B', 'a'])
    const near = await read('File_Nmae,captoin\n')
    expect(() => requireColumns(near, ['file_name', 'caption'])).toThrow(
      /missing: file_name, caption; found: File_Nmae, captoin\..*"File_Nmae" may be meant as "file_name", "captoin".*"caption"/,
    )
    const other = await read('x,y\n')
    expect(() => requireColumns(other, ['file'])).toThrow(/Check that this is the right file/)
  })
})

describeWithRealData('published files', (data) => {
  it.each([
    'clotho/clotho_captions_development.csv',
    'clotho/clotho_captions_validation.csv',
    'audiocaps/audiocaps_v1_val.csv',
    'text/musiccaps-public.csv',
    'ratings/development_text.csv',
    'ratings/validation_queries.csv',
    'esc10/esc10.csv',
    'metadata.csv',
  ])('%s: the cells of csv-parse', async (name) => {
    const file = join(data, name)
    const rows = parse(await readFile(file), { bom: true, skip_empty_lines: true })
    const table = await readCsv(file)
    expect(table.columns).toEqual(rows[0])
    expect(table.rows.map((row) => table.columns.map((column) => row.get(column)))).toEqual(
      rows.slice(1).map((row) => row.map((cell) => cell.replaceAll('\r\n', '\n'))),
    )
  })
})
