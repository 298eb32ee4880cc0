import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { Rng } from '../../base/rng.js'
import { mixToMono } from '../audio.js'
import { memorySource } from '../byte-source.js'
import { decodeAudio, decodeStream, monoBlocks, readMono } from '../decode.js'
import { nativeSamples } from '../native-samples.js'
import { Reading, type SampleReader } from './format.js'
import { type PcmLayout, pcmStream } from './pcm.js'

type Kind = Pick<PcmLayout, 'kind' | 'bits' | 'bigEndian'>

const orders = [false, true]
const common: readonly Kind[] = orders.flatMap((bigEndian) => [
  ...[16, 24, 32].map((bits) => ({ kind: 'signed' as const, bits, bigEndian })),
  { kind: 'float' as const, bits: 32, bigEndian },
])
const others: readonly Kind[] = [
  { kind: 'unsigned', bits: 8 },
  { kind: 'signed', bits: 8 },
  { kind: 'mu-law', bits: 8 },
  ...orders.map((bigEndian) => ({ kind: 'float' as const, bits: 64, bigEndian })),
]

/** A block of 65,536 frames and what follows it, among them. */
const lengths = [1, 2, 7, 33, 4095, 4097, 65_535, 65_536, 65_537, 131_111]

/** Drawn samples at an address where no array of theirs may begin; floats are finite. */
function drawn({ kind, bits, bigEndian = false }: Kind, samples: number): Uint8Array {
  const rng = new Rng(samples, 'pcm')
  const bytes = new Uint8Array(samples * (bits / 8) + 1).subarray(1)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const value = () => rng.normal() * 2 ** (rng.int(40) - 20)
  for (let at = 0; at < bytes.length; at += bits / 8) {
    if (kind !== 'float') for (let i = 0; i < bits / 8; i++) bytes[at + i] = rng.int(256)
    else if (bits === 32) view.setFloat32(at, value(), !bigEndian)
    else view.setFloat64(at, value(), !bigEndian)
  }
  return bytes
}

/** The channels as the definition says, sample by sample. */
function defined(
  { kind, bits, bigEndian = false }: Kind,
  bytes: Uint8Array,
  channels: number,
): Float32Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const width = bits / 8
  const at = (i: number): number => {
    if (kind === 'float') return bits === 32 ? view.getFloat32(i, !bigEndian) : view.getFloat64(i, !bigEndian)
    if (kind === 'unsigned') return (view.getUint8(i) - 128) / 128
    let integer = 0
    for (let b = 0; b < width; b++) integer += view.getUint8(i + (bigEndian ? width - 1 - b : b)) * 256 ** b
    return (integer >= 2 ** (bits - 1) ? integer - 2 ** bits : integer) / 2 ** (bits - 1)
  }
  const frames = bytes.length / width / channels
  return Array.from({ length: channels }, (_, c) =>
    Float32Array.from({ length: frames }, (_, i) => at((i * channels + c) * width)),
  )
}

/** Sums in float64 in the order of the channels, one rounding. */
function meanOf(channels: readonly Float32Array[]): Float32Array {
  return channels[0]!.map((_, i) => {
    let sum = 0
    for (const channel of channels) sum += channel[i]!
    return channels.length === 1 ? channels[0]![i]! : sum / channels.length
  })
}

const readings = {
  TypeScript: () => new Reading('a.wav'),
  addon: () => new Reading('a.wav', { samples: nativeSamples }),
}

function opened(how: keyof typeof readings, kind: Kind, bytes: Uint8Array, channels: number) {
  const layout = { ...kind, container: 'WAV', channels, sampleRate: 8000, offset: 0, bytes: bytes.length }
  return pcmStream(memorySource(bytes), layout, readings[how]())
}

async function joined(blocks: AsyncIterable<readonly Float32Array[]>, rows: number, samples: number) {
  const all = Array.from({ length: rows }, () => new Float32Array(samples))
  let at = 0
  for await (const block of blocks) {
    for (const [r, row] of block.entries()) all[r]!.set(row, at)
    at += block[0]!.length
  }
  expect(at).toBe(samples)
  return all
}

/** Bits are compared: -0 is not 0, and a NaN is one. */
const bitsOf = (rows: readonly Float32Array[]) =>
  rows.map(({ buffer, byteOffset, byteLength }) =>
    createHash('sha1')
      .update(new Uint8Array(buffer, byteOffset, byteLength))
      .digest('hex'),
  )

