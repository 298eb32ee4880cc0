import { expect, it } from 'vitest'
import { emptyBands } from './empty-bands.js'
import { logMel } from './log-mel.js'
import { logMelOptions } from './log-mel-presets.js'

it('counts the bands without a bin and says why', () => {
  expect(emptyBands(logMelOptions('thesis', { sampleRate: 44_100 }))).toBeNull()
  expect(emptyBands(logMelOptions('torchaudio', { sampleRate: 44_100 }))).toMatch(
    /^16 of 128 mel bands are empty at 44100 Hz .*: 16 are narrower than the 110\.3 Hz between the bins of 400 samples\. .*larger nFft/,
  )
  const low = logMelOptions('thesis', { sampleRate: 8000 })
  expect(emptyBands(low)).toMatch(/ of 64 mel bands are empty at 8000 Hz .* lie above 4000 Hz.*lower fMax/)
  expect(emptyBands(low)).toContain(`${logMel('thesis', { sampleRate: 8000 }).emptyBands} of 64`)
})
