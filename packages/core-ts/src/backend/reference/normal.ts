/** Φ(x) of the standard normal distribution, to a few roundings of float64. */
export function normalDistribution(x: number): number {
  if (Number.isNaN(x)) return x
  const tail = Math.abs(x) < 2.5 ? 0.5 - centre(Math.abs(x)) : tailOf(Math.abs(x))
  return x < 0 ? tail : 1 - tail
}

export function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
}

/** Φ(x) - ½ = φ(x)·(x + x³/3 + x⁵/15 + …), whose terms are all positive. */
function centre(x: number): number {
  let term = x
  let sum = x
  for (let k = 3; term > sum * 1e-17; k += 2) {
    term *= (x * x) / k
    sum += term
  }
  return normalDensity(x) * sum
}

/** Φ(-x) = φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))), from the inside out. */
function tailOf(x: number): number {
  if (x === Infinity) return 0
  let fraction = x
  for (let k = 200; k > 0; k--) fraction = x + k / fraction
  return normalDensity(x) / fraction
}
