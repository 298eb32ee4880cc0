/** Breakpoints of a curve, flat: x0, y0, x1, y1, ... with x ascending from 0 (start) to 1 (end). */
export type Points = readonly number[]

/** Straight lines through the points, `count` samples long. */
export function lines(count: number, points: Points): Float32Array {
  return interpolate(count, points, (from, to, u) => from + (to - from) * u)
}

/** Lines on a logarithmic scale (pitch contours); all y must be positive. */
export function glide(count: number, points: Points): Float32Array {
  return interpolate(count, points, (from, to, u) => from * (to / from) ** u)
}

function interpolate(
  count: number,
  points: Points,
  between: (from: number, to: number, u: number) => number,
): Float32Array {
  const out = new Float32Array(count)
  let p = 0
  for (let i = 0; i < count; i++) {
    const x = count > 1 ? i / (count - 1) : 0
    while (p + 4 < points.length && x > points[p + 2]!) p += 2
    const x0 = points[p]!
    const x1 = points[p + 2]!
    const u = x1 > x0 ? Math.min(1, Math.max(0, (x - x0) / (x1 - x0))) : 1
    out[i] = between(points[p + 1]!, points[p + 3]!, u)
  }
  return out
}

/** A percussive envelope: linear attack, then exponential decay by 60 dB in `decay` seconds. */
export function strike(count: number, sampleRate: number, attack: number, decay: number): Float32Array {
  const out = new Float32Array(count)
  const rise = Math.max(1, attack * sampleRate)
  const factor = 10 ** (-3 / (decay * sampleRate))
  let level = 1
  for (let i = 0; i < count; i++) {
    if (i < rise) {
      out[i] = i / rise
    } else {
      out[i] = level
      level *= factor
    }
  }
  return out
}

/** x · y in place of x; y may be shorter, the rest becomes 0. */
export function shape(x: Float32Array, y: Float32Array): Float32Array {
  for (let i = 0; i < x.length; i++) x[i]! *= i < y.length ? y[i]! : 0
  return x
}

export function gain(x: Float32Array, factor: number): Float32Array {
  if (factor === 1) return x
  for (let i = 0; i < x.length; i++) x[i]! *= factor
  return x
}

/** Adds `source` to `target` from sample `at`; what reaches past either end is dropped. */
export function mixInto(target: Float32Array, source: Float32Array, at = 0, factor = 1): Float32Array {
  const start = Math.round(at)
  const from = Math.max(0, -start)
  const to = Math.min(source.length, target.length - start)
  for (let i = from; i < to; i++) target[start + i]! += factor * source[i]!
  return target
}

/** Soft saturation: tanh(drive · x). */
export function saturate(x: Float32Array, drive: number): Float32Array {
  for (let i = 0; i < x.length; i++) x[i] = Math.tanh(drive * x[i]!)
  return x
}

/** Half-cosine fades at both ends, so that nothing starts or ends with a click. */
export function fadeEnds(x: Float32Array, fadeIn: number, fadeOut: number): Float32Array {
  const a = Math.min(Math.round(fadeIn), x.length)
  const b = Math.min(Math.round(fadeOut), x.length)
  for (let i = 0; i < a; i++) x[i]! *= 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / a)
  for (let i = 0; i < b; i++) x[x.length - 1 - i]! *= 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / b)
  return x
}

/** Scales to the given peak; silence stays silence. */
export function toPeak(x: Float32Array, peak: number): Float32Array {
  const now = peakOf(x)
  return now > 0 ? gain(x, peak / now) : x
}

/** Largest magnitude. */
export function peakOf(x: Float32Array): number {
  let peak = 0
  for (let i = 0; i < x.length; i++) {
    const magnitude = Math.abs(x[i]!)
    if (magnitude > peak) peak = magnitude
  }
  return peak
}
