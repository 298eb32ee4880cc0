import { createHash } from 'node:crypto'
import { openBackend } from '../backend/open.js'
import type { Backend } from '../backend/port.js'
import { throwIfAborted } from '../base/abort.js'
import { expected, SonotextError } from '../base/errors.js'
import { matrix, type Matrix } from '../base/matrix.js'
import {
  checkLogMelOptions,
  logMelOptions,
  type LogMelOptions,
  type LogMelPreset,
} from './log-mel-presets.js'
import { melFilters } from './mel-filters.js'
import { resample } from './resample.js'
import { resampleBlocks } from './resample-blocks.js'
import { blockSamples, SampleWindow, type SampleBlocks } from './sample-blocks.js'
import { Staging } from './staging.js'

/** Where a {@link LogMel} is computed. */
export interface LogMelSettings {
  /** Default: what openBackend() gives. */
  backend?: Backend
}

/** Options of one computation by a {@link LogMel}. */
export interface ComputeOptions {
  /** Rate of `pcm` in Hz when it is not the options' own: it is resampled first. */
  sampleRate?: number
  signal?: AbortSignal
}

/** A log-mel front end with fixed options. */
export interface LogMel {
  readonly options: LogMelOptions
  /** Hexadecimal; equal options give equal hashes on every machine, any difference gives another. */
  readonly hash: string
  readonly bands: number
  /** Bands that no FFT bin falls into (too many bands for nFft, or bands above half the sample rate): they are constant. */
  readonly emptyBands: number
  /** Seconds between frames. */
  readonly frameStep: number
  /** Frames for this many samples at options.sampleRate. */
  frames(samples: number): number
  /**
   * Features [frames × bands] of one channel of samples.
   * @throws SonotextError INVALID_DATA for a clip that is too short, ABORTED
   */
  compute(pcm: Float32Array, options?: ComputeOptions): Promise<Matrix>
  /**
   * The same of sound of any length, as frames come: the bits of {@link compute} over the whole, in memory that does not grow with it.
   * @throws SonotextError as {@link compute}
   */
  blocks(
    audio: SampleBlocks,
    options?: Pick<ComputeOptions, 'signal'>,
  ): AsyncGenerator<Matrix, void, undefined>
}

/** Part of every hash: changed when the same options would give other numbers. */
const VERSION = 'log-mel 1'

const precisions = { float64: 0, float32: 1 } as const
const logKinds = { none: 0, 'ln-add': 1, 'ln-max': 2, decibel: 3 } as const

/**
 * A log-mel front end from a preset's name and what to replace in it, or from complete options as stored with features:
 * `logMel('thesis', { sampleRate: 44_100 })`. See LogMelOptions for what is computed and the presets for their sources.
 * @throws SonotextError INVALID_ARGUMENT, see {@link logMelOptions}
 */
