import { type HostArgs, rowOf } from './host.js'

export function layerNorm(args: HostArgs<'layer_norm'>): void {
  const { x, gamma, beta, out, mean, invStd, rows, cols, eps } = args
  for (let r = 0; r < rows; r++) {
    const source = rowOf(x, r, cols)
    const target = rowOf(out, r, cols)
    let sum = 0
    for (const value of source) sum += value
    const centre = cols === 0 ? 0 : sum / cols
    let squares = 0
    for (const value of source) squares += (value - centre) ** 2
    const scale = 1 / Math.sqrt((cols === 0 ? 0 : squares / cols) + eps)
    mean[r] = centre
    invStd[r] = scale
    for (let c = 0; c < cols; c++) target[c] = (source[c]! - centre) * scale * gamma[c]! + beta[c]!
  }
}

/** The gradient of a row loses its mean and its part along the normalised row. */
export function layerNormBackward(args: HostArgs<'layer_norm_backward'>): void {
  const { x, gamma, mean, invStd, gradOut, gradX, gradGamma, gradBeta, rows, cols } = args
  const [ofGamma, ofBeta] = [new Float64Array(cols), new Float64Array(cols)]
  for (let r = 0; r < rows; r++) {
    const source = rowOf(x, r, cols)
    const g = rowOf(gradOut, r, cols)
    const normal = (c: number): number => (source[c]! - mean[r]!) * invStd[r]!
    let constant = 0
    let along = 0
    for (let c = 0; c < cols; c++) {
      ofGamma[c]! += g[c]! * normal(c)
      ofBeta[c]! += g[c]!
      constant += (g[c]! * gamma[c]!) / cols
      along += (g[c]! * gamma[c]! * normal(c)) / cols
    }
    if (gradX === null) continue
    const target = rowOf(gradX, r, cols)
    for (let c = 0; c < cols; c++) target[c] = invStd[r]! * (g[c]! * gamma[c]! - constant - normal(c) * along)
  }
  gradGamma.set(ofGamma)
  gradBeta.set(ofBeta)
}
