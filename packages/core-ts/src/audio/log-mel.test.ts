import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openBackend, referenceBackend, type Backend } from '../backend/index.js'
import { SonotextError } from '../base/errors.js'
import { row } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { describeWithRealData } from '../testing/real-data/index.js'
import { readMono } from './decode.js'
import { frontEnd } from './front-ends.js'
import { logMel } from './log-mel.js'
import {
  logMelOptions,
  logMelPresets,
  presetSampleRate,
  type LogMelOptions,
  type LogMelPreset,
} from './log-mel-presets.js'
import { decodeNpy } from '../base/npy.js'

const folder = fileURLToPath(new URL('../../test-data/audio/', import.meta.url))

interface Golden {
  file: string
  preset: LogMelPreset
  golden: string
  padMode?: 'reflect'
  frames?: number[]
  of?: number
}
const index = JSON.parse(readFileSync(join(folder, 'log-mel.json'), 'utf8')) as {
  synthetic: Golden[]
  real: Golden[]
}

/** The reference and every instruction set that this machine has; without the addon only the reference. */
function backends(): Backend[] {
  const native = (['scalar', 'avx2', 'avx512', 'neon'] as const).flatMap((isa) => {
    try {
      return [openBackend({ device: 'cpu', isa })]
    } catch {
      return []
    }
  })
  return [referenceBackend(), ...native]
}
const all = backends()
const nameOf = ({ info }: Backend) => info.isa ?? info.device

/** Largest difference in natural logarithm between a golden's rows and the frames they stand for. */
async function worstDifference(
  path: string,
  { preset, golden, padMode, frames, of }: Golden,
  backend: Backend,
): Promise<number> {
  const { samples, sampleRate } = await readMono(path)
  const own = presetSampleRate(preset)
  const mel = logMel(
    preset,
    { ...(own === undefined ? { sampleRate } : {}), ...(padMode && { padMode }) },
    { backend },
  )
  const got = await mel.compute(samples, { sampleRate })
  const wanted = decodeNpy(readFileSync(join(folder, golden)), golden)
  expect([got.rows, got.cols]).toEqual([of ?? wanted.rows, wanted.cols])
  const unit = mel.options.log === 'decibel' ? Math.LN10 / 10 : 1
  let worst = 0
  for (let f = 0; f < wanted.rows; f++) {
    const ours = row(got, frames?.[f] ?? f)
    row(wanted, f).forEach((x, b) => (worst = Math.max(worst, Math.abs(x - ours[b]!) * unit)))
  }
  return worst
}

describe('goldens of librosa and of torchaudio’s formulas', () => {
  describe.each(all.map((backend) => [nameOf(backend), backend] as const))('%s', (_, backend) => {
    it.each(index.synthetic)('$golden', async (golden) => {
      expect(await worstDifference(join(folder, golden.file), golden, backend)).toBeLessThan(1e-5)
    })
  })
})

describeWithRealData('goldens of real clips', (data) => {
  it.each(index.real)('$golden', async (golden) => {
    const backend = all.at(-1)!
    expect(await worstDifference(join(data, golden.file), golden, backend)).toBeLessThan(1e-5)
  })

  it.each(logMelPresets)('%s: all backends agree on a whole clip', async (preset) => {
    const { samples, sampleRate } = await readMono(join(data, 'esc10/audio/1-17150-A-12.wav'))
    const part = samples.subarray(0, sampleRate)
    const rate = presetSampleRate(preset) === undefined ? { sampleRate } : {}
    const [first, ...others] = await Promise.all(
      all.map((backend) => logMel(preset, rate, { backend }).compute(part, { sampleRate })),
    )
    // Resampled first: silence above the clip's own band is rounding noise, clamped by the offset.
    for (const other of others) {
      const worst = other.data.reduce((w, x, i) => Math.max(w, Math.abs(x - first!.data[i]!)), 0)
      expect(worst).toBeLessThan(preset === 'clap' ? 1e-3 : 1e-4)
    }
  })
})

/** Errors of docs/numerics.md, largest and rms, with room for other instruction sets. */
const narrowErrors = [
  { name: 'clap', options: logMelOptions('clap'), noise: [8e-6, 4e-7], tone: [2e-2, 3e-3] },
  {
    name: 'torchaudio',
    options: logMelOptions('torchaudio', { sampleRate: 16_000 }),
    ...{ noise: [4e-5, 6e-7], tone: [5e-5, 5e-6] },
  },
  { name: 'whisper', options: frontEnd({ preset: 'whisper' }).mel!, noise: [2e-5, 4e-7], tone: [3e-4, 4e-6] },
  { name: 'yamnet', options: frontEnd({ preset: 'yamnet' }).mel!, noise: [4e-6, 2e-7], tone: [1e-2, 2e-3] },
]

