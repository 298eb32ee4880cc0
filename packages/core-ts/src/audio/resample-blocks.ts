import { checkOptions } from '../base/options.js'
import type { ResampleOptions } from './resample.js'
import { resample, stagesFor } from './resample.js'
import { checkRates } from './resample-filter.js'
import { blockSamples, SampleWindow, type SampleBlocks } from './sample-blocks.js'

/**
 * Resamples sound of any length piece by piece. The samples are those of {@link resample} over the whole, bit for bit: an output depends on
 * the inputs under its filter alone, and pieces are cut where an output falls on an input.
 */
export function resampleBlocks(
  { sampleRate: from, blocks }: SampleBlocks,
  to: number,
  options: Omit<ResampleOptions, 'out'> = {},
): SampleBlocks {
  const { quality = 'high' } = checkOptions(options, 'resampleBlocks')
  checkRates(from, to, quality)
  if (from === to) return { sampleRate: to, blocks }
  const { up, down, reach } = stagesFor(from, to, quality)
  // Inputs in front of a piece that its filters reach, as whole periods of the two rates.
  const lead = down * Math.ceil((2 * reach) / down)
  async function* resampled() {
    const window = new SampleWindow()
    /** Outputs given so far, a multiple of `up`. */
    let done = 0
    const piece = async (until: number): Promise<Float32Array> => {
      const start = Math.max(0, (done / up) * down - lead)
      const before = (start / down) * up
      const outputs = await resample(window.from(start), from, to, options)
      const part = outputs.subarray(done - before, until - before)
      done = until
      window.dropBefore((done / up) * down - lead)
      return part
    }
    for await (const block of blocks) {
      for (let at = 0; at < block.length; at += blockSamples) {
        window.append(block.subarray(at, at + blockSamples))
        const whole = up * Math.floor(Math.max(0, window.end - 2 * reach) / down)
        if (whole > done && window.end - (done / up) * down >= blockSamples) yield await piece(whole)
      }
    }
    const rest = await piece(Math.ceil((window.end * up) / down))
    if (rest.length > 0) yield rest
  }
  return { sampleRate: to, blocks: resampled() }
}
