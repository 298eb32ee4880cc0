import type { HostArgs } from './host.js'

export function add({ a, b, out, alpha, beta }: HostArgs<'add'>): void {
  for (let i = 0; i < a.length; i++) out[i] = alpha * a[i]! + beta * b[i]!
}
