/** What the places of unit vectors say of a model; see each number for its source. */
export interface Geometry {
  /** Mean cosine of two different vectors: 1 when all are one. */
  readonly meanCosine: number
  /** exp of the entropy of the spectrum's shares (Roy, Vetterli, EUSIPCO 2007), of the vectors about their mean: dimensions in use. */
  readonly effectiveRank: number
  /** ln of the mean of exp(−2·d²) over different vectors (Wang, Isola, ICML 2020): the lower, the more evenly spread. */
  readonly uniformity: number
}

/** Of [n × d] unit vectors, n from 2. */
export function geometryOf(vectors: Float32Array, n: number): Geometry {
  const d = vectors.length / n
  const dot = (i: number, j: number): number => {
    let sum = 0
    for (let k = 0; k < d; k++) sum += vectors[i * d + k]! * vectors[j * d + k]!
    return sum
  }
  let [cosines, potentials] = [0, 0]
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const cosine = dot(i, j)
      cosines += cosine
      potentials += Math.exp(-2 * (2 - 2 * cosine))
    }
  }
  const pairs = (n * (n - 1)) / 2
  return {
    meanCosine: cosines / pairs,
    effectiveRank: effectiveRank(vectors, n),
    uniformity: Math.log(potentials / pairs),
  }
}

/** Mean squared distance of the vectors of matching pairs (Wang, Isola, ICML 2020): the lower, the closer. */
export function alignmentOf(a: Float32Array, b: Float32Array, n: number): number {
  let sum = 0
  for (let e = 0; e < a.length; e++) sum += (a[e]! - b[e]!) ** 2
  return sum / n
}

/** 1 where all vectors are the same. */
function effectiveRank(vectors: Float32Array, n: number): number {
  const d = vectors.length / n
  const mean = new Float64Array(d)
  for (let e = 0; e < vectors.length; e++) mean[e % d]! += vectors[e]! / n
  const covariance = new Float64Array(d * d)
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < d; a++) {
      const x = vectors[i * d + a]! - mean[a]!
      for (let b = 0; b <= a; b++) covariance[a * d + b]! += x * (vectors[i * d + b]! - mean[b]!)
    }
  }
  for (let a = 0; a < d; a++) for (let b = 0; b < a; b++) covariance[b * d + a] = covariance[a * d + b]!
  // Singular values are the roots of the eigenvalues.
  const values = eigenvalues(covariance, d).map((value) => Math.sqrt(Math.max(0, value)))
  const total = values.reduce((sum, value) => sum + value, 0)
  if (total < 1e-6) return 1
  const entropy = values.reduce((sum, value) => {
    const share = value / total
    return share > 1e-12 ? sum - share * Math.log(share) : sum
  }, 0)
  return Math.exp(entropy)
}

/** Of a symmetric [n × n] matrix, which is changed, to about six digits; cyclic Jacobi rotations (Golub, Van Loan, 8.5). */
function eigenvalues(a: Float64Array, n: number): number[] {
  for (let sweep = 0; sweep < 30; sweep++) {
    let [off, diagonal] = [0, 0]
    for (let p = 0; p < n; p++)
      for (let q = 0; q < n; q++) {
        if (p === q) diagonal += a[p * n + q]! ** 2
        else off += a[p * n + q]! ** 2
      }
    if (off <= 1e-10 * diagonal) break
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(a, n, p, q)
  }
  return Array.from({ length: n }, (_, i) => a[i * n + i]!)
}

/** Makes the element (p, q) zero. */
function rotate(a: Float64Array, n: number, p: number, q: number): void {
  const [app, aqq, apq] = [a[p * n + p]!, a[q * n + q]!, a[p * n + q]!]
  if (apq * apq <= 1e-14 * Math.abs(app * aqq)) return
  const theta = (aqq - app) / (2 * apq)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < n; k++) {
    if (k === p || k === q) continue
    const [kp, kq] = [a[k * n + p]!, a[k * n + q]!]
    a[k * n + p] = a[p * n + k] = c * kp - s * kq
    a[k * n + q] = a[q * n + k] = s * kp + c * kq
  }
  a[p * n + p] = app - t * apq
  a[q * n + q] = aqq + t * apq
  a[p * n + q] = a[q * n + p] = 0
}
