import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { SonotextError } from '../../base/errors.js'
import { decodeAudio, readMono } from '../decode.js'
import { encodeWav } from '../encode-wav.js'

interface Parts {
  tag?: number
  channels?: number
  rate?: number
  bits?: number
  blockAlign?: number
  /** Declared size of the data chunk; default the true one. */
  declared?: number
  extensible?: boolean
  /** Chunks before and after, and their order. */
  order?: readonly ('fmt' | 'data' | 'junk' | 'fact' | 'ds64')[]
  size64?: number
  id?: string
  junk?: Uint8Array
  padJunk?: boolean
}

/** A WAV around raw sample bytes, with every part open to lies. */
function wav(data: Uint8Array, parts: Parts = {}): Uint8Array {
  const {
    tag = 1,
    channels = 1,
    rate = 16_000,
    bits = 16,
    extensible = false,
    order = ['fmt', 'data'],
    id = 'RIFF',
  } = parts
  const blockAlign = parts.blockAlign ?? channels * Math.ceil(bits / 8)
  const fmt = Buffer.alloc(extensible ? 40 : 16)
  fmt.writeUInt16LE(extensible ? 0xfffe : tag, 0)
  fmt.writeUInt16LE(channels, 2)
  fmt.writeUInt32LE(rate, 4)
  fmt.writeUInt32LE((rate * blockAlign) >>> 0, 8)
  fmt.writeUInt16LE(blockAlign, 12)
  fmt.writeUInt16LE(bits, 14)
  if (extensible) {
    fmt.writeUInt16LE(22, 16)
    fmt.writeUInt16LE(bits, 18)
    fmt.writeUInt16LE(tag, 24)
    fmt.write('\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71', 26, 'latin1')
  }
  const chunk = (name: string, body: Uint8Array, size = body.length, pad = true) => {
    const head = Buffer.alloc(8)
    head.write(name, 0, 'latin1')
    head.writeUInt32LE(size >>> 0, 4)
    return Buffer.concat([head, body, Buffer.alloc(pad ? body.length % 2 : 0)])
  }
  const chunks = {
    fmt: () => chunk('fmt ', fmt),
    data: () => chunk('data', data, parts.declared ?? data.length),
    junk: () => chunk('LIST', parts.junk ?? Buffer.from('odd'), undefined, parts.padJunk ?? true),
    fact: () => chunk('fact', Buffer.alloc(4)),
    ds64: () => {
      const body = Buffer.alloc(28)
      body.writeBigUInt64LE(BigInt(parts.size64 ?? 0), 8)
      return chunk('ds64', body)
    },
  }
  const body = Buffer.concat(order.map((name) => chunks[name]()))
  const head = Buffer.from(`${id}\0\0\0\0WAVE`, 'latin1')
  head.writeUInt32LE((body.length + 4) >>> 0, 4)
  return Buffer.concat([head, body])
}

const int16 = (...values: number[]) => new Uint8Array(Int16Array.from(values).buffer)

async function failure(promise: Promise<unknown>): Promise<SonotextError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SonotextError)
  return error as SonotextError
}

describe('sample formats', () => {
  it.each([
    ['8-bit unsigned', { bits: 8 }, Uint8Array.of(0, 128, 255), [-1, 0, 127 / 128]],
    ['16-bit', { bits: 16 }, int16(-32768, 0, 32767), [-1, 0, 32767 / 32768]],
    [
      '24-bit',
      { bits: 24 },
      Uint8Array.of(0, 0, 0x80, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 0x7f),
      [-1, 0, 2 ** -23, 1 - 2 ** -23],
    ],
    ['20-bit in 3 bytes', { bits: 20 }, Uint8Array.of(0, 0, 0x80, 0, 0, 0x40), [-1, 0.5]],
    ['32-bit', { bits: 32 }, new Uint8Array(Int32Array.of(-(2 ** 31), 0, 2 ** 30).buffer), [-1, 0, 0.5]],
    ['float 32', { tag: 3, bits: 32 }, new Uint8Array(Float32Array.of(-1.5, 0.25).buffer), [-1.5, 0.25]],
    [
      'float 64',
      { tag: 3, bits: 64 },
      new Uint8Array(Float64Array.of(-1.5, 0.1).buffer),
      [-1.5, Math.fround(0.1)],
    ],
    ['extensible', { extensible: true }, int16(16384, -16384), [0.5, -0.5]],
  ] as const)('%s', async (_, parts, data, wanted) => {
    const { channels } = await decodeAudio(wav(data, parts))
    expect(channels.map((c) => [...c])).toEqual([wanted.map(Math.fround)])
  })

  it('separates channels and averages them', async () => {
    const bytes = wav(int16(16384, -16384, 8192, 8192), { channels: 2 })
    expect((await decodeAudio(bytes)).channels.map((c) => [...c])).toEqual([
      [0.5, 0.25],
      [-0.5, 0.25],
    ])
    expect([...(await readMono(bytes)).samples]).toEqual([0, 0.25])
  })

  it('reads from views at odd addresses', async () => {
    const bytes = wav(int16(1, 2, 3))
    const shifted = Buffer.concat([Buffer.alloc(1), bytes]).subarray(1)
    expect((await decodeAudio(shifted)).channels).toEqual((await decodeAudio(bytes)).channels)
  })
})

