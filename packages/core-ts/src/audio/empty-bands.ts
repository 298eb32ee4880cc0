import type { LogMelOptions } from './log-mel-presets.js'
import { melFilters } from './mel-filters.js'

/**
 * What is the matter with mel bands that hold no FFT bin, and so the same number in every frame, as a sentence; null where every band
 * has one.
 */
export function emptyBands(options: LogMelOptions): string | null {
  const { bands, sampleRate, nFft, fMax } = options
  const { offset, emptyBands: count } = melFilters(options)
  if (count === 0) return null
  const empty = (band: number): boolean => offset[band] === offset[band + 1]
  let above = 0
  if (fMax > sampleRate / 2) while (above < bands && empty(bands - 1 - above)) above++
  const narrow = count - above
  const reasons = [
    ...(above > 0 ? [`${above} lie above ${sampleRate / 2} Hz, half the sample rate`] : []),
    ...(narrow > 0
      ? [
          `${narrow} are narrower than the ${(sampleRate / nFft).toFixed(1)} Hz between the bins of ${nFft} samples`,
        ]
      : []),
  ]
  return `${count} of ${bands} mel bands are empty at ${sampleRate} Hz and hold the same number in every frame: ${reasons.join(', ')}. Use fewer bands, ${above > 0 ? 'a lower fMax' : 'a larger nFft'}, or another sample rate.`
}
