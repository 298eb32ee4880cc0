import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SonotextError } from '../../base/errors.js'
import { decodeNpy } from '../../base/npy.js'
import { describeWithRealData } from '../../testing/real-data/index.js'
import { crc } from '../../testing/silent-flac.js'
import { memorySource } from '../byte-source.js'
import { decodeAudio } from '../decode.js'
import { flacFile } from './flac-frames.js'
import { Reading } from './format.js'
import { optionalDecoder } from './optional-decoder.js'

const folder = fileURLToPath(new URL('../../../test-data/audio/formats/', import.meta.url))
const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)))

interface Index {
  files: { file: string; golden: string; step: number; samples: number; rate: number }[]
}
const { files } = JSON.parse(readFileSync(join(folder, 'formats.json'), 'utf8')) as Index

/** MP3 decoders round differently; everything else is exact, or exact up to the last bit of a float. */
const tolerance = (file: string) => (file.endsWith('.mp3') ? 2e-6 : file.endsWith('.ogg') ? 2e-7 : 0)

async function failure(bytes: Uint8Array): Promise<SonotextError> {
  const result = await decodeAudio(bytes, { name: 'clip' }).catch((error: unknown) => error)
  expect(result).toBeInstanceOf(SonotextError)
  return result as SonotextError
}

describe('against libsndfile', () => {
  it.each(files)('$file', async ({ file, golden, step, samples, rate }) => {
    const { rows, cols, data } = decodeNpy(read(golden), golden)
    const { channels, sampleRate } = await decodeAudio(join(folder, file))
    expect([channels.length, channels[0]!.length, sampleRate]).toEqual([rows, samples, rate])
    let worst = 0
    for (let c = 0; c < rows; c++) {
      for (let i = 0; i < cols; i++)
        worst = Math.max(worst, Math.abs(channels[c]![i * step]! - data[c * cols + i]!))
    }
    expect(worst).toBeLessThanOrEqual(tolerance(file))
  })

  it.each([['ms-adpcm.wav', /found MS-ADPCM/]])('%s is refused with the way out', async (name, message) => {
    const error = await failure(read(name))
    expect(error.code).toBe('UNSUPPORTED')
    expect(error.message).toMatch(message)
    expect(error.remedy).toContain('ffmpeg')
  })
})

describe('by content, not by name', () => {
  it('skips an ID3 tag before FLAC', async () => {
    const tag = Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 3, 1, 2, 3)
    const { encoding } = await decodeAudio(Buffer.concat([tag, read('flac-8.flac')]))
    expect(encoding).toBe('FLAC 8-bit')
  })

  it('ignores tags behind the sound', async () => {
    const tag = Buffer.alloc(128)
    tag.write('TAG')
    for (const name of ['flac-8.flac', 'mpeg.mp3']) {
      const plain = await decodeAudio(read(name))
      expect(await decodeAudio(Buffer.concat([read(name), tag]))).toEqual(plain)
    }
  })
})

