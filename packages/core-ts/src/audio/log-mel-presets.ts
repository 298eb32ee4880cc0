import { expected } from '../base/errors.js'
import { sampleRateLimits } from './audio.js'
import { type MelScale, melScales } from './mel-filters.js'
import { resampleQualities, type ResampleQualityName } from './resample-filter.js'

/** Everything that decides what a log-mel spectrogram is: plain data, to be stored beside the features. */
export interface LogMelOptions {
  /** Rate the features are computed at, Hz; audio of another rate is resampled to it. */
  readonly sampleRate: number
  readonly resampleQuality: ResampleQualityName
  /** Samples under the window: a periodic Hann window, centred in nFft with zeros around it. */
  readonly windowLength: number
  /** Samples between frames. */
  readonly hop: number
  readonly nFft: number
  /** true: frame f is centred on sample f·hop; false: it begins there and only whole frames count. */
  readonly centre: boolean
  /** What lies outside the clip when centred. */
  readonly padMode: 'zeros' | 'reflect'
  /** 1: magnitude, 2: power. */
  readonly power: 1 | 2
  readonly bands: number
  /** Hz. */
  readonly fMin: number
  /** Hz. */
  readonly fMax: number
  readonly melScale: MelScale
  readonly melNorm: 'slaney' | 'none'
  /** 'ln-add': ln(x + offset); 'ln-max': ln(max(x, offset)); 'decibel': 10·log10(max(x, offset)); 'none': x. */
  readonly log: 'ln-add' | 'ln-max' | 'decibel' | 'none'
  readonly offset: number
  /**
   * What frames are windowed and transformed in. Default float64. float32 is what torchaudio, Whisper, YAMNet and CLAP do themselves, and
   * takes less time; bands far below the loudest of their frame lose digits (docs/numerics.md).
   */
  readonly precision?: MelPrecision
}

/** What a log-mel front end transforms frames in. */
export type MelPrecision = (typeof melPrecisions)[number]

/** What a log-mel front end can transform frames in. */
export const melPrecisions = ['float64', 'float32'] as const

/** Names of the log-mel presets. */
export type LogMelPreset = keyof typeof presets

type Overrides = Partial<LogMelOptions>

function xie(sampleRate: number, fMin: number, fMax: number): LogMelOptions {
  const windowLength = roundHalfEven(0.04 * sampleRate)
  return {
    sampleRate,
    resampleQuality: 'high',
    windowLength,
    hop: roundHalfEven(0.02 * sampleRate),
    nFft: 2 ** Math.ceil(Math.log2(windowLength)),
    centre: true,
    padMode: 'zeros',
    power: 2,
    bands: 64,
    fMin,
    fMax,
    melScale: 'slaney',
    melNorm: 'slaney',
    log: 'ln-add',
    offset: 2.220446049250313e-16,
  }
}

/** The papers' code rounds as Python does: 20 ms at 11,025 Hz are 220 samples, not 221. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  return x - floor === 0.5 ? floor + (floor % 2) : Math.round(x)
}

const presets = {
  /**
   * The thesis's papers (language-based audio retrieval, negative sampling): 40 ms windows every 20 ms at the clip's own rate,
   * 64 Slaney bands from 12 to 8000 Hz, ln(x + 2⁻⁵²). Padding is zeros as in the later papers (librosa 0.9.2); the first
   * paper's librosa reflected: override padMode. The two differ in at most two frames at each end.
   */
  thesis: (sampleRate: number) => xie(sampleRate, 12, 8000),
  /** DCASE 2023 baseline: as `thesis`, from 0 Hz to half the sample rate. */
  dcase2023: (sampleRate: number) => xie(sampleRate, 0, sampleRate / 2),
  /**
   * librosa.feature.melspectrogram with its defaults (n_fft 2048, hop 512, 128 Slaney bands to half the sample rate, zero
   * padding since 0.9), then ln(max(x, 1e-10)). At the clip's own rate; librosa.load resamples to 22,050 Hz: ask for it with
   * sampleRate.
   */
  librosa: (sampleRate: number): LogMelOptions => ({
    ...xie(sampleRate, 0, sampleRate / 2),
    windowLength: 2048,
    hop: 512,
    nFft: 2048,
    bands: 128,
    log: 'ln-max',
    offset: 1e-10,
  }),
  /**
   * torchaudio.transforms.MelSpectrogram with its defaults (n_fft 400, hop 200, reflect padding, 128 HTK bands without norm;
   * some of the lowest bands are empty), then ln(x + 1e-6) as its MFCC with log_mels. At the clip's own rate. torchaudio takes
   * half an odd sample rate as an integer; this does not.
   */
  torchaudio: (sampleRate: number): LogMelOptions => ({
    ...xie(sampleRate, 0, sampleRate / 2),
    windowLength: 400,
    hop: 200,
    nFft: 400,
    padMode: 'reflect',
    bands: 128,
    melScale: 'htk',
    melNorm: 'none',
    offset: 1e-6,
  }),
  /**
   * Front end of LAION-CLAP's HTSAT (torchlibrosa) and of Hugging Face's ClapFeatureExtractor with truncation 'rand_trunc'
   * (clap-htsat-unfused): 48 kHz, 64 Slaney bands from 50 to 14,000 Hz, 10·log10(max(x, 1e-10)). The 'fusion' models use HTK
   * bands without norm: override melScale and melNorm. Cropping and repeating to 10 s are the model's, not done here.
   */
  clap: (): LogMelOptions => ({
    ...xie(48_000, 50, 14_000),
    windowLength: 1024,
    hop: 480,
    nFft: 1024,
    padMode: 'reflect',
    log: 'decibel',
    offset: 1e-10,
  }),
  /**
   * Spectrogram of YAMNet (tensorflow/models, research/audioset/yamnet): 16 kHz, magnitudes of 25 ms every 10 ms, whole frames alone, 64 HTK
   * bands without norm from 125 to 7500 Hz, ln(x + 0.001). Patches of it are the front end `yamnet` of pretrained models.
   */
  yamnet: (): LogMelOptions => ({
    ...xie(16_000, 125, 7500),
    windowLength: 400,
    hop: 160,
    nFft: 512,
    centre: false,
    power: 1,
    melScale: 'htk',
    melNorm: 'none',
    offset: 1e-3,
  }),
  /**
   * Spectrogram of Whisper (openai/whisper): 16 kHz, 25 ms every 10 ms, 80 Slaney bands to 8 kHz (128 for large-v3), ln(max(x, 1e-10)).
   * What its model hears is that in log10, no lower than 8 below the peak of 30 s, then (x + 4) / 4: the front end `whisper` does so.
   */
  whisper: (): LogMelOptions => ({
    ...xie(16_000, 0, 8000),
    windowLength: 400,
    hop: 160,
    nFft: 400,
    padMode: 'reflect',
    bands: 80,
    log: 'ln-max',
    offset: 1e-10,
  }),
}

