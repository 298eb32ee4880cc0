import { expect, it } from 'vitest'
import { collect } from './collect.js'
import { decodeAudio, readMono } from './decode.js'
import { encodeWav } from './encode-wav.js'
import type { AudioStream } from './formats/format.js'

const file = { file: 'a.wav', bytes: 1 << 20 }

/** A stream of the numbers 0 … n - 1 in pieces of 4 that writes them in place, and states a length of its own. */
function counting(n: number, samples: number) {
  const seen = { pieces: 0, inPlace: 0 }
  async function* blocks(into?: readonly Float32Array[]) {
    for (let from = 0; from < n; from += 4) {
      const count = Math.min(4, n - from)
      const place = into !== undefined && from + count <= into[0]!.length
      const piece = place ? into[0]!.subarray(from, from + count) : new Float32Array(count)
      for (let i = 0; i < count; i++) piece[i] = from + i
      seen.pieces++
      if (place) seen.inPlace++
      yield [piece]
    }
  }
  const stream: AudioStream = {
    sampleRate: 8000,
    channels: 1,
    encoding: 'counting',
    samples,
    blocks: blocks(),
    blocksInto: blocks,
  }
  return { stream, seen }
}

it.each([
  ['as long as it said', 20, 20, 5],
  ['shorter than it said', 18, 20, 5],
  ['longer than it said', 42, 20, 5],
])('a stream that writes in place, %s, gives its samples', async (_, n, stated, inPlace) => {
  const { stream, seen } = counting(n, stated)
  const [samples] = await collect(stream, file)
  expect(samples).toEqual(Float32Array.from({ length: n }, (_, i) => i))
  expect(seen.inPlace).toBe(inPlace)
})

it('what a file of a few bytes claims is not allocated to write in place', async () => {
  const { stream, seen } = counting(20, 2 ** 28)
  expect((await collect(stream, { file: 'a.wav', bytes: 100 }))[0]).toHaveLength(20)
  expect(seen).toEqual({ pieces: 5, inPlace: 0 })
})

it('a long WAV has the samples and the mix of its parts', async () => {
  const n = 150_001
  const left = Float32Array.from({ length: n }, (_, i) => (i % 1000) / 1024)
  const right = Float32Array.from({ length: n }, (_, i) => -(i % 77) / 128)
  const { bytes } = encodeWav([left, right], 44_100, { format: 'float32' })
  expect((await decodeAudio(bytes)).channels).toEqual([left, right])
  const { samples } = await readMono(bytes)
  expect(samples).toEqual(left.map((x, i) => (x + right[i]!) / 2))
})
