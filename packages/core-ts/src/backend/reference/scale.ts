import type { HostArgs } from './host.js'

export function scale({ x, out, factor }: HostArgs<'scale'>): void {
  for (let i = 0; i < x.length; i++) out[i] = factor * x[i]!
}
