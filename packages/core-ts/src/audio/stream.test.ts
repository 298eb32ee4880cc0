import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { silentFlac } from '../testing/silent-flac.js'
import { type ByteSource, FileSource, find, memorySource, sliceSource } from './byte-source.js'
import { decodeAudio, decodeStream } from './decode.js'
import { encodeWav } from './encode-wav.js'
import { oggCrc } from './formats/ogg-pages.js'

const data = fileURLToPath(new URL('../../test-data/audio/', import.meta.url))
const names = ['formats', 'odd'].flatMap((folder) =>
  readdirSync(join(data, folder))
    .filter((name) => /\.(wav|flac|mp3|ogg|opus|aiff|au|caf)$/.test(name))
    .map((name) => `${folder}/${name}`),
)

/** A source that gives no more than it is asked for, and notes the largest piece. */
function stingy(length: number, fill: (target: Uint8Array, start: number) => void) {
  const seen = { largest: 0 }
  const source: ByteSource = {
    length,
    async read(start, count) {
      const piece = new Uint8Array(Math.max(0, Math.min(count, length - start)))
      fill(piece, start)
      seen.largest = Math.max(seen.largest, piece.length)
      return piece
    },
  }
  return { source, seen }
}

const stingyOf = (bytes: Uint8Array) =>
  stingy(bytes.length, (target, start) => target.set(bytes.subarray(start, start + target.length)))

/** The same bytes again and again. */
const repeated = (bytes: Uint8Array, times: number) =>
  stingy(bytes.length * times, (target, start) => {
    for (let at = 0; at < target.length;) {
      const from = (start + at) % bytes.length
      const part = bytes.subarray(from, from + target.length - at)
      target.set(part, at)
      at += part.length
    }
  })

const read = (name: string) => new Uint8Array(readFileSync(join(data, name)))

/** Stereo at 44.1 kHz: the same second again and again. */
function longWav(seconds: number) {
  const second = Float32Array.from({ length: 44_100 }, (_, i) => Math.sin(i / 7) / 2)
  const { bytes } = encodeWav([second, second], 44_100)
  const [header, sound] = [Uint8Array.from(bytes.subarray(0, 44)), bytes.subarray(44)]
  new DataView(header.buffer).setUint32(4, seconds * sound.length + 36, true)
  new DataView(header.buffer).setUint32(40, seconds * sound.length, true)
  return stingy(44 + seconds * sound.length, (target, start) => {
    for (let at = 0; at < target.length;) {
      const place = start + at
      const part = place < 44 ? header.subarray(place) : sound.subarray((place - 44) % sound.length)
      const some = part.subarray(0, target.length - at)
      target.set(some, at)
      at += some.length
    }
  })
}

/** One Ogg stream whose pages with sound come again and again. */
function longOgg(bytes: Uint8Array, times: number): Uint8Array {
  const pages: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const segments = bytes[at + 26]!
    const sizes = bytes.subarray(at + 27, at + 27 + segments)
    const length = 27 + segments + sizes.reduce((sum, size) => sum + size, 0)
    pages.push(bytes.subarray(at, at + length))
    at += length
  }
  const sounding = pages.filter((page) => new DataView(page.buffer, page.byteOffset).getBigInt64(6, true) > 0)
  const silent = pages.filter((page) => !sounding.includes(page))
  const all = [...silent, ...Array.from({ length: times }, () => sounding).flat()]
  return Buffer.concat(
    all.map((page, number) => {
      const copy = Uint8Array.from(page)
      const view = new DataView(copy.buffer)
      copy[5] = (copy[5]! & 3) | (number === all.length - 1 ? 4 : 0)
      // Further apart than the samples in between: nothing is taken off at the end.
      if (number >= silent.length) view.setBigInt64(6, 1_000_000n * BigInt(number), true)
      view.setUint32(18, number, true)
      view.setUint32(22, oggCrc(copy), true)
      return copy
    }),
  )
}