describe('chunks', () => {
  it.each([
    ['data before fmt', { order: ['data', 'fmt'] }],
    ['an odd chunk with its padding byte', { order: ['fmt', 'junk', 'data'] }],
    ['an odd chunk without it', { order: ['fmt', 'junk', 'data'], padJunk: false }],
    ['chunks on all sides', { order: ['junk', 'fact', 'fmt', 'junk', 'data', 'junk'] }],
    ['a stream without a size', { declared: 0xffffffff }],
    ['RF64 without ds64', { id: 'RF64', declared: 0xffffffff }],
  ] as const)('%s', async (_, parts) => {
    const { channels } = await decodeAudio(wav(int16(100, 200, 300), parts))
    expect([...channels[0]!]).toEqual([100, 200, 300].map((x) => x / 32768))
  })
})

describe('bad WAV files', () => {
  it('cut short: expected and found bytes', async () => {
    const error = await failure(decodeAudio(wav(int16(1, 2, 3, 4)).subarray(0, 48), { name: 'cut.wav' }))
    expect(error.code).toBe('INVALID_FILE')
    expect(error.message).toContain('cut.wav: Expected 8 bytes of samples as the header says, found 4.')
    expect(error.remedy).toMatch(/cut short/)
  })

  it('a header of 200 hours allocates nothing', async () => {
    const before = process.memoryUsage().arrayBuffers
    const seconds = 200 * 3600
    const riff = wav(int16(1, 2), { declared: seconds * 1000 * 2, rate: 1000 })
    expect((await failure(decodeAudio(riff))).message).toContain(
      'Expected 1440000000 bytes of samples as the header says, found 4',
    )
    const rf64 = wav(int16(1, 2), {
      declared: 0xffffffff,
      id: 'RF64',
      order: ['ds64', 'fmt', 'data'],
      size64: seconds * 96_000,
    })
    expect((await failure(decodeAudio(rf64))).message).toContain('Expected 69120000000 bytes of samples')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6)
  })

  it('RF64 with its true size in ds64', async () => {
    const parts = {
      declared: 0xffffffff,
      id: 'RF64',
      order: ['ds64', 'fmt', 'data', 'junk'],
      size64: 4,
    } as const
    expect((await decodeAudio(wav(int16(1, 2), parts))).channels[0]).toHaveLength(2)
  })

  it.each([
    ['no samples', wav(new Uint8Array(0)), 'INVALID_DATA', /Expected audio samples, found none/],
    ['less than one sample', wav(Uint8Array.of(1)), 'INVALID_DATA', /found none/],
    [
      'a NaN sample',
      wav(new Uint8Array(Float32Array.of(0, NaN).buffer), { tag: 3, bits: 32 }),
      'INVALID_DATA',
      /NaN at sample 1/,
    ],
    [
      'an infinite sample in the second channel',
      wav(new Uint8Array(Float32Array.of(0, -Infinity).buffer), { tag: 3, bits: 32, channels: 2 }),
      'INVALID_DATA',
      /-Infinity at sample 0 of channel 1/,
    ],
    [
      'a double too large for float32',
      wav(new Uint8Array(Float64Array.of(1e300).buffer), { tag: 3, bits: 64 }),
      'INVALID_DATA',
      /Infinity at sample 0/,
    ],
    ['1 Hz', wav(int16(1), { rate: 1 }), 'INVALID_FILE', /1,000 to 768,000 Hz in the header, got 1/],
    ['a rate over 768 kHz', wav(int16(1), { rate: 4_000_000_000 }), 'INVALID_FILE', /got 4000000000/],
    ['no channel', wav(int16(1), { channels: 0 }), 'INVALID_FILE', /1 to 64 channels/],
    ['too many channels', wav(int16(1), { channels: 5000 }), 'INVALID_FILE', /got 5000/],
    [
      'a block that contradicts',
      wav(int16(1, 2), { blockAlign: 3 }),
      'INVALID_FILE',
      /Expected a block of 2 bytes/,
    ],
    ['12 bytes a sample', wav(int16(1, 2), { bits: 96 }), 'UNSUPPORTED', /96-bit PCM/],
    ['a format nobody knows', wav(int16(1), { tag: 0x1234 }), 'UNSUPPORTED', /format code 0x1234/],
    ['MP3 in a WAV without a frame', wav(int16(1), { tag: 85 }), 'INVALID_FILE', /Expected MP3 frames/],
    ['no fmt', wav(int16(1), { order: ['data'] }), 'INVALID_FILE', /"fmt "/],
    ['no data', wav(int16(1), { order: ['fmt'] }), 'INVALID_FILE', /"data"/],
    ['only its first 12 bytes', wav(int16(1)).subarray(0, 12), 'INVALID_FILE', /"fmt "/],
    ['nothing', new Uint8Array(0), 'INVALID_FILE', /empty file/],
    ['text', Buffer.from('<!DOCTYPE html><html>'), 'INVALID_FILE', /found a page of HTML/],
  ] as const)('%s', async (_, bytes, code, message) => {
    const error = await failure(decodeAudio(bytes, { name: 'clip.wav' }))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    expect(error.file).toBe('clip.wav')
    expect(error.remedy).toMatch(/\w/)
  })
})

