import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeStream, type Fingerprint, fingerprint, monoBlocks, resample } from '../audio/index.js'
import { readCsv } from '../base/csv.js'
import { Rng } from '../base/rng.js'
import { describeWithRealData } from '../testing/real-data/index.js'
import { nearDuplicates } from './near-duplicates.js'

const rate = 16_000

/** Noise whose colour and loudness wander, as those of rain, wheels or speech do. */
function recording(name: string, seconds = 4): Float32Array {
  const rng = new Rng(3, name)
  let [low, colour, level] = [0, 0.5, 0.5]
  return Float32Array.from({ length: seconds * rate }, (_, i) => {
    if (i % 800 === 0) [colour, level] = [rng.between(0.05, 0.9), rng.between(0.05, 0.9)]
    low += colour * (rng.normal() - low)
    return 0.3 * level * low
  })
}

const printOf = (samples: Float32Array, sampleRate = rate): Promise<Fingerprint> =>
  fingerprint({ sampleRate, blocks: [samples] })

const silence = (seconds: number): Float32Array => new Float32Array(Math.round(seconds * rate))

function joined(...parts: Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]))
}

describe('nearDuplicates', () => {
  const rain = recording('rain')

  it.each([
    ['louder', rain.map((x) => 2 * x), 0],
    ['the other way round', rain.map((x) => -x), 0],
    ['in 8 bits', rain.map((x) => Math.round(127 * x) / 127), 0],
    ['behind silence', joined(silence(0.2373), rain), 0.2373],
    ['the middle', rain.subarray(rate, 3 * rate), -1],
    ['in a longer recording', joined(recording('street', 5), rain, recording('sea', 3)), 5],
  ])('finds a recording again that is %s', async (_, copy, shift) => {
    const prints = [await printOf(recording('wind')), await printOf(rain), await printOf(copy)]
    const pairs = await nearDuplicates(prints)
    expect(pairs).toHaveLength(1)
    const [{ a, b, inA, inB, seconds, differing, covered }] = pairs as [(typeof pairs)[0]]
    expect([a, b]).toEqual([1, 2])
    expect(Math.abs(inB - inA - shift)).toBeLessThan(0.03)
    expect(seconds).toBeGreaterThan(0.9 * Math.min(4, copy.length / rate))
    expect(differing).toBeLessThan(0.25)
    expect(covered).toBeGreaterThan(0.9)
  })

  it('finds it at another rate', async () => {
    const copy = await resample(rain, rate, 11_025)
    const [pair] = await nearDuplicates([await printOf(rain), await printOf(copy, 11_025)])
    expect(pair).toMatchObject({ a: 0, b: 1 })
  })

  it('finds what two cuts of one recording share, and where', async () => {
    const long = recording('long', 12)
    const [one, other] = [long.subarray(0, 8 * rate), long.subarray(6 * rate)]
    const [pair] = await nearDuplicates([await printOf(one), await printOf(other)])
    expect(pair!.seconds).toBeCloseTo(2, 0)
    expect(pair!.inA).toBeCloseTo(6, 0)
    expect(pair!.inB).toBeCloseTo(0, 0)
    expect(pair!.covered).toBeLessThan(0.5)
  })

  it('takes other noise, tones, clicks and silence for nothing', async () => {
    const tone = (hertz: number) =>
      Float32Array.from({ length: 2 * rate }, (_, i) => 0.4 * Math.sin((2 * Math.PI * hertz * i) / rate))
    const clicks = (every: number) =>
      Float32Array.from({ length: 2 * rate }, (_, i) => (i % every < 3 ? 0.5 : 0))
    const others = [
      ...Array.from({ length: 12 }, (_, n) => recording(`other ${n}`)),
      ...[440, 622, 880].map(tone),
      ...[4000, 5003].map(clicks),
      silence(2),
      silence(2),
      Float32Array.of(0.1),
    ]
    expect(await nearDuplicates(await Promise.all(others.map((one) => printOf(one))))).toEqual([])
  })

  it('two short sounds that are alike may be two beeps: that is said', async () => {
    const beep = rain.subarray(0, rate / 2)
    const pairs = await nearDuplicates([await printOf(beep), await printOf(beep), await printOf(rain)])
    expect(pairs.map(({ a, b, sure }) => [a, b, sure])).toEqual([
      [0, 1, false],
      [0, 2, false],
      [1, 2, false],
    ])
  })

  it('is a function of the samples alone: blocks, order and company change nothing', async () => {
    const blocks = [rain.subarray(0, 700), rain.subarray(700, 30_000), rain.subarray(30_000)]
    const whole = await printOf(rain)
    expect(await fingerprint({ sampleRate: rate, blocks })).toEqual(whole)
    const copy = await printOf(rain.subarray(8000))
    const others = await Promise.all(['wind', 'sea', 'road'].map((name) => printOf(recording(name))))
    const [alone] = await nearDuplicates([whole, copy])
    const [among] = await nearDuplicates([others[0]!, whole, others[1]!, copy, others[2]!])
    expect(among).toEqual({ ...alone, a: 1, b: 3 })
    const [turned] = await nearDuplicates([copy, whole])
    expect(turned).toEqual({ ...alone, inA: alone!.inB, inB: alone!.inA })
  })

  it('refuses scores of 0, a text for options, and stops when told', async () => {
    await expect(nearDuplicates([], { wholeScore: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(nearDuplicates([], 'all' as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const signal = AbortSignal.abort()
    await expect(nearDuplicates([await printOf(rain)], { signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await nearDuplicates([])).toEqual([])
  })
})

describeWithRealData('real recordings in two formats', (data) => {
  it('are found at any rate, in 8 bits, with MP3 and Vorbis, and no other pair is', async () => {
    const { rows } = await readCsv(join(data, 'formats', 'formats.csv'))
    const files = rows.map((row) => join(data, row.get('file')))
    const contents = rows.map((row) => row.get('same_content_as'))
    const prints: Fingerprint[] = []
    for (const file of files) {
      await using stream = await decodeStream(file)
      prints.push(await fingerprint(monoBlocks(stream)))
    }
    const pairs = await nearDuplicates(prints)
    const wanted = contents.flatMap((content, a) =>
      contents.flatMap((other, b) => (b > a && content === other ? [[a, b]] : [])),
    )
    expect(wanted).toHaveLength(10)
    expect(pairs.map(({ a, b }) => [a, b])).toEqual(wanted)
  })
})
