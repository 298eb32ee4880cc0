import wavefile from 'wavefile'
import { SonotextError } from '../base/errors.js'
import type { DecodedAudio } from './audio.js'
import type { WavLayout } from './wav-layout.js'

const { WaveFile } = wavefile

const MS_ADPCM = 2
const A_LAW = 6
const MU_LAW = 7
const IMA_ADPCM = 17

const names: Record<number, string> = {
  [MS_ADPCM]: 'MS-ADPCM',
  49: 'GSM 6.10',
  80: 'MPEG',
  85: 'MP3',
  353: 'WMA',
}

/** Mu-law and A-law (ITU-T G.711) and IMA-ADPCM (IMA, 1992); other compressed formats are refused by name. */
export function decodeCompandedWav(bytes: Uint8Array, layout: WavLayout, file: string): DecodedAudio {
  const { tag, sampleRate, bitsPerSample } = layout
  const data = bytes.subarray(layout.dataOffset, layout.dataOffset + layout.dataBytes)
  if ((tag === A_LAW || tag === MU_LAW) && bitsPerSample === 8) {
    if (layout.blockAlign !== layout.channels) throw contradiction(layout, layout.channels, file)
    return {
      channels: expand(data, layout, tag === A_LAW ? '8a' : '8m'),
      sampleRate,
      encoding: `WAV ${tag === A_LAW ? 'A-law' : 'mu-law'}`,
    }
  }
  if (tag === IMA_ADPCM && bitsPerSample === 4) {
    return { channels: decodeIma(data, layout, file), sampleRate, encoding: 'WAV IMA-ADPCM' }
  }
  const format = names[tag] ?? `format code 0x${tag.toString(16)}`
  throw new SonotextError(
    'UNSUPPORTED',
    `Expected PCM, float, mu-law, A-law or IMA-ADPCM samples, found ${format}.`,
    {
      file,
      remedy: `Convert it first, for example: ffmpeg -i ${JSON.stringify(file)} -c:a pcm_s16le out.wav`,
    },
  )
}

/**
 * G.711 through wavefile. It is given a plain file of the samples alone, because it misreads some headers, and it adds a
 * sample to data of odd length, which is cut off.
 */
function expand(data: Uint8Array, { channels, sampleRate }: WavLayout, law: '8a' | '8m'): Float32Array[] {
  const samples = Math.floor(data.length / channels)
  const wav = new WaveFile()
  wav.fromScratch(channels, sampleRate, law, data.slice(0, samples * channels))
  if (law === '8a') wav.fromALaw('16')
  else wav.fromMuLaw('16')
  const interleaved = wav.getSamples(true, Int16Array) as unknown as Int16Array
  return Array.from({ length: channels }, (_, c) =>
    Float32Array.from({ length: samples }, (_, i) => interleaved[i * channels + c]! / 32768),
  )
}

const imaIndexSteps = [-1, -1, -1, -1, 2, 4, 6, 8]
const imaSteps = [
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97,
  107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724,
  796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026,
  4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500,
  20350, 22385, 24623, 27086, 29794, 32767,
]

/**
 * Each block holds, per channel, a header (first sample, step index) and then groups of 4 bytes = 8 samples per channel in
 * turn. The last block is padded; the fact chunk says how many samples are meant.
 */
function decodeIma(data: Uint8Array, layout: WavLayout, file: string): Float32Array[] {
  const { channels: count, blockAlign, samplesPerBlock: perBlock, factSamples } = layout
  const groups = (blockAlign / count - 4) / 4
  if (!Number.isInteger(groups) || groups < 1 || perBlock !== 8 * groups + 1) {
    throw contradiction(layout, 4 * count * (1 + ((perBlock ?? 9) - 1) / 8), file)
  }
  const blocks = Math.floor(data.length / blockAlign)
  const held = blocks * perBlock
  // Some writers count the samples of stereo files wrongly: only a count that ends in the last block is believed.
  const samples =
    factSamples !== undefined && factSamples > held - perBlock && factSamples < held ? factSamples : held
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  return Array.from({ length: count }, (_, c) => {
    const channel = new Float32Array(held)
    for (let b = 0; b < blocks; b++) {
      const header = b * blockAlign + 4 * c
      let predictor = view.getInt16(header, true)
      let index = data[header + 2]!
      if (index > 88) throw damagedBlock(layout.dataOffset + header, file)
      let at = b * perBlock
      channel[at++] = predictor / 32768
      for (let g = 0; g < groups; g++) {
        const group = b * blockAlign + 4 * count + 4 * (g * count + c)
        for (let n = 0; n < 8; n++) {
          const nibble = (data[group + (n >> 1)]! >> (4 * (n & 1))) & 15
          const step = imaSteps[index]!
          let change = step >> 3
          if (nibble & 1) change += step >> 2
          if (nibble & 2) change += step >> 1
          if (nibble & 4) change += step
          predictor = Math.max(-32768, Math.min(32767, nibble & 8 ? predictor - change : predictor + change))
          index = Math.max(0, Math.min(88, index + imaIndexSteps[nibble & 7]!))
          channel[at++] = predictor / 32768
        }
      }
    }
    return channel.subarray(0, samples)
  })
}

function damagedBlock(at: number, file: string): SonotextError {
  return new SonotextError('INVALID_FILE', `Expected an IMA-ADPCM block at byte ${at}, found none.`, {
    file,
    remedy: 'The file is damaged: copy or export it again.',
  })
}

function contradiction(layout: WavLayout, wanted: number, file: string): SonotextError {
  return new SonotextError('INVALID_FILE', `Expected blocks of ${wanted} bytes, got ${layout.blockAlign}.`, {
    file,
    remedy: 'The header contradicts itself: export the file again.',
  })
}
