import type { OpArgs } from '../../backend/port.js'
import { type AnyOpCase, aroundWidths, blank, type Draw, type OpCase } from './op-case.js'

interface LogMelShape {
  samples: number
  nFft: number
  hop: number
  frames: number
  bands: number
  pad?: number
  padMode?: number
  power?: number
  logKind?: number
  offset?: number
  scale?: number
  precision?: 0 | 1
}

/** Filters of random width and place; every third is empty. */
function filters(draw: Draw, bands: number, bins: number) {
  const filterStart = new Int32Array(bands)
  const filterOffset = new Int32Array(bands + 1)
  for (let b = 0; b < bands; b++) {
    filterStart[b] = draw.rng.int(bins)
    const width = b % 3 === 2 ? 0 : 1 + draw.rng.int(bins - filterStart[b]!)
    filterOffset[b + 1] = filterOffset[b]! + width
  }
  return { filterStart, filterOffset, filterWeights: draw.uniform(filterOffset[bands]!, 0, 1) }
}

function logMel(what: string, shape: LogMelShape): OpCase<'log_mel'> {
  const {
    samples,
    nFft,
    hop,
    frames,
    bands,
    pad = 0,
    padMode = 0,
    power = 2,
    logKind = 1,
    scale = 0.1,
    precision = 0,
  } = shape
  const offset = shape.offset ?? (logKind === 1 ? 2.220446e-16 : 1e-10)
  return {
    op: 'log_mel',
    name: `${samples} samples, ${frames} × ${bands}, FFT ${nFft}, power ${power}, log ${logKind} ${what}${precision === 1 ? ' in float32' : ''}`,
    args: (draw) => ({
      pcm: draw.normal(samples, scale),
      window: Float64Array.of(...draw.uniform(nFft, 0, 1), ...draw.uniform(nFft, -1e-9, 1e-9)),
      ...filters(draw, bands, Math.floor(nFft / 2) + 1),
      out: blank(frames * bands),
      ...{ nFft, hop, frames, bands, pad, padMode, power, logKind, precision, offset },
    }),
    // In float32 a band is off by its share of the loudest bins: 1e-4 in the logarithm, with an offset not far below them.
    ...(precision === 1 && { scale: 100 }),
  }
}

const clip = { samples: 1000, nFft: 128, hop: 50, frames: 20, bands: 9, pad: 64, padMode: 1 }

const lengths = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 97, 100, 254, 400, 431, 512, 606, 882, 1024, 2048]
const narrow = { precision: 1, offset: 1e-2 } as const

const logMelCases = [
  ...lengths.flatMap((nFft) => {
    const shape = { ...clip, samples: 3000, nFft, pad: Math.floor(nFft / 2) }
    return [logMel('transform', shape), logMel('transform', { ...shape, ...narrow })]
  }),
  ...aroundWidths.map((size) => logMel('frames', { ...clip, ...narrow, frames: size, samples: 2000 })),
  ...[1, 2, 3].map((logKind) => logMel('kinds', { ...clip, ...narrow, logKind, power: 1 })),
  ...aroundWidths.flatMap((size) => [
    logMel('frames', { ...clip, frames: size, samples: 2000 }),
    logMel('bands', { ...clip, bands: size }),
  ]),
  ...[0, 1, 2, 3].flatMap((logKind) => [1, 2].map((power) => logMel('kinds', { ...clip, logKind, power }))),
  logMel('zero padding', { ...clip, padMode: 0 }),
  logMel('hop longer than the window', { ...clip, nFft: 16, hop: 40, pad: 8 }),
  logMel('silence', { ...clip, scale: 0 }),
  logMel('silence with a floor', { ...clip, scale: 0, logKind: 3 }),
  logMel('clipped loud', { ...clip, scale: 1e4 }),
  logMel('no samples', { ...clip, samples: 0, padMode: 0, frames: 2 }),
]

type PcmShape = Omit<OpArgs['pcm'], 'bytes' | 'out'>

