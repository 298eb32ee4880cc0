import { readFileSync } from 'node:fs'
import { decodeSafetensors } from '../base/safetensors.js'
import type { StateDict } from '../models/state.js'
import { lcg } from './small-batch.js'

const folder = new URL('../../test-data/crnn/', import.meta.url)

/** Norm of a tensor and its inner products with LCG vectors, from PyTorch. */
export interface Digest {
  readonly norm: number
  readonly probes: readonly number[]
}

interface CrnnGolden {
  readonly batch: number
  readonly frames: number
  readonly bands: number
  readonly input: { readonly seed: number }
  readonly upstream: { readonly seed: number }
  readonly loss: number
  readonly parameters: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly seed: number
    readonly offset: number
    readonly scale: number
  }[]
  readonly gradients: Readonly<Record<string, Digest & { readonly stride: number }>>
  readonly probeSeed: number
}

interface TraceGolden {
  readonly batch: number
  readonly frames: number
  readonly bands: number
  readonly words: number
  readonly dim: number
  readonly frameLengths: readonly number[]
  readonly wordLengths: readonly number[]
  readonly groups: readonly (readonly number[])[]
  readonly margin: number
  readonly temperature: number
  readonly adam: { readonly lr: number }
  readonly runs: Readonly<
    Record<
      'triplet' | 'infoNce',
      {
        readonly losses: readonly number[]
        readonly losses32: readonly number[]
        readonly final: Readonly<Record<string, Digest>>
        readonly moved: Readonly<Record<string, number>>
        readonly float32Error: Readonly<Record<string, number>>
      }
    >
  >
}

const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))

/** Facts of the CRNN golden: shapes, seeds, losses. */
export const crnnGolden = (): CrnnGolden => json('crnn.json') as CrnnGolden
/** Facts of the golden of a training of several steps. */
export const traceGolden = (): TraceGolden => json('trace.json') as TraceGolden

/** Frames, inference result, running statistics and samples of the gradients. */
export const crnnTensors = () =>
  decodeSafetensors(readFileSync(new URL('crnn.safetensors', folder)), 'crnn.safetensors').tensors

/** The golden's weights from their formula, with fresh running statistics. */
export function goldenWeights({ parameters }: CrnnGolden): StateDict {
  const state: StateDict = new Map()
  for (const { name, shape, seed, offset, scale } of parameters) {
    const size = shape.reduce((product, extent) => product * extent, 1)
    state.set(name, { shape, data: Float32Array.from(lcg(seed, size), (value) => offset + scale * value) })
    if (!name.endsWith('.gamma')) continue
    const block = name.slice(0, -'.gamma'.length)
    state.set(`${block}.runningMean`, { shape, data: new Float32Array(size) })
    state.set(`${block}.runningVar`, { shape, data: new Float32Array(size).fill(1) })
  }
  return state
}

/** Frames of a golden batch: 4·lcg(seed) in single precision. */
export const goldenInput = (seed: number, size: number): Float32Array =>
  Float32Array.from(lcg(seed, size), (value) => 4 * value)

const probes = new Map<number, Float64Array>()

/**
 * Largest sign of a difference: norm and every inner product against the golden's, relative to `scale` (the golden's norm
 * unless given). A random error of relative size e shows as about e/√3 or more in one of them.
 */
export function digestError(
  values: ArrayLike<number>,
  golden: Digest,
  probeSeed: number,
  scale = golden.norm,
): number {
  let worst = Math.abs(Math.hypot(...chunks(values)) - golden.norm) / scale
  for (const [k, wanted] of golden.probes.entries()) {
    let probe = probes.get(k)
    if (probe === undefined || probe.length < values.length) {
      probe = lcg(probeSeed + k, Math.max(values.length, 150_000))
      probes.set(k, probe)
    }
    let product = 0
    for (let e = 0; e < values.length; e++) product += values[e]! * probe[e]!
    worst = Math.max(worst, Math.abs(product - wanted) / scale)
  }
  return worst
}

/** Norms of pieces, so that hypot never gets too many arguments. */
function chunks(values: ArrayLike<number>): number[] {
  const norms: number[] = []
  for (let start = 0; start < values.length; start += 1024) {
    let sum = 0
    for (let e = start; e < Math.min(values.length, start + 1024); e++) sum += values[e]! ** 2
    norms.push(Math.sqrt(sum))
  }
  return norms
}

/** ‖a - b‖ / ‖b‖. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0
  let size = 0
  for (let e = 0; e < b.length; e++) {
    difference += (a[e]! - b[e]!) ** 2
    size += b[e]! ** 2
  }
  return a.length === b.length ? Math.sqrt(difference / size) : Infinity
}
