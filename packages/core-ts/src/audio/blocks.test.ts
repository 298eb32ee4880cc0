import { describe, expect, it, vi } from 'vitest'
import { openBackend, referenceBackend } from '../backend/index.js'
import { Rng } from '../base/rng.js'
import { logMel } from './log-mel.js'
import { type LogMelOptions, logMelPresets, presetSampleRate } from './log-mel-presets.js'
import { resampleBlocks } from './resample-blocks.js'
import { resample } from './resample.js'
import { blockSamples } from './sample-blocks.js'

// Small blocks, so that short signals have many of them.
vi.mock(import('./sample-blocks.js'), async (original) => ({ ...(await original()), blockSamples: 6000 }))

const noise = (length: number) => {
  const rng = new Rng(length, 'noise')
  return Float32Array.from({ length }, () => rng.between(-0.7, 0.7))
}

/** Pieces of all kinds of lengths, empty ones and very long ones too. */
function* pieces(samples: Float32Array) {
  const rng = new Rng(samples.length, 'pieces')
  for (let at = 0; at < samples.length;) {
    const length = [0, 1, 37, 1000, 5999, 6000, 20_000][rng.int(7)]!
    yield samples.subarray(at, at + length)
    at += length
  }
}

async function joined(blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>): Promise<Float32Array> {
  const all: number[] = []
  let count = 0
  for await (const block of blocks) {
    for (const x of block) all.push(x)
    if (block.length > 0) count++
  }
  blockCount = count
  return Float32Array.from(all)
}
let blockCount = 0

const backends = [openBackend(), referenceBackend()]

describe.each(backends)('block by block on $info.device', (backend) => {
  it.each([
    [44_100, 22_050, 'high'],
    [22_050, 44_100, 'high'],
    [48_000, 44_100, 'high'],
    [44_100, 48_000, 'high'],
    [8_000, 11_025, 'high'],
    [44_100, 16_001, 'high'],
    [44_100, 16_000, 'staged'],
    [48_000, 8_000, 'staged'],
  ] as const)('%d Hz to %d Hz, %s, gives the bits of the whole', async (from, to, quality) => {
    for (const length of [0, 1, 100, blockSamples, 48_000, 61_234]) {
      const samples = noise(length)
      const whole = await resample(samples, from, to, { backend, quality })
      const parts = resampleBlocks({ sampleRate: from, blocks: pieces(samples) }, to, { backend, quality })
      expect(parts.sampleRate).toBe(to)
      expect(await joined(parts.blocks)).toEqual(whole)
      if (length === 61_234 && to !== 16_001) expect(blockCount).toBeGreaterThan(3)
    }
  })

  const variants: [string, Partial<LogMelOptions>][] = [
    ...logMelPresets.map((preset): [string, Partial<LogMelOptions>] => [preset, {}]),
    ['thesis', { padMode: 'reflect' }],
    ['torchaudio', { precision: 'float32' }],
    ['thesis', { centre: false }],
    ['thesis', { hop: 4000 }],
    ['torchaudio', { nFft: 401, hop: 1 << 9 }],
  ]
  it.each(variants)('log-mel %s %o gives the bits of the whole', async (preset, overrides) => {
    const name = preset as (typeof logMelPresets)[number]
    const rate = presetSampleRate(name) ?? 22_050
    const mel = logMel(name, { sampleRate: rate, ...overrides }, { backend })
    for (const length of [2048, 12_000, 47_999, 48_000]) {
      for (const sampleRate of [rate, 32_000]) {
        const samples = noise(length)
        const whole = await mel.compute(samples, { sampleRate })
        const data: number[] = []
        let count = 0
        for await (const block of mel.blocks({ sampleRate, blocks: pieces(samples) })) {
          expect(block.cols).toBe(whole.cols)
          for (const x of block.data) data.push(x)
          count++
        }
        expect(Float32Array.from(data)).toEqual(whole.data)
        if (length === 48_000 && sampleRate === rate) expect(count).toBeGreaterThan(3)
      }
    }
  })

  it('refuses what compute refuses, and stops', async () => {
    const mel = logMel('clap', {}, { backend })
    const all = async (samples: Float32Array, signal?: AbortSignal) => {
      for await (const block of mel.blocks({ sampleRate: 48_000, blocks: [samples] }, signal && { signal }))
        expect(block.cols).toBe(64)
    }
    await expect(all(new Float32Array(0))).rejects.toThrow(/a clip with sound in it/)
    await expect(all(new Float32Array(512))).rejects.toThrow(/more than 512 samples to reflect/)
    await expect(all(noise(9000), AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
