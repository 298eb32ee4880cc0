import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listAudio, passedOverText } from './audio-files.js'
import { readCollection } from './collection.js'
import { importFolder } from './import/index.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'audio-files-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function tree(name: string, files: readonly string[]): string {
  for (const file of files) {
    mkdirSync(dirname(join(folder, name, file)), { recursive: true })
    writeFileSync(join(folder, name, file), '')
  }
  return join(folder, name)
}

describe('listAudio', () => {
  it('follows links to files and folders, once each, and ends where links lead in a circle', async () => {
    tree('store', ['a.wav', 'deep/b.flac'])
    const bank = tree('bank', ['real/c.mp3'])
    symlinkSync(join(folder, 'store'), join(bank, 'dogs'))
    symlinkSync(join(folder, 'store/a.wav'), join(bank, 'real/link.wav'))
    symlinkSync('..', join(bank, 'real/up'))
    symlinkSync('real', join(bank, 'again'))
    symlinkSync(join(bank, 'self'), join(bank, 'self'))
    symlinkSync('nowhere.wav', join(bank, 'gone.wav'))
    expect(await listAudio(bank)).toEqual({
      files: ['dogs/a.wav', 'dogs/deep/b.flac', 'real/c.mp3', 'real/link.wav'],
      passedOver: { 'folder seen before': 2, 'link whose target is missing': 2 },
    })
    const link = join(folder, 'bank-link')
    symlinkSync(bank, link)
    expect((await listAudio(link)).files).toHaveLength(4)
  })

  it('counts by ending what it passes over; hidden files and what an archive of macOS leaves too', async () => {
    const mixed = tree('mixed', [
      'x.WAV',
      'y.opus',
      'z.aiff',
      'a.m4a',
      'b.M4A',
      'c.txt',
      'README',
      '._x.wav',
      '.git/o.wav',
      '__MACOSX/._x.wav',
    ])
    execFileSync('mkfifo', [join(mixed, 'pipe.wav')])
    const { files, passedOver } = await listAudio(mixed)
    expect(files).toEqual(['x.WAV', 'y.opus', 'z.aiff'])
    expect(passedOver).toEqual({ '.m4a': 2, '.txt': 1, 'no ending': 1, hidden: 3, device: 1 })
    expect(passedOverText(passedOver)).toBe(
      '3 hidden, 2 .m4a (read with --ffmpeg), 1 .txt, 1 device, 1 no ending',
    )
    expect(passedOverText({ 'link whose target is missing': 2, 'folder seen before': 1 })).toBe(
      '2 links whose targets are missing, 1 folder seen before',
    )
    const notes: string[] = []
    expect(await importFolder(mixed, { onNote: (note) => notes.push(note) })).toHaveLength(3)
    expect(notes).toEqual([
      `${mixed}: passed over 3 hidden, 2 .m4a (read with --ffmpeg), 1 .txt, 1 device, 1 no ending`,
    ])
  })

  it('lists what another decoder may read where there is one', async () => {
    const mixed = tree('foreign', ['a.m4a', 'b.WMA', 'c.wav', 'd.txt'])
    const { files, passedOver } = await listAudio(mixed, { foreign: true })
    expect([files, passedOver]).toEqual([['a.m4a', 'b.WMA', 'c.wav'], { '.txt': 1 }])
    expect((await readCollection(mixed, { foreign: true })).clips).toHaveLength(3)
    expect((await readCollection(mixed)).clips).toHaveLength(1)
  })

  it('says what a folder without audio holds', async () => {
    await expect(importFolder(tree('other', ['a.m4a', 'b.m4a']))).rejects.toThrow(
      /no audio file .*It has 2 \.m4a \(read with --ffmpeg\)\./,
    )
  })
})