/** Names of the presets. */
export const logMelPresets = Object.keys(presets) as readonly LogMelPreset[]

/** The rate a preset insists on, Hz; undefined where it works at the clip's own. */
export function presetSampleRate(preset: LogMelPreset): number | undefined {
  return preset === 'clap' || preset === 'yamnet' || preset === 'whisper'
    ? presets[preset]().sampleRate
    : undefined
}

/**
 * All options of a preset at a sample rate, with some of them replaced.
 * @throws SonotextError INVALID_ARGUMENT for unknown presets or options, values out of range, a missing sampleRate where the
 *   preset works at the clip's own rate, or another one where it insists on its own
 */
export function logMelOptions(preset: LogMelPreset, overrides: Overrides = {}): LogMelOptions {
  if (!Object.hasOwn(presets, preset)) throw expected(`one of ${logMelPresets.join(', ')}`, 'preset', preset)
  const fixed = presetSampleRate(preset)
  const sampleRate = overrides.sampleRate ?? fixed
  if (sampleRate === undefined) throw expected('the sample rate of the clips in Hz', 'sampleRate', undefined)
  if (fixed !== undefined && sampleRate !== fixed) {
    throw expected(`${fixed} Hz for preset '${preset}'`, 'sampleRate', sampleRate, {
      remedy: 'Leave it out: audio of another rate is resampled.',
    })
  }
  const defined = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  const options: LogMelOptions = { ...presets[preset](sampleRate), ...defined }
  checkLogMelOptions(options)
  return options
}

const integer = (min: number, max: number) => ({
  what: `an integer from ${min} to ${max}`,
  holds: (v: unknown) => Number.isInteger(v) && (v as number) >= min && (v as number) <= max,
})
const oneOf = (...values: unknown[]) => ({
  what: `one of ${values.map((v) => JSON.stringify(v)).join(', ')}`,
  holds: (v: unknown) => values.includes(v),
})
const number = (what: string, holds: (v: number) => boolean) => ({
  what,
  holds: (v: unknown) => typeof v === 'number' && Number.isFinite(v) && holds(v),
})

const rules: { readonly [K in keyof LogMelOptions]-?: { what: string; holds: (value: unknown) => boolean } } =
  {
    sampleRate: integer(sampleRateLimits.min, sampleRateLimits.max),
    resampleQuality: oneOf(...Object.keys(resampleQualities)),
    windowLength: integer(2, 65_536),
    hop: integer(1, 1 << 24),
    nFft: integer(2, 65_536),
    centre: oneOf(true, false),
    padMode: oneOf('zeros', 'reflect'),
    power: oneOf(1, 2),
    bands: integer(1, 4096),
    fMin: number('a frequency of 0 Hz or more', (v) => v >= 0),
    fMax: number('a frequency above 0 Hz', (v) => v > 0),
    melScale: oneOf(...melScales),
    melNorm: oneOf('slaney', 'none'),
    log: oneOf('ln-add', 'ln-max', 'decibel', 'none'),
    offset: number('a number of 1e-37 or more', (v) => v >= 1e-37 && v <= 1e30),
    precision: {
      what: `one of ${melPrecisions.join(', ')}`,
      holds: (v) => v === undefined || (melPrecisions as readonly unknown[]).includes(v),
    },
  }

/** Throws INVALID_ARGUMENT naming the first option that is unknown, out of range or at odds with another. */
export function checkLogMelOptions(options: LogMelOptions): void {
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(rules, key)) throw expected(`one of ${Object.keys(rules).join(', ')}`, 'option', key)
  }
  for (const [key, rule] of Object.entries(rules)) {
    const value = options[key as keyof LogMelOptions]
    if (!rule.holds(value)) throw expected(rule.what, key, value)
  }
  const { windowLength, nFft, fMin, fMax } = options
  if (windowLength > nFft) throw expected(`at most nFft = ${nFft}`, 'windowLength', windowLength)
  if (fMax <= fMin) throw expected(`a frequency above fMin = ${fMin} Hz`, 'fMax', fMax)
}
