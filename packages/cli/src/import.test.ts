import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { writeWav } from '@sonotext/core/audio'
import { readManifest } from '@sonotext/core/data'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

let folder: string
const at = (name: string): string => join(folder, name)
async function write(name: string, text: string): Promise<string> {
  await mkdir(dirname(at(name)), { recursive: true })
  await writeFile(at(name), text)
  return at(name)
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-import-'))
  for (const [index, name] of [
    'all/a.wav',
    'all/b.wav',
    'all/sub/c.wav',
    'train/x.wav',
    'test/x.wav',
  ].entries()) {
    const samples = Float32Array.from({ length: 4000 }, (_, i) => 0.3 * Math.sin((0.05 + 0.01 * index) * i))
    await writeWav(at(name), samples, 8000)
  }
  for (const name of ['all/d.m4a', 'all/.hidden.wav', 'all/notes.txt']) await write(name, '')
})
afterAll(() => rm(folder, { recursive: true }))

interface Report {
  manifest: string | null
  clips: number
  captions: number
  splits: Record<string, number>
  missing: string[]
}

describe.skipIf(notBuilt !== null)(`sonotext import${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('reads a CSV with columns of other names, and prints the accepted ones where they are not named', async () => {
    const csv = await write('german.csv', 'Datei;Beschreibung;Aufnahme\na.wav;ein Hund;r1\nb.wav;Regen;r2\n')
    const out = at('german.jsonl')
    const args = ['import', '--from', 'folder', csv, '--audio', at('all'), '--out', out]
    const refused = await cli(args)
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(
        /found: Datei, Beschreibung.*file, file_name, filename, fname.*--column file=NAME/,
      ),
    ])
    const columns = ['--column', 'file=Datei', '--column', 'text=Beschreibung', '--column', 'group=Aufnahme']
    expect(await cliJson<Report>([...args, ...columns])).toMatchObject({ clips: 2, captions: 2, missing: [] })
    expect((await readManifest(out)).clips.map(({ group }) => group)).toEqual(['r1', 'r2'])
    expect((await cli(['check', out])).code).toBe(0)
  })

  it('makes file names from a pattern, with a named delimiter', async () => {
    const csv = await write('pattern.csv', 'ytid#start#caption\na#3#a dog\n')
    const out = at('pattern.jsonl')
    const args = [
      'import',
      '--from',
      'folder',
      csv,
      '--delimiter',
      '#',
      '--file-pattern',
      '{ytid}_{start:2}.flac',
      '--out',
      out,
    ]
    const refused = await cli(args)
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/pattern\.csv: 1 of 1 audio file not there, such as "a_3\.00\.flac".*--audio/),
    ])
    expect(existsSync(out)).toBe(false)
    await write('a_3.00.flac', '')
    const { code, stderr, stdout } = await cli(args)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('next: sonotext check')
    expect((await readManifest(out)).clips[0]!.audio).toBe(at('a_3.00.flac'))
  })

  it('reads real tables: columns without a name and of one name, and says what it leaves out', async () => {
    const csv = await write(
      'odd.csv',
      ',file,caption,caption,start,end,split,\n0,all\\a.wav,a dog,a bark,0,3,train,\n1,./b.wav,rain,,1,2,Train,\n2,b.wav,drops,,1,2,Train,\n',
    )
    const out = at('odd.jsonl')
    const { code, stderr } = await cli([
      'import',
      '--from',
      'folder',
      csv,
      '--audio',
      at('all'),
      '--out',
      out,
    ])
    expect(code).toBe(0)
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/odd\.csv: columns that are not used: start, end\. Clips are whole files/),
      expect.stringMatching(
        /odd\.csv: 1 audio file is there under another spelling, such as "all\/a\.wav": .*a\.wav/,
      ),
      expect.stringMatching(/the splits train and Train differ in case alone/),
      '',
    ])
    const { clips } = await readManifest(out)
    expect(clips.map(({ audio, captions }) => [audio, captions.map(({ text }) => text)])).toEqual([
      [at('all/a.wav'), ['a dog', 'a bark']],
      [at('all/b.wav'), ['rain', 'drops']],
    ])
  })

  it('refuses a table without rows', async () => {
    const csv = await write('header.csv', 'file,caption\n')
    const { code, stderr, stdout } = await cli(['import', '--from', 'folder', csv, '--out', at('none.jsonl')])
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      expect.stringMatching(/header\.csv: expected clips, found none/),
    ])
  })

  it('names --ffmpeg to the next command where it reads a file', async () => {
    const csv = await write('foreign.csv', 'file,caption\nd.m4a,x\n')
    const args = ['import', '--from', 'folder', csv, '--audio', at('all'), '--out', at('foreign.jsonl')]
    expect((await cli(args)).stdout).toMatch(/next: sonotext check \S+foreign\.jsonl --ffmpeg$/m)
  })

  it('looks for audio in several folders, and hints where missing files are', async () => {
    const csv = await write('several.csv', 'file,text\na.wav,one\nc.wav,two\nx.wav,three\n')
    const args = ['import', '--from', 'folder', csv, '--out', at('several.jsonl')]
    const two = await cli([...args, '--audio', at('all'), '--audio', at('train')])
    expect(two.stderr).toContain(
      `1 of 3 audio files not there, such as "c.wav". 1 lies in another folder: --audio ${at('all/sub')}`,
    )
    const three = await cliJson<Report>([
      ...args,
      '--audio',
      at('all'),
      '--audio',
      at('train'),
      '--audio',
      at('all/sub'),
    ])
    expect(three.missing).toEqual([])
  })

  it('--dry-run shows what would be read and writes nothing', async () => {
    const csv = await write('dry.csv', 'file,caption,split\na.wav,one,train\nlost.wav,two,test\n')
    const args = ['import', '--from', 'folder', csv, '--audio', at('all'), '--dry-run']
    const { code, stdout } = await cli([...args, '--out', at('dry.jsonl')])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^missing {2}\S*lost\.wav {2}test, 1 caption\nthere {4}\S*a\.wav {2}train, 1 caption\n/,
    )
    expect(stdout).toContain(
      'would write 2 clips (train 1, test 1) with 2 captions, 1 without an audio file; nothing was written',
    )
    expect(existsSync(at('dry.jsonl'))).toBe(false)
    expect(await cliJson(args)).toMatchObject({
      manifest: null,
      missing: ['lost.wav'],
      read: [{ id: 'a.wav' }, {}],
    })
  })

  it('--dry-run names what is there and will not be read, first and counted', async () => {
    const whole = await readFile(at('all/a.wav'))
    await mkdir(at('mixed'), { recursive: true })
    for (let i = 0; i < 12; i++) await writeFile(at(`mixed/a${i}.wav`), whole)
    await writeFile(at('mixed/cut.wav'), whole.subarray(0, 3000))
    await writeFile(at('mixed/text.wav'), 'no audio at all, whatever its name says\n'.repeat(9))
    const m4a = '\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0'
    for (let i = 0; i < 9; i++) await writeFile(at(`mixed/m${i}.m4a`), m4a)
    await symlink('nowhere.wav', at('mixed/link.wav'))
    const names = [...Array.from({ length: 12 }, (_, i) => `a${i}.wav`), 'link.wav', 'text.wav', 'cut.wav']
    for (let i = 0; i < 9; i++) names.push(`m${i}.m4a`)
    const csv = await write('mixed/x.csv', `file,caption\n${names.map((name) => `${name},x\n`).join('')}`)
    const args = ['import', '--from', 'folder', csv, '--dry-run']
    const { stdout } = await cli(args)
    expect(stdout).toMatch(/^missing .*link\.wav .*: a link whose target is missing\n/)
    expect(stdout).toMatch(/unread {3}\S*text\.wav .*: \S/)
    expect(stdout).toMatch(/unread {3}\S*cut\.wav .*: .*cut/)
    expect(stdout).toMatch(/unread {3}\S*m0\.m4a .*--ffmpeg/)
    expect(stdout).toContain('… 14 more, 2 of them will not be read\n')
    expect(stdout).toContain('1 without an audio file, 11 with one that is not read; nothing')
    for (const more of [['--dry-run'], ['--out', at('x.jsonl')]]) {
      const nowhere = await cli(['import', '--from', 'folder', csv, '--audio', at('no-such'), ...more])
      expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringMatching(/no-such: expected a folder/)])
    }
  })

  it('says that a first line is no header, names the roles as they are written, and refuses a CSV given twice', async () => {
    const csv = await write('bare.csv', 'a.wav,a dog barks\nb.wav,rain\n')
    const args = ['import', '--from', 'folder', csv, '--audio', at('all'), '--out', at('x.jsonl')]
    expect((await cli(args)).stderr).toMatch(/looks like a row: add a line above it, such as file,caption\./)
    const tabs = await write('bare.tsv', 'one\ta dog barks\ntwo\train\n')
    expect((await cli(['import', '--from', 'folder', tabs, '--dry-run'])).stderr).toMatch(
      /none of its names is known: if it is a row, add .*file<tab>caption/,
    )
    const twice = await cli(['import', '--from', 'folder', csv, `./${relative('.', csv)}`, '--dry-run'])
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringMatching(/bare\.csv is given twice/)])
    const mark = await cli([...args, '--delimiter', 'ab'])
    expect([mark.code, mark.stderr]).toEqual([2, expect.stringMatching(/one sign such as , ; \| or a tab/)])
  })

  it('says what it passes over in a folder', async () => {
    const { stderr, stdout } = await cli(['import', '--from', 'folder', at('all'), '--out', at('all.jsonl')])
    expect(stderr).toBe(`warning: ${at('all')}: passed over 1 .m4a (read with --ffmpeg), 1 .txt, 1 hidden\n`)
    expect(stdout).toContain('3 clips (no split 3)')
    const args = ['import', '--from', 'folder', at('all'), '--dry-run']
    const foreign = await cli([...args, '--ffmpeg'])
    expect(foreign.stderr).toBe(`warning: ${at('all')}: passed over 1 .txt, 1 hidden\n`)
    expect(foreign.stdout).toContain('4 clips')
  })

  it('reads three splits from three folders, also with equal names', async () => {
    const [train, test] = [
      await write('csv/train.csv', 'file,caption\nx.wav,one\n'),
      await write('csv/test.csv', 'file,caption\nx.wav,two\n'),
    ]
    const out = at('splits.jsonl')
    const args = [
      'import',
      '--from',
      'folder',
      train,
      test,
      '--audio',
      at('train'),
      '--audio',
      at('test'),
      '--out',
      out,
    ]
    expect(await cliJson<Report>(args)).toMatchObject({ splits: { train: 1, test: 1 }, missing: [] })
    expect((await readManifest(out)).clips.map(({ id, audio }) => [id, audio])).toEqual([
      ['x.wav', at('train/x.wav')],
      ['test/x.wav', at('test/x.wav')],
    ])
  })

  it('--share gives splits by recording, the same for the same seed', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i}.wav,text ${i},r${i % 20}\n`)
    await write('0.wav', '')
    const csv = await write('share.csv', `file,caption,recording\n${rows.join('')}`)
    const [one, two, other] = await Promise.all(
      ['17', '17', '3'].map(async (seed, i) => {
        const out = at(`share-${i}.jsonl`)
        await cliJson([
          'import',
          '--from',
          'folder',
          csv,
          '--share',
          'train=.8,validation=.1,test=.1',
          '--seed',
          seed,
          '--out',
          out,
        ])
        return (await readManifest(out)).clips
      }),
    )
    expect(one).toEqual(two)
    expect(one).not.toEqual(other)
    const splits = Map.groupBy(one!, ({ split }) => split)
    expect(Array.from(splits, ([name, clips]) => [name, clips.length]).sort()).toEqual([
      ['test', 6],
      ['train', 48],
      ['validation', 6],
    ])
    for (const clips of Map.groupBy(one!, ({ group }) => group).values())
      expect(new Set(clips.map(({ split }) => split)).size).toBe(1)
  })

  it.each([
    [['--share', 'train=.8'], 2, /shares above 0 that sum to 1.*train=0\.8 \(0\.8 together\)/],
    [['--share', 'train'], 2, /Expected name=share/],
    [['--share', 'train=1', '--split', 'x'], 2, /one of --split and --share/],
    [['--column', 'datei=x'], 2, /Expected ROLE=NAME with a role of file, text, id/],
    [['--metadata', 'x.csv'], 2, /--metadata is for clotho, not for folder/],
  ])('refuses %j', async (options, expected, message) => {
    const csv = await write('good.csv', 'file,caption\na.wav,x\n')
    const { code, stderr } = await cli([
      'import',
      '--from',
      'folder',
      csv,
      '--audio',
      at('all'),
      '--out',
      at('x.jsonl'),
      ...options,
    ])
    expect(stderr).toMatch(message)
    expect(code).toBe(expected)
  })

  it('refuses options of folders for a data set, and neither --out nor --dry-run', async () => {
    const { code, stderr } = await cli([
      'import',
      '--from',
      'clotho',
      'x.csv',
      '--file-pattern',
      '{a}',
      '--out',
      at('x.jsonl'),
    ])
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--file-pattern is for audiocaps and segments and folder, not for clotho'),
    ])
    const neither = await cli(['import', '--from', 'folder', at('all')])
    expect([neither.code, neither.stderr]).toEqual([2, expect.stringContaining('--out FILE')])
  })

  it('lists the importers where none is named, or one that is none', async () => {
    const csv = await write('good.csv', 'file,caption\na.wav,x\n')
    const none = await cli(['import', csv, '--out', at('x.jsonl')])
    expect(none.code).toBe(2)
    expect(none.stderr).toContain(`Give --from NAME for what ${csv} is.`)
    for (const name of ['clotho', 'audiocaps', 'wavtext5k', 'matches', 'folder'])
      expect(none.stderr).toMatch(new RegExp(`^  ${name} +\\S`, 'm'))
    const before = await cli(['import', 'folder', csv, '--out', at('x.jsonl')])
    expect(before.stderr).toContain(`sonotext import --from folder ${csv}`)
    const wrong = await cli(['import', '--from', 'wavcaps', csv, '--out', at('x.jsonl')])
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/There is no importer "wavcaps"\.\nImporters:\n {2}clotho/),
    ])
  })

  it('reads with an importer of a plugin, with keys of its own', async () => {
    const plugin = await write(
      'lines.mjs',
      `export default ({ register }) => register('importer', {
        name: 'lines',
        description: 'A name and a text on every line.',
        schema: { properties: { mark: { type: 'string', default: ':', description: 'What stands between.' } } },
        fromConfig: ({ mark }) => ({
          async read({ path, audio, split = 'all' }) {
            const { readFile } = await import('node:fs/promises')
            const lines = (await readFile(path, 'utf8')).trim().split('\\n').map((line) => line.split(mark))
            return lines.map(([id, text]) => ({
              id, split, audio: audio + '/' + id + '.wav', captions: [{ id: id + '#1', text: text.trim() }],
            }))
          },
        }),
      })`,
    )
    const lines = await write('all/lines.txt', 'a= a hum\nb= a tone\n')
    const args = ['import', '--plugin', plugin, '--from', 'lines', lines, '--out', at('lines.jsonl')]
    expect(await cliJson<Report>([...args, '--set', 'mark="="'])).toMatchObject({
      clips: 2,
      splits: { all: 2 },
      missing: [],
    })
    const refused = await cli([...args, '--set', 'marks=;'])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/did you mean .*mark\?/)])
    expect((await cli(['import', '--plugin', plugin, lines])).stderr).toMatch(/^ {2}lines +A name/m)
  })
})
