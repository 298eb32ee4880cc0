import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeAudio } from './decode.js'
import { encodeWav, writeWav } from './encode-wav.js'

describe('encodeWav', () => {
  it('rounds to the nearest integer and counts what it clips', () => {
    const { bytes, clipped } = encodeWav(Float32Array.of(0.6 / 32768, -0.6 / 32768, 1, -1, 1.5, -1.5), 8000)
    expect([...new Int16Array(bytes.buffer, 44)]).toEqual([1, -1, 32767, -32768, 32767, -32768])
    expect(clipped).toBe(3) // 1 is one step above the largest sample
  })

  it('keeps floats as they are', async () => {
    const audio = [Float32Array.of(1.5, -0.1), Float32Array.of(0, 1e-30)]
    const { bytes, clipped } = encodeWav(audio, 768_000, { format: 'float32' })
    expect(clipped).toBe(0)
    expect(await decodeAudio(bytes)).toEqual({
      channels: audio,
      sampleRate: 768_000,
      encoding: 'WAV float 32-bit',
    })
  })

  it.each([
    ['NaN', () => encodeWav(Float32Array.of(0, NaN), 8000), /NaN at sample 1 of channel 0/],
    [
      'infinity as float',
      () => encodeWav(Float32Array.of(Infinity), 8000, { format: 'float32' }),
      /Infinity at sample 0/,
    ],
    ['a rate of 1 Hz', () => encodeWav(Float32Array.of(0), 1), /sampleRate/],
    ['no channel', () => encodeWav([], 8000), /1 to 64 channels/],
    ['unequal channels', () => encodeWav([new Float32Array(1), new Float32Array(2)], 8000), /equal length/],
    [
      'another format',
      () => encodeWav(new Float32Array(1), 8000, { format: 'mp3' as 'pcm16' }),
      /'pcm16' or 'float32'/,
    ],
  ])('refuses %s', (_, encode, message) => {
    expect(encode).toThrow(message)
  })

  it('writes a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sonotext-encode-'))
    const path = join(folder, 'new', 'a.wav')
    expect(await writeWav(path, Float32Array.of(2, 0), 8000)).toEqual({ clipped: 1 })
    expect((await readFile(path)).length).toBe(48)
    await rm(folder, { recursive: true })
  })
})
