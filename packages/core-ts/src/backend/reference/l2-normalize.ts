import { dot, type HostArgs, rowOf } from './host.js'

export function l2Normalize({ x, out, norms, rows, cols, eps }: HostArgs<'l2_normalize'>): void {
  for (let r = 0; r < rows; r++) {
    const source = rowOf(x, r, cols)
    const target = rowOf(out, r, cols)
    const norm = Math.sqrt(dot(source, source))
    const divisor = Math.max(norm, eps)
    norms[r] = norm
    for (let c = 0; c < cols; c++) target[c] = source[c]! / divisor
  }
}

/** Above eps the gradient loses its part along the row; below it the divisor was the constant eps. */
export function l2NormalizeBackward(args: HostArgs<'l2_normalize_backward'>): void {
  const { out, norms, gradOut, gradX, rows, cols, eps } = args
  for (let r = 0; r < rows; r++) {
    const y = rowOf(out, r, cols)
    const g = rowOf(gradOut, r, cols)
    const target = rowOf(gradX, r, cols)
    const norm = norms[r]!
    const along = norm > eps ? dot(y, g) : 0
    const divisor = Math.max(norm, eps)
    for (let c = 0; c < cols; c++) target[c] = (g[c]! - y[c]! * along) / divisor
  }
}
