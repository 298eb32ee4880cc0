import type { HostArgs } from './host.js'

/** Each window is scaled by its largest magnitude, so that x^p neither overflows nor vanishes. */
export function lpPool({ x, out, n, h, w, c, kh, kw, p }: HostArgs<'lp_pool'>): void {
  const outH = Math.floor(h / kh)
  const outW = Math.floor(w / kw)
  for (let pixel = 0; pixel < n * outH * outW; pixel++) {
    for (let ch = 0; ch < c; ch++) {
      const window = windowIndices(pixel, ch, { h, w, c, kh, kw })
      let largest = 0
      for (const at of window) largest = Math.max(largest, Math.abs(x[at]!))
      let sum = 0
      for (const at of window) sum += (x[at]! / largest) ** p
      out[pixel * c + ch] = largest === 0 ? 0 : largest * sum ** (1 / p)
    }
  }
}

export function lpPoolBackward({
  x,
  out,
  gradOut,
  gradX,
  n,
  h,
  w,
  c,
  kh,
  kw,
  p,
}: HostArgs<'lp_pool_backward'>): void {
  const outH = Math.floor(h / kh)
  const outW = Math.floor(w / kw)
  gradX.fill(0)
  for (let pixel = 0; pixel < n * outH * outW; pixel++) {
    for (let ch = 0; ch < c; ch++) {
      const y = out[pixel * c + ch]!
      if (y === 0) continue
      for (const at of windowIndices(pixel, ch, { h, w, c, kh, kw })) {
        gradX[at] = gradOut[pixel * c + ch]! * (x[at]! / y) ** (p - 1)
      }
    }
  }
}

/** Indices into x of the window under output pixel `pixel` (counted over images, rows and columns). */
function windowIndices(
  pixel: number,
  ch: number,
  { h, w, c, kh, kw }: { h: number; w: number; c: number; kh: number; kw: number },
): number[] {
  const outH = Math.floor(h / kh)
  const outW = Math.floor(w / kw)
  const image = Math.floor(pixel / (outH * outW))
  const top = (Math.floor(pixel / outW) % outH) * kh
  const left = (pixel % outW) * kw
  const indices = []
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) indices.push(((image * h + top + i) * w + left + j) * c + ch)
  }
  return indices
}
