import { checkStream } from '../audio.js'
import type { ByteSource } from '../byte-source.js'
import type { AudioStream, Reading } from './format.js'
import { contradiction } from './refusals.js'
import type { WavLayout } from './wav-layout.js'

const indexSteps = [-1, -1, -1, -1, 2, 4, 6, 8]
const steps = [
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97,
  107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724,
  796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026,
  4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500,
  20350, 22385, 24623, 27086, 29794, 32767,
]

/** Samples per channel that are decoded at once, roughly. */
const BLOCK = 1 << 16

/**
 * IMA-ADPCM in WAV (IMA, 1992). Each block holds, per channel, a header (first sample, step index) and then groups of 4 bytes =
 * 8 samples per channel in turn. The last block is padded; the fact chunk says how many samples are meant.
 */
export function imaAdpcmStream(source: ByteSource, layout: WavLayout, reading: Reading): AudioStream {
  const { channels: count, sampleRate, blockAlign, samplesPerBlock: perBlock = 0, factSamples } = layout
  checkStream(sampleRate, count, reading.file)
  const groups = (blockAlign / count - 4) / 4
  if (!Number.isInteger(groups) || groups < 1 || perBlock !== 8 * groups + 1) {
    const wanted = 4 * count * (1 + (Math.max(perBlock, 9) - 1) / 8)
    throw contradiction(`Expected blocks of ${wanted} bytes, got ${blockAlign}.`, reading.file)
  }
  const total = Math.floor(layout.dataBytes / blockAlign)
  const held = total * perBlock
  // Some writers count the samples of stereo files wrongly: only a count that ends in the last block is believed.
  const samples =
    factSamples !== undefined && factSamples > held - perBlock && factSamples < held ? factSamples : held
  const piece = Math.max(1, Math.floor(BLOCK / perBlock))
  async function* blocks() {
    for (let from = 0; from < total; from += piece) {
      reading.throwIfAborted()
      const number = Math.min(piece, total - from)
      const data = await source.read(layout.dataOffset + from * blockAlign, number * blockAlign)
      const end = Math.min(number * perBlock, samples - from * perBlock)
      yield Array.from({ length: count }, (_, c) =>
        decodeChannel(data, { c, count, groups, number, blockAlign }, (at) =>
          reading.damaged(
            `Expected an IMA-ADPCM block at byte ${layout.dataOffset + from * blockAlign + at}, found none.`,
          ),
        ).subarray(0, end),
      )
    }
  }
  return { sampleRate, channels: count, encoding: 'WAV IMA-ADPCM', samples, blocks: blocks() }
}

interface Blocks {
  readonly c: number
  readonly count: number
  readonly groups: number
  readonly number: number
  readonly blockAlign: number
}

/** Channel `c` of `number` blocks. */
function decodeChannel(
  data: Uint8Array,
  { c, count, groups, number, blockAlign }: Blocks,
  noBlock: (at: number) => Error,
): Float32Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const perBlock = 8 * groups + 1
  const channel = new Float32Array(number * perBlock)
  for (let b = 0; b < number; b++) {
    const header = b * blockAlign + 4 * c
    let predictor = view.getInt16(header, true)
    let index = data[header + 2]!
    if (index > 88) throw noBlock(header)
    let at = b * perBlock
    channel[at++] = predictor / 32768
    for (let g = 0; g < groups; g++) {
      const group = b * blockAlign + 4 * count + 4 * (g * count + c)
      for (let n = 0; n < 8; n++) {
        const nibble = (data[group + (n >> 1)]! >> (4 * (n & 1))) & 15
        const step = steps[index]!
        let change = step >> 3
        if (nibble & 1) change += step >> 2
        if (nibble & 2) change += step >> 1
        if (nibble & 4) change += step
        predictor = Math.max(-32768, Math.min(32767, nibble & 8 ? predictor - change : predictor + change))
        index = Math.max(0, Math.min(88, index + indexSteps[nibble & 7]!))
        channel[at++] = predictor / 32768
      }
    }
  }
  return channel
}
