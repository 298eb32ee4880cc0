/** Two-sided 95 % quantile of the standard normal distribution. */
export const Z95 = 1.959963984540054

/** Φ(x) by its series around 0 (Marsaglia 2004), which is exact to the last digits where a bootstrap looks. */
export function normalCdf(x: number): number {
  if (x < -8) return 0
  if (x > 8) return 1
  let sum = x
  let term = x
  for (let k = 3, before = Number.NaN; sum !== before; k += 2) {
    before = sum
    term *= (x * x) / k
    sum += term
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}

/** Φ⁻¹(p); −Infinity at 0 and Infinity at 1. */
export function normalQuantile(p: number): number {
  if (p <= 0) return Number.NEGATIVE_INFINITY
  if (p >= 1) return Number.POSITIVE_INFINITY
  return bisect((x) => normalCdf(x) < p, -8, 8)
}

/** Two-sided 95 % quantile of Student's t with a whole number of degrees of freedom. */
export function student95(degrees: number): number {
  // Beyond, Cornish and Fisher's expansion around the normal quantile agrees to 1e-12.
  if (degrees > 200) {
    const z = Z95
    return (
      z +
      (z ** 3 + z) / (4 * degrees) +
      (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
      (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3) +
      (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / (92160 * degrees ** 4)
    )
  }
  return bisect((t) => withinStudent(t, degrees) < 0.95, 1, 13)
}

/** P(|T| < t), the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4. */
export function withinStudent(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees))
  const cosine = Math.cos(angle)
  const odd = degrees % 2 === 1
  let term = odd ? cosine : 1
  let sum = 0
  for (let k = odd ? 1 : 0; k <= degrees - 2; k += 2) {
    sum += term
    term *= (cosine * cosine * (k + 1)) / (k + 2)
  }
  return odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum
}

/** Where `below` turns from true to false, to the last bit. */
function bisect(below: (x: number) => boolean, low: number, high: number): number {
  for (;;) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) return middle
    if (below(middle)) low = middle
    else high = middle
  }
}