describe.each(all.slice(1).map((backend) => [nameOf(backend), backend] as const))(
  'float32 transforms on %s',
  (_, backend) => {
    it.each(narrowErrors)('$name: off by no more than is stated', async ({ options, noise, tone }) => {
      const rng = new Rng(1, 'noise')
      const length = options.sampleRate
      const errors = async (pcm: Float32Array) => {
        const [wide, narrow] = await Promise.all(
          (['float64', 'float32'] as const).map((precision) =>
            logMel({ ...options, precision }, {}, { backend }).compute(pcm),
          ),
        )
        const unit = options.log === 'decibel' ? Math.LN10 / 10 : 1
        return wide!.data.map((x, i) => Math.abs(x - narrow!.data[i]!) * unit)
      }
      const hiss = await errors(Float32Array.from({ length }, () => 0.1 * rng.normal()))
      const pure = await errors(
        Float32Array.from({ length }, (_, i) => 0.9 * Math.sin((2000 * Math.PI * i) / length)),
      )
      for (const [found, [largest, rms]] of [
        [hiss, noise],
        [pure, tone],
      ] as const) {
        expect(found.some((error) => error > 0)).toBe(true)
        expect(found.reduce((most, error) => Math.max(most, error), 0)).toBeLessThan(largest!)
        expect(Math.sqrt(found.reduce((sum, e) => sum + e * e, 0) / found.length)).toBeLessThan(rms!)
      }
    })
  },
)

describe('options', () => {
  it('the thesis at 44.1, 32, 48 and 11.025 kHz', () => {
    const sizes = [44_100, 32_000, 48_000, 11_025].map((sampleRate) => {
      const { windowLength, hop, nFft } = logMelOptions('thesis', { sampleRate })
      return [windowLength, hop, nFft]
    })
    expect(sizes).toEqual([
      [1764, 882, 2048],
      [1280, 640, 2048],
      [1920, 960, 2048],
      [441, 220, 512],
    ])
    expect(logMel('thesis', { sampleRate: 44_100 }).frames(30 * 44_100)).toBe(1501)
  })

  it.each(logMelPresets)('%s: complete, plain data that gives the same front end again', (preset) => {
    const options = logMelOptions(
      preset,
      presetSampleRate(preset) === undefined ? { sampleRate: 16_000 } : {},
    )
    const again = JSON.parse(JSON.stringify(options)) as LogMelOptions
    expect(again).toEqual(options)
    expect(logMel(again).hash).toBe(logMel(options).hash)
  })

  it('every option changes the hash, their order does not', () => {
    const options = logMelOptions('thesis', { sampleRate: 44_100 })
    const other: LogMelOptions = {
      sampleRate: 48_000,
      resampleQuality: 'fast',
      windowLength: 1000,
      hop: 441,
      nFft: 4096,
      centre: false,
      padMode: 'reflect',
      power: 1,
      bands: 40,
      fMin: 0,
      fMax: 7000,
      melScale: 'htk',
      melNorm: 'none',
      log: 'ln-max',
      offset: 1e-9,
      precision: 'float32',
    }
    const keys = Object.keys(other) as (keyof LogMelOptions)[]
    const hashes = keys.map((key) => logMel({ ...options, [key]: other[key] }).hash)
    expect(new Set([logMel(options).hash, ...hashes]).size).toBe(keys.length + 1)
    const reversed = Object.fromEntries(Object.entries(options).reverse()) as unknown as LogMelOptions
    expect(logMel(reversed).hash).toBe(logMel(options).hash)
    expect(logMel({ ...options, precision: 'float64' }).hash).toBe(logMel(options).hash)
  })

  it('the hash of the thesis front end is what it was', () => {
    expect(logMel('thesis', { sampleRate: 44_100 }).hash).toMatchInlineSnapshot(`"d3842c5ca337cb53"`)
  })

  it.each([
    [
      'an unknown preset',
      () => logMel('mfcc' as 'thesis', { sampleRate: 8000 }),
      /Expected one of thesis, dcase2023/,
    ],
    ['no sample rate', () => logMel('thesis'), /sample rate of the clips/],
    ['another rate for clap', () => logMel('clap', { sampleRate: 44_100 }), /48000 Hz for preset 'clap'/],
    [
      'an unknown option',
      () => logMel('clap', { nfft: 3 } as object),
      /Expected one of sampleRate, .* for option, got "nfft"/,
    ],
    ['a window longer than nFft', () => logMel('clap', { windowLength: 2048 }), /at most nFft = 1024/],
    ['bands upside down', () => logMel('clap', { fMin: 15_000 }), /above fMin/],
    ['NaN', () => logMel('clap', { fMin: NaN }), /0 Hz or more for fMin, got NaN/],
    [
      'an unknown precision',
      () => logMel('clap', { precision: 'float16' as 'float32' }),
      /Expected one of float64, float32 for precision, got "float16"/,
    ],
    ['an offset of 0', () => logMel('clap', { offset: 0 }), /for offset, got 0/],
    [
      'missing options',
      () => logMel({ sampleRate: 8000 } as LogMelOptions),
      /for resampleQuality, got undefined/,
    ],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message)
  })
})

