import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { decodeAudio } from './decode.js'
import { encodeWav } from './encode-wav.js'
import { ffmpegDecoder } from './ffmpeg.js'

const folder = mkdtempSync(join(tmpdir(), 'sonotext-ffmpeg-'))
afterAll(() => rmSync(folder, { recursive: true }))

const tone = Float32Array.from({ length: 22_050 }, (_, i) => 0.5 * Math.sin(i / 9))
const wav = join(folder, 'tone.wav')
writeFileSync(wav, encodeWav([tone, tone.map((x) => x / 2)], 22_050).bytes)
const floats = join(folder, 'floats.wav')
writeFileSync(floats, encodeWav(tone, 22_050, { format: 'float32' }).bytes)

const missing = spawnSync('ffmpeg', ['-version']).status === 0 ? null : 'no ffmpeg on the path'
if (missing !== null) process.stderr.write(`Some tests are skipped: ${missing}.\n`)

/** A file that only ffmpeg reads: lossless, so that samples can be compared. */
function made(name: string, ...args: string[]): string {
  const path = join(folder, name)
  const { status, stderr } = spawnSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-i', wav, ...args, path])
  if (status !== 0) throw new Error(stderr.toString())
  return path
}

/** A program in place of ffmpeg. */
function program(name: string, body: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
  return path
}

const decoders = [ffmpegDecoder()]
const failure = (promise: Promise<unknown>) => promise.catch((reason: unknown) => reason)

describe.skipIf(missing !== null)(`the user's ffmpeg${missing === null ? '' : ` (${missing})`}`, () => {
  it('reads what is refused without it, at its own rate and channels', async () => {
    const path = made('a b; $(x) "q".m4a', '-c:a', 'alac')
    const refused = (await failure(decodeAudio(path))) as Error
    expect(refused).toMatchObject({ code: 'UNSUPPORTED' })
    expect(refused.message).toMatch(/--ffmpeg/)
    const { channels, sampleRate, encoding } = await decodeAudio(path, { decoders })
    const whole = await decodeAudio(wav)
    expect([sampleRate, encoding]).toEqual([22_050, 'ffmpeg'])
    expect(channels).toEqual(whole.channels)
  })

  it('is not asked about what the library reads', async () => {
    const never = { name: 'never', open: () => Promise.reject(new Error('asked')) }
    expect((await decodeAudio(wav, { decoders: [never] })).encoding).toBe('WAV PCM 16-bit')
    const cut = encodeWav(tone, 8000).bytes.subarray(0, 1000)
    expect(await failure(decodeAudio(cut, { decoders: [never] }))).toMatchObject({ code: 'INVALID_FILE' })
    const text = Buffer.from('<!doctype html><html>')
    expect(await failure(decodeAudio(text, { decoders: [never] }))).toMatchObject({ code: 'INVALID_FILE' })
  })

  it('gets bytes through its standard input', async () => {
    const path = made('t.tta')
    const bytes = spawnSync('cat', [path], { maxBuffer: 1 << 28 }).stdout
    const { channels } = await decodeAudio(bytes, { decoders })
    expect(channels).toEqual((await decodeAudio(wav)).channels)
  })

  it('is ended where the recording is longer than allowed', async () => {
    const path = made('long.wv', '-af', 'aloop=-1:size=22050,atrim=0:20', '-c:a', 'wavpack')
    const error = await failure(decodeAudio(path, { decoders, maxSeconds: 3 }))
    expect(error).toMatchObject({ code: 'TOO_LONG', file: path })
    expect((await decodeAudio(path, { decoders })).channels[0]).toHaveLength(20 * 22_050)
  })

  it('says what ffmpeg said about a file it cannot read', async () => {
    const path = join(folder, 'broken.m4a')
    writeFileSync(path, Buffer.concat([Buffer.from('\0\0\0\x20ftypM4A \0\0\0\0'), Buffer.alloc(200, 7)]))
    const error = await failure(decodeAudio(path, { decoders }))
    expect(error).toMatchObject({ code: 'INVALID_FILE', file: path })
    expect((error as Error).message).toMatch(/ffmpeg to decode it, it failed: .*\w/)
  })

  it('an address or a list inside a file name opens nothing else', async () => {
    const error = await failure(
      decodeAudio(Buffer.from('\0\0\0\x20ftypM4A '), { decoders, name: 'http://127.0.0.1:9/x' }),
    )
    expect(error).toMatchObject({ code: 'INVALID_FILE', file: 'http://127.0.0.1:9/x' })
  })
})

describe.skipIf(process.platform === 'win32')('a program in place of ffmpeg', () => {
  const m4a = Buffer.from('\0\0\0\x20ftypM4A ')

  it('that is not there', async () => {
    const error = await failure(
      decodeAudio(m4a, { decoders: [ffmpegDecoder({ command: join(folder, 'none') })] }),
    )
    expect(error).toMatchObject({ code: 'MISSING_DEPENDENCY' })
    expect((error as Error).message).toMatch(/none .*ENOENT.*Install ffmpeg/)
  })

  it('that fails without a word, gives nothing, or ends in the middle', async () => {
    for (const [name, body, wanted] of [
      ['mute', 'exit 3', /no reason given/],
      ['empty', 'cat >/dev/null', /Expected sound from ffmpeg, got none/],
      ['half', `head -c 2000 '${floats}'; echo broken pipe dream >&2; exit 1`, /broken pipe dream/],
    ] as const) {
      const error = await failure(
        decodeAudio(m4a, { decoders: [ffmpegDecoder({ command: program(name, body) })] }),
      )
      expect(error).toMatchObject({ code: expect.stringMatching(/INVALID_FILE/) as string })
      expect((error as Error).message).toMatch(wanted)
    }
  })

  it('that writes without end is read no faster than it is taken, and is stopped by an abort', async () => {
    const header = join(folder, 'header')
    writeFileSync(header, encodeWav(new Float32Array(1), 8000, { format: 'float32' }).bytes.subarray(0, -4))
    const command = program('flood', `cat '${header}'; exec cat /dev/zero`)
    const before = process.memoryUsage().arrayBuffers
    const stopped = failure(decodeAudio(m4a, { decoders: [ffmpegDecoder({ command })], maxSeconds: 2000 }))
    expect(await stopped).toMatchObject({ code: 'TOO_LONG' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(400e6)
    const controller = new AbortController()
    const aborted = failure(
      decodeAudio(m4a, {
        decoders: [ffmpegDecoder({ command })],
        maxSeconds: 1e5,
        maxExpansion: Infinity,
        signal: controller.signal,
      }),
    )
    setTimeout(() => controller.abort(), 50)
    expect(await aborted).toMatchObject({ code: 'ABORTED' })
  })
})
