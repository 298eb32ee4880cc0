import type { Rng } from '../base/rng.js'
import { type Shape, sizeOf } from './tensor.js'

/** Normal with deviation gain/√fanIn (He et al. 2015, arXiv 1502.01852); gain √2 suits a ReLU behind it. */
export function kaimingNormal(shape: Shape, fanIn: number, rng: Rng, gain = Math.SQRT2): Float32Array {
  const deviation = gain / Math.sqrt(Math.max(fanIn, 1))
  return Float32Array.from({ length: sizeOf(shape) }, () => deviation * rng.normal())
}

/** Uniform in [-bound, bound). */
export function uniform(shape: Shape, bound: number, rng: Rng): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, () => rng.between(-bound, bound))
}

/** Normal with mean 0. */
export function normal(shape: Shape, deviation: number, rng: Rng): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, () => deviation * rng.normal())
}

/** The same number everywhere. */
export function full(shape: Shape, value: number): Float32Array {
  return new Float32Array(sizeOf(shape)).fill(value)
}
