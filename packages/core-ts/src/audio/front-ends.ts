import { expected } from '../base/errors.js'
import { checkLogMelOptions, type LogMelOptions, logMelOptions } from './log-mel-presets.js'

/** How a pretrained model wants its sound: plain data, everything that decides the numbers it is given. */
export interface FrontEnd {
  /** Hz; clips of another rate are resampled. */
  readonly sampleRate: number
  /** Its spectrogram; null for models that take samples. */
  readonly mel: LogMelOptions | null
  /** What is done to the spectrogram of a patch. whisper: to log10, no lower than 8 below its peak, then (x + 4) / 4. */
  readonly scale: 'none' | 'whisper'
  /**
   * frames: the spectrogram is computed over the clip and cut into patches; samples: the clip is cut first, and each patch is computed as
   * a clip of its own.
   */
  readonly cut: 'frames' | 'samples'
  /** Seconds that a patch is long, and from one to the next. */
  readonly patch: number
  readonly hop: number
  /**
   * What a last patch that is not full is filled with: zeros, or, in a clip shorter than a patch, the clip as often as it fits whole and
   * then zeros. drop: it is left out, unless it is the only one.
   */
  readonly fill: 'zeros' | 'repeat' | 'drop'
}

/** Names of the front ends of pretrained models. */
export type FrontEndPreset = keyof typeof presets

/** A front end by the name of a preset, and what differs from it. */
export interface FrontEndOptions {
  readonly preset: FrontEndPreset
  /** What to replace in its spectrogram. */
  readonly overrides?: Partial<LogMelOptions>
  /** What to replace besides. */
  readonly patch?: number
  readonly hop?: number
  readonly fill?: FrontEnd['fill']
}

const seconds = { cut: 'samples', scale: 'none' } as const

function mel(options: Partial<LogMelOptions> & { sampleRate: number }): LogMelOptions {
  return logMelOptions('librosa', options)
}

const presets = {
  /**
   * YAMNet (tensorflow/models, research/audioset/yamnet): patches of 0.96 s every 0.48 s, ln(x + 0.001). Its bands are those of librosa, which
   * STMicroelectronics' conversions are fed; Google's own are melScale htk-mel.
   */
  yamnet: {
    about: 'YAMNet: 16 kHz, 64 HTK bands 125–7500 Hz of magnitudes, ln(x + 0.001); 0.96 s every 0.48 s',
    make: (): FrontEnd => ({
      ...{ sampleRate: 16_000, mel: logMelOptions('yamnet'), scale: 'none', cut: 'frames' },
      ...{ patch: 0.96, hop: 0.48, fill: 'zeros' },
    }),
  },
  /** VGGish (tensorflow/models, research/audioset/vggish): patches of 0.96 s, side by side, ln(x + 0.01); the rest is dropped. */
  vggish: {
    about: 'VGGish: as yamnet with ln(x + 0.01); 0.96 s side by side, a last one that is not full dropped',
    make: (): FrontEnd => ({
      ...{
        sampleRate: 16_000,
        mel: logMelOptions('yamnet', { melScale: 'htk-mel', offset: 1e-2 }),
        scale: 'none',
        cut: 'frames',
      },
      ...{ patch: 0.96, hop: 0.96, fill: 'drop' },
    }),
  },
  /**
   * LAION-CLAP without fusion, as ClapFeatureExtractor of Hugging Face's transformers computes it with truncation rand_trunc and padding
   * repeatpad, but with patches of 10 s side by side instead of one drawn at random.
   */
  clap: {
    about:
      'CLAP (HTSAT unfused): 48 kHz, 64 Slaney bands 50–14000 Hz, decibels; 10 s side by side, short clips repeated',
    make: (): FrontEnd => ({
      ...{ ...seconds, sampleRate: 48_000, mel: logMelOptions('clap') },
      ...{ patch: 10, hop: 10, fill: 'repeat' },
    }),
  },
  /** Whisper's encoder, as WhisperFeatureExtractor computes it: patches of 30 s filled with silence; bands 128 for large-v3. */
  whisper: {
    about: 'Whisper: 16 kHz, 80 Slaney bands, log10 within 8 of the peak; 30 s filled with silence',
    make: (): FrontEnd => ({
      sampleRate: 16_000,
      mel: logMelOptions('whisper'),
      ...{ scale: 'whisper', cut: 'samples', patch: 30, hop: 30, fill: 'zeros' },
    }),
  },
  /** PANNs (CNN14 and others at 32 kHz): torchlibrosa's Spectrogram and LogmelFilterBank; patches of 10 s. */
  panns: {
    about: 'PANNs (CNN14): 32 kHz, 64 Slaney bands 50–14000 Hz, decibels; 10 s side by side',
    make: (): FrontEnd => ({
      ...seconds,
      sampleRate: 32_000,
      mel: mel({
        ...{ sampleRate: 32_000, windowLength: 1024, hop: 320, nFft: 1024, padMode: 'reflect' },
        ...{ bands: 64, fMin: 50, fMax: 14_000, log: 'decibel', offset: 1e-10 },
      }),
      ...{ patch: 10, hop: 10, fill: 'zeros' },
    }),
  },
  /** Samples at 16 kHz, for models with the front end inside. */
  waveform: {
    about: 'samples themselves at 16 kHz, for models with the front end inside; 10 s side by side',
    make: (): FrontEnd => ({
      ...{ ...seconds, sampleRate: 16_000, mel: null, patch: 10, hop: 10, fill: 'zeros' },
    }),
  },
} as const

/** Names of the presets. */
export const frontEndPresets = Object.keys(presets) as readonly FrontEndPreset[]

/** A line about a preset. */
export function frontEndAbout(preset: FrontEndPreset): string {
  return presets[preset].about
}

/**
 * The front end of a kind of pretrained models, with parts of it replaced; of `waveform` the sampleRate can be.
 * @throws SonotextError INVALID_ARGUMENT for unknown presets and options out of range
 */
export function frontEnd({ preset, overrides = {}, ...others }: FrontEndOptions): FrontEnd {
  if (!Object.hasOwn(presets, preset))
    throw expected(`one of ${frontEndPresets.join(', ')}`, 'preset', preset)
  const base = presets[preset].make()
  const defined = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined))
  const front = { ...base, ...defined }
  for (const [name, value] of [
    ['patch', front.patch],
    ['hop', front.hop],
  ] as const)
    if (!(value > 0 && value <= 3600)) throw expected('a number of seconds above 0', name, value)
  if (!['zeros', 'repeat', 'drop'].includes(front.fill))
    throw expected('one of zeros, repeat, drop', 'fill', front.fill)
  const sampleRate = overrides.sampleRate ?? front.sampleRate
  if (front.mel === null) {
    const other = Object.keys(overrides).find((key) => key !== 'sampleRate')
    if (other !== undefined) throw expected('sampleRate alone for a model of samples', 'overrides', other)
    return { ...front, sampleRate }
  }
  const spectrogram = { ...front.mel, ...overrides }
  checkLogMelOptions(spectrogram)
  return { ...front, sampleRate, mel: spectrogram }
}
