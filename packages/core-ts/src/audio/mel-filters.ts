/**
 * 'slaney': linear below 1 kHz, logarithmic above (Auditory Toolbox, Slaney 1998). 'htk': 2595·log10(1 + f/700). The sides of their triangles
 * are straight over Hz, as librosa's and torchaudio's; 'htk-mel' is htk with sides straight over mel, as TensorFlow's
 * linear_to_mel_weight_matrix and HTK itself have them.
 */
export type MelScale = 'slaney' | 'htk' | 'htk-mel'

/** All scales. */
export const melScales: readonly MelScale[] = ['slaney', 'htk', 'htk-mel']

/** Options of {@link melFilters}. */
export interface MelFilterOptions {
  /** Hz. */
  readonly sampleRate: number
  readonly nFft: number
  readonly bands: number
  /** Lower edge of the first band, Hz. */
  readonly fMin: number
  /** Upper edge of the last band, Hz; may lie above half the sample rate, bands beyond it are empty. */
  readonly fMax: number
  readonly melScale: MelScale
  /** 'slaney' divides each triangle by half its width in Hz, so that all have equal area. */
  readonly melNorm: 'slaney' | 'none'
}

/** Triangular filters without their zeros: weights[offset[b] + i] belongs to FFT bin start[b] + i. */
export interface MelFilters {
  /** [bands] */
  readonly start: Int32Array
  /** [bands + 1] */
  readonly offset: Int32Array
  readonly weights: Float32Array
  /** Bands that no FFT bin falls into: they are constant. */
  readonly emptyBands: number
}

const SLANEY_STEP = 200 / 3 // Hz per mel below the break
const SLANEY_BREAK = 1000 // Hz
const SLANEY_LOG_STEP = Math.log(6.4) / 27

/** Hz to mel: HTK's formula, or Slaney's scale, linear below 1 kHz and logarithmic above. */
export function hzToMel(hz: number, scale: MelScale): number {
  if (scale !== 'slaney') return 2595 * Math.log10(1 + hz / 700)
  if (hz < SLANEY_BREAK) return hz / SLANEY_STEP
  return SLANEY_BREAK / SLANEY_STEP + Math.log(hz / SLANEY_BREAK) / SLANEY_LOG_STEP
}

/** The inverse of {@link hzToMel}. */
export function melToHz(mel: number, scale: MelScale): number {
  if (scale !== 'slaney') return 700 * (10 ** (mel / 2595) - 1)
  const breakMel = SLANEY_BREAK / SLANEY_STEP
  return mel < breakMel ? mel * SLANEY_STEP : SLANEY_BREAK * Math.exp(SLANEY_LOG_STEP * (mel - breakMel))
}

/**
 * Triangles between consecutive of bands + 2 points equally spaced in mel, sampled at the FFT bins k·sampleRate/nFft: the
 * definition of librosa.filters.mel and of torchaudio.functional.melscale_fbanks, or with 'htk-mel' of TensorFlow. Designed in float64.
 */
export function melFilters(options: MelFilterOptions): MelFilters {
  const { sampleRate, nFft, bands, fMin, fMax, melScale, melNorm } = options
  const low = hzToMel(fMin, melScale)
  const high = hzToMel(fMax, melScale)
  const edges = Array.from({ length: bands + 2 }, (_, i) =>
    melToHz(low + ((high - low) * i) / (bands + 1), melScale),
  )
  const bins = Math.floor(nFft / 2) + 1
  const start = new Int32Array(bands)
  const offset = new Int32Array(bands + 1)
  const weights: number[] = []
  let emptyBands = 0
  for (let b = 0; b < bands; b++) {
    const [left, centre, right] = [edges[b]!, edges[b + 1]!, edges[b + 2]!]
    const along = (hz: number) => (melScale === 'htk-mel' ? hzToMel(hz, melScale) : hz)
    const [from, peak, to] = [along(left), along(centre), along(right)]
    const scale = melNorm === 'slaney' ? 2 / (right - left) : 1
    for (let k = Math.max(0, Math.floor((left * nFft) / sampleRate)); k < bins; k++) {
      const hz = (k * sampleRate) / nFft
      if (hz >= right) break
      const at = along(hz)
      const weight = scale * Math.min((at - from) / (peak - from), (to - at) / (to - peak))
      if (!(weight > 0)) continue
      if (weights.length === offset[b]!) start[b] = k
      weights.push(weight)
    }
    if (weights.length === offset[b]!) emptyBands++
    offset[b + 1] = weights.length
  }
  return { start, offset, weights: Float32Array.from(weights), emptyBands }
}
