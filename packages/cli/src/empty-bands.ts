import { emptyBands, logMelOptions, type LogMelPreset, presetSampleRate } from '@sonotext/core/audio'
import type { Terminal } from './terminal.js'

/** One warning where mel bands of a preset are empty at some of the rates, with the worst of them. */
export function warnOfEmptyBands(terminal: Terminal, preset: LogMelPreset, rates: Iterable<number>): void {
  const fixed = presetSampleRate(preset)
  const lowest = [...rates].sort((a, b) => a - b)
  for (const sampleRate of fixed === undefined ? lowest : [fixed]) {
    const problem = emptyBands(logMelOptions(preset, fixed === undefined ? { sampleRate } : {}))
    if (problem === null) continue
    terminal.warn(`features of the preset ${preset}: ${problem}`)
    return
  }
}