describe.each(Object.keys(readings) as (keyof typeof readings)[])('samples by %s', (how) => {
  it('are what the definition says, channel by channel and mixed, block by block and in place', async () => {
    const any = fc.record({
      kind: fc.constantFrom(...common, ...(how === 'addon' ? [] : others)),
      channels: fc.integer({ min: 1, max: 8 }),
      frames: fc.constantFrom(...lengths),
    })
    await fc.assert(
      fc.asyncProperty(any, async ({ kind, channels, frames }) => {
        const bytes = drawn(kind, frames * channels)
        const open = () => opened(how, kind, bytes, channels)
        const rows = await joined(open().blocks, channels, frames)
        const wanted = kind.kind === 'mu-law' ? rows : defined(kind, bytes, channels)
        const mean = [meanOf(wanted)]
        expect(bitsOf(rows)).toEqual(bitsOf(wanted))
        const places = wanted.map((row) => new Float32Array(row.length))
        for await (const block of open().blocksInto!(places)) expect(block[0]!.buffer).toBe(places[0]!.buffer)
        expect(bitsOf(places)).toEqual(bitsOf(wanted))
        expect(bitsOf(await joined(open().mono!(), 1, frames))).toEqual(bitsOf(mean))
        const place = new Float32Array(frames)
        for await (const [block] of open().mono!(place)) expect(block.buffer).toBe(place.buffer)
        expect(bitsOf([place])).toEqual(bitsOf(mean))
      }),
      { numRuns: 25 },
    )
  })

  it('of the ends of float32 have means that it holds', async () => {
    const bytes = new Uint8Array(Float32Array.of(3.4e38, 3.4e38, -0, -0, 1e-45, 0, -0, 0).buffer)
    const { mono } = opened(how, { kind: 'float', bits: 32 }, bytes, 2)
    const [mean] = await joined(mono!(), 1, 4)
    expect([...mean!].map((x) => (Object.is(x, -0) ? '-0' : x))).toEqual([Math.fround(3.4e38), 0, 0, 0])
  })

  it.each([NaN, Infinity, -Infinity])('with %d among them are refused alike, mixed or not', async (bad) => {
    const values = new Float32Array(3 * 70_000)
    values[3 * 66_000 + 2] = bad
    const bytes = new Uint8Array(values.buffer)
    const stream = () => opened(how, { kind: 'float', bits: 32 }, bytes, 3)
    const message = expect.stringContaining(`got ${bad} at sample 66000 of channel 2.`) as string
    for (const blocks of [stream().blocks, stream().mono!()]) {
      const error = await joined(blocks, 3, 70_000).catch((error: unknown) => error)
      expect(error).toMatchObject({ code: 'INVALID_DATA', message })
    }
  })

  it('so large that their squares are not finite are let through', async () => {
    const bytes = new Uint8Array(new Float32Array(64).fill(3e38).buffer)
    const [row] = await joined(opened(how, { kind: 'float', bits: 32 }, bytes, 1).blocks, 1, 64)
    expect(row![63]).toBe(Math.fround(3e38))
  })

  it('of a file that became shorter are not made up', async () => {
    const source = { length: 8000, read: async () => new Uint8Array(100) }
    const layout = {
      container: 'WAV',
      kind: 'signed',
      bits: 16,
      channels: 2,
      sampleRate: 8000,
      offset: 0,
      bytes: 8000,
    } as const
    const { blocks } = pcmStream(source, layout, readings[how]())
    await expect(joined(blocks, 2, 2000)).rejects.toMatchObject({ code: 'INVALID_FILE' })
  })

  it('in memory that can be resized are read', async () => {
    const memory = new ArrayBuffer(8, { maxByteLength: 64 })
    new Int16Array(memory).set([16_384, -16_384, 8192, -8192])
    const rows = await joined(
      opened(how, { kind: 'signed', bits: 16 }, new Uint8Array(memory), 2).blocks,
      2,
      2,
    )
    expect(rows.map((row) => [...row])).toEqual([[0.5, 0.25], [-0.5, -0.25]]) // prettier-ignore
  })
})

describe('a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sonotext-pcm-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  /** A WAV of drawn 24-bit samples; 70,000 frames are more than one block, 1,500,000 more than is read at once. */
  function wav(frames: number, channels: number): Uint8Array {
    const data = drawn({ kind: 'signed', bits: 24 }, frames * channels)
    const head = Buffer.from('RIFF....WAVEfmt ....................data....', 'latin1')
    head.writeUInt32LE(16, 16)
    head.writeUInt16LE(1, 20)
    head.writeUInt16LE(channels, 22)
    head.writeUInt32LE(16_000, 24)
    head.writeUInt32LE(16_000 * 3 * channels, 28)
    head.writeUInt16LE(3 * channels, 32)
    head.writeUInt16LE(24, 34)
    head.writeUInt32LE(data.length, 40)
    return Buffer.concat([head, data])
  }

  it.each([
    [70_000, 1],
    [70_000, 5],
    [800_000, 2],
  ])(
    'of %d frames of %d channels is the same whole, in blocks, mixed, from memory and from disk',
    async (frames, channels) => {
      const bytes = wav(frames, channels)
      const path = join(folder, `${frames}.wav`)
      writeFileSync(path, bytes)
      for (const source of [bytes, path]) {
        const whole = await decodeAudio(source)
        const mean = [mixToMono(whole.channels)]
        expect(bitsOf([(await readMono(source)).samples])).toEqual(bitsOf(mean))
        await using stream = await decodeStream(source)
        expect(bitsOf(await joined(stream.blocks, channels, frames))).toEqual(bitsOf(whole.channels))
        await using again = await decodeStream(source)
        const mixed = async function* () {
          for await (const block of monoBlocks(again).blocks) yield [block]
        }
        expect(bitsOf(await joined(mixed(), 1, frames))).toEqual(bitsOf(mean))
      }
    },
  )
})

it('without an addon, TypeScript reads them; with one, the op does', async () => {
  const layout = { channels: 1, width: 2, floats: false, bigEndian: false } as const
  expect(nativeSamples(layout)).toBeTypeOf('function')
  vi.resetModules()
  vi.doMock(import('../../backend/native.js'), async (original) => {
    const { SonotextError } = await import('../../base/errors.js')
    const nativeBackend = () => {
      throw new SonotextError('BACKEND_UNAVAILABLE', 'There is none.')
    }
    return { ...(await original()), nativeBackend }
  })
  const { nativeSamples: none } = await import('../native-samples.js')
  expect(none(layout) satisfies SampleReader | undefined).toBeUndefined()
  vi.doUnmock('../../backend/native.js')
})
