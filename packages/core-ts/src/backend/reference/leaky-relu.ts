import type { HostArgs } from './host.js'

export function leakyRelu({ x, out, slope }: HostArgs<'leaky_relu'>): void {
  for (let i = 0; i < x.length; i++) out[i] = x[i]! > 0 ? x[i]! : slope * x[i]!
}

export function leakyReluBackward({ out, gradOut, gradX, slope }: HostArgs<'leaky_relu_backward'>): void {
  for (let i = 0; i < out.length; i++) gradX[i] = out[i]! > 0 ? gradOut[i]! : slope * gradOut[i]!
}
