import { describe, expect, it } from 'vitest'
import { silentFlac } from '../testing/silent-flac.js'
import type { AudioDecoder } from './decode.js'
import { decodeAudio, decodeStream, readMono } from './decode.js'
import { encodeWav } from './encode-wav.js'

/** Blocks of zeros without end, and how many were asked for. */
function endless(sampleRate: number, channels: number, samples?: number) {
  const given = { blocks: 0 }
  async function* blocks() {
    for (;;) {
      given.blocks++
      yield Array.from({ length: channels }, () => new Float32Array(sampleRate))
    }
  }
  const decoder: AudioDecoder = {
    name: 'endless',
    open: async () => ({ sampleRate, channels, encoding: 'endless', samples, blocks: blocks() }),
  }
  return { decoder, given }
}

const unknown = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])

describe('limits', () => {
  it('a small file that stands for a long recording is refused before anything is decoded', async () => {
    const bomb = silentFlac(62_500_000)
    expect(bomb.length).toBeLessThan(14_500)
    expect((await decodeAudio(silentFlac(200_000))).channels[0]).toEqual(new Float32Array(200_000))
    const before = process.memoryUsage().arrayBuffers
    const error = await decodeAudio(bomb, { maxSeconds: 600 }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'TOO_LONG' })
    expect((error as Error).message).toBe(
      'audio: Expected at most 600 s of audio, found 1417.23 s or more. Cut it into clips, or raise the limit: maxSeconds (--max-seconds).',
    )
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10e6)
  })

  it('a small file that stands for much is refused whatever its channels, and read when it is trusted', async () => {
    const bomb = silentFlac(594 * 44_100, { channels: 8 })
    expect(bomb.length).toBeLessThan(14_500)
    const before = process.memoryUsage().arrayBuffers
    const error = await decodeAudio(bomb).catch((reason: unknown) => reason)
    expect((error as Error).message).toMatch(
      /^audio: Expected at most \d+ MB of samples in a file of \d+ bytes, found 8 × 594 s or more \(838 MB\)\. .*maxExpansion \(--max-expansion\)\.$/,
    )
    expect(error).toMatchObject({ code: 'TOO_LONG' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10e6)
    await expect(decodeAudio(bomb, { maxExpansion: 0 })).rejects.toThrow(/maxExpansion/)
    await using trusted = await decodeStream(bomb, { maxExpansion: Infinity })
    expect(trusted).toMatchObject({ channels: 8, samples: 594 * 44_100 })
  })

  it('channels are averaged as they are decoded', async () => {
    async function tenSeconds() {
      async function* blocks() {
        for (let second = 0; second < 10; second++)
          yield Array.from({ length: 64 }, (_, c) => new Float32Array(8000).fill(c / 64))
      }
      return { sampleRate: 8000, channels: 64, encoding: 'ten', samples: 80_000, blocks: blocks() }
    }
    const { samples, sampleRate } = await readMono(unknown, { decoders: [{ name: 'ten', open: tenSeconds }] })
    expect([samples.length, sampleRate, samples[79_999]]).toEqual([80_000, 8000, Math.fround(31.5 / 64)])
  })

  it('a decoder that does not end is stopped where the limit is passed', async () => {
    const { decoder, given } = endless(8000, 1)
    const error = await decodeAudio(unknown, { decoders: [decoder], maxSeconds: 5 }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'TOO_LONG' })
    expect(given.blocks).toBe(6)
  })

  it('more than 2 GiB of samples are refused whatever the limit', async () => {
    const { decoder, given } = endless(48_000, 64, 48_000 * 600)
    const error = await decodeAudio(unknown, {
      decoders: [decoder],
      maxSeconds: Infinity,
      maxExpansion: Infinity,
    }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'TOO_LONG' })
    expect((error as Error).message).toMatch(/at most 2 GiB of decoded samples, found 64 channels of 600 s/)
    expect(given.blocks).toBe(0)
  })

  it('the limit itself is allowed', async () => {
    const { bytes } = encodeWav(new Float32Array(16_000), 8000)
    expect((await decodeAudio(bytes, { maxSeconds: 2 })).channels[0]).toHaveLength(16_000)
    await expect(decodeAudio(bytes, { maxSeconds: 1.99 })).rejects.toThrow(/found 2.00 s/)
    await expect(decodeAudio(bytes, { maxSeconds: 0 })).rejects.toThrow(/maxSeconds/)
  })
})
