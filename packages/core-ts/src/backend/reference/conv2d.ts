import type { HostArgs } from './host.js'

export function conv2d({ x, weight, out, n, h, w, cin, cout, kh, kw, slope }: HostArgs<'conv2d'>): void {
  const sums = new Float64Array(cout)
  for (let row = 0; row < n * h; row++) {
    const y = row % h
    for (let column = 0; column < w; column++) {
      sums.fill(0)
      for (const { source, tap } of taps(y, column, h, w, kh, kw)) {
        const xAt = (row * w + column + source) * cin
        for (let i = 0; i < cin; i++) {
          const value = x[xAt + i]!
          const weightAt = (tap * cin + i) * cout
          for (let o = 0; o < cout; o++) sums[o]! += value * weight[weightAt + o]!
        }
      }
      const outAt = (row * w + column) * cout
      for (let o = 0; o < cout; o++) out[outAt + o] = sums[o]! > 0 ? sums[o]! : slope * sums[o]!
    }
  }
}

export function conv2dBackward(args: HostArgs<'conv2d_backward'>): void {
  const { x, weight, out, gradOut, gradX, gradWeight, n, h, w, cin, cout, kh, kw, slope } = args
  const xSums = gradX === null ? null : new Float64Array(gradX.length)
  const weightSums = gradWeight === null ? null : new Float64Array(gradWeight.length)
  const incoming = new Float64Array(cout)
  for (let row = 0; row < n * h; row++) {
    const y = row % h
    for (let column = 0; column < w; column++) {
      const outAt = (row * w + column) * cout
      for (let o = 0; o < cout; o++) {
        const passes = out === null || out[outAt + o]! > 0
        incoming[o] = passes ? gradOut[outAt + o]! : slope * gradOut[outAt + o]!
      }
      for (const { source, tap } of taps(y, column, h, w, kh, kw)) {
        const xAt = (row * w + column + source) * cin
        for (let i = 0; i < cin; i++) {
          const weightAt = (tap * cin + i) * cout
          if (xSums) {
            let sum = 0
            for (let o = 0; o < cout; o++) sum += incoming[o]! * weight[weightAt + o]!
            xSums[xAt + i]! += sum
          }
          if (weightSums) {
            for (let o = 0; o < cout; o++) weightSums[weightAt + o]! += incoming[o]! * x[xAt + i]!
          }
        }
      }
    }
  }
  if (xSums) gradX?.set(xSums)
  if (weightSums) gradWeight?.set(weightSums)
}

/** Kernel taps that fall inside the image around (y, column): `source` is the pixel's distance in row-major pixels. */
function taps(
  y: number,
  column: number,
  h: number,
  w: number,
  kh: number,
  kw: number,
): { source: number; tap: number }[] {
  const inside = []
  for (let i = 0; i < kh; i++) {
    const dy = i - (kh - 1) / 2
    if (y + dy < 0 || y + dy >= h) continue
    for (let j = 0; j < kw; j++) {
      const dx = j - (kw - 1) / 2
      if (column + dx >= 0 && column + dx < w) inside.push({ source: dy * w + dx, tap: i * kw + j })
    }
  }
  return inside
}
