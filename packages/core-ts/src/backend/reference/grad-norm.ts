import { dot, type HostArgs } from './host.js'

export function gradNorm({ x, out, slot }: HostArgs<'grad_norm'>): void {
  out[slot] = dot(x, x)
}
