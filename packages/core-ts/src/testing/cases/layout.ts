import { type AnyOpCase, aroundWidths, blank } from './op-case.js'

function transpose(
  what: string,
  outer: number,
  m: number,
  between: number,
  n: number,
  inner: number,
): AnyOpCase {
  const size = outer * m * between * n * inner
  return {
    op: 'transpose',
    name: `${outer}×${m}×${between}×${n}×${inner} ${what}`,
    args: (draw) => ({ x: draw.normal(size), out: blank(size), outer, m, between, n, inner }),
  }
}

function copyColumns(
  what: string,
  rows: number,
  widths: readonly [xCols: number, from: number, outCols: number, to: number, width: number],
): AnyOpCase {
  const [xCols, from, outCols, to, width] = widths
  return {
    op: 'copy_columns',
    name: `${rows} rows, ${width} of ${xCols} columns to ${outCols} ${what}`,
    args: (draw) => ({
      ...{ x: draw.normal(rows * xCols), out: draw.normal(rows * outCols) },
      ...{ rows, xCols, outCols, from, to, width },
    }),
  }
}

/** Ops that move numbers and change none. */
export const layoutCases: readonly AnyOpCase[] = [
  ...aroundWidths.flatMap((size) => [
    transpose('plain', 1, size, 1, 5, 1),
    transpose('plain', 1, 5, 1, size, 1),
    transpose('heads', 2, size, 1, 3, 4),
    transpose('ends', 1, 3, size, 4, 1),
    transpose('rows', 2, 3, 2, 4, size),
  ]),
  transpose('beyond one block', 2, 70, 3, 90, 1),
  transpose('no matrix', 0, 3, 1, 4, 5),
  ...aroundWidths.flatMap((size) => [
    copyColumns('width', 3, [size + 2, 1, size + 5, 4, size]),
    copyColumns('rows', size, [5, 1, 7, 3, 4]),
  ]),
  copyColumns('whole', 9, [8, 0, 8, 0, 8]),
  copyColumns('in fours', 9, [16, 4, 12, 8, 4]),
  copyColumns('beyond one chunk', 200, [300, 50, 280, 30, 250]),
]
