import { matrix } from '@sonotext/core/base'

/** A kind of features, computed from blocks of sound however long the recording is. */
export const features = {
  name: 'loudness',
  description: 'Level and slope of every 20 ms.',
  schema: {
    properties: { floor: { type: 'number', default: -80, description: 'dB that silence counts as.' } },
  },
  fromConfig: ({ floor }) => ({
    name: 'loudness',
    config: { floor },
    id: `loudness${floor}`,
    cols: 2,
    compute: ({ sampleRate, blocks }) => ({
      frameStep: 0.02,
      blocks: loudness(blocks, sampleRate / 50, floor),
    }),
  }),
}

/** One frame of two numbers for every `step` samples, whatever blocks they come in. */
async function* loudness(blocks, step, floor) {
  let [done, edge, energy, count, last] = [0, step, 0, 0, floor]
  for await (const block of blocks) {
    const frames = []
    for (const sample of block) {
      energy += sample * sample
      count++
      if (++done < edge) continue
      const level = Math.max(floor, 10 * Math.log10(energy / count + 1e-12))
      frames.push(level / 20, (level - last) / 20)
      ;[edge, energy, count, last] = [edge + step, 0, 0, level]
    }
    if (frames.length > 0) yield matrix(frames.length / 2, 2, Float32Array.from(frames))
  }
}
