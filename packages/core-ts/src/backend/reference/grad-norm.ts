import { dot, type HostArgs } from './host.js'

export function gradNorm({ x, out }: HostArgs<'grad_norm'>): void {
  out[0] = dot(x, x)
}