describe('compute', () => {
  const mel = (overrides: Partial<LogMelOptions> = {}, backend = all.at(-1)!) =>
    logMel('torchaudio', { sampleRate: 8000, ...overrides }, { backend })
  const noise = (n: number) => {
    const rng = new Rng(1, 'noise')
    return Float32Array.from({ length: n }, () => rng.normal() * 0.1)
  }

  it.each([
    ['an empty clip', 0, {}, /sound in it/],
    ['a clip shorter than the reflection', 200, {}, /more than 200 samples to reflect/],
    ['a clip shorter than a frame', 399, { centre: false }, /at least one frame of 400 samples/],
  ])('%s is refused with a remedy', async (_, samples, overrides, message) => {
    const error = await mel(overrides)
      .compute(new Float32Array(samples))
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SonotextError)
    expect(error).toMatchObject({
      code: 'INVALID_DATA',
      message: expect.stringMatching(message),
      remedy: expect.any(String),
    })
  })

  it('takes a single sample with zeros around it', async () => {
    const { rows, data } = await mel({ padMode: 'zeros' }).compute(Float32Array.of(0.5))
    expect([rows, data.every(Number.isFinite)]).toEqual([1, true])
  })

  it('silence is the logarithm of the offset', async () => {
    const { data } = await mel().compute(new Float32Array(1000))
    expect([...new Set(data)]).toEqual([Math.fround(Math.log(1e-6))])
  })

  it('frames that are whole and not centred', async () => {
    const front = mel({ centre: false })
    expect([399, 400, 599, 600].map(front.frames)).toEqual([0, 1, 1, 2])
    const pcm = noise(1000)
    const { rows, data } = await front.compute(pcm)
    expect(rows).toBe(4)
    const alone = await front.compute(pcm.subarray(600))
    expect([...alone.data]).toEqual([...data.subarray(3 * 128)])
  })

  it('a frame does not depend on what is computed with it', async () => {
    const pcm = noise(8000)
    const whole = await mel().compute(pcm)
    for (const start of [0, 1, 7]) {
      const part = await mel().compute(pcm.subarray(200 * start, 200 * start + 3000))
      for (let f = 1; f < part.rows - 1; f++) expect([...row(part, f)]).toEqual([...row(whole, f + start)])
    }
  })

  it('resamples to its own rate', async () => {
    const front = mel()
    const tone = (rate: number) =>
      Float32Array.from({ length: rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 1000 * i) / rate))
    const direct = await front.compute(tone(8000))
    const resampled = await front.compute(tone(44_100), { sampleRate: 44_100 })
    expect(resampled.rows).toBe(direct.rows)
    const loudest = direct.data.indexOf(Math.max(...direct.data.subarray(0, 20 * 128)))
    expect(Math.abs(resampled.data[loudest]! - direct.data[loudest]!)).toBeLessThan(1e-3)
  })

  it('says how many bands are empty', () => {
    expect(mel({ sampleRate: 44_100 }).emptyBands).toBeGreaterThan(0)
    expect(logMel('clap').emptyBands).toBe(0)
  })

  it('the same bits on one thread and on two', async () => {
    const pcm = noise(30_000)
    const one = await mel({}, openBackend({ threads: 1 })).compute(pcm)
    const two = await mel({}, openBackend({ threads: 2 })).compute(pcm)
    expect(two.data).toEqual(one.data)
  })

  it('memory that JavaScript cannot touch', async () => {
    let sealed: Backend
    try {
      sealed = openBackend({ device: 'sealed' })
    } catch {
      return
    }
    const pcm = noise(3000)
    expect(await mel({}, sealed).compute(pcm)).toEqual(await mel({}, openBackend()).compute(pcm))
  })

  it('an abort', async () => {
    await expect(mel().compute(noise(1000), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})