describe('damage', () => {
  const cases = ['flac-16-stereo.flac', 'vorbis.ogg', 'mpeg.mp3']

  it.each(cases)('%s cut short', async (name) => {
    const bytes = read(name)
    for (const keep of [bytes.length - 1, bytes.length - 100, bytes.length >> 1, 100, 20, 5]) {
      const error = await failure(bytes.subarray(0, keep))
      expect(error.code).toBe('INVALID_FILE')
      expect(error.remedy).toMatch(/again/)
    }
  })

  it.each(cases)('%s with garbage behind its first bytes', async (name) => {
    const bytes = read(name)
    for (let i = 60; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 13
    expect((await failure(bytes)).code).toBe('INVALID_FILE')
  })

  it.each(['flac-16-stereo.flac', 'vorbis.ogg'])('%s with one bit turned is noticed', async (name) => {
    const whole = read(name)
    for (let at = 200; at < whole.length; at += 431) {
      const bytes = Uint8Array.from(whole)
      bytes[at]! ^= 4
      expect((await failure(bytes)).code).toBe('INVALID_FILE')
    }
  })

  it('a FLAC header that claims 200 hours', async () => {
    const bytes = read('flac-8.flac')
    const view = new DataView(bytes.buffer)
    view.setUint32(22, 200 * 3600 * 16_000) // low 32 of the 36 bits of the sample count
    bytes[21] = (bytes[21]! & 0xf0) | Math.floor((200 * 3600 * 16_000) / 2 ** 32)
    expect((await failure(bytes)).message).toMatch(/samples as the header says, found 4801/)
  })

  it.each(['flac-8.flac', 'flac-16-stereo.flac'])(
    '%s is the same where its frames leave rate and bits to STREAMINFO',
    async (name) => {
      const whole = read(name)
      const { frames } = await flacFile(memorySource(whole), new Reading(name))
      const bytes = Uint8Array.from(whole)
      for (const { start, length } of frames) {
        const frame = bytes.subarray(start, start + length)
        const check = frame.findIndex(
          (byte, i) => i > 4 && i < 16 && byte === crc(frame.subarray(0, i), 8, 0x07),
        )
        // A rate in the bytes behind the header (codes 12 to 14) would move what follows.
        expect(frame[2]! & 15).toBeLessThan(12)
        frame[2]! &= 0xf0
        frame[3]! &= 0xf1
        frame[check] = crc(frame.subarray(0, check), 8, 0x07)
        const sum = crc(frame.subarray(0, -2), 16, 0x8005)
        frame.set([sum >> 8, sum & 255], length - 2)
      }
      expect(await decodeAudio(bytes)).toEqual(await decodeAudio(whole))
    },
  )

  it('a FLAC whose samples are not those of the header', async () => {
    const bytes = read('flac-8.flac')
    bytes[30]! ^= 1
    expect((await failure(bytes)).message).toMatch(/MD5/)
  })

  it('any damage gives samples or a SonotextError', async () => {
    const damage = fc.record({
      name: fc.constantFrom(...cases, 'ima-adpcm-stereo.wav', 'mu-law-stereo.wav', 'mpeg-stereo.mp3'),
      holes: fc.array(
        fc.record({ at: fc.nat(20_000), bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
        { maxLength: 4 },
      ),
      keep: fc.nat(20_000),
    })
    await fc.assert(
      fc.asyncProperty(damage, async ({ name, holes, keep }) => {
        const whole = read(name)
        for (const { at, bytes } of holes)
          whole.set(bytes.slice(0, whole.length - (at % whole.length)), at % whole.length)
        const result = await decodeAudio(keep < 2000 ? whole.subarray(0, keep) : whole).catch(
          (error: unknown) => error,
        )
        if (result instanceof Error) expect(result).toBeInstanceOf(SonotextError)
      }),
      { numRuns: 300 },
    )
  })

  it('random bytes behind every kind of beginning', async () => {
    const heads = [
      'RIFF\0\0\0\0WAVEfmt ',
      'fLaC',
      'OggS',
      'ID3\u0004\0\0\0\0\0\0',
      '\xff\xfb\x90\0',
      '\xff\xf3\x40\xc0',
      'FORM',
    ]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 4000 }), async (head, tail) => {
        const bytes = Buffer.concat([Buffer.from(head, 'latin1'), tail])
        const result = await decodeAudio(bytes).catch((error: unknown) => error)
        expect(result).toBeInstanceOf(SonotextError)
      }),
      { numRuns: 500 },
    )
  })
})

describe('optional decoders', () => {
  it('a missing package gives the command that installs it', async () => {
    const error = await optionalDecoder('mpg123-decoder', 'a.mp3', () =>
      Promise.reject(new Error('not found')),
    ).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'MISSING_DEPENDENCY',
      file: 'a.mp3',
      remedy: 'Install it: npm install mpg123-decoder',
    })
  })

  it('nothing is printed about damage', async () => {
    const printed: unknown[] = []
    const original = console.error // eslint-disable-line no-console
    console.error = (...args: unknown[]) => void printed.push(args) // eslint-disable-line no-console
    try {
      const bytes = read('mpeg.mp3')
      for (let i = 1000; i < 1400; i++) bytes[i] = 0xaa
      await decodeAudio(bytes).catch(() => {})
    } finally {
      console.error = original // eslint-disable-line no-console
    }
    expect(printed).toEqual([])
  })
})

describeWithRealData('real recordings', (data) => {
  it.each([
    ['1-26806-A-1_1.flac', 'FLAC 16-bit', 1, 220_544, 5669.67031],
    ['1-17367-A-10_2.flac', 'FLAC 16-bit', 2, 220_544, 847.438255],
    ['1-61252-A-11_3.mp3', 'MP3', 1, 220_544, 2601.108961],
    ['1-61252-A-11.ogg', 'Ogg Vorbis', 1, 220_544, 2878.66577],
    ['1-181071-A-40_8.wav', 'WAV mu-law', 1, 40_008, 455.244473],
    ['1-26143-A-21_6.wav', 'WAV PCM 8-bit', 1, 40_008, 58.17749],
    ['1-4211-A-12_4.wav', 'WAV PCM 24-bit', 1, 240_048, 1368.947415],
    ['1-19898-A-41_9.wav', 'WAV PCM 32-bit', 1, 220_544, 926.360213],
  ])('%s has the length and energy that libsndfile finds', async (name, encoding, count, samples, energy) => {
    const audio = await decodeAudio(join(data, 'formats', name))
    expect([audio.encoding, audio.channels.length, audio.channels[0]!.length]).toEqual([
      encoding,
      count,
      samples,
    ])
    const sum = audio.channels[0]!.reduce((total, x) => total + x * x, 0)
    expect(Math.abs(sum / energy - 1)).toBeLessThan(2e-7)
  })
})