describe('paths', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sonotext-decode-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('reads a file', async () => {
    const path = join(folder, 'a.wav')
    writeFileSync(path, encodeWav(Float32Array.of(0.5, -0.5), 8000).bytes)
    const { samples, sampleRate } = await readMono(path)
    expect([[...samples], sampleRate]).toEqual([[0.5, -0.5], 8000])
  })

  it('a file that is not there, a folder, an abort', async () => {
    expect((await failure(decodeAudio(join(folder, 'none.wav')))).code).toBe('MISSING_FILE')
    expect((await failure(decodeAudio(folder))).message).toMatch(/found a folder/)
    expect((await failure(decodeAudio(join(folder, 'a.wav'), { signal: AbortSignal.abort() }))).code).toBe(
      'ABORTED',
    )
  })
})

describe('properties', () => {
  const sample = fc.integer({ min: -32768, max: 32767 })

  it('what was decoded encodes to the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sample, { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('pcm16' as const, 'float32' as const),
        async (values, count, format) => {
          const channels = Array.from({ length: count }, (_, c) =>
            Float32Array.from(values, (v) => (v * (c + 1)) / count / 32768),
          )
          const first = encodeWav(channels, 22_050, { format })
          const { channels: decoded, sampleRate } = await decodeAudio(first.bytes)
          expect(sampleRate).toBe(22_050)
          expect(encodeWav(decoded, 22_050, { format }).bytes).toEqual(first.bytes)
          if (format === 'float32') expect(decoded).toEqual(channels)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('any damage gives samples or a SonotextError', async () => {
    const whole = wav(int16(...Array.from({ length: 300 }, (_, i) => i * 100)), {
      order: ['junk', 'fmt', 'data', 'junk'],
    })
    const damage = fc.record({
      at: fc.nat(whole.length - 1),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
      keep: fc.integer({ min: 0, max: whole.length }),
    })
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, bytes, keep }) => {
        const broken = Uint8Array.from(whole)
        broken.set(bytes.subarray(0, whole.length - at), at)
        const result = await decodeAudio(broken.subarray(0, keep)).catch((error: unknown) => error)
        if (result instanceof Error) expect(result).toBeInstanceOf(SonotextError)
      }),
      { numRuns: 500 },
    )
  })
})
