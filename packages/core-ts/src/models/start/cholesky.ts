import type { InPieces } from '../../base/turn.js'

/** The lower triangle L with L·Lᵀ = a [n × n, rows one after another], in its place; what stands above the diagonal is not looked at. */
export function* cholesky(a: Float64Array, n: number): InPieces<void> {
  for (let i = 0; i < n; i++) {
    const own = a.subarray(i * n, i * n + i + 1)
    for (let j = 0; j <= i; j++) {
      const other = a.subarray(j * n, j * n + j + 1)
      let rest = own[j]!
      for (let k = 0; k < j; k++) rest -= own[k]! * other[k]!
      own[j] = j < i ? rest / other[j]! : Math.sqrt(rest)
    }
    yield
  }
}

/** Solves L·x = b for every column of b [n × m], in its place. */
export function* solveLower(l: Float64Array, n: number, b: Float64Array, m: number): InPieces<void> {
  for (let i = 0; i < n; i++) {
    const row = b.subarray(i * m, (i + 1) * m)
    for (let k = 0; k < i; k++) addTimes(row, -l[i * n + k]!, b.subarray(k * m, (k + 1) * m))
    divide(row, l[i * n + i]!)
    yield
  }
}

/** Solves Lᵀ·x = b for every column of b [n × m], in its place. */
export function* solveUpper(l: Float64Array, n: number, b: Float64Array, m: number): InPieces<void> {
  for (let i = n - 1; i >= 0; i--) {
    const row = b.subarray(i * m, (i + 1) * m)
    divide(row, l[i * n + i]!)
    for (let k = 0; k < i; k++) addTimes(b.subarray(k * m, (k + 1) * m), -l[i * n + k]!, row)
    yield
  }
}

function addTimes(to: Float64Array, factor: number, x: Float64Array): void {
  for (let j = 0; j < to.length; j++) to[j]! += factor * x[j]!
}

function divide(x: Float64Array, by: number): void {
  for (let j = 0; j < x.length; j++) x[j]! /= by
}
