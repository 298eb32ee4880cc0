import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { decodeAudio } from '../decode.js'

const folder = fileURLToPath(new URL('../../../test-data/audio/', import.meta.url))
const read = (name: string) => new Uint8Array(readFileSync(`${folder}${name}`))
const failure = (promise: Promise<unknown>) => promise.catch((reason: unknown) => reason)

describe('files whose end is missing', () => {
  it.each([
    ['odd/lame.mp3', 1],
    ['odd/noinfo.mp3', 200],
    ['formats/flac-16-stereo.flac', 1],
    ['formats/flac-16-stereo.flac', 900],
    ['formats/vorbis.ogg', 1],
    ['odd/cut.ogg', 700],
    ['odd/chained.opus', 1],
    ['formats/pcm-24-stereo.wav', 3],
    ['odd/mp3-in.wav', 50],
    ['odd/stereo.aiff', 100],
    ['odd/f32be.au', 1],
    ['odd/s24le.caf', 2],
  ])('%s without its last %d bytes', async (name, bytes) => {
    const whole = await decodeAudio(read(name))
    const cut = read(name).subarray(0, -bytes)
    const refused = await failure(decodeAudio(cut, { name }))
    expect(refused).toMatchObject({ code: 'INVALID_FILE', file: name })
    expect((refused as Error).message).toMatch(/Expected .*found.*--accept-cut/)
    const taken = await failure(decodeAudio(cut, { name, acceptCut: true }))
    // One page of Ogg may be all there is.
    if (name === 'formats/vorbis.ogg') {
      expect(taken).toMatchObject({ code: 'INVALID_DATA' })
      return
    }
    const { channels, cutShort } = taken as Awaited<ReturnType<typeof decodeAudio>>
    expect(cutShort).toMatch(/^Expected .*\.$/)
    const samples = channels[0]!.length
    expect(samples).toBeGreaterThan(100)
    expect(samples).toBeLessThanOrEqual(whole.channels[0]!.length)
    for (const [c, channel] of channels.entries())
      expect(channel).toEqual(whole.channels[c]!.subarray(0, samples))
  })

  it('whole files are not marked', async () => {
    for (const name of ['odd/lame.mp3', 'odd/long.ogg', 'odd/plain.opus', 'odd/pipe-sox.wav', 'odd/s8.au'])
      expect((await decodeAudio(read(name), { acceptCut: true })).cutShort, name).toBeUndefined()
  })

  it('damage in the middle is no cut', async () => {
    for (const [name, at] of [
      ['odd/cut.ogg', 3500],
      ['odd/noinfo.mp3', 1000],
      ['formats/flac-16-stereo.flac', 2000],
    ] as const) {
      const bytes = read(name)
      bytes.fill(0x55, at, at + 300)
      expect(await failure(decodeAudio(bytes, { acceptCut: true })), name).toMatchObject({
        code: 'INVALID_FILE',
      })
    }
  })
})

describe('text under an audio name', () => {
  const utf16 = Buffer.from('\ufeffname,caption\n', 'utf16le')
  it.each([
    ['a page of HTML', Buffer.from('\n<!DOCTYPE html>\n<html><head>')],
    ['XML', Buffer.from('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')],
    ['JSON', Buffer.from('{"error": "rate limit"}')],
    [
      'a pointer of Git LFS',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'),
    ],
    ['a pointer of git-annex', Buffer.from('/annex/objects/MD5E-s19--0f.wav\n')],
    ['a pointer of DVC', Buffer.from('outs:\n- md5: a304afb96060aad90176268345e10355\n  path: a.wav\n')],
    ['a playlist', Buffer.from('#EXTM3U\na.mp3\n')],
    ['an address', Buffer.from('https://example.org/a.wav\n')],
    ['nothing but blanks', Buffer.from('\n  \n')],
    ['text that starts with "name,caption\\n"', utf16],
    ['text that starts with "not audio: ü"', Buffer.from('not audio: ü')],
  ])('%s', async (what, bytes) => {
    const error = await failure(decodeAudio(bytes, { name: 'a.wav' }))
    expect(error).toMatchObject({ code: 'INVALID_FILE', file: 'a.wav' })
    expect((error as Error).message).toContain(`Expected audio, found ${what}.`)
    expect((error as Error).message).toMatch(what.startsWith('a pointer') ? /fetch it/ : /not a recording/)
  })
})
