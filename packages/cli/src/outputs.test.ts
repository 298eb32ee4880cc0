import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, notBuilt } from './testing/run-cli.js'

let folder: string
const manifest = 'clips.jsonl'
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-outputs-'))
  await writeToneClips(folder, { splits: { train: 3 } })
  const { audio } = JSON.parse((await readFile(join(folder, manifest), 'utf8')).split('\n')[0]!) as {
    audio: string
  }
  await copyFile(join(folder, audio), join(folder, 'audio', 'a.wav'))
  await copyFile(join(folder, audio), join(folder, 'nameless'))
  await writeFile(join(folder, 'named.jsonl'), '{"id":"a","audio":"nameless"}\n')
  await writeFile(join(folder, 'one.csv'), 'file,caption\na.wav,a tone\n')
  await symlink(manifest, join(folder, 'link.jsonl'))
  await writeFile(join(folder, 'notes.txt'), 'Buy bread.\n')
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(notBuilt !== null)(`outputs${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  const fromFolder = ['import', '--from', 'folder']
  it.each([
    [[...fromFolder, 'audio', '--out', 'audio/a.wav'], 'audio/a.wav', /is a recording, which --out/],
    [['check', 'audio', '--out', 'audio/a.wav'], 'audio/a.wav', /is a recording, which --out/],
    [
      [...fromFolder, 'one.csv', '--audio', 'audio', '--out', './one.csv'],
      'one.csv',
      /one\.csv is read, and --out/,
    ],
    [['check', manifest, '--duplicates', manifest], manifest, /clips\.jsonl is read, and --duplicates/],
    [['check', manifest, '--out', 'link.jsonl'], manifest, /clips\.jsonl is read, and --out/],
    [['check', 'named.jsonl', '--out', 'nameless'], 'nameless', /nameless is read, and --out/],
    [
      ['check', manifest, '--out', 'new.x', '--duplicates', './new.x'],
      manifest,
      /--out and --duplicates both/,
    ],
    [['features', 'nameless', '--out', 'audio/a.wav'], 'audio/a.wav', /is a recording, which --out/],
    [
      ['relevance', 'apply', 'one.csv', '--captions', manifest, '--out', manifest],
      manifest,
      /--out would replace/,
    ],
    ...[
      [...fromFolder, 'audio', '--out', 'notes.txt'],
      ['check', manifest, '--out', 'notes.txt'],
      ['check', manifest, '--duplicates', 'notes.txt'],
      ['report', 'run', '--out', 'notes.txt'],
      ['compare', 'run', 'run', '--plot', 'notes.txt'],
      ['relevance', 'fit', 'one.csv', '--captions', manifest, '--page', 'notes.txt'],
      ['relevance', 'analyse', 'one.csv', '--captions', manifest, '--page', 'notes.txt'],
      ['relevance', 'import', 'one.csv', '--out', 'notes.txt'],
      ['relevance', 'apply', 'model', '--captions', manifest, '--out', 'notes.txt'],
    ].map((args): [string[], string, RegExp] => [
      args,
      'notes.txt',
      /notes\.txt holds something other than .*, and --\w+ would replace it/,
    ]),
  ])('%j is refused, and %s stays as it was', async (args, file, message) => {
    const before = await readFile(join(folder, file))
    const { code, stderr } = await cli(args, { cwd: folder })
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(await readFile(join(folder, file))).toEqual(before)
  })

  it('the same output may be written again, and devices take several', async () => {
    for (let i = 0; i < 2; i++)
      expect((await cli([...fromFolder, 'audio', '--out', 'again.jsonl'], { cwd: folder })).code).toBe(0)
    const args = [
      'check',
      manifest,
      '--out',
      '/dev/null',
      '--duplicates',
      '/dev/null',
      '--no-near-duplicates',
    ]
    expect((await cli(args, { cwd: folder })).stderr).not.toContain('both name')
  })

  it.skipIf(process.platform === 'win32')(
    'a manifest in a pipe has paths that hold anywhere, and no next line',
    async () => {
      const { stdout, stderr } = await cli([...fromFolder, 'audio', '--out', '/dev/stdout'], { cwd: folder })
      const paths = stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { audio: string }).audio)
      expect(paths).toContain(join(folder, 'audio', 'a.wav'))
      expect(stderr).not.toContain('next:')
    },
  )
})