export function logMel(
  preset: LogMelPreset | LogMelOptions,
  overrides: Partial<LogMelOptions> = {},
  settings: LogMelSettings = {},
): LogMel {
  const options = Object.freeze(
    typeof preset === 'string' ? logMelOptions(preset, overrides) : checked({ ...preset, ...overrides }),
  )
  const { nFft, hop, bands, sampleRate } = options
  const backend = settings.backend ?? openBackend()
  const filters = melFilters(options)
  const window = hannWindow(options.windowLength, nFft)
  const pad = options.centre ? Math.floor(nFft / 2) : 0
  const frames = (samples: number) =>
    samples < 1 || samples + 2 * pad < nFft ? 0 : 1 + Math.floor((samples + 2 * pad - nFft) / hop)

  /** The first `count` frames of samples. */
  const compute = async (samples: Float32Array, count: number, signal: AbortSignal | undefined) => {
    using staging = new Staging(backend)
    const out = staging.output(count * bands)
    await backend.runAsync(
      'log_mel',
      {
        pcm: staging.input(samples),
        window: staging.input(window),
        filterStart: filters.start,
        filterOffset: filters.offset,
        filterWeights: staging.input(filters.weights),
        out,
        nFft,
        hop,
        frames: count,
        bands,
        pad,
        padMode: options.padMode === 'reflect' ? 1 : 0,
        power: options.power,
        logKind: logKinds[options.log],
        precision: precisions[options.precision ?? 'float64'],
        offset: options.offset,
      },
      signal === undefined ? {} : { signal },
    )
    return matrix(count, bands, staging.take(out))
  }

  /** Frames in front of a piece so that its own frames do not reach outside the samples, nor what is reflected at its end. */
  const lead = Math.ceil(pad / hop) + 1

  async function* blocks(
    audio: SampleBlocks,
    { signal }: Pick<ComputeOptions, 'signal'> = {},
  ): AsyncGenerator<Matrix, void, undefined> {
    throwIfAborted(signal)
    const resampled = resampleBlocks(audio, sampleRate, {
      quality: options.resampleQuality,
      backend,
      ...(signal === undefined ? {} : { signal }),
    })
    const held = new SampleWindow()
    let done = 0
    const piece = async (until: number): Promise<Matrix> => {
      const first = Math.max(0, done - lead)
      const { data } = await compute(held.from(first * hop), until - first, signal)
      const frames = matrix(until - done, bands, data.subarray((done - first) * bands))
      done = until
      held.dropBefore(Math.max(0, done - lead) * hop)
      return frames
    }
    for await (const block of resampled.blocks) {
      throwIfAborted(signal)
      for (let at = 0; at < block.length; at += blockSamples) {
        held.append(block.subarray(at, at + blockSamples))
        // Frames that lie before the end whatever follows.
        const whole = Math.floor((held.end + pad - nFft) / hop)
        if (whole > done && held.end - done * hop >= blockSamples) yield await piece(whole)
      }
    }
    const count = frames(held.end)
    checkLength(held.end, count, pad, options)
    if (count > done) yield await piece(count)
  }

  return {
    options,
    hash: logMelHash(options),
    bands,
    emptyBands: filters.emptyBands,
    frameStep: hop / sampleRate,
    frames,
    blocks,
    async compute(pcm, { sampleRate: rate = sampleRate, signal } = {}) {
      if (!(pcm instanceof Float32Array)) throw expected('a Float32Array', 'pcm', pcm)
      throwIfAborted(signal)
      const samples =
        rate === sampleRate
          ? pcm
          : await resample(pcm, rate, sampleRate, {
              quality: options.resampleQuality,
              backend,
              ...(signal === undefined ? {} : { signal }),
            })
      const count = frames(samples.length)
      checkLength(samples.length, count, pad, options)
      return compute(samples, count, signal)
    },
  }
}

/** Hash of complete options: SHA-256 of their canonical JSON, 16 hexadecimal digits. Precision float64 is as if it were left out. */
export function logMelHash({ precision = 'float64', ...others }: LogMelOptions): string {
  const options = precision === 'float64' ? others : { ...others, precision }
  const canonical = JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)))
  return createHash('sha256').update(`${VERSION}\n${canonical}`).digest('hex').slice(0, 16)
}

function checked(options: LogMelOptions): LogMelOptions {
  checkLogMelOptions(options)
  return options
}

function checkLength(
  samples: number,
  frames: number,
  pad: number,
  { padMode, centre, nFft }: LogMelOptions,
): void {
  const tooShort = (what: string, remedy: string) =>
    new SonotextError('INVALID_DATA', `Expected ${what}, got ${samples} samples.`, { remedy })
  if (samples === 0) throw tooShort('a clip with sound in it', 'Leave the clip out.')
  if (centre && padMode === 'reflect' && samples <= pad) {
    throw tooShort(
      `more than ${pad} samples to reflect at the ends of the clip`,
      "Leave the clip out, or take padMode 'zeros' for this run.",
    )
  }
  if (frames === 0)
    throw tooShort(`at least one frame of ${nFft} samples`, 'Leave the clip out, or take centre: true.')
}

/** Periodic Hann window in the middle of nFft zeros: [2 × nFft] float32 values, then what rounding cut off. */
function hannWindow(length: number, nFft: number): Float32Array {
  const window = new Float32Array(2 * nFft)
  const left = Math.floor((nFft - length) / 2)
  for (let i = 0; i < length; i++) {
    const tap = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length)
    window[left + i] = tap
    window[nFft + left + i] = tap - window[left + i]!
  }
  return window
}