function pcm(what: string, shape: Partial<PcmShape>, bytes?: Uint8Array): OpCase<'pcm'> {
  const own = {
    frames: 20,
    channels: 2,
    width: 2,
    floats: 0,
    bigEndian: 0,
    first: 0,
    rows: 1,
    count: 1,
    ...shape,
  }
  const { frames, channels, width, floats, bigEndian, first, rows, count } = own
  const kind = `${8 * width} bit${floats === 1 ? ' floats' : ''}${bigEndian === 1 ? ', big-endian' : ''}`
  return {
    op: 'pcm',
    name: `${frames} frames of ${channels} × ${kind}, ${rows} rows of ${count} from ${first}, ${what}`,
    args: (draw) => ({
      bytes: bytes ?? draw.bytes(frames * channels * width),
      out: blank(rows * frames),
      ...own,
    }),
  }
}

/** Of every kind: integers of 16, 24 and 32 bits and floats, in both orders. */
const pcmKinds = [0, 1].flatMap((bigEndian) => [
  ...[2, 3, 4].map((width) => ({ width, floats: 0, bigEndian })),
  { width: 4, floats: 1, bigEndian },
])

const pcmCases = [
  ...pcmKinds.flatMap((kind) => [
    ...aroundWidths.map((frames) => pcm('around widths', { ...kind, frames, channels: 1 })),
    ...aroundWidths.map((frames) => pcm('around widths', { ...kind, frames, count: 2 })),
    ...[1, 2, 3, 4, 5, 6, 7, 8].flatMap((channels) => [
      pcm('all channels', { ...kind, frames: 37, channels, rows: channels }),
      pcm('the mean', { ...kind, frames: 37, channels, count: channels }),
    ]),
    pcm('the mean of some', { ...kind, channels: 7, first: 1, rows: 2, count: 3 }),
    pcm('beyond one piece of work', { ...kind, frames: 70_001, rows: 2 }),
    pcm('means beyond one piece of work', { ...kind, frames: 70_001, count: 2 }),
  ]),
  pcm(
    'the largest and the smallest',
    { frames: 4 },
    new Uint8Array(Int16Array.of(32767, -32768, -1, 0, 1, 2, 3, 4).buffer),
  ),
  pcm(
    'means of what float32 cannot hold twice',
    { frames: 3, width: 4, floats: 1, count: 2 },
    new Uint8Array(Float32Array.of(3.4e38, 3.4e38, -0, -0, Infinity, -Infinity).buffer),
  ),
]

interface ResampleShape {
  samples: number
  outputs: number
  up: number
  down: number
  width: number
}

function resample(what: string, { samples, outputs, up, down, width }: ResampleShape): OpCase<'resample'> {
  return {
    op: 'resample',
    name: `${samples} → ${outputs} samples by ${up}/${down}, width ${width} ${what}`,
    args: (draw) => ({
      pcm: draw.normal(samples),
      taps: draw.normal(up * width, 1 / width),
      out: blank(outputs),
      ...{ up, down, width },
    }),
  }
}

const resampleCases = [
  ...aroundWidths.flatMap((size) => [
    resample('input', { samples: size, outputs: 20, up: 3, down: 2, width: 8 }),
    resample('output', { samples: 20, outputs: size, up: 2, down: 3, width: 8 }),
  ]),
  ...[2, 6, 8, 10, 14, 16, 18, 32, 34].map((width) =>
    resample('width', { samples: 100, outputs: 150, up: 3, down: 2, width }),
  ),
  resample('no change', { samples: 50, outputs: 50, up: 1, down: 1, width: 16 }),
  resample('44.1 to 32 kHz', { samples: 3000, outputs: 2176, up: 320, down: 441, width: 64 }),
  resample('48 to 16 kHz, in several pieces of work', {
    samples: 90_000,
    outputs: 30_000,
    up: 1,
    down: 3,
    width: 40,
  }),
  resample('taps that do not overlap', { samples: 400, outputs: 120, up: 3, down: 10, width: 2 }),
  resample('longer taps than samples', { samples: 30, outputs: 45, up: 3, down: 2, width: 120 }),
  resample('several chains', { samples: 700, outputs: 260, up: 160, down: 441, width: 300 }),
  resample('more phases than are kept', { samples: 900, outputs: 450, up: 2049, down: 4100, width: 20 }),
  resample('far beyond the end', { samples: 10, outputs: 400, up: 1, down: 1, width: 4 }),
]

export const featureCases: readonly AnyOpCase[] = [...logMelCases, ...pcmCases, ...resampleCases]
