import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { SonotextError } from '../../base/errors.js'
import { type ByteSource, memorySource } from '../byte-source.js'
import { type AudioDecoder, decodeAudio, decodeStream } from '../decode.js'
import { encodeWav } from '../encode-wav.js'

const odd = fileURLToPath(new URL('../../../test-data/audio/odd/', import.meta.url))
const read = (name: string) => new Uint8Array(readFileSync(`${odd}${name}`))
const repeated = (piece: Uint8Array | string, times: number) =>
  Buffer.concat(Array<Uint8Array>(times).fill(Buffer.from(piece as string, 'latin1')))

/** What comes of a file, and how often it was read from on the way. */
async function cost(bytes: Uint8Array): Promise<{ reads: number; error: SonotextError }> {
  const whole = memorySource(bytes)
  let reads = 0
  const source: ByteSource = {
    length: whole.length,
    read: (start, count) => {
      reads++
      return whole.read(start, count)
    },
  }
  const error: unknown = await decodeStream(source).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(SonotextError)
  return { reads, error: error as SonotextError }
}

describe('files that cost nothing to make', () => {
  const wav = Buffer.from(encodeWav(new Float32Array(100), 8000).bytes)
  const chunk = (id: string) => Buffer.concat([Buffer.from(id), Buffer.alloc(4)])
  const flacPadding = Buffer.from([1, 0, 0, 0])

  it.each([
    ['WAV', Buffer.concat([wav.subarray(0, 12), repeated(chunk('junk'), 200_000), wav.subarray(12)])],
    ['AIFF', Buffer.concat([read('s8.aiff').subarray(0, 12), repeated(chunk('ANNO'), 200_000)])],
    ['CAF', Buffer.concat([read('s8.caf').subarray(0, 8), repeated(`free${'\0'.repeat(8)}`, 200_000)])],
    ['FLAC', Buffer.concat([Buffer.from('fLaC'), repeated(flacPadding, 200_000)])],
  ])('%s of nothing but empty chunks is given up', async (_, bytes) => {
    const { reads, error } = await cost(bytes)
    expect(error.message).toMatch(/at most 10000 chunks before the samples, found more/)
    expect(reads).toBeLessThan(25_000)
  })

  it.each([
    ['headers of MP3 frames that are none', repeated('\xff\xfb\x90\x44', 200_000)],
    ['sync bytes', Buffer.concat([Buffer.from('\xff\xfb\x90\x44', 'latin1'), repeated('\xff', 800_000)])],
    ['empty ID3 tags', Buffer.concat([repeated('ID3\x03\0\0\0\0\0\0', 100_000), read('lame.mp3')])],
    [
      'ID3v1 tags',
      Buffer.concat([read('lame.mp3').subarray(0, 4), repeated(`TAG${'a'.repeat(125)}`, 10_000)]),
    ],
  ])('%s are not looked at one by one', async (_, bytes) => {
    expect((await cost(bytes)).reads).toBeLessThan(5000)
  })

  it('chunks and tags that files have are passed over', async () => {
    const bytes = Buffer.concat([
      repeated('ID3\x03\0\0\0\0\0\0', 5),
      wav.subarray(0, 12),
      repeated(chunk('junk'), 1000),
      wav.subarray(12),
    ])
    expect((await decodeAudio(bytes)).channels[0]).toHaveLength(100)
  })
})

describe('what is no recording', () => {
  it.each([
    ['a PDF document', '%PDF-1.4\n%\xe2\xe3'],
    ['a ZIP archive', 'PK\x03\x04\x14\0'],
    ['a gzip archive', '\x1f\x8b\x08\0'],
    ['a PNG picture', '\x89PNG\r\n\x1a\n'],
    ['a program', '\x7fELF\x02\x01'],
  ])('%s is said to be one, and given to no decoder', async (name, start) => {
    const asked: string[] = []
    const decoder: AudioDecoder = {
      name: 'any',
      open: async ({ file }) => {
        asked.push(file)
        return undefined
      },
    }
    const bytes = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(3000, 0x9d)])
    const error = await decodeAudio(bytes, { decoders: [decoder] }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'INVALID_FILE' })
    expect((error as Error).message).toContain(
      `Expected audio, found ${name}. It is not a recording, whatever its name`,
    )
    expect(asked).toEqual([])
  })

  it.each([
    ['Ensoniq PARIS (PAF)', ' paf\0\0\0\0'],
    ['Ensoniq PARIS (PAF)', 'fap \0\0\0\0'],
    ['Psion WVE', 'ALawSoundFile**\0\x0f\x10'],
    ['TrueHD or MLP', '\xf0\x17\0\0\xf8\x72\x6f\xba'],
    ['GSM 06.10 without a header', `\xd5${'\x21'.repeat(32)}`.repeat(20)],
  ])('%s is refused by its name', async (name, start) => {
    const bytes = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(600, 0x12)])
    const error = await decodeAudio(bytes).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'UNSUPPORTED' })
    expect((error as Error).message).toContain(`found ${name}. Let ffmpeg read it`)
  })
})

describe('headers in other shapes', () => {
  it('AU in little-endian order', async () => {
    const big = Buffer.from(read('s16be.au'))
    const little = Buffer.from(big)
    little.write('dns.')
    for (let at = 4; at < 24; at += 4) little.writeUInt32LE(big.readUInt32BE(at), at)
    little.subarray(big.readUInt32BE(4)).swap16()
    expect(await decodeAudio(little)).toEqual(await decodeAudio(big))
  })

  const samples = Float32Array.from({ length: 50 }, (_, i) => Math.round(3000 * Math.sin(i)) / 2 ** 15)
  const { bytes: plain } = encodeWav(samples, 8000)

  it('WAV without a block size', async () => {
    const bytes = Buffer.from(plain)
    expect(bytes.readUInt16LE(32)).toBe(2)
    bytes.writeUInt16LE(0, 32)
    expect((await decodeAudio(bytes)).channels[0]).toEqual(samples)
  })

  it('WAV without bits is a contradiction', async () => {
    const bytes = Buffer.from(plain)
    bytes.writeUInt16LE(0, 34)
    const error = await decodeAudio(bytes).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'INVALID_FILE' })
    expect((error as Error).message).toMatch(/1 or more bits a sample in the header, got 0/)
  })

  it('24 bits in blocks of 4 bytes', async () => {
    const data = Buffer.alloc(4 * samples.length)
    samples.forEach((x, i) => data.writeInt32LE(x * 2 ** 31, 4 * i))
    const fmt = Buffer.alloc(48)
    fmt.write('fmt ')
    fmt.writeUInt32LE(40, 4)
    ;[0xfffe, 1, 8000, 0, 32_000, 0].forEach((value, i) => fmt.writeUInt16LE(value, 8 + 2 * i))
    ;[4, 24, 22, 24, 4, 0, 1].forEach((value, i) => fmt.writeUInt16LE(value, 20 + 2 * i))
    const head = Buffer.from('RIFF\0\0\0\0WAVE')
    const size = Buffer.alloc(8)
    size.write('data')
    size.writeUInt32LE(data.length, 4)
    const { channels } = await decodeAudio(Buffer.concat([head, fmt, size, data]))
    expect(channels[0]).toEqual(samples)
  })
})