describe('decodeStream', () => {
  it.each(names)('%s: the samples of the whole, from a file and from small pieces', async (name) => {
    const path = join(data, name)
    const whole = await decodeAudio(new Uint8Array(readFileSync(path)), { name: path }).catch(
      (error: unknown) => error,
    )
    for (const source of [path, stingyOf(new Uint8Array(readFileSync(path))).source]) {
      const parts: number[][] = []
      const stream = async () => {
        await using audio = await decodeStream(source, { name: path })
        for await (const block of audio.blocks) {
          for (const [c, channel] of block.entries()) {
            parts[c] ??= []
            for (const x of channel) parts[c].push(x)
          }
        }
        const { sampleRate, encoding, cutShort } = audio
        const channels = parts.map((part) => Float32Array.from(part))
        return { channels, sampleRate, encoding, ...(cutShort === undefined ? {} : { cutShort }) }
      }
      expect(await stream().catch((error: unknown) => error)).toEqual(whole)
    }
  })

  const minutes = 10
  const long: [string, () => ReturnType<typeof stingy>][] = [
    ['WAV', () => longWav(60 * minutes)],
    ['FLAC', () => stingyOf(silentFlac(44_100 * 60 * minutes))],
    ['MP3', () => repeated(read('odd/stereo.mp3'), 1000)],
    ['Ogg Vorbis', () => stingyOf(longOgg(read('formats/vorbis.ogg'), 2000))],
    ['Ogg Opus', () => stingyOf(longOgg(read('odd/plain.opus'), 2000))],
  ]

  it.each(long)('a long %s lies in memory in pieces only', async (_, make) => {
    const { source, seen } = make()
    await using audio = await decodeStream(source, { maxSeconds: Infinity, maxExpansion: Infinity })
    let samples = 0
    let largest = 0
    for await (const block of audio.blocks) {
      samples += block[0]!.length
      largest = Math.max(largest, block.length * block[0]!.length)
    }
    expect(samples).toBe(audio.samples)
    expect(samples).toBeGreaterThan(10 * largest)
    expect(largest).toBeLessThanOrEqual(2 ** 21)
    expect(seen.largest).toBeLessThanOrEqual(2 ** 20)
  })

  it('closes what it opened, when it is left early and when it fails', async () => {
    const open = () => process.getActiveResourcesInfo().filter((name) => /FileHandle/i.test(name)).length
    const before = open()
    const path = join(data, 'formats/pcm-24-stereo.wav')
    {
      await using audio = await decodeStream(path)
      for await (const block of audio.blocks) {
        expect(block).toHaveLength(2)
        break
      }
    }
    await expect(decodeStream(join(data, 'formats/ms-adpcm.wav'))).rejects.toThrow(/MS-ADPCM/)
    await expect(decodeStream(path, { maxSeconds: 0.01 })).rejects.toMatchObject({ code: 'TOO_LONG' })
    expect(open()).toBe(before)
  })

  it('stops between blocks when it is told to', async () => {
    const { source } = stingyOf(silentFlac(44_100 * 120))
    const controller = new AbortController()
    await using audio = await decodeStream(source, { signal: controller.signal })
    let blocks = 0
    const reading = (async () => {
      for await (const block of audio.blocks) {
        expect(block).toHaveLength(1)
        if (++blocks === 2) controller.abort()
      }
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
    expect(blocks).toBe(2)
  })
})

describe('bytes of a file', () => {
  it('are read where they are asked for, whatever lies between', async () => {
    const path = join(data, 'odd/lame.mp3')
    const bytes = readFileSync(path)
    await using file = await FileSource.open(path)
    expect(file.length).toBe(bytes.length)
    for (const [start, count] of [
      [0, 4],
      [1000, 10],
      [5, 1],
      [bytes.length - 3, 100],
      [bytes.length + 7, 4],
      [0, bytes.length],
    ] as const)
      expect(Buffer.from(await file.read(start, count))).toEqual(bytes.subarray(start, start + count))
    const part = sliceSource(file, 10, 20)
    expect(Buffer.from(await part.read(4, 100))).toEqual(bytes.subarray(14, 20))
    expect(part.length).toBe(10)
  })

  it('a pattern is found across the pieces', async () => {
    const bytes = new Uint8Array(600_000)
    for (const place of [0, 262_141, 262_143, 262_144, 599_996]) {
      bytes.fill(0).set(Buffer.from('OggS'), place)
      expect(await find(memorySource(bytes), 'OggS', 0)).toBe(place)
      expect(await find(memorySource(bytes), 'OggS', place + 1)).toBe(-1)
      expect(await find(memorySource(bytes), 'OggS', 0, place + 3)).toBe(-1)
    }
  })
})
