import { philox } from '../../base/rng.js'
import type { HostArgs } from './host.js'
import { normalDensity, normalDistribution } from './normal.js'

export function leakyRelu({ x, out, slope }: HostArgs<'leaky_relu'>): void {
  for (let i = 0; i < x.length; i++) out[i] = x[i]! > 0 ? x[i]! : slope * x[i]!
}

export function leakyReluBackward({ out, gradOut, gradX, slope }: HostArgs<'leaky_relu_backward'>): void {
  for (let i = 0; i < out.length; i++) gradX[i] = out[i]! > 0 ? gradOut[i]! : slope * gradOut[i]!
}

export function dropout({
  x,
  out,
  seedLow,
  seedHigh,
  offsetLow,
  offsetHigh,
  rate,
}: HostArgs<'dropout'>): void {
  const words = new Uint32Array(4)
  const keep = 1 / (1 - rate)
  for (let e = 0; e < x.length; e++) {
    const block = Math.floor(e / 4)
    if (e % 4 === 0) {
      philox(words, block >>> 0, Math.floor(block / 2 ** 32), offsetLow, offsetHigh, seedLow, seedHigh)
    }
    const uniform = (words[e % 4]! >>> 8) / 2 ** 24
    out[e] = uniform >= rate ? x[e]! * keep : 0
  }
}

export function add({ a, b, out, alpha, beta }: HostArgs<'add'>): void {
  for (let i = 0; i < a.length; i++) out[i] = alpha * a[i]! + beta * b[i]!
}

export function scale({ x, out, factor }: HostArgs<'scale'>): void {
  for (let i = 0; i < x.length; i++) out[i] = factor * x[i]!
}

export function multiply({ a, b, out }: HostArgs<'multiply'>): void {
  for (let i = 0; i < a.length; i++) out[i] = a[i]! * b[i]!
}

export function gelu({ x, out }: HostArgs<'gelu'>): void {
  for (let i = 0; i < x.length; i++) out[i] = x[i]! * normalDistribution(x[i]!)
}

export function geluBackward({ x, gradOut, gradX }: HostArgs<'gelu_backward'>): void {
  for (let i = 0; i < x.length; i++)
    gradX[i] = gradOut[i]! * (normalDistribution(x[i]!) + x[i]! * normalDensity(x[i]!))
}
